/* SPDX-License-Identifier: MIT */
#ifndef RUN_HELPER_H
#define RUN_HELPER_H

#include <stdbool.h>

#include "channel.h"

struct peer;

/*
 * A process with the rights of the beginning, which makes children for what no thread of the supervisor may
 * do: to become another user for good, to enter a user namespace. It ends with its parent.
 */

struct helper_job {
	enum channel_word asked;
	bool (*work)(int task); /* in a child of its own, with the task's directory of /proc */
	enum channel_word yes, no; /* what is answered */
};

/*
 * Starts it, for these jobs, the last of which has no work. False, and said why on standard error. Before
 * there are threads.
 */
bool helper_open(const struct helper_job *jobs);

/* Has it do what the word says with this task (channel.h). Its answer; CHANNEL_GONE if there is none. */
enum channel_word helper_ask(const struct peer *peer, enum channel_word word);

#endif
