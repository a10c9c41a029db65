/* SPDX-License-Identifier: MIT */
/* Stopping processes by signal, and letting those go on that were so stopped. */
#include "stopper.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "descent.h"
#include "hash.h"
#include "lock.h"
#include "machine_task.h"

#define LOOKS 20 /* at one of whom /proc does not tell whether it sleeps */

/* A process that we stopped, or that ran when one below it was stopped. */
struct noted {
	pid_t tgid;
	uint64_t start_time;
	bool stopped; /* by us */
	bool going; /* stopped by us until now: to be let go */
	bool told; /* of a stop, while it ran: it may stop itself */
	bool needed; /* told, and someone below it is stopped still */
	bool watched; /* told, and nobody is any more: */
	uint64_t ticks; /* how long it had run by then */
	unsigned looks; /* how often it was looked at in state S */
	UT_hash_handle hh;
};

struct stopper {
	const struct machine *machine;
	pthread_mutex_t lock; /* of `noted` */
	struct noted *noted; /* uthash by tgid */
};

struct stopper *stopper_new(const struct machine *machine)
{
	struct stopper *stopper = calloc(1, sizeof(*stopper));

	if (!stopper)
		return NULL;
	stopper->machine = machine;
	lock_init(&stopper->lock);
	return stopper;
}

static bool send_signal(const struct machine *machine, pid_t tgid, uint64_t start_time, int signal)
{
	return !machine_process_signal(machine, tgid, start_time, signal);
}

/* What fails for another reason than that there is no such process may be done later. */
static bool is_gone(int error)
{
	return error == -ESRCH || error == -ENOENT;
}

static bool is_stopped_state(char state)
{
	return state == 'T' || state == 't';
}

static bool has_ended_state(char state)
{
	return state == 'Z' || state == 'X';
}

/* NULL: it is not noted; a note of another process that had its number goes. Under the lock. */
static struct noted *find(struct stopper *stopper, pid_t tgid, uint64_t start_time)
{
	struct noted *noted;

	assert_locked(&stopper->lock);
	HASH_FIND_INT(stopper->noted, &tgid, noted);
	if (!noted || noted->start_time == start_time)
		return noted;
	HASH_DEL(stopper->noted, noted);
	free(noted);
	return NULL;
}

/* The same, made where there is none; NULL: no memory. */
static struct noted *note(struct stopper *stopper, pid_t tgid, uint64_t start_time)
{
	struct noted *noted = find(stopper, tgid, start_time);

	if (noted)
		return noted;
	noted = calloc(1, sizeof(*noted));
	if (!noted)
		return NULL;
	noted->tgid = tgid;
	noted->start_time = start_time;
	HASH_ADD_INT(stopper->noted, tgid, noted);
	return HASH_KEPT(hh, noted);
}

/* There is no more to know of it, when it is neither. */
static void forget_if_idle(struct stopper *stopper, struct noted *noted)
{
	if (noted->stopped || noted->going || noted->told)
		return;
	HASH_DEL(stopper->noted, noted);
	free(noted);
}

/*
 * Notes those above a process that is about to be stopped, as far as each would be told if the one
 * below it stopped itself. Those above one who was told, or whom we stopped, were noted with him.
 */
static void tell_ancestors(struct stopper *stopper, const struct machine_task_stat *process)
{
	struct machine_task_stat stat = *process;
	struct noted *noted;

	while (stat.ppid > 1 && stat.ppid != getpid() &&
	       !machine_task_stat(stopper->machine, stat.ppid, 0, &stat)) {
		noted = find(stopper, stat.pid, stat.starttime);
		if (is_stopped_state(stat.state) || (noted && noted->told))
			return;
		noted = note(stopper, stat.pid, stat.starttime);
		if (!noted)
			return;
		noted->told = true;
		noted->watched = false;
		noted->looks = 0;
	}
}

/* Who is stopped already was by someone else, and is not ours, unless he was told. Under the lock. */
static void stop_process(struct stopper *stopper, const struct machine_task_stat *leader)
{
	bool stands = is_stopped_state(leader->state);
	struct noted *noted = find(stopper, leader->pid, leader->starttime);

	assert_locked(&stopper->lock);
	if (!noted && stands)
		return;
	if (!stands)
		tell_ancestors(stopper, leader);
	noted = note(stopper, leader->pid, leader->starttime);
	if (!noted)
		return; /* the next look tries again */
	noted->going = false;
	noted->stopped = stands ||
			 send_signal(stopper->machine, leader->pid, leader->starttime, SIGSTOP);
	forget_if_idle(stopper, noted);
}

/*
 * It has ended, or is none that can be stopped. *error: that is not known, as of one that hangs: the
 * next look tries again.
 */
static bool is_exempt(const struct stopper *stopper, const struct task_id *task,
		      struct machine_task_stat *stat, int *error)
{
	*error = 0;
	if (task->tgid == getpid() || task->tgid == 1)
		return true;
	*error = machine_task_stat(stopper->machine, task->tgid, task->tid, stat);
	if (*error)
		return is_gone(*error);
	return (task->start_time && stat->starttime != task->start_time) ||
	       has_ended_state(stat->state) || stat->flags & MACHINE_TASK_KTHREAD;
}

bool stopper_stop(struct stopper *stopper, const struct task_id *task)
{
	struct machine_task_stat stat, leader;
	int error;

	if (is_exempt(stopper, task, &stat, &error))
		return true;
	if (!error)
		error = machine_task_stat(stopper->machine, task->tgid, 0, &leader);
	if (error)
		return is_gone(error);
	pthread_mutex_lock(&stopper->lock);
	stop_process(stopper, &leader);
	pthread_mutex_unlock(&stopper->lock);
	/* whose child stands before its exec cannot stop, and is frozen to the kernel too */
	return is_stopped_state(stat.state) ||
	       (stat.state == 'D' && machine_task_waits_for_vfork(stopper->machine, task->tgid, task->tid));
}

/* One that waits for a disk, or for whom it has vforked, comes back to a stop: it need not be waited for. */
bool stopper_awaits(const struct stopper *stopper, const struct task_id *task)
{
	struct machine_task_stat stat;
	int error;

	return !is_exempt(stopper, task, &stat, &error) && !error && (stat.state == 'R' || stat.state == 'S');
}

void stopper_continue(struct stopper *stopper, const struct task_id *task)
{
	struct noted *noted;

	pthread_mutex_lock(&stopper->lock);
	HASH_FIND_INT(stopper->noted, &task->tgid, noted);
	if (noted && noted->stopped) {
		noted->stopped = false;
		noted->going = true;
	}
	pthread_mutex_unlock(&stopper->lock);
}

/* --- letting go --- */

/* Up to the next one whom we stopped too: he is gone up from himself. */
static void need_ancestors(struct stopper *stopper, const struct noted *stopped)
{
	struct machine_task_stat stat;
	struct noted *noted = NULL;
	pid_t pid = stopped->tgid;

	while (pid > 1 && !machine_task_stat(stopper->machine, pid, 0, &stat) &&
	       !(noted && noted->stopped)) {
		pid = stat.ppid;
		HASH_FIND_INT(stopper->noted, &pid, noted);
		if (noted && noted->told)
			noted->needed = true;
	}
}

/* Those who are to go, or were told and have nobody below them any more that is stopped. 0 or -ENOMEM. */
static int list_going(struct stopper *stopper, struct descent *list)
{
	struct noted *noted;
	int error = 0;

	for (noted = stopper->noted; noted; noted = noted->hh.next)
		noted->needed = false;
	for (noted = stopper->noted; noted; noted = noted->hh.next) {
		if (noted->stopped)
			need_ancestors(stopper, noted);
	}
	for (noted = stopper->noted; noted && !error; noted = noted->hh.next) {
		struct task_id id = {.tid = noted->tgid, .tgid = noted->tgid,
				     .start_time = noted->start_time};

		if (noted->going || (noted->told && !noted->needed && !noted->stopped))
			error = descent_add(list, &(struct task_list){.tasks = &id, .count = 1}, 0);
	}
	return error ? error : descent_sort(list, stopper->machine);
}

/*
 * Whether it may be on its way from what it was told to stopping itself. That is short: it is not
 * any more when it has run for a while. In state S it may be one that still looks at its children.
 */
static bool may_stop(const struct stopper *stopper, struct noted *noted,
		     const struct machine_task_stat *stat)
{
	uint64_t ticks = stat->utime + stat->stime;

	if (!noted->watched)
		noted->ticks = ticks;
	noted->watched = true;
	if (ticks > noted->ticks + 1)
		return false;
	return is_stopped_state(stat->state) || stat->state == 'R' ||
	       (stat->state == 'S' && noted->looks++ < LOOKS &&
		!machine_task_is_blocked(stopper->machine, noted->tgid));
}

/*
 * Lets it go on. True: it was told, runs, and may stop itself yet, as may those
 * above it then: with `others` it is above one.
 */
static bool let_go(struct stopper *stopper, struct noted *noted, bool others, bool is_last)
{
	struct machine_task_stat stat = {0};
	int unread = machine_task_stat(stopper->machine, noted->tgid, 0, &stat), error = 0;
	bool awaited;

	unread = is_gone(unread) ? 0 : unread; /* what it does is not known now */
	if (noted->going || is_stopped_state(stat.state))
		error = machine_process_signal(stopper->machine, noted->tgid, noted->start_time, SIGCONT);
	if (error && !is_gone(error))
		return error != -EBUSY; /* it is to go still; one that hangs at the next look */
	noted->told |= others; /* it goes on before them, and may be told */
	awaited = noted->told && (unread ? unread != -EBUSY : may_stop(stopper, noted, &stat));
	noted->going = false;
	noted->told &= noted->needed || unread || ((awaited || others) && !is_last);
	forget_if_idle(stopper, noted);
	return awaited;
}

void stopper_settle(struct stopper *stopper, unsigned patience)
{
	bool again;

	do {
		struct descent list = {0};

		again = false;
		pthread_mutex_lock(&stopper->lock);
		if (!list_going(stopper, &list)) {
			for (size_t i = list.count; i--;)
				again |= let_go(stopper, find(stopper, list.tasks[i].id.tgid,
							      list.tasks[i].id.start_time),
						again, !patience);
		}
		pthread_mutex_unlock(&stopper->lock);
		descent_free(&list);
		if (again && patience)
			usleep(1000);
	} while (again && patience--);
}

/* --- kept beyond the daemon's end --- */

static void save_those(const struct stopper *stopper, bool told, struct text *out)
{
	const struct noted *noted;
	uint64_t count = 0;

	for (noted = stopper->noted; noted; noted = noted->hh.next)
		count += told ? noted->told : noted->stopped;
	bytes_put_u64(out, count);
	for (noted = stopper->noted; noted; noted = noted->hh.next) {
		if (!(told ? noted->told : noted->stopped))
			continue;
		bytes_put_u64(out, (uint64_t)noted->tgid);
		bytes_put_u64(out, noted->start_time);
	}
}

void stopper_save(struct stopper *stopper, struct text *out)
{
	if (!stopper) {
		bytes_put_u64(out, 0);
		return;
	}
	pthread_mutex_lock(&stopper->lock);
	save_those(stopper, false, out);
	save_those(stopper, true, out);
	pthread_mutex_unlock(&stopper->lock);
}

static void restore_those(struct stopper *stopper, bool told, struct bytes *in)
{
	uint64_t count = bytes_get_u64(in);

	while (count-- && !in->wrong) {
		pid_t tgid = (pid_t)bytes_get_u64(in);
		uint64_t start_time = bytes_get_u64(in);
		struct noted *noted = in->wrong ? NULL : note(stopper, tgid, start_time);

		if (noted)
			*(told ? &noted->told : &noted->stopped) = true;
	}
}

void stopper_restore(struct stopper *stopper, struct bytes *in)
{
	if (!stopper)
		return;
	pthread_mutex_lock(&stopper->lock);
	restore_those(stopper, false, in);
	if (in->len) /* daemons of before did not know of those */
		restore_those(stopper, true, in);
	pthread_mutex_unlock(&stopper->lock);
}

void stopper_forget(struct stopper *stopper)
{
	struct noted *noted, *next;

	pthread_mutex_lock(&stopper->lock);
	HASH_ITER(hh, stopper->noted, noted, next) {
		HASH_DEL(stopper->noted, noted);
		free(noted);
	}
	pthread_mutex_unlock(&stopper->lock);
}

void stopper_free(struct stopper *stopper)
{
	struct noted *noted;

	if (!stopper)
		return;
	for (noted = stopper->noted; noted; noted = noted->hh.next) {
		noted->going |= noted->stopped;
		noted->stopped = false;
	}
	stopper_settle(stopper, STOPPER_PATIENCE);
	stopper_forget(stopper);
	pthread_mutex_destroy(&stopper->lock);
	free(stopper);
}
