/* SPDX-License-Identifier: MIT */
#ifndef RUN_TRACE_REGISTERS_H
#define RUN_TRACE_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

/*
 * The registers of a traced task that is stopped, as far as system calls are concerned: the one place that
 * knows the processor. All of the tracer's thread. Sources: ptrace(2), syscall(2), seccomp(2).
 */

struct registers {
#if defined(__aarch64__)
	struct user_regs_struct user;
	int number; /* of the call that is about to be made; -1: none */
#else
	struct user_regs_struct user;
#endif
};

/* Reads or writes them. False: the task is gone. */
bool registers_get(pid_t tid, struct registers *registers);
bool registers_set(pid_t tid, const struct registers *registers);

/* The system call that it is about to make. */
int registers_number(const struct registers *registers);
void registers_arguments(const struct registers *registers, uint64_t arguments[6]);

/* That call is not made, or has been made: it returns `value`. */
void registers_return(struct registers *registers, int64_t value);

/* Another call is made in its place. */
void registers_call(struct registers *registers, int number, const uint64_t arguments[6]);

/* From the end of a call back to its instruction: what registers_call() says is made when it goes on. */
void registers_go_back(struct registers *registers);

/* Whether it stands behind the instruction that makes a call: what that returned it has not seen yet. */
bool registers_follow_call(pid_t tid, const struct registers *registers);

/* From the end of a call back to its instruction, to make it again. False: its arguments are gone. */
bool registers_repeat(struct registers *registers);

/* What the call that has been made returned. */
int64_t registers_result(const struct registers *registers);

#endif
