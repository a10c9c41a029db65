/* SPDX-License-Identifier: MIT */
/*
 * Task records of perf events: fork, exec and exit of every task, with the
 * very thread that forked (kernel/events/core.c perf_event_task_output). One ring for each CPU.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "events.h"

#define RING_BYTES 131072u /* a power of two of pages; some 1,800 records */
#define RECORD_BYTES 128u /* more than any of them */

struct ring {
	int fd;
	struct perf_event_mmap_page *page;
	const char *data; /* RING_BYTES */
};

/* The end of each record: PERF_SAMPLE_TIME | PERF_SAMPLE_CPU. */
struct trailer {
	uint64_t time;
	uint32_t cpu, reserved;
};

/* PERF_RECORD_FORK and PERF_RECORD_EXIT; PERF_RECORD_COMM has pid and tid first. */
struct task_body {
	uint32_t pid, ppid, tid, ptid;
};

static int ring_open(struct ring *ring, int cpu, size_t page_size)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TIME | PERF_SAMPLE_CPU,
		.sample_id_all = 1,
		.disabled = 1,
		.task = 1,
		.comm = 1,
		.comm_exec = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.watermark = 1,
		.wakeup_watermark = RING_BYTES / 4,
	};
	void *map;

	ring->fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (ring->fd < 0)
		return -errno;
	map = mmap(NULL, page_size + RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	if (map == MAP_FAILED) {
		int error = -errno;

		close(ring->fd);
		return error;
	}
	ring->page = map;
	ring->data = (const char *)map + page_size;
	return 0;
}

static void ring_copy(const struct ring *ring, uint64_t at, void *to, size_t len)
{
	size_t start = at % RING_BYTES;
	size_t first = len < RING_BYTES - start ? len : RING_BYTES - start;

	memcpy(to, ring->data + start, first);
	memcpy((char *)to + first, ring->data, len - first);
}

/* One record; true when it says that some were lost. */
static bool read_record(const struct ring *ring, uint64_t at,
			const struct perf_event_header *header, struct event_list *list, int *error)
{
	struct task_body body;
	struct trailer trailer;
	struct event event;

	if (header->type == PERF_RECORD_LOST)
		return true;
	if (header->type != PERF_RECORD_FORK && header->type != PERF_RECORD_EXIT &&
	    !(header->type == PERF_RECORD_COMM && header->misc & PERF_RECORD_MISC_COMM_EXEC))
		return false;
	ring_copy(ring, at + sizeof(*header), &body, sizeof(body));
	ring_copy(ring, at + header->size - sizeof(trailer), &trailer, sizeof(trailer));
	event = (struct event){.time = trailer.time, .cpu = trailer.cpu, .tgid = (pid_t)body.pid};
	if (header->type == PERF_RECORD_COMM) {
		event.type = EVENT_EXEC;
		event.tid = (pid_t)body.ppid; /* its second word is the thread */
	} else {
		bool is_fork = header->type == PERF_RECORD_FORK;

		event.type = is_fork ? EVENT_FORK : EVENT_EXIT;
		event.tid = (pid_t)body.tid;
		event.creator_tgid = is_fork ? (pid_t)body.ppid : 0;
		event.creator_tid = is_fork ? (pid_t)body.ptid : 0;
		event.parent = is_fork ? 0 : (pid_t)body.ppid; /* a fork's record has who made it */
	}
	if (event.tid > 0) /* else of a pid namespace that is not ours */
		*error = event_add(list, &event);
	return false;
}

static int ring_drain(struct ring *ring, struct event_list *list)
{
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t at = ring->page->data_tail;
	/* The kernel says so only when there is room again: a ring that is full is enough. */
	bool lost = head - at > RING_BYTES - RECORD_BYTES;
	int error = 0;

	while (at < head && !error) {
		struct perf_event_header header;

		ring_copy(ring, at, &header, sizeof(header));
		lost |= read_record(ring, at, &header, list, &error);
		at += header.size;
	}
	__atomic_store_n(&ring->page->data_tail, at, __ATOMIC_RELEASE);
	return lost ? -ENOBUFS : error;
}

int perf_drain(struct perf_records *perf, struct event_list *list)
{
	int result = 0;

	for (size_t i = 0; i < perf->count; i++) {
		int error = ring_drain(&perf->rings[i], list);

		result = result ? result : error;
	}
	return result;
}

int perf_listen(struct perf_records *perf, bool on)
{
	for (size_t i = 0; i < perf->count; i++) {
		if (ioctl(perf->rings[i].fd, on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0))
			return -errno;
	}
	return 0;
}

void perf_poll_fds(const struct perf_records *perf, struct pollfd *fds)
{
	for (size_t i = 0; i < perf->count; i++)
		fds[i] = (struct pollfd){.fd = perf->rings[i].fd, .events = POLLIN};
}

void perf_close(struct perf_records *perf)
{
	for (size_t i = 0; i < perf->count; i++) {
		munmap(perf->rings[i].page, number_page_size() + RING_BYTES);
		close(perf->rings[i].fd);
	}
	free(perf->rings);
}

static int give_up(struct perf_records *perf, int error)
{
	perf_close(perf);
	*perf = (struct perf_records){0};
	return error;
}

int perf_open(struct perf_records *perf)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	perf->rings = calloc((size_t)cpus, sizeof(*perf->rings));
	if (!perf->rings)
		return -ENOMEM;
	for (int cpu = 0; cpu < cpus; cpu++) {
		int error = ring_open(&perf->rings[perf->count], cpu, number_page_size());

		if (!error)
			perf->count++;
		else if (error != -ENODEV) /* else it is offline */
			return give_up(perf, error);
	}
	return perf->count ? 0 : give_up(perf, -ENODEV); /* no CPU has them: gVisor */
}
