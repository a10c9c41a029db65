/* SPDX-License-Identifier: MIT */
#ifndef RUN_CALL_H
#define RUN_CALL_H

#include <stdbool.h>
#include <stdint.h>

struct peer;

/* A caught system call, and its answer. */

struct call {
	struct peer *peer; /* the task whose call it is */
	int number; /* __NR_* of the native architecture */
	uint64_t arguments[6];
};

enum answer_kind {
	ANSWER_KERNEL, /* the kernel is to do it */
	ANSWER_ARGUMENTS, /* the kernel is to do it with these `arguments`; of TRAP_TRACED rows only */
	ANSWER_WHOLE, /* the kernel is to do it without a signal in between; of TRAP_INTERRUPTED rows only */
	ANSWER_VALUE, /* `value` is returned: 0 and above, or a negative errno */
	ANSWER_FILE, /* `file` becomes a descriptor of the task, which is returned */
};

struct answer {
	enum answer_kind kind;
	uint64_t arguments[6];
	int64_t value;
	int file; /* the answerer's descriptor; to be closed by whoever passes it on */
	bool close_on_exec;
	bool closed_first; /* the task goes on when only it has the file: ours would keep its mount busy */
};

/* Reads the path that is this argument, of PATH_MAX bytes. False: the kernel is to say what is wrong. */
bool call_path(const struct call *call, unsigned argument, char *path);

/* The call returns this: 0 and above, or a negative errno. */
void answer_value(struct answer *answer, int64_t value);

#endif
