/* SPDX-License-Identifier: MIT */
/* The tables that somebody has open. */
#include "table_list.h"

#include <linux/fuse.h>
#include <pthread.h>
#include <stdlib.h>

#include "lock.h"
#include "table_source.h"

#define BUCKETS 256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Protected by the lock. */
static struct table_file *files[BUCKETS];
static uint64_t last_number = FUSE_ROOT_ID;

static void enter(struct table_file *file)
{
	struct table_file **bucket;

	pthread_mutex_lock(&lock);
	file->number = ++last_number;
	bucket = &files[file->number % BUCKETS];
	file->next = *bucket;
	*bucket = file;
	pthread_mutex_unlock(&lock);
}

static void leave(const struct table_file *file)
{
	struct table_file **at = &files[file->number % BUCKETS];

	pthread_mutex_lock(&lock);
	while (*at != file)
		at = &(*at)->next;
	*at = file->next;
	pthread_mutex_unlock(&lock);
}

static void destroy(struct table_file *file)
{
	table_source_free(file->source);
	text_free(&file->text);
	table_share_return(&file->share);
	pthread_mutex_destroy(&file->lock);
	free(file);
}

struct table_file *table_list_add(const struct text *text, const struct stat *about,
				  struct table_source *source, struct table_share *share)
{
	struct table_file *file = calloc(1, sizeof(*file));

	if (!file) {
		table_source_free(source);
		table_share_return(share);
		return NULL;
	}
	if (source && !table_share_watch(share)) {
		table_source_free(source);
		source = NULL;
	}
	lock_init(&file->lock);
	text_add_bytes(&file->text, text->data, text->len);
	file->about = *about;
	file->source = source;
	file->share = *share;
	*share = (struct table_share){0};
	if (file->text.error) {
		destroy(file);
		return NULL;
	}
	enter(file);
	return file;
}

struct table_file *table_list_find(uint64_t number)
{
	struct table_file *file;

	pthread_mutex_lock(&lock);
	file = files[number % BUCKETS];
	while (file && file->number != number)
		file = file->next;
	pthread_mutex_unlock(&lock);
	return file;
}

void table_list_free(struct table_file *file)
{
	leave(file);
	destroy(file);
}
