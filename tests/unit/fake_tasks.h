/* SPDX-License-Identifier: MIT */
/* Processes of a fake machine: their /proc files, written anew after every change. */
#ifndef FAKE_TASKS_H
#define FAKE_TASKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fake_machine.h"

#define FAKE_TICK 10000000ul /* ns */

struct fake_task {
	pid_t tid, tgid, ppid;
	pid_t pgrp, session; /* 0: its own, and 1 */
	uint64_t start; /* ticks */
	uint64_t run; /* ns, in whole ticks */
	uint64_t waited; /* ns, for a processor */
	uint64_t ended_run; /* a leader's: of its process' threads that ended */
	uint64_t reaped; /* a leader's: ns of children that were waited for */
	uint64_t read_bytes; /* a leader's: of all its threads */
	uint64_t anon; /* a leader's: bytes */
	bool zombie, blocked;
};

static inline void fake_put_stat(const struct fake_machine *fake, const char *path,
				 const struct fake_task *task, uint64_t run, unsigned threads)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "%d (fake) %c %d %d %d 0 -1 0 %lu %lu 0 0 %lu 0 %lu 0 20 0 %u 0 %lu 0 0 "
		 "0 0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
		 task->tid,
		 task->zombie	 ? 'Z'
		 : task->blocked ? 'D'
				 : 'S',
		 task->ppid, task->pgrp ? task->pgrp : task->tgid, task->session ? task->session : 1,
		 run / FAKE_TICK, task->reaped / FAKE_TICK, run / FAKE_TICK, task->reaped / FAKE_TICK,
		 threads, task->start);
	fake_put(fake, path, text);
}

static inline void fake_put_children(const struct fake_machine *fake, pid_t tgid, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%d/task/%d/children", tgid, tgid);
	fake_put(fake, path, text);
}

/* What a thread has of its own; below task/ and, for a leader, of the process too. */
static inline void fake_put_thread(const struct fake_machine *fake, const struct fake_task *task)
{
	char path[96], text[128];

	snprintf(path, sizeof(path), "proc/%d/task/%d/stat", task->tgid, task->tid);
	fake_put_stat(fake, path, task, task->run, 1);
	snprintf(text, sizeof(text), "%lu %lu 1\n", task->run, task->waited);
	snprintf(path, sizeof(path), "proc/%d/task/%d/schedstat", task->tgid, task->tid);
	fake_put(fake, path, text);
	snprintf(path, sizeof(path), "proc/%d/schedstat", task->tid);
	fake_put(fake, path, text);
}

static inline void fake_put_status(const struct fake_machine *fake, const struct fake_task *task,
				   unsigned threads)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "proc/%d/status", task->tid);
	snprintf(text, sizeof(text),
		 "Name:\tfake\nState:\t%c\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\n"
		 "VmSize:\t%lu kB\nVmRSS:\t%lu kB\nRssAnon:\t%lu kB\nRssFile:\t0 kB\n"
		 "RssShmem:\t0 kB\nThreads:\t%u\n",
		 task->zombie ? 'Z' : 'S', task->tgid, task->tid, task->ppid, task->anon / 1024,
		 task->anon / 1024, task->anon / 1024, threads);
	fake_put(fake, path, text);
}

/* A whole process: `leader` and what its live threads ran. */
static inline void fake_put_process(const struct fake_machine *fake, const struct fake_task *leader,
				    uint64_t run, unsigned threads)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "proc/%d/stat", leader->tid);
	fake_put_stat(fake, path, leader, run, threads);
	fake_put_status(fake, leader, threads);
	snprintf(path, sizeof(path), "proc/%d/io", leader->tid);
	snprintf(text, sizeof(text), "rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: %lu\n"
				     "write_bytes: 0\ncancelled_write_bytes: 0\n",
		 leader->read_bytes);
	fake_put(fake, path, text);
}

/* Takes a directory of proc/ away. */
static inline void fake_remove_dir(const struct fake_machine *fake, const char *path)
{
	char full[128];

	snprintf(full, sizeof(full), "%s/%s", fake->root, path);
	nftw(full, fake_remove, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
