/* SPDX-License-Identifier: MIT */
/* A machine of a test's own: a temporary directory with the proc/ and sys/ files that it puts there. */
#ifndef FAKE_MACHINE_H
#define FAKE_MACHINE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "temporary.h"

struct fake_machine {
	char root[TEMPORARY_MAX];
};

static inline void fake_fail(const char *path)
{
	perror(path);
	exit(1);
}

/* Writes a file below the root, with its directories. */
static inline void fake_put(const struct fake_machine *fake, const char *path, const char *text)
{
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", fake->root, path);
	for (char *slash = full + strlen(fake->root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	file = fopen(full, "we");
	if (!file || fputs(text, file) < 0 || fclose(file))
		fake_fail(full);
}

static inline void fake_open(struct fake_machine *fake)
{
	/* In memory where it can be: a model's tasks write a hundred thousand files. */
	if (access("/dev/shm", W_OK))
		temporary(fake->root, "/tmp/fcg-fake");
	else
		strcpy(fake->root, "/dev/shm/fcg-fake-XXXXXX");
	if (!mkdtemp(fake->root))
		fake_fail(fake->root);
	fake_put(fake, "proc/uptime", "100.00 100.00\n");
}

static inline int fake_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void fake_close(const struct fake_machine *fake)
{
	nftw(fake->root, fake_remove, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
