/* SPDX-License-Identifier: MIT */
/* Answers to callers that make a directory again, as gVisor told them EINTR although it was made. */
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "daemon.h"

#define SLOTS 64 /* one a thread, by its number: a collision only costs a retry */
#define FORGIVEN_NS 1000000000ll

struct memory {
	pid_t tid;
	uint64_t when; /* as now_ns() */
	char path[256]; /* longer ones are not remembered */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct memory memories[SLOTS]; /* under lock */

void retry_remember(const struct platform *platform, const char *path, pid_t tid)
{
	struct memory *memory = &memories[(unsigned)tid % SLOTS];
	const size_t size = strlen(path) + 1;

	if (!platform->retries_after_interrupt || size > sizeof(memory->path))
		return;
	pthread_mutex_lock(&lock);
	memory->tid = tid;
	memory->when = now_ns();
	memcpy(memory->path, path, size);
	pthread_mutex_unlock(&lock);
}

int retry_forgive(const struct platform *platform, const char *path, pid_t tid, int error)
{
	struct memory *memory = &memories[(unsigned)tid % SLOTS];
	bool repeated;

	if (!platform->retries_after_interrupt)
		return error;
	pthread_mutex_lock(&lock);
	repeated = memory->tid == tid && now_ns() - memory->when < FORGIVEN_NS &&
		   !strcmp(memory->path, path);
	memory->tid = repeated ? 0 : memory->tid;
	pthread_mutex_unlock(&lock);
	return repeated ? 0 : error;
}
