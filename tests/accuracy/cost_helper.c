/* SPDX-License-Identifier: MIT */
/*
 * For cost.py: processes that sleep in cgroups, and a reader of files that
 * adds as little as can be to what it measures.
 *
 *	cost_helper sleep < lines of "COUNT FILE...", an empty line, end of file
 *	cost_helper read ROUNDS PAUSE_MS < lines of "FILE"
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE 4096
#define FILES_MAX 16384

static void run_a_little(int signal)
{
	(void)signal;
}

/* Enters the cgroups of these cgroup.procs files. */
static void enter(char *files)
{
	for (char *file = strtok(files, " "); file; file = strtok(NULL, " ")) {
		int fd = open(file, O_WRONLY);

		if (fd < 0 || write(fd, "0", 1) != 1)
			err(1, "%s", file);
		close(fd);
	}
}

static void sleeper(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	while (getppid() == parent)
		pause();
	_exit(0);
}

/* Children start where we are: enters each line's cgroups in turn and forks there. */
static void sleep_everywhere(void)
{
	const pid_t self = getpid();
	char line[LINE], *rest;

	setsid(); /* others in our session are not taken for orphans of ours, nor woken */
	signal(SIGUSR1, run_a_little);
	while (fgets(line, sizeof(line), stdin) && line[0] != '\n') {
		line[strcspn(line, "\n")] = '\0';
		long count = strtol(line, &rest, 10);

		enter(rest);
		while (count--) {
			pid_t pid = fork();

			if (pid < 0)
				err(1, "fork");
			if (!pid)
				sleeper(self);
		}
	}
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		;
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM); /* the children do not ignore it */
	while (wait(NULL) > 0)
		;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void read_file(const char *file)
{
	static char buffer[1 << 16];
	int fd = open(file, O_RDONLY);
	ssize_t size;

	if (fd < 0)
		err(1, "%s", file);
	do {
		size = read(fd, buffer, sizeof(buffer));
	} while (size > 0);
	if (size < 0)
		err(1, "%s", file);
	close(fd);
}

/* Prints the ns of each round. */
static void read_everything(int rounds, int pause_ms)
{
	static char *files[FILES_MAX];
	char line[LINE];
	size_t count = 0;

	while (count < FILES_MAX && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		files[count++] = strdup(line);
	}
	while (rounds--) {
		uint64_t start = now_ns();

		for (size_t i = 0; i < count; i++)
			read_file(files[i]);
		printf("%lu\n", now_ns() - start);
		usleep((useconds_t)pause_ms * 1000);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "sleep"))
		sleep_everywhere();
	else if (argc == 4 && !strcmp(argv[1], "read"))
		read_everything(atoi(argv[2]), atoi(argv[3]));
	else
		return 2;
	return 0;
}
