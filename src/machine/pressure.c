/* SPDX-License-Identifier: MIT */
/* /proc/pressure */
#include "internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "machine_pressure.h"
#include "text.h"

const char *const machine_pressure_names[MACHINE_PRESSURES] = {"cpu", "memory", "io", "irq"};

static void path_of(const char *name, char path[32])
{
	snprintf(path, 32, "pressure/%s", name);
}

bool machine_has_pressure(const struct machine *machine, const char *name)
{
	char path[32];

	path_of(name, path);
	return !faccessat(machine->proc, path, F_OK, 0);
}

int machine_pressure(const struct machine *machine, const char *name, struct text *out)
{
	struct file file;
	char path[32];
	int error;

	path_of(name, path);
	error = file_read(machine->proc, path, FILE_RECORD, &file);
	if (error)
		return error;
	text_add_bytes(out, file.text, file.len);
	file_free(&file);
	return 0;
}
