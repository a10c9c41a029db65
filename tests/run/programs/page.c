/* SPDX-License-Identifier: MIT */
/*
 * A page at one address in each of them: it is written by a statfs, or looked at.
 *
 *   page call PATH	statfs of PATH into the page
 *   page exec PATH	the same, while another thread waits for a line and becomes "page look"
 *   page look		says that it is there, waits for a line, and says what became of the page
 */
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PAGE ((unsigned char *)0x5000000000)
#define SIZE 4096

static void wait_for_line(void)
{
	char line[16];

	if (!fgets(line, sizeof(line), stdin))
		errx(1, "nobody is there");
}

static void *become_look(void *argument)
{
	(void)argument;
	wait_for_line();
	execl("/proc/self/exe", "page", "look", NULL);
	err(1, "exec");
}

static int look(void)
{
	unsigned changed = 0;

	puts("there");
	fflush(stdout);
	wait_for_line();
	for (unsigned i = 0; i < SIZE; i++)
		changed += PAGE[i] != 0x55;
	puts(changed ? "changed" : "unchanged");
	return 0;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	setvbuf(stdin, NULL, _IONBF, 0);
	if (argc < 2 || mmap(PAGE, SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
		err(1, "page");
	memset(PAGE, 0x55, SIZE);
	if (!strcmp(argv[1], "look"))
		return look();
	if (!strcmp(argv[1], "exec") && pthread_create(&thread, NULL, become_look, NULL))
		errx(1, "no thread");
	if (statfs(argv[2], (struct statfs *)PAGE))
		err(1, "%s", argv[2]);
	puts("made");
	return 0;
}
