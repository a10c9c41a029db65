/* SPDX-License-Identifier: MIT */
/* /sys/class/infiniband: RDMA devices */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "machine_device.h"

struct visitor {
	void (*visit)(const char *name, void *arg);
	void *arg;
};

static int pass_on(const char *name, void *arg)
{
	const struct visitor *visitor = arg;

	visitor->visit(name, visitor->arg);
	return 0;
}

int machine_rdma_devices(const struct machine *machine, void (*visit)(const char *name, void *arg),
			 void *arg)
{
	struct visitor visitor = {visit, arg};
	int error = dir_visit(machine->sys, "class/infiniband", pass_on, &visitor);

	return error == -ENOENT ? 0 : error;
}

bool machine_rdma_exists(const struct machine *machine, const char *name)
{
	char path[128];

	if (!*name || *name == '.' || strchr(name, '/') || machine->sys < 0)
		return false;
	return snprintf(path, sizeof(path), "class/infiniband/%s", name) < (int)sizeof(path) &&
	       !faccessat(machine->sys, path, F_OK, 0);
}
