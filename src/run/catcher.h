/* SPDX-License-Identifier: MIT */
#ifndef RUN_CATCHER_H
#define RUN_CATCHER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct answer;
struct call;
struct calls_context;

/*
 * A way of catching the system calls of a command and all that it starts, and
 * of bringing them to calls_answer(). Nobody but the way itself knows which
 * one it is.
 */
struct catcher {
	const char *name;
	uint32_t action; /* what the seccomp filter does with a call that is to be caught: SCMP_ACT_... */
	unsigned traps; /* that only this way needs (calls.h) */
	bool traces; /* it asks for ptrace(2), which the supervisor else forbids itself (privilege.h) */
	/* the filter comes first, and with it a descriptor for serve(); else it comes after serve() */
	bool has_listener;
	/*
	 * Answers what `command` calls from here on to the end of the process, in threads of its own.
	 * `listener` is filter_install()'s, or -1. `context` must last as long. Returns a descriptor that
	 * hangs up (POLLHUP) when no process is left whose calls are caught, or a negative errno.
	 */
	int (*serve)(int listener, pid_t command, const struct calls_context *context);
	/*
	 * Before serve(): makes a pipe, to which it writes what it sees of forks, execs and exits
	 * (task_news.h). Its reading end, or -1. NULL: this way sees nothing of them.
	 */
	int (*open_news)(void);
	/* calls_context.before_waiting */
	void (*before_waiting)(void);
};

/* Waits up to `milliseconds` (-1: for ever) until the descriptor of serve() hangs up; whether so. */
bool catcher_is_over(int end, int milliseconds);

/* calls_answer(), or -ENOMEM if its user has too many calls at once (share.h). For catchers. */
void catcher_answer(const struct calls_context *context, const struct call *call, struct answer *answer);

extern const struct catcher catcher_notify; /* notify.c */
extern const struct catcher catcher_trace; /* trace.c */

#endif
