/* SPDX-License-Identifier: MIT */
#ifndef RUN_CALLS_H
#define RUN_CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "call.h"

struct machine;
struct view;

/*
 * The system calls that are answered instead of the kernel, or passed on to
 * it. How they are caught is another's business (catcher.h).
 */

/* What calls are answered from. Constant but for what view.h says. */
struct calls_context {
	struct view *view;
	struct machine *machine;
	unsigned needed; /* TRAP_...: rows with another condition are not there */
	bool redirect; /* answer what leads to the tree (redirect.h) */
	bool trace; /* tell each call and its answer on standard error */
	/* Called before an answer that may have to wait for others: for a filesystem, the daemon. */
	void (*before_waiting)(void);
};

enum trap_flags {
	TRAP_OPEN = 1 << 0, /* the argument before is the path: filter.c lets searches for headers by */
	/* Those that not everybody needs: */
	TRAP_UNIFIED = 1 << 1, /* cgroup v2 does */
	TRAP_NOTIFIED = 1 << 2, /* who catches with a seccomp listener does (catcher.h) */
	TRAP_TRACED = 1 << 3, /* who catches with ptrace(2) does */
	TRAP_INTERRUPTED = 1 << 4, /* who catches in gVisor does: trace_again.h */
	TRAP_CONDITIONS = TRAP_UNIFIED | TRAP_NOTIFIED | TRAP_TRACED | TRAP_INTERRUPTED,
};

/*
 * A row is a system call that is caught: when argument `argument` masked by `mask` is `wanted`
 * (mask 0: always).
 */
struct trap {
	int number;
	const char *name;
	unsigned argument;
	uint64_t mask, wanted;
	unsigned flags;
	/*
	 * Fills *answer (ANSWER_KERNEL before); `path` (of PATH_MAX bytes) is what it was about, for --trace.
	 */
	void (*answer)(const struct calls_context *context, const struct call *call, char *path,
		       struct answer *answer);
};

/*
 * Opens (fcntl.h) that make, write or only name a file are no reading of a table, nor are those that /proc
 * refuses.
 */
#define CALLS_NOT_READING (O_ACCMODE | O_CREAT | O_DIRECTORY | O_PATH | O_DIRECT)

extern const struct trap traps[];
extern const unsigned trap_count;

/* Answers one call. Thread-safe. */
void calls_answer(const struct calls_context *context, const struct call *call,
		  struct answer *answer);

#endif
