/* SPDX-License-Identifier: MIT */
/*
 * Asking what may never answer. Of another task's files some wait for a lock that it holds for as long
 * as it likes: its mmap lock while it waits for a page of a hung FUSE or NFS file (smaps, smaps_rollup,
 * maps, cmdline: mmap_read_lock_killable(), fs/proc/task_mmu.c), its exec_update_lock while it execs and
 * a file that is closed by that, or a mapping that ends, waits (io, opening smaps, kcmp(2), pidfd_getfd(2);
 * in Linux of 2026 whatever asks ptrace_may_access(), fs/proc/base.c: stat, wchan, the links fd/, ns/, exe,
 * cwd, root). status, statm, schedstat, fdinfo/, children, and the lists of task/, fd/ and ns/ take neither.
 * In gVisor mountinfo, and fdinfo/ of a file on FUSE, take a lock of an inode that is held while somebody
 * waits for the server's word on it (attrMu, pkg/sentry/fsimpl/fuse): so the server itself, asking for them
 * with all its threads, would wait for itself.
 *
 * Such questions are asked by threads that may be lost. Who asks goes on without an answer when the
 * thread has slept over it for 50 ms, or has run for a second; for less, down to 2 ms, after others were
 * lost within a second, so that many at once keep nobody long. It stays lost until the answer comes, and
 * so long that task is not asked again. At most 64 may be lost to one user's tasks and 512 in all, but
 * for those who were asked already: past that those tasks are not asked. Losses are logged.
 */
#ifndef MACHINE_PATIENT_H
#define MACHINE_PATIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct machine;

#define PATIENT_QUESTION_MAX 512 /* bytes */

/* What each question begins with. */
struct patient_head {
	pid_t pid; /* whom it is asked of */
	bool passed_over; /* in: it is none, and stands in the array only */
	bool answered; /* out */
};

/*
 * From here on questions are asked so; machine_task_stat() asks so too. Before, who asks waits: in
 * programs that ask of their own tasks, and in tests. Before other threads use the machine.
 */
void machine_be_patient(struct machine *machine);

struct patient_kind {
	size_t size; /* of a question with its head, at most PATIENT_QUESTION_MAX */
	/* Asks, in a copy of the question that is the thread's own: may wait for ever. */
	void (*ask)(const struct machine *machine, void *question);
	/* Frees what an answer holds that nobody waits for any more; NULL: it holds nothing. */
	void (*drop)(void *question);
};

/*
 * Asks all `count` questions, an array, in turn: those that are `answered` then have what ask() made
 * of them, the others are as they were. After 100 ms from the first that was lost no more are asked than
 * one that is lost too. 0; -EAGAIN: there was no thread for the rest, of which that they hang is not known.
 * Thread-safe. Call it with no lock that others need at once.
 */
int patient_ask(const struct machine *machine, const struct patient_kind *kind, void *questions,
		size_t count);

#endif
