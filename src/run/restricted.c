/* SPDX-License-Identifier: MIT */
/* Who is below a Landlock domain. */
#include "restricted.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"
#include "descriptors.h"
#include "machine_task.h"
#include "peer.h"

#define MARK 1 /* a limit that nobody gives; a lower one marks too */

static int marker; /* our end of the channel to it; set before there are threads */
static atomic_bool is_used; /* somebody has been marked */
/* Protects the order of what is asked of it, and of its answers. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* --- the marker --- */

static bool read_status(int task, struct machine_task_status *status)
{
	int fd = openat(task, "status", O_RDONLY | O_CLOEXEC);
	char text[4096];
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	return len > 0 && !machine_parse_task_status(text, (size_t)len, status);
}

/*
 * In a process of its own, which may become the user. The limit harms nobody who has got the number
 * meanwhile.
 */
static void mark(int task)
{
	const struct rlimit limit = {MARK, MARK};
	struct machine_task_status status;
	pid_t child = read_status(task, &status) ? fork() : -1;

	if (child > 0)
		waitpid(child, NULL, 0);
	if (child)
		return;
	if (prlimit(status.pid, RLIMIT_LOCKS, &limit, NULL) &&
	    !setresgid(status.gid[0], status.gid[0], status.gid[0]) &&
	    !setresuid(status.uid[0], status.uid[0], status.uid[0]))
		prlimit(status.pid, RLIMIT_LOCKS, &limit, NULL);
	_exit(0);
}

static void become_marker(int end, pid_t parent)
{
	struct channel_message message;

	descriptors_to_null(0, 2);
	descriptors_close(&end, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || chdir("/"))
		_exit(1);
	signal(SIGCHLD, SIG_DFL);
	while ((message = channel_receive(end)).word == CHANNEL_MARK) {
		mark(message.descriptor);
		close(message.descriptor);
		channel_send(end, CHANNEL_MARKED, -1);
	}
	_exit(0);
}

bool restricted_open(void)
{
	pid_t parent = getpid(), child = -1;
	int ends[2];

	if (channel_open(ends)) {
		child = fork();
		if (!child)
			become_marker(ends[1], parent);
		close(ends[1]);
		marker = ends[0];
	}
	if (child < 0)
		fprintf(stderr, "fuse_cgroup_run: no process can be started: %s\n", strerror(errno));
	return child > 0;
}

/* --- the supervisor --- */

static bool is_ruleset(const struct peer *peer, int fd)
{
	char name[32], link[64];

	snprintf(name, sizeof(name), "fd/%d", fd);
	return peer_proc_readlink(peer, name, link, sizeof(link)) > 0 &&
	       !strcmp(link, "anon_inode:[landlock-ruleset]");
}

void restricted_expect(const struct peer *peer, int ruleset)
{
	int task = is_ruleset(peer, ruleset) ? peer_proc_open(peer, ".", O_PATH | O_DIRECTORY) : -1;

	if (task < 0)
		return;
	is_used = true;
	pthread_mutex_lock(&lock);
	if (channel_send(marker, CHANNEL_MARK, task))
		channel_receive(marker);
	pthread_mutex_unlock(&lock);
	close(task);
}

/* The line is there for everybody to read. */
bool is_restricted(const struct peer *peer)
{
	struct text limits = {0};
	const char *line;
	bool restricted = true;
	unsigned long hard;

	if (!is_used)
		return false;
	if (!peer_proc_read(peer, "limits", &limits)) {
		text_add_bytes(&limits, "", 1);
		line = limits.error ? NULL : strstr(limits.data, "\nMax file locks");
		restricted = !line || (sscanf(line, "\nMax file locks %*s %lu", &hard) == 1 && hard <= MARK);
	}
	text_free(&limits);
	return restricted;
}
