/* SPDX-License-Identifier: MIT */
/* Who is below a Landlock domain. */
#include "restricted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "helper.h"
#include "machine_task.h"
#include "peer.h"
#include "shortage.h"

#define MARK 1 /* a limit that nobody gives; a lower one marks too */

static atomic_bool is_used; /* somebody has been marked */

/* --- in a child of the helper's --- */

static bool read_status(int task, struct machine_task_status *status)
{
	int fd = openat(task, "status", O_RDONLY | O_CLOEXEC);
	char text[4096];
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	return len > 0 && !machine_parse_task_status(text, (size_t)len, status);
}

/* It may become the user. The limit harms nobody who has got the number meanwhile. */
bool restricted_mark(int task)
{
	const struct rlimit limit = {MARK, MARK};
	struct machine_task_status status;

	if (!read_status(task, &status))
		return false;
	return !prlimit(status.pid, RLIMIT_LOCKS, &limit, NULL) ||
	       (!setresgid(status.gid[0], status.gid[0], status.gid[0]) &&
		!setresuid(status.uid[0], status.uid[0], status.uid[0]) &&
		!prlimit(status.pid, RLIMIT_LOCKS, &limit, NULL));
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
	if (!is_ruleset(peer, ruleset))
		return;
	is_used = true;
	if (helper_ask(peer, CHANNEL_MARK) != CHANNEL_MARKED)
		shortage_note(-ENOMEM); /* no child could be made: unmarked it is not to go on */
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
		shortage_note(limits.error);
		line = limits.error ? NULL : strstr(limits.data, "\nMax file locks");
		restricted = !line || (sscanf(line, "\nMax file locks %*s %lu", &hard) == 1 && hard <= MARK);
	}
	text_free(&limits);
	return restricted;
}
