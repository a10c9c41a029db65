/* SPDX-License-Identifier: MIT */
#ifndef TASK_NEWS_H
#define TASK_NEWS_H

#include <stdint.h>
#include <sys/types.h>

/*
 * What fuse_cgroup_run's tracer tells its fuse_cgroupfs of the tasks that it traces, through a pipe: forks,
 * execs and exits, in the order in which they were. No task does anything before its fork is in the pipe, and
 * nobody is told of its end before its exit is. So the pipe has all that anybody may know of. One message is
 * one write(2), of less than PIPE_BUF. Numbers are those of the pid namespace of both.
 */
enum task_news_kind {
	TASK_NEWS_LOST, /* the pipe was full: what came before this is not known */
	TASK_NEWS_FORK,
	TASK_NEWS_EXEC, /* `tid` is the process' number, as it is now */
	TASK_NEWS_EXIT,
};

struct task_news {
	uint32_t kind; /* enum task_news_kind */
	pid_t tracer; /* the thread that tells: TracerPid of /proc/TID/status */
	pid_t tid, tgid;
	pid_t maker; /* of a fork: the thread that made it */
	pid_t parent; /* who will be told of a process' end; 0: not known */
	uint64_t start_time; /* of a fork: ticks after boot, /proc/PID/stat field 22 */
	/* Of an exit, if it could be read: what the task used in its life. */
	uint32_t has_figures;
	uint32_t cpu; /* it was on last */
	uint64_t utime, stime; /* ticks */
	uint64_t run; /* ns on a processor; 0: only the ticks are told */
	uint64_t faults, major_faults; /* minor and major; major */
	uint64_t read_bytes, write_bytes; /* from and to disks */
};

#endif
