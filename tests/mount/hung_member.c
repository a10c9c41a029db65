/* SPDX-License-Identifier: MIT */
/*
 * hung_member HOW DIRECTORY: once it has read a line it takes 8 MiB, says "ready", and after the next
 * line it hangs over a file of hung_file's, in DIRECTORY:
 * map   holds its mmap lock: it faults, and another thread waits to change the mappings;
 * exec  holds its exec_update_lock: exec closes a file;
 * epoll holds its epoll's mutex: events are written to a page that does not come.
 * When it is let go it has 16 MiB more, says "free", and waits for the end of its input.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define LENGTH (1 << 20)
#define SOME (8 << 20)
#define MORE (16 << 20)

static void take(size_t size)
{
	char *more = malloc(size);

	memset(more, 1, size);
}

static void say(const char *word)
{
	puts(word);
	fflush(stdout);
}

static char *map(const char *name)
{
	char *page = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE, open(name, O_RDONLY), 0);

	if (page == MAP_FAILED)
		exit(1);
	return page;
}

static void *change_mappings(void *arg)
{
	usleep(200000); /* after the fault */
	return mmap(NULL, LENGTH, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? arg : NULL;
}

static void hang_in_fault(void)
{
	volatile const char *page = map("page");
	pthread_t other;

	pthread_create(&other, NULL, change_mappings, NULL);
	(void)page[0];
	pthread_join(other, NULL);
}

static void hang_in_epoll(void)
{
	int epoll = epoll_create1(0), ready = eventfd(1, 0);
	struct epoll_event event = {.events = EPOLLIN};

	epoll_ctl(epoll, EPOLL_CTL_ADD, ready, &event);
	epoll_wait(epoll, (struct epoll_event *)map("page"), 1, -1);
}

static void be_free(void)
{
	take(MORE);
	say("free");
	while (getchar() != EOF)
		;
}

int main(int argc, char **argv)
{
	if (argc == 3 && chdir(argv[2]))
		return 1;
	if (!strcmp(argv[1], "free"))
		be_free();
	getchar();
	take(SOME);
	say("ready");
	getchar();
	if (!strcmp(argv[1], "map"))
		hang_in_fault();
	else if (!strcmp(argv[1], "epoll"))
		hang_in_epoll();
	else if (open("close", O_RDONLY | O_CLOEXEC) >= 0)
		execl("/proc/self/exe", argv[0], "free", NULL);
	be_free();
	return 0;
}
