/* Stopping processes by signal, and letting those go on that were so stopped. */
#include "stopper.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <uthash.h>

#include "machine_task.h"

/* A process that we stopped. */
struct stopped {
	pid_t tgid;
	uint64_t start_time;
	UT_hash_handle hh;
};

struct stopper {
	const struct machine *machine;
	pthread_mutex_t lock; /* of `stopped` */
	struct stopped *stopped; /* uthash by tgid */
};

struct stopper *stopper_new(const struct machine *machine)
{
	struct stopper *stopper = calloc(1, sizeof(*stopper));

	if (!stopper)
		return NULL;
	stopper->machine = machine;
	pthread_mutex_init(&stopper->lock, NULL);
	return stopper;
}

/* Sends a signal to the process that was started then, and to no other that has its number now. */
static bool send_signal(const struct machine *machine, pid_t tgid, uint64_t start_time, int signal)
{
	struct machine_task_stat stat;
	int pidfd = (int)syscall(SYS_pidfd_open, tgid, 0);
	bool sent;

	if (pidfd < 0)
		return false;
	sent = !machine_task_stat(machine, tgid, 0, &stat) && stat.starttime == start_time &&
	       !syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
	close(pidfd);
	return sent;
}

static bool is_stopped_state(char state)
{
	return state == 'T' || state == 't';
}

static bool has_ended_state(char state)
{
	return state == 'Z' || state == 'X';
}

/* Who is stopped already was by someone else, and is not noted. Under the lock. */
static void stop_process(struct stopper *stopper, const struct machine_task_stat *leader)
{
	struct stopped *stopped;

	if (is_stopped_state(leader->state))
		return;
	stopped = calloc(1, sizeof(*stopped));
	if (!stopped)
		return; /* the next look tries again */
	stopped->tgid = leader->pid;
	stopped->start_time = leader->starttime;
	if (!send_signal(stopper->machine, leader->pid, leader->starttime, SIGSTOP)) {
		free(stopped);
		return;
	}
	HASH_ADD_INT(stopper->stopped, tgid, stopped);
}

bool stopper_stop(struct stopper *stopper, const struct task_id *task)
{
	struct machine_task_stat stat, leader;
	struct stopped *stopped;

	if (task->tgid == getpid() || task->tgid == 1 ||
	    machine_task_stat(stopper->machine, task->tgid, task->tid, &stat) ||
	    (task->start_time && stat.starttime != task->start_time) ||
	    has_ended_state(stat.state) || stat.flags & MACHINE_TASK_KTHREAD ||
	    machine_task_stat(stopper->machine, task->tgid, 0, &leader))
		return true;
	pthread_mutex_lock(&stopper->lock);
	HASH_FIND_INT(stopper->stopped, &task->tgid, stopped);
	if (stopped && stopped->start_time != leader.starttime) { /* the number is another's */
		HASH_DEL(stopper->stopped, stopped);
		free(stopped);
		stopped = NULL;
	}
	if (!stopped)
		stop_process(stopper, &leader);
	else if (!is_stopped_state(leader.state)) /* not yet, or someone else let it go on */
		send_signal(stopper->machine, leader.pid, leader.starttime, SIGSTOP);
	pthread_mutex_unlock(&stopper->lock);
	return is_stopped_state(stat.state);
}

static void let_go(struct stopper *stopper, struct stopped *stopped)
{
	send_signal(stopper->machine, stopped->tgid, stopped->start_time, SIGCONT);
	HASH_DEL(stopper->stopped, stopped);
	free(stopped);
}

void stopper_continue(struct stopper *stopper, const struct task_id *task)
{
	struct stopped *stopped;

	pthread_mutex_lock(&stopper->lock);
	HASH_FIND_INT(stopper->stopped, &task->tgid, stopped);
	if (stopped)
		let_go(stopper, stopped);
	pthread_mutex_unlock(&stopper->lock);
}

void stopper_save(struct stopper *stopper, struct text *out)
{
	struct stopped *stopped;

	if (!stopper) {
		bytes_put_u64(out, 0);
		return;
	}
	pthread_mutex_lock(&stopper->lock);
	bytes_put_u64(out, HASH_COUNT(stopper->stopped));
	for (stopped = stopper->stopped; stopped; stopped = stopped->hh.next) {
		bytes_put_u64(out, (uint64_t)stopped->tgid);
		bytes_put_u64(out, stopped->start_time);
	}
	pthread_mutex_unlock(&stopper->lock);
}

void stopper_restore(struct stopper *stopper, struct bytes *in)
{
	uint64_t count = bytes_get_u64(in);

	while (stopper && count-- && !in->wrong) {
		struct stopped *stopped = calloc(1, sizeof(*stopped)), *known;

		if (!stopped)
			return;
		stopped->tgid = (pid_t)bytes_get_u64(in);
		stopped->start_time = bytes_get_u64(in);
		pthread_mutex_lock(&stopper->lock);
		HASH_FIND_INT(stopper->stopped, &stopped->tgid, known);
		if (known || in->wrong)
			free(stopped);
		else
			HASH_ADD_INT(stopper->stopped, tgid, stopped);
		pthread_mutex_unlock(&stopper->lock);
	}
}

void stopper_forget(struct stopper *stopper)
{
	struct stopped *stopped, *next;

	pthread_mutex_lock(&stopper->lock);
	HASH_ITER(hh, stopper->stopped, stopped, next) {
		HASH_DEL(stopper->stopped, stopped);
		free(stopped);
	}
	pthread_mutex_unlock(&stopper->lock);
}

void stopper_free(struct stopper *stopper)
{
	struct stopped *stopped, *next;

	if (!stopper)
		return;
	HASH_ITER(hh, stopper->stopped, stopped, next)
		let_go(stopper, stopped);
	pthread_mutex_destroy(&stopper->lock);
	free(stopper);
}
