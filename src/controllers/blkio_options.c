/* SPDX-License-Identifier: MIT */
/*
 * blkio: what only some kernels are built with: targets of latency (block/blk-iolatency.c) and classes of
 * priority (block/blk-ioprio.c). Both are kept and shown, not enforced.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "blkcg.h"
#include "number.h"

#define NS_PER_US 1000u

/* --- io.latency: iolatency_print_limit, iolatency_set_limit --- */

int blkio_latency_show(const struct request *request, struct text *out)
{
	for (const struct blkg *blkg = blkcg_of(request->cgroup)->blkgs; blkg; blkg = blkg->next) {
		if (!blkg->latency)
			continue;
		blkio_print_device(out, blkg->device);
		text_printf(out, " target=%lu\n", blkg->latency / NS_PER_US);
	}
	return 0;
}

/* "target=USEC" or "target=max", as sscanf("%15[^=]=%20s") has it. */
static int take_target(const char *word, size_t len, uint64_t *latency)
{
	char copy[64], key[16], value[21];
	uint64_t us;

	snprintf(copy, sizeof(copy), "%.*s", (int)len, word);
	if (sscanf(copy, "%15[^=]=%20s", key, value) != 2 || strcmp(key, "target"))
		return -EINVAL;
	*latency = 0;
	if (!strcmp(value, "max"))
		return 0;
	if (number_scan_u64(value, &us))
		return -EINVAL;
	*latency = us * NS_PER_US; /* which may be too much, and wraps */
	return 0;
}

static int set_latency(struct blkg *blkg, int what, const char *text)
{
	uint64_t latency = 0;
	int error;

	(void)what;
	for (;; text++) { /* strsep(): between two blanks there is a word, if an empty one */
		size_t len = strcspn(text, " ");

		error = take_target(text, len, &latency);
		text += len;
		if (error || !*text)
			break;
	}
	if (!error)
		blkg->latency = latency;
	return error;
}

int blkio_latency_act(const struct request *request, char *text)
{
	return blkio_configure(request, text, NULL, set_latency, 0);
}

/* --- io.prio.class: ioprio_show_prio_policy, ioprio_set_prio_policy --- */

static const char *const classes[] = {"no-change", "promote-to-rt", "restrict-to-be", "idle", "none-to-rt"};

int blkio_class_show(const struct request *request, struct text *out)
{
	text_printf(out, "%s\n", classes[blkcg_of(request->cgroup)->prio_class]);
	return 0;
}

/* sysfs_match_string(): one newline may follow. */
int blkio_class_store(const struct request *request, char *text)
{
	size_t len = strlen(text);

	if (len && text[len - 1] == '\n')
		text[len - 1] = '\0';
	for (unsigned i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (strcmp(classes[i], text))
			continue;
		blkcg_of(request->cgroup)->prio_class = i;
		return 0;
	}
	return -EINVAL;
}

unsigned blkio_class_count(void)
{
	return sizeof(classes) / sizeof(classes[0]);
}
