/* SPDX-License-Identifier: MIT */
/* /proc/net/dev and /sys/class/net */
#include "internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine_device.h"

int machine_parse_netdevs(const char *text, size_t len, struct machine_netdevs *devs)
{
	struct span rest = { text, text + len }, line, name;
	struct machine_netdev *dev;
	size_t lines = 0, nr = 0;
	char *names;

	while (span_line(&rest, &line))
		lines++;
	/* One block: the devices, then the names, each shorter than its line. */
	dev = malloc(lines * sizeof(*dev) + len + 1);
	if (!dev)
		return -ENOMEM;
	names = (char *)(dev + lines);
	rest.at = text;
	while (span_line(&rest, &line)) {
		size_t name_len;

		/* The two lines of headings have no colon. */
		if (!span_key(&line, &name))
			continue;
		span_skip_blanks(&name);
		name_len = name.end - name.at;
		if (!name_len)
			continue;
		dev[nr++] = (struct machine_netdev){ 0, memcpy(names, name.at, name_len) };
		names[name_len] = '\0';
		names += name_len + 1;
	}
	*devs = (struct machine_netdevs){ dev, nr };
	return 0;
}

/* 0: not told. */
static int read_ifindex(const struct machine *machine, const char *name, unsigned int *ifindex)
{
	char path[64 + NAME_MAX];
	uint64_t index;
	int error, len = snprintf(path, sizeof(path), "class/net/%s/ifindex", name);

	*ifindex = 0;
	if (len >= (int)sizeof(path) || strchr(name, '/'))
		return 0;
	error = file_read_u64(machine->sys, path, &index);
	if (!error && index <= INT_MAX)
		*ifindex = index;
	return error == -ENOENT ? 0 : error;
}

/* Few, and in order nearly always: an insertion sort, stable, with unknown (0) as the largest. */
static void sort_by_index(struct machine_netdevs *devs)
{
	for (size_t i = 1; i < devs->nr; i++) {
		struct machine_netdev dev = devs->dev[i];
		size_t at = i;

		/* 0 - 1 is the largest unsigned int. */
		for (; at && devs->dev[at - 1].ifindex - 1 > dev.ifindex - 1; at--)
			devs->dev[at] = devs->dev[at - 1];
		devs->dev[at] = dev;
	}
}

int machine_netdevs(const struct machine *machine, struct machine_netdevs *devs)
{
	struct file file;
	int error = file_read(machine->proc, "net/dev", FILE_RECORDS, &file);

	if (error)
		return error;
	error = machine_parse_netdevs(file.text, file.len, devs);
	file_free(&file);
	if (error)
		return error;
	for (size_t i = 0; i < devs->nr && !error; i++)
		error = read_ifindex(machine, devs->dev[i].name, &devs->dev[i].ifindex);
	if (error)
		machine_netdevs_free(devs);
	else
		sort_by_index(devs);
	return error;
}

void machine_netdevs_free(struct machine_netdevs *devs)
{
	free(devs->dev);
	*devs = (struct machine_netdevs){ 0 };
}
