/* SPDX-License-Identifier: MIT */
/* CPU and node lists: /sys/devices/system/{cpu,node} */
#include "internal.h"

#include <errno.h>
#include <stdio.h>

#define DEFAULT_NODE_BITS 64	/* MAX_NUMNODES of common kernels without NUMA emulation */

static unsigned int last_bit(const struct bitmap *map)
{
	unsigned int last = 0;

	for (unsigned int b = bitmap_next(map, 0); b < map->nr; b = bitmap_next(map, b + 1))
		last = b;
	return last;
}

/* A list file; -ENOENT also for one that is empty or damaged: the fallback is better than that.
 * Other errors are no reason for it: they say nothing of what there is. */
static int read_list(const struct machine *machine, const char *path, struct bitmap *map)
{
	struct file file;
	int error = file_read(machine->sys, path, FILE_RECORD, &file);

	if (error)
		return error;
	error = bitmap_parselist_len(file.text, file.len, map);
	file_free(&file);
	return error || bitmap_empty(map) ? -ENOENT : 0;
}

/* The CPUs of /proc/stat, or CPU 0. */
static int count_cpus(const struct machine *machine, struct bitmap *map)
{
	struct machine_stat stat = { 0 };
	int error = machine_stat(machine, &stat);

	if (error && error != -ENOENT && error != -EINVAL)
		return error;
	bitmap_zero(map);
	for (unsigned int i = 0; i < stat.nr_cpu; i++)
		bitmap_set(map, stat.cpu[i].id);
	if (bitmap_empty(map))
		bitmap_set(map, 0);
	machine_stat_free(&stat);
	return 0;
}

static int read_cpus(const struct machine *machine, enum machine_cpus which, struct bitmap *map)
{
	static const char *const paths[] = {
		[MACHINE_CPUS_ONLINE] = "devices/system/cpu/online",
		[MACHINE_CPUS_POSSIBLE] = "devices/system/cpu/possible",
		[MACHINE_CPUS_PRESENT] = "devices/system/cpu/present",
	};
	int error = read_list(machine, paths[which], map);

	return error == -ENOENT ? count_cpus(machine, map) : error;
}

/* A copy of map in the size that a kernel with these CPUs or nodes has. */
static int fit(const struct bitmap *map, unsigned int nr, struct bitmap **result)
{
	struct bitmap *fitted = bitmap_new(nr);

	if (!fitted)
		return -ENOMEM;
	bitmap_copy(fitted, map);
	*result = fitted;
	return 0;
}

int machine_cpus(const struct machine *machine, enum machine_cpus which, struct bitmap **cpus)
{
	struct bitmap *map __attribute__((cleanup(bitmap_freep))) = bitmap_new(BITMAP_MAX_BITS);
	int error = map ? read_cpus(machine, which, map) : -ENOMEM;

	return error ? error : fit(map, machine->cpu_bits, cpus);
}

int machine_nodes(const struct machine *machine, enum machine_nodes which, struct bitmap **nodes)
{
	static const char *const paths[] = {
		[MACHINE_NODES_ONLINE] = "devices/system/node/online",
		[MACHINE_NODES_POSSIBLE] = "devices/system/node/possible",
		[MACHINE_NODES_MEMORY] = "devices/system/node/has_memory",
	};
	struct bitmap *map __attribute__((cleanup(bitmap_freep))) = bitmap_new(BITMAP_MAX_BITS);
	int error = map ? read_list(machine, paths[which], map) : -ENOMEM;

	if (error == -ENOENT)
		error = read_list(machine, paths[MACHINE_NODES_ONLINE], map);
	if (error == -ENOENT) {
		bitmap_zero(map);
		bitmap_set(map, 0);
		error = 0;
	}
	return error ? error : fit(map, machine->node_bits, nodes);
}

/* "Mems_allowed:\t00000000,00000001": four bits a digit. */
unsigned int machine_parse_node_bits(const char *text, size_t len)
{
	struct span rest = { text, text + len }, line, name;
	unsigned int bits = 0;

	while (span_line(&rest, &line)) {
		if (!span_key(&line, &name) || name.end - name.at != 12 ||
		    memcmp(name.at, "Mems_allowed", 12))
			continue;
		for (; line.at < line.end && bits < BITMAP_MAX_BITS; line.at++)
			if (!is_blank(*line.at) && *line.at != ',')
				bits += 4;
		break;
	}
	return bits ? bits : DEFAULT_NODE_BITS;
}

static unsigned int read_node_bits(const struct machine *machine)
{
	struct file file;
	unsigned int bits;

	if (file_read(machine->proc, "self/status", FILE_RECORD, &file))
		return DEFAULT_NODE_BITS;
	bits = machine_parse_node_bits(file.text, file.len);
	file_free(&file);
	return bits;
}

unsigned int machine_node_bits(const struct machine *machine)
{
	return machine->node_bits;
}

int measure_topology(struct machine *machine)
{
	struct bitmap *map __attribute__((cleanup(bitmap_freep))) = bitmap_new(BITMAP_MAX_BITS);
	int error = map ? read_cpus(machine, MACHINE_CPUS_POSSIBLE, map) : -ENOMEM;

	if (error)
		return error;
	machine->cpu_bits = last_bit(map) + 1;
	machine->node_bits = read_node_bits(machine);
	return 0;
}
