/* SPDX-License-Identifier: MIT */
/* Into the background, with a parent that waits to hear how the start went. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "advice.h"
#include "daemon.h"
#include "descriptors.h"
#include "log.h"

static int ready_pipe = -1; /* to the waiting parent; -1 in the foreground */

/* The parent's part: exits as the child says it went. */
static void wait_for_child(int pipe_end)
{
	char byte;
	ssize_t count;

	do
		count = read(pipe_end, &byte, 1);
	while (count < 0 && errno == EINTR);
	_exit(count == 1 ? 0 : 1); /* nothing came: the child said why and ended */
}

bool background_start(void)
{
	int ends[2];
	pid_t child = -1;

	if (!pipe2(ends, O_CLOEXEC))
		child = fork();
	if (child < 0) {
		fprintf(stderr, "fuse_cgroupfs: cannot go into the background: %s%s\n", strerror(errno),
			advice_on(errno));
		return false;
	}
	if (child) {
		close(ends[1]);
		wait_for_child(ends[0]);
	}
	close(ends[0]);
	ready_pipe = ends[1];
	log_to_syslog(); /* the terminal is for what stops the start */
	setsid();
	return true;
}

void background_ready(void)
{
	if (ready_pipe < 0)
		return;
	descriptors_to_null(0, 2);
	if (chdir("/"))
		log_warning("cannot leave the working directory: %s", strerror(errno));
	if (write(ready_pipe, "", 1) != 1)
		log_warning("the starting process is gone");
	close(ready_pipe);
	ready_pipe = -1;
}
