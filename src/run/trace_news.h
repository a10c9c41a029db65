/* SPDX-License-Identifier: MIT */
#ifndef RUN_TRACE_NEWS_H
#define RUN_TRACE_NEWS_H

#include <stdbool.h>
#include <sys/types.h>

struct machine;

/*
 * Telling the daemon of forks, execs and exits (task_news.h). Nothing here waits: what does not fit into the
 * pipe is lost, and that is told.
 */

/* Makes the pipe: its reading end, or -1. Before the tracer's thread, for which all that follow are. */
int trace_news_open(void);

/* Whether anybody is told. */
bool trace_news_are_told(void);

/*
 * `maker` (0: not known) has made the task, which does not run yet. *tgid becomes its process; false, and
 * nothing is told: it is gone.
 */
bool trace_news_fork(const struct machine *machine, pid_t tid, pid_t maker, pid_t *tgid);

/* The process is another program, in the thread that has its number by now. */
void trace_news_exec(pid_t tid);

/* The task has ended, and nobody has been told yet. */
void trace_news_exit(const struct machine *machine, pid_t tid, pid_t tgid);

#endif
