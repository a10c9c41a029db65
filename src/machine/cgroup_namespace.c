/* SPDX-License-Identifier: MIT */
/* In which cgroup namespace a task is. */
#include "machine_namespace.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "internal.h"
#include "machine_task.h"

#define NAME "ns/cgroup"

int machine_task_directory(const struct machine *machine, pid_t tid)
{
	char name[16] = "self";
	int fd;

	if (tid)
		snprintf(name, sizeof(name), "%d", tid);
	fd = openat(machine->proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

ino_t machine_cgroup_namespace(const struct machine *machine, pid_t tid, int directory)
{
	struct stat st;

	return machine_task_look(machine, tid, directory, NAME, &st) ? 0 : st.st_ino;
}

struct visitor {
	const struct machine *machine;
	void (*visit)(ino_t inode, void *arg);
	void *arg;
};

static int visit_process(const char *name, void *arg)
{
	const struct visitor *visitor = arg;
	char path[32];
	struct stat st;

	if (!isdigit((unsigned char)*name))
		return 0;
	snprintf(path, sizeof(path), "%.16s/" NAME, name);
	if (!machine_task_look(visitor->machine, atoi(name), visitor->machine->proc, path, &st))
		visitor->visit(st.st_ino, visitor->arg);
	return 0;
}

int machine_cgroup_namespaces(const struct machine *machine, void (*visit)(ino_t inode, void *arg), void *arg)
{
	return dir_visit(machine->proc, ".", visit_process, &(struct visitor){machine, visit, arg});
}

int machine_cgroup_namespace_open(int directory)
{
	int fd = openat(directory, NAME, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}
