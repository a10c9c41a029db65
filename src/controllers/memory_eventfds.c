/* SPDX-License-Identifier: MIT */
/* Eventfds of others: ours to signal, once each, for as long as somebody else has them. */
#include "mem_cgroup.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <utlist.h>

#include "log.h"

size_t memory_eventfds_max(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) ? 0 : limit.rlim_cur / 2;
}

/* Whose it is tells our own descriptor: theirs may be of another file by now. */
static int note_place(const struct machine *machine, struct memory_eventfd *eventfd, pid_t tid,
		      unsigned int fd)
{
	struct machine_fd info;
	int error = machine_task_fd(machine, getpid(), (unsigned int)eventfd->fd, &info);

	if (!error)
		eventfd->theirs = (struct machine_eventfd){
			.id = info.eventfd_id, .tid = tid, .fd = fd};
	return error;
}

int memory_eventfd_take(const struct machine *machine, pid_t tid, unsigned int fd,
			struct memory_eventfd **eventfd)
{
	struct memory_eventfd *taken = calloc(1, sizeof(*taken));
	int error;

	if (!taken)
		return -ENOMEM;
	taken->events = 1;
	taken->fd = machine_task_eventfd(machine, tid, fd);
	error = taken->fd < 0 ? taken->fd : note_place(machine, taken, tid, fd);
	if (error)
		memory_eventfd_put(taken, NULL);
	else
		*eventfd = taken;
	return error;
}

void memory_eventfd_put(struct memory_eventfd *eventfd, struct memory_eventfd **list)
{
	if (!eventfd || --eventfd->events)
		return;
	if (eventfd->prev)
		DL_DELETE(*list, eventfd);
	if (eventfd->fd >= 0)
		close(eventfd->fd);
	free(eventfd);
}

struct memory_eventfd *memory_eventfd_share(struct memory_eventfd *eventfd, struct memory_eventfd **list)
{
	struct memory_eventfd *same;

	DL_FOREACH(*list, same) {
		if (!eventfd->theirs.id || same->theirs.id != eventfd->theirs.id)
			continue;
		same->theirs = eventfd->theirs; /* where it was seen last */
		same->is_registered = true;
		same->events++;
		memory_eventfd_put(eventfd, NULL);
		return same;
	}
	DL_APPEND(*list, eventfd);
	return eventfd;
}

/* A full counter would have write(2) wait. */
void memory_eventfd_signal(const struct memory_eventfd *eventfd)
{
	struct pollfd ready = {.fd = eventfd->fd, .events = POLLOUT};
	const uint64_t one = 1;

	if (poll(&ready, 1, 0) == 1 && write(eventfd->fd, &one, sizeof(one)) < 0)
		log_debug("memory: an eventfd took no event: %m");
}

struct machine_eventfd *memory_eventfds_copy(struct memory_eventfd *list, size_t *count)
{
	struct memory_eventfd *eventfd;
	struct machine_eventfd *copy;

	DL_COUNT(list, eventfd, *count);
	copy = calloc(*count + 1, sizeof(*copy));
	*count = 0;
	DL_FOREACH(list, eventfd) {
		eventfd->is_registered = false;
		if (copy)
			copy[(*count)++] = eventfd->theirs;
	}
	return copy;
}

static bool is_same(const struct machine_eventfd *a, const struct machine_eventfd *b)
{
	return a->id == b->id && (a->id || (a->tid == b->tid && a->fd == b->fd));
}

/* The list and its copy are in one order: of the copied some are gone since, others came behind them. */
bool memory_eventfds_note(struct memory_eventfd *list, const struct machine_eventfd *found, size_t count)
{
	struct memory_eventfd *eventfd;
	bool any = false;
	size_t i = 0;

	DL_FOREACH(list, eventfd) {
		while (i < count && !is_same(&eventfd->theirs, &found[i]))
			i++;
		if (i == count)
			break;
		if (eventfd->is_registered)
			continue; /* after that */
		eventfd->theirs = found[i];
		eventfd->is_closed = !found[i].held;
		any |= eventfd->is_closed;
	}
	return any;
}
