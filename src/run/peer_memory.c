/* SPDX-License-Identifier: MIT */
/* The memory of a task that waits for an answer. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "peer.h"
#include "peer_number.h"
#include "shortage.h"

int peer_read(const struct peer *peer, uint64_t address, void *data, size_t len)
{
	struct iovec local = {data, len}, remote = {(void *)(uintptr_t)address, len};
	ssize_t count = process_vm_readv(peer->tid, &local, 1, &remote, 1, 0);

	if (count < 0)
		shortage_note(-errno); /* it is not the address that is wrong */

	if (!peer_is_there(peer))
		return -ESRCH;
	return count >= 0 && (size_t)count == len ? 0 : -EFAULT;
}

#define CHUNK 256 /* most paths are shorter, and no read goes over the end of a page, which may be the last */

int peer_read_string(const struct peer *peer, uint64_t address, char *string, size_t size)
{
	for (size_t done = 0, len; done < size; done += len) {
		int error;

		len = CHUNK - (address + done) % CHUNK;
		if (len > size - done)
			len = size - done;
		error = peer_read(peer, address + done, string + done, len);
		if (error)
			return error;
		if (memchr(string + done, '\0', len))
			return 0;
	}
	return -ENAMETOOLONG;
}

/* --- writing --- */

/* A mapping that may be written. */
struct mapping {
	uint64_t start, end;
};

/* PROCMAP_QUERY of linux/fs.h, Linux 6.11: one mapping at the cost of one look. */
struct procmap_query {
	uint64_t size, flags, address;
	uint64_t start, end, permissions, page_size, offset, inode;
	uint32_t major, minor, name_size, build_id_size;
	uint64_t name, build_id;
};

#define QUERY_MAPPING _IOWR('f', 17, struct procmap_query)
#define QUERY_WRITABLE 2u

/* From the table's lines, all of them each time, for kernels that cannot be asked for one. */
static int search_mapping(int maps, uint64_t address, struct mapping *mapping)
{
	FILE *table = fdopen(dup(maps), "r");
	int error = -EFAULT;
	char *line = NULL;
	size_t size = 0;

	lseek(maps, 0, SEEK_SET); /* the search before has left off in some line */
	while (table && error && getline(&line, &size, table) > 0) {
		unsigned long long start, end;
		char writable;

		if (sscanf(line, "%llx-%llx %*c%c", &start, &end, &writable) == 3 &&
		    start <= address && address < end && writable == 'w') {
			*mapping = (struct mapping){start, end};
			error = 0;
		}
	}
	free(line);
	if (table)
		fclose(table);
	return error;
}

static int find_mapping(int maps, uint64_t address, struct mapping *mapping)
{
	struct procmap_query query = {
		.size = sizeof(query),
		.flags = QUERY_WRITABLE,
		.address = address,
	};

	if (!ioctl(maps, QUERY_MAPPING, &query)) {
		*mapping = (struct mapping){query.start, query.end};
		return 0;
	}
	return errno == ENOTTY ? search_mapping(maps, address, mapping) : -EFAULT;
}

/* /proc/TID/mem writes where the task itself may not, as debuggers need it; we must not. */
static int check_writable(int maps, uint64_t address, size_t len)
{
	struct mapping mapping = {address, address};
	int error = 0;

	while (!error && mapping.end - address < len)
		error = find_mapping(maps, mapping.end, &mapping);
	return error;
}

/* By /proc/TID/mem, which stays that of the program that it was opened of, whoever has its number then. */
int peer_write(const struct peer *peer, uint64_t address, const void *data, size_t len)
{
	int memory = peer_proc_open(peer, "mem", O_WRONLY);
	int maps = memory < 0 ? memory : peer_proc_open(peer, "maps", O_RDONLY);
	int error = maps < 0 ? maps : check_writable(maps, address, len);

	if (!error && pwrite(memory, data, len, (off_t)address) != (ssize_t)len)
		error = -EFAULT;
	if (maps >= 0)
		close(maps);
	if (memory >= 0)
		close(memory);
	return error;
}
