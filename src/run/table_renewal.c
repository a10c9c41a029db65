/* SPDX-License-Identifier: MIT */
/* Tables that have news, for who reads them again. */
#include "table_renewal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "table_list.h"
#include "table_share.h"
#include "table_source.h"

#define AT_ONCE 32 /* all wait for the same daemon alone */

static atomic_uint count;

struct renewal {
	struct table_reader reader;
	void (*answer)(const struct table_reader *reader);
};

/* The text, and what it costs, become the file's; its old ones are left. */
static void exchange(struct table_file *file, struct text *text, struct table_share *share)
{
	struct text old_text;
	size_t old_bytes;

	pthread_mutex_lock(&file->lock);
	old_text = file->text;
	old_bytes = file->share.bytes;
	file->text = *text;
	file->share.bytes = share->bytes;
	pthread_mutex_unlock(&file->lock);
	*text = old_text;
	share->bytes = old_bytes;
}

static void renew(struct table_file *file)
{
	struct table_share share = {.user = file->share.user};
	struct text text = {0};

	file->stale = false; /* before it is read: what comes now is in it or makes it so again */
	if (table_source_make(file->source, &share, &text) || table_share_settle(&share, text.len))
		file->stale = true;
	else
		exchange(file, &text, &share);
	table_share_return(&share);
	text_free(&text);
}

static void *run(void *argument)
{
	struct renewal *renewal = argument;

	renew(renewal->reader.file);
	renewal->answer(&renewal->reader);
	free(renewal);
	count--;
	return NULL;
}

bool table_renew(const struct table_reader *reader, void (*answer)(const struct table_reader *reader))
{
	struct renewal *renewal = count++ < AT_ONCE ? malloc(sizeof(*renewal)) : NULL;
	pthread_t thread;

	if (renewal) {
		*renewal = (struct renewal){*reader, answer};
		if (!pthread_create(&thread, NULL, run, renewal)) {
			pthread_detach(thread);
			return true;
		}
		free(renewal);
	}
	count--;
	return false;
}
