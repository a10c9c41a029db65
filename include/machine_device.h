/* SPDX-License-Identifier: MIT */
/*
 * Disks, network interfaces and huge pages. See machine.h for what holds for every function.
 */
#ifndef MACHINE_DEVICE_H
#define MACHINE_DEVICE_H

#include "machine.h"

/* --- /proc/diskstats: block/genhd.c, Documentation/admin-guide/iostats.rst --- */

#define MACHINE_SECTOR_BYTES 512u	/* of every device, whatever its block size */

/* Sectors are of 512 bytes, times in ms. Numbers that an older kernel lacks are 0. */
struct machine_disk {
	unsigned int major, minor;
	const char *name;		/* in the table's own memory */
	uint64_t reads, reads_merged, sectors_read, read_ms;
	uint64_t writes, writes_merged, sectors_written, write_ms;
	uint64_t in_flight, io_ms, weighted_io_ms;
	uint64_t discards, discards_merged, sectors_discarded, discard_ms;	/* 4.18 */
	uint64_t flushes, flush_ms;						/* 5.5 */
};

struct machine_disks {
	struct machine_disk *disk;	/* disks and partitions, in the file's order */
	size_t nr;
};

/* Fills *disks; free with machine_disks_free(). */
int machine_disks(const struct machine *machine, struct machine_disks *disks);
int machine_parse_disks(const char *text, size_t len, struct machine_disks *disks);
/* Frees what *disks points to, not *disks. A zeroed one is fine. */
void machine_disks_free(struct machine_disks *disks);
/* Leaves the whole disks: a partition's figures are in its disk's too. */
void machine_disks_drop_partitions(const struct machine *machine, struct machine_disks *disks);

/*
 * Whether there is such a block device, by /sys/dev/block, or /proc/diskstats without it; and
 * whether it is a partition (/sys only: false without it). blkcg takes whole disks only.
 */
bool machine_block_exists(const struct machine *machine, unsigned int major, unsigned int minor);
bool machine_block_is_partition(const struct machine *machine, unsigned int major,
				unsigned int minor);

/* MKDEV(): a minor past 20 bits runs into the major. */
static inline uint32_t machine_device(unsigned int major, unsigned int minor)
{
	return (uint32_t)major << 20 | minor;
}

/* --- RDMA devices: /sys/class/infiniband --- */

/* Calls visit with each one's name. 0, also where the machine has none, or a negative errno. */
int machine_rdma_devices(const struct machine *machine, void (*visit)(const char *name, void *arg),
			 void *arg);
/* Whether there is a device of that name. */
bool machine_rdma_exists(const struct machine *machine, const char *name);

/* --- network interfaces --- */

struct machine_netdev {
	unsigned int ifindex;		/* 0: not known (no /sys/class/net) */
	const char *name;		/* in the table's own memory */
};

struct machine_netdevs {
	struct machine_netdev *dev;	/* in order of ifindex, unknown ones last in file order */
	size_t nr;
};

/* Names from /proc/net/dev (net/core/net-procfs.c), numbers from /sys/class/net: those of the
 * network namespace of the reading thread. Fills *devs; free with machine_netdevs_free(). */
int machine_netdevs(const struct machine *machine, struct machine_netdevs *devs);
/* Names only, ifindex 0. */
int machine_parse_netdevs(const char *text, size_t len, struct machine_netdevs *devs);
/* Frees what *devs points to, not *devs. A zeroed one is fine. */
void machine_netdevs_free(struct machine_netdevs *devs);

/* --- /sys/kernel/mm/hugepages: mm/hugetlb_sysfs.c --- */

struct machine_hugepage {
	uint64_t size;			/* bytes of one page */
	char name[24];			/* mm/hugetlb_cgroup.c mem_fmt(): "64KB" "2MB" "1GB" */
	uint64_t nr, free, resv, surplus, overcommit;	/* pages */
};

struct machine_hugepages {
	struct machine_hugepage *size;	/* ascending */
	size_t nr;
};

/* Fills *pages; free with machine_hugepages_free(). -ENOENT: a kernel without huge pages. */
int machine_hugepages(const struct machine *machine, struct machine_hugepages *pages);
/* The same of one node, which has nr, free and surplus only (the others are 0). */
int machine_node_hugepages(const struct machine *machine, unsigned int node,
			   struct machine_hugepages *pages);
/* Bytes of a directory name "hugepages-2048kB"; 0: not of this form. */
uint64_t machine_parse_hugepage_dir(const char *name, size_t len);
/* The kernel's short form of size: text is of 24 bytes. */
void machine_hugepage_name(uint64_t size, char text[24]);
/* Frees what *pages points to, not *pages. A zeroed one is fine. */
void machine_hugepages_free(struct machine_hugepages *pages);

#endif
