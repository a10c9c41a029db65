/* SPDX-License-Identifier: MIT */
/* Where the kernel's own cgroups have a task: /proc/PID/cgroup. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"
#include "membership.h"

static bool has_word(const char *words, size_t len, const char *word)
{
	const size_t wanted = strlen(word);

	while (len) {
		const char *comma = memchr(words, ',', len);
		size_t here = comma ? (size_t)(comma - words) : len;

		if (here == wanted && !memcmp(words, word, wanted))
			return true;
		here += comma != NULL;
		words += here;
		len -= here;
	}
	return false;
}

const char *native_path(const char *lines, const char *controller, size_t *len)
{
	const char *end = lines + strlen(lines), *line;
	struct membership membership;
	size_t line_len;

	while ((line = membership_next_line(&lines, end, &line_len))) {
		if (membership_split(line, line_len, &membership) &&
		    has_word(membership.word, membership.word_len, controller)) {
			*len = membership.path_len;
			return membership.path;
		}
	}
	return NULL;
}

/* The path of the child in the hierarchy. NULL: it is not known. */
static char *read_path(pid_t child, const char *controller)
{
	char file[32], lines[8192];
	const char *path;
	ssize_t count;
	size_t len;
	int fd;

	snprintf(file, sizeof(file), "/proc/%d/cgroup", child);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	count = fd < 0 ? -1 : read(fd, lines, sizeof(lines) - 1);
	if (fd >= 0)
		close(fd);
	lines[count > 0 ? count : 0] = '\0';
	path = native_path(lines, controller, &len);
	return path ? strndup(path, len) : NULL;
}

char *place_learn(const struct native_dir *root)
{
	pid_t child = fork();
	char *path = NULL;

	if (child < 0)
		return NULL;
	if (!child) {
		for (;;)
			pause();
	}
	if (!native_attach(root, child, true))
		path = read_path(child, root->name);
	kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		continue;
	return path;
}
