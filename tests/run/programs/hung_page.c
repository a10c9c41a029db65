/* SPDX-License-Identifier: MIT */
/*
 * Runs COMMAND while COUNT processes open a path that lies in a page which nobody ever fills: whoever looks
 * at it waits. They end with COMMAND.
 *
 *     hung_page COUNT COMMAND [ARGUMENT...]
 *
 * Exits with 77 where that cannot be had.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IMPOSSIBLE 77
#define SIZE 4096

static void *page;

static void *call(void *argument)
{
	open(page, O_RDONLY);
	return argument;
}

/* A page, and the descriptor that tells when somebody waits for it. */
static int make_page(void)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register all = {.mode = UFFDIO_REGISTER_MODE_MISSING};
	int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	page = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	all.range.start = (unsigned long)page;
	all.range.len = SIZE;
	if (faults < 0 || page == MAP_FAILED || ioctl(faults, UFFDIO_API, &api) ||
	    ioctl(faults, UFFDIO_REGISTER, &all))
		exit(IMPOSSIBLE);
	return faults;
}

static void hang(int told)
{
	struct uffd_msg fault;
	pthread_t thread;
	int faults;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	faults = make_page();
	if (pthread_create(&thread, NULL, call, NULL) || read(faults, &fault, sizeof(fault)) <= 0 ||
	    write(told, "", 1) != 1)
		exit(1);
	pause();
}

int main(int argc, char **argv)
{
	int ends[2];
	char byte;

	if (argc < 3 || pipe2(ends, O_CLOEXEC))
		err(1, "hung_page");
	close(make_page()); /* or say that it cannot be */
	for (int i = 0; i < atoi(argv[1]); i++) {
		if (!fork())
			hang(ends[1]);
	}
	for (int i = 0; i < atoi(argv[1]); i++) {
		if (read(ends[0], &byte, 1) != 1)
			err(1, "a child");
	}
	execvp(argv[2], argv + 2);
	err(1, "%s", argv[2]);
}
