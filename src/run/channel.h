/* SPDX-License-Identifier: MIT */
#ifndef RUN_CHANNEL_H
#define RUN_CHANNEL_H

#include <stdbool.h>
#include <sys/types.h>

/* The pair of sockets between the supervisor and who runs the command: one message is one word. */

enum channel_word {
	CHANNEL_GONE = 0, /* the other side has ended */
	CHANNEL_READY = 'R', /* from the supervisor: the tree is there */
	/* to it, by the command's process: with the seccomp listener, if there is one */
	CHANNEL_COMMAND = 'C',
	CHANNEL_GO = 'G', /* from it: calls are answered, and the process is in its cgroups */
	CHANNEL_FAILED = 'F', /* from it instead: it has said why */
	CHANNEL_ENDED = 'E', /* to it: the command has ended */
	/* to it: the command has been stopped; with a continued.h; no answer (pause.h) */
	CHANNEL_PAUSED = 'P',
	CHANNEL_CONTINUE = 'T', /* to it: may SIGCONT be passed on? Answered by GO or FROZEN */
	CHANNEL_FROZEN = 'Z', /* from it: the tree's freezer holds the command */
	CHANNEL_START = 'S', /* to the starter (starter.h) */
	CHANNEL_STARTED = 's', /* from it: with a pidfd, if that went well */
	CHANNEL_MARK = 'M', /* to the helper (restricted.h): with a task's directory of /proc */
	CHANNEL_MARKED = 'm', /* from it: that is done, as far as it can be */
	CHANNEL_ENTER = 'N', /* to it (rights.h): with a task's directory of /proc */
	CHANNEL_ENTERED = 'n', CHANNEL_REFUSED = 'x', /* from it: what came of that */
	CHANNEL_DONE = 'D', /* from it: nobody is left */
	CHANNEL_STAYS = 'Y', /* from it: descendants live, and it with them */
};

struct channel_message {
	enum channel_word word;
	pid_t sender;
	int descriptor; /* that came with it; -1: none */
};

/* Makes the pair, above the standard streams. False with errno set. */
bool channel_open(int ends[2]);

/* Sends a word, with a descriptor unless it is -1. False: the other side is gone. Async-signal-safe. */
bool channel_send(int end, enum channel_word word, int descriptor);

/* Waits for a message. Async-signal-safe. */
struct channel_message channel_receive(int end);

#endif
