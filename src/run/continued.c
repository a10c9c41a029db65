/* SPDX-License-Identifier: MIT */
/* A SIGCONT that is noticed though a stop has taken it away. */
#include "continued.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STOP SIGTTOU /* any but SIGSTOP, which cannot be blocked */

static pthread_t thread;
static bool has_thread;

struct watch {
	int status;
	sem_t is_open;
};

static void *keep_stop(void *argument)
{
	struct watch *watch = argument;

	watch->status = open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
	sem_post(&watch->is_open);
	for (;;)
		pause();
	return NULL;
}

int continued_watch(void)
{
	struct watch watch = {.status = -1};

	sem_init(&watch.is_open, 0, 0);
	if (pthread_create(&thread, NULL, keep_stop, &watch))
		return -1;
	while (sem_wait(&watch.is_open))
		;
	sem_destroy(&watch.is_open);
	has_thread = true;
	continued_forget();
	return watch.status;
}

void continued_forget(void)
{
	if (has_thread)
		pthread_kill(thread, STOP);
}

bool continued_has_come(int status)
{
	char text[4096], *pending;
	ssize_t len = status < 0 ? -1 : pread(status, text, sizeof(text) - 1, 0);

	if (len <= 0)
		return false;
	text[len] = '\0';
	pending = strstr(text, "\nSigPnd:"); /* gVisor tells none */
	return pending && !(strtoull(pending + strlen("\nSigPnd:"), NULL, 16) & 1ull << (STOP - 1));
}
