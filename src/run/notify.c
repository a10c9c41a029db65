/* SPDX-License-Identifier: MIT */
/* Catching by seccomp user notification: seccomp_unotify(2). */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"
#include "catcher.h"
#include "peer.h"
#include "places.h"
#include "processor.h"

/*
 * One of them, or two, wait for calls and answer those that need no waiting, in threads whose memory is
 * at hand. Before one waits (may be for a filesystem that is served by a program of ours, whose calls
 * have to be answered meanwhile) it leaves its place to the next, who is made where there is none.
 */
#define THREADS 8 /* that stay when they have nothing to do */

struct server {
	int listener;
	const struct calls_context *context;
	/* The kernel's structures may be longer than those we were built with. */
	size_t request_size, response_size;
};

/* Set before the first thread is there. */
static struct server server;

static bool start_thread(void *(*run)(void *));
static void *serve(void *argument);

static void before_waiting(void)
{
	places_end();
	if (places_mine() && places_wanted() <= 1) /* one more than needed: it is to be ready */
		start_thread(serve);
	places_leave();
}

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS /* Linux 6.6 */
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/* The waiting task and its answerer take turns on one processor: no other need be woken. */
static void wake_here(bool here)
{
	ioctl(server.listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS,
	      here ? SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP : 0);
}

static void respond(struct seccomp_notif_resp *response)
{
	/* ENOENT: the task has ended meanwhile, or was interrupted. */
	ioctl(server.listener, SECCOMP_IOCTL_NOTIF_SEND, response);
}

/* Gives the task the file, whose number there it is: by its return at one stroke, if it may go on at once. */
static int give_file(__u64 id, const struct answer *answer)
{
	struct seccomp_notif_addfd add = {
		.id = id,
		.flags = answer->closed_first ? 0 : SECCOMP_ADDFD_FLAG_SEND,
		.srcfd = (__u32)answer->file,
		.newfd_flags = answer->close_on_exec ? O_CLOEXEC : 0,
	};

	int number = ioctl(server.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);

	return number < 0 ? -errno : number;
}

static void pass_on(__u64 id, const struct answer *answer, struct seccomp_notif_resp *response)
{
	memset(response, 0, server.response_size);
	response->id = id;
	if (answer->kind == ANSWER_FILE) {
		int number = give_file(id, answer);

		close(answer->file);
		if (number == -ENOENT || (number >= 0 && !answer->closed_first))
			return;
		if (number < 0)
			response->error = number; /* EMFILE: as the kernel's own open() */
		else
			response->val = number;
	} else if (answer->kind == ANSWER_KERNEL) {
		response->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	} else if (answer->value < 0) {
		response->error = (__s32)answer->value;
	} else {
		response->val = answer->value;
	}
	respond(response);
}

/* A peer_check. */
static bool is_waiting(uint64_t call)
{
	__u64 id = call;

	return !ioctl(server.listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
}

static void serve_one(struct seccomp_notif *request, struct seccomp_notif_resp *response)
{
	struct answer answer;
	int processor = -1;
	bool is_other;
	struct call call = {
		.peer = peer_new((pid_t)request->pid, is_waiting, request->id),
		.number = request->data.nr,
	};

	memcpy(call.arguments, request->data.args, sizeof(call.arguments));
	/* Woken here it would leave its own processor idle, until the next tick finds that out. */
	places_begin();
	if (call.peer) {
		processor = processor_of(server.context->machine, call.peer);
		catcher_answer(server.context, &call, &answer);
	} else {
		answer = (struct answer){.kind = ANSWER_VALUE, .value = -ENOMEM};
	}
	is_other = processor >= 0 && processor != sched_getcpu();
	if (is_other)
		wake_here(false);
	pass_on(request->id, &answer, response);
	peer_free(call.peer);
	if (is_other)
		wake_here(true);
	places_end();
	if (processor >= 0)
		places_adapt(processor);
}

static void *serve(void *argument)
{
	struct seccomp_notif *request = malloc(server.request_size);
	struct seccomp_notif_resp *response = malloc(server.response_size);

	(void)argument;
	while (request && response && (places_mine() || places_wanted() < THREADS)) {
		places_take();
		memset(request, 0, server.request_size);
		if (!ioctl(server.listener, SECCOMP_IOCTL_NOTIF_RECV, request))
			serve_one(request, response);
		else if (errno != EINTR && errno != ENOENT)
			break;
		else if (errno == ENOENT && catcher_is_over(server.listener, 0))
			break;
	}
	places_leave();
	free(request);
	free(response);
	return NULL;
}

static void make_another(void)
{
	start_thread(serve);
}

static void *watch(void *argument)
{
	(void)argument;
	places_watch(make_another);
	return NULL;
}

static bool start_thread(void *(*run)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, NULL))
		return false;
	pthread_detach(thread);
	return true;
}

static size_t at_least(size_t size, size_t wanted)
{
	return size > wanted ? size : wanted;
}

static int start(int listener, pid_t command, const struct calls_context *context)
{
	struct seccomp_notif_sizes sizes;

	(void)command; /* the filter says whose calls come */
	if (syscall(__NR_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes))
		return -errno;
	server = (struct server){
		.listener = listener,
		.context = context,
		.request_size = at_least(sizes.seccomp_notif, sizeof(struct seccomp_notif)),
		.response_size = at_least(sizes.seccomp_notif_resp, sizeof(struct seccomp_notif_resp)),
	};
	wake_here(true);
	for (unsigned i = 0; i < THREADS; i++) {
		if (!start_thread(serve) && !i)
			return -EAGAIN;
	}
	return start_thread(watch) ? listener : -EAGAIN;
}

const struct catcher catcher_notify = {
	.name = "notify",
	.action = SCMP_ACT_NOTIFY,
	.traps = TRAP_NOTIFIED,
	.has_listener = true,
	.serve = start,
	.before_waiting = before_waiting,
};
