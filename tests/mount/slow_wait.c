/* SPDX-License-Identifier: MIT */
/* Preloaded: whoever begins to wait for a semaphore takes a second before it does, and misses signals. */
#include <dlfcn.h>
#include <semaphore.h>
#include <unistd.h>

int sem_wait(sem_t *semaphore)
{
	int (*real)(sem_t *) = (int (*)(sem_t *))dlsym(RTLD_NEXT, "sem_wait");

	sleep(1);
	return real(semaphore);
}
