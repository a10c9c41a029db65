/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "patient.h"

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* With the slots of the kept files behind it. */
static struct machine *allocate(void)
{
	struct machine *machine = calloc(1, sizeof(*machine) + KEPT_NR * sizeof(*machine->kept));

	if (!machine)
		return NULL;
	machine->kept = (_Atomic int *)(machine + 1);
	for (unsigned int i = 0; i < KEPT_NR; i++)
		atomic_init(&machine->kept[i], -1);
	machine->patient = patient_new(machine);
	if (machine->patient)
		return machine;
	free(machine);
	return NULL;
}

static struct machine *open_dirs(int root)
{
	const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
	int proc = openat(root, "proc", flags);
	struct machine *machine;

	if (proc < 0)
		return NULL;
	machine = allocate();
	if (!machine) {
		close(proc);
		return NULL;
	}
	machine->proc = proc;
	machine->sys = openat(root, "sys", flags);
	return machine;
}

/* /proc may be of another pid namespace: a container's, or the host's in a container. */
static bool has_our_pids(const struct machine *machine)
{
	char self[16] = "";

	return readlinkat(machine->proc, "self", self, sizeof(self) - 1) > 0 &&
	       atoi(self) == getpid();
}

static bool lacks(const struct machine *machine, const char *path)
{
	return faccessat(machine->proc, path, F_OK, 0) && errno == ENOENT;
}

struct machine *machine_open(const char *root)
{
	int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), error;
	struct machine *machine;

	if (dir < 0)
		return NULL;
	machine = open_dirs(dir);
	error = errno;
	close(dir);
	errno = error;
	if (!machine)
		return NULL;
	machine->is_own = !strcmp(root, "/") && has_our_pids(machine);
	machine->lacks_schedstat = machine->is_own && lacks(machine, "self/schedstat");
	error = measure_topology(machine);
	if (!error)
		return machine;
	machine_close(machine);
	errno = -error;
	return NULL;
}

void machine_close(struct machine *machine)
{
	if (!machine || !patient_free(machine->patient))
		return;
	close_fd(machine->proc);
	close_fd(machine->sys);
	for (unsigned int i = 0; i < KEPT_NR; i++)
		close_fd(machine->kept[i]);
	free(machine);
}
