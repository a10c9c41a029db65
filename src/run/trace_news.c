/* SPDX-License-Identifier: MIT */
/* What the tracer tells the daemon. */
#include "trace_news.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "descriptors.h"
#include "machine_task.h"
#include "task_news.h"

#define ROOM (1 << 20) /* bytes: what an ordinary user may have, some 10,000 messages */

static int news = -1; /* the writing end */
static bool is_full; /* and some were lost */

int trace_news_open(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -1;
	fcntl(ends[1], F_SETPIPE_SZ, ROOM);
	/* not in the place of a standard stream */
	news = descriptors_move_up(ends[1]);
	return descriptors_move_up(ends[0]);
}

bool trace_news_are_told(void)
{
	return news >= 0;
}

static bool put(const struct task_news *message)
{
	return write(news, message, sizeof(*message)) == sizeof(*message);
}

/* False: they would be lost. */
static bool has_room(void)
{
	const struct task_news lost = {.kind = TASK_NEWS_LOST, .tracer = gettid()};

	if (is_full)
		is_full = !put(&lost);
	return news >= 0 && !is_full;
}

static void tell(const struct task_news *message)
{
	is_full = !put(message);
}

bool trace_news_fork(const struct machine *machine, pid_t tid, pid_t maker, pid_t *tgid)
{
	struct machine_task_status status;
	struct machine_task_stat stat;

	if (machine_task_status(machine, tid, 0, &status) ||
	    machine_task_stat(machine, status.tgid, tid, &stat))
		return false;
	*tgid = status.tgid;
	if (has_room())
		tell(&(struct task_news){.kind = TASK_NEWS_FORK, .tracer = gettid(), .tid = tid,
					 .tgid = status.tgid, .maker = maker, .parent = status.ppid,
					 .start_time = stat.starttime});
	return true;
}

void trace_news_exec(pid_t tid)
{
	if (has_room())
		tell(&(struct task_news){
			.kind = TASK_NEWS_EXEC, .tracer = gettid(), .tid = tid, .tgid = tid});
}

/* As much as the kernel shows. */
static void fill_figures(const struct machine *machine, struct task_news *message)
{
	static bool lacks_schedstat; /* gVisor does */
	struct machine_task_schedstat sched = {0};
	struct machine_task_io io = {0};
	struct machine_task_stat stat;

	message->has_figures = !machine_task_stat(machine, message->tgid, message->tid, &stat);
	if (!message->has_figures)
		return;
	if (!lacks_schedstat)
		lacks_schedstat = machine_task_schedstat(machine, message->tgid, message->tid, &sched) ==
				  -ENOENT;
	machine_task_io(machine, message->tgid, message->tid, &io); /* not everybody's may be read */
	message->parent = message->tid == message->tgid ? stat.ppid : 0;
	message->cpu = (uint32_t)stat.processor;
	message->utime = stat.utime;
	message->stime = stat.stime;
	message->run = sched.run_ns;
	message->faults = stat.minflt + stat.majflt;
	message->major_faults = stat.majflt;
	message->read_bytes = io.read_bytes;
	message->write_bytes = io.write_bytes;
}

void trace_news_exit(const struct machine *machine, pid_t tid, pid_t tgid)
{
	struct task_news message = {.kind = TASK_NEWS_EXIT, .tracer = gettid(), .tid = tid, .tgid = tgid};

	if (!has_room())
		return;
	fill_figures(machine, &message);
	tell(&message);
}
