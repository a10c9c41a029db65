/* SPDX-License-Identifier: MIT */
/*
 * The machine, as /proc and /sys tell it, below a root directory that tests may replace.
 *
 * What holds for every function here and in machine_task.h and machine_device.h:
 * - Thread-safe without locks: a struct machine does not change after machine_open().
 * - Each call opens, reads and closes its files: one call is one moment. Kept from machine_open()
 *   on are only nr_cpu_ids and MAX_NUMNODES, which a kernel never changes.
 * - Errors are negative errno. -ENOENT: this machine has no such file (gVisor lacks several);
 *   the caller takes its documented fallback. -ENOMEM. Others as open(2) and read(2).
 * - On error the output is untouched unless said otherwise.
 * - A malformed line is skipped; what is missing reads as 0, or as absent where there is a mask.
 * - machine_parse_*() are the same without reading: pure functions on text of len bytes, which
 *   need not be NUL-terminated.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "number.h"

struct machine;

/*
 * root is a directory with proc/ and sys/ below it: "/" for this machine. A missing sys/ is no
 * error. The result is freed by machine_close(); NULL with errno set (no root, no proc/ in it).
 */
struct machine *machine_open(const char *root);
/*
 * NULL is fine. What a lost thread (machine_patient.h) may still come back to stays until the process ends.
 */
void machine_close(struct machine *machine);

/* --- /proc/stat: fs/proc/stat.c, proc_stat(5) --- */

/* CPU times are in ticks of USER_HZ, which is 100 on every architecture that Debian 12 has. */
#define MACHINE_USER_HZ 100u
#define MACHINE_TICK_NS (1000000000u / MACHINE_USER_HZ)

/* Ticks since boot. user includes guest, nice includes guest_nice, as in the file. */
struct machine_cpu_time {
	uint64_t user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice;
};

struct machine_cpu {
	unsigned int id;		/* of "cpuN": offline CPUs are holes */
	struct machine_cpu_time time;
};

struct machine_stat {
	struct machine_cpu_time total;
	struct machine_cpu *cpu;	/* ascending id, online ones only */
	unsigned int nr_cpu;
	uint64_t btime;			/* boot, seconds since the epoch */
	uint64_t ctxt;
	uint64_t processes;		/* forks since boot */
	uint64_t procs_running, procs_blocked;
};

/* Fills *stat; free with machine_stat_free(). -EINVAL: no line of totals. */
int machine_stat(const struct machine *machine, struct machine_stat *stat);
int machine_parse_stat(const char *text, size_t len, struct machine_stat *stat);
/* Frees what *stat points to, not *stat. A zeroed one is fine. */
void machine_stat_free(struct machine_stat *stat);
/* The times of CPU id; NULL: offline. Points into *stat. */
const struct machine_cpu_time *machine_stat_cpu(const struct machine_stat *stat, unsigned int id);

/* ns since boot (10 ms grain), from /proc/uptime. -EINVAL: not a number. */
int machine_uptime(const struct machine *machine, uint64_t *ns);
int machine_parse_uptime(const char *text, size_t len, uint64_t *ns);

/* --- /proc/meminfo: fs/proc/meminfo.c; node files: drivers/base/node.c --- */

/* In the order of the files. All are bytes but HUGEPAGES_*, which are pages of HUGEPAGESIZE. */
enum machine_mem {
	MACHINE_MEM_TOTAL, MACHINE_MEM_FREE, MACHINE_MEM_AVAILABLE, MACHINE_MEM_USED,
	MACHINE_MEM_BUFFERS, MACHINE_MEM_CACHED, MACHINE_MEM_SWAPCACHED,
	MACHINE_MEM_ACTIVE, MACHINE_MEM_INACTIVE,
	MACHINE_MEM_ACTIVE_ANON, MACHINE_MEM_INACTIVE_ANON,
	MACHINE_MEM_ACTIVE_FILE, MACHINE_MEM_INACTIVE_FILE,
	MACHINE_MEM_UNEVICTABLE, MACHINE_MEM_MLOCKED,
	MACHINE_MEM_SWAPTOTAL, MACHINE_MEM_SWAPFREE, MACHINE_MEM_ZSWAP, MACHINE_MEM_ZSWAPPED,
	MACHINE_MEM_DIRTY, MACHINE_MEM_WRITEBACK,
	MACHINE_MEM_FILEPAGES,		/* nodes only: Cached + Buffers + SwapCached */
	MACHINE_MEM_MAPPED, MACHINE_MEM_ANONPAGES, MACHINE_MEM_SHMEM,
	MACHINE_MEM_KERNELSTACK, MACHINE_MEM_SHADOWCALLSTACK,
	MACHINE_MEM_PAGETABLES, MACHINE_MEM_SECPAGETABLES,
	MACHINE_MEM_NFS_UNSTABLE, MACHINE_MEM_BOUNCE, MACHINE_MEM_WRITEBACKTMP,
	MACHINE_MEM_KRECLAIMABLE, MACHINE_MEM_SLAB,
	MACHINE_MEM_SRECLAIMABLE, MACHINE_MEM_SUNRECLAIM,
	MACHINE_MEM_COMMITLIMIT, MACHINE_MEM_COMMITTED_AS,
	MACHINE_MEM_VMALLOCTOTAL, MACHINE_MEM_VMALLOCUSED, MACHINE_MEM_PERCPU,
	MACHINE_MEM_ANONHUGEPAGES, MACHINE_MEM_SHMEMHUGEPAGES, MACHINE_MEM_SHMEMPMDMAPPED,
	MACHINE_MEM_FILEHUGEPAGES, MACHINE_MEM_FILEPMDMAPPED,
	MACHINE_MEM_UNACCEPTED, MACHINE_MEM_BALLOON,
	MACHINE_MEM_HUGEPAGES_TOTAL, MACHINE_MEM_HUGEPAGES_FREE,
	MACHINE_MEM_HUGEPAGES_RSVD, MACHINE_MEM_HUGEPAGES_SURP,
	MACHINE_MEM_HUGEPAGESIZE, MACHINE_MEM_HUGETLB,
	MACHINE_MEM_NR			/* at most 64, for the mask */
};

struct machine_meminfo {
	uint64_t present;		/* bit f: field f was there */
	uint64_t value[MACHINE_MEM_NR];	/* 0 where it was not */
};

static inline bool machine_mem_has(const struct machine_meminfo *info, enum machine_mem field)
{
	return info->present >> field & 1;
}

/* Fills *info with the machine's. */
int machine_meminfo(const struct machine *machine, struct machine_meminfo *info);
/* The same fields of one NUMA node; -ENOENT: no such node, or a machine without node files. */
int machine_node_meminfo(const struct machine *machine, unsigned int node,
			 struct machine_meminfo *info);
/* Reads both forms: "MemTotal: 1 kB" and "Node 0 MemTotal: 1 kB". Never fails. */
void machine_parse_meminfo(const char *text, size_t len, struct machine_meminfo *info);

/* --- /proc/vmstat: mm/vmstat.c --- */

/* A table of counters by name: pages for nr_*, events for the others. The maker frees it. */
struct machine_vmstat;

/* A new table in *vmstat. */
int machine_vmstat(const struct machine *machine, struct machine_vmstat **vmstat);
int machine_parse_vmstat(const char *text, size_t len, struct machine_vmstat **vmstat);
/* NULL is fine. */
void machine_vmstat_free(struct machine_vmstat *vmstat);
/* Whether name is there, and its value in *value (untouched if not). NULL table: false. */
bool machine_vmstat_get(const struct machine_vmstat *vmstat, const char *name, uint64_t *value);
/* The value, 0 where there is none. NULL table: 0. */
uint64_t machine_vmstat_value(const struct machine_vmstat *vmstat, const char *name);
/* How many counters, and the i-th of them in no particular order (i below the number). */
size_t machine_vmstat_count(const struct machine_vmstat *vmstat);
const char *machine_vmstat_at(const struct machine_vmstat *vmstat, size_t i, uint64_t *value);

/* --- CPUs and NUMA nodes: drivers/base/cpu.c, drivers/base/node.c --- */

enum machine_cpus { MACHINE_CPUS_ONLINE, MACHINE_CPUS_POSSIBLE, MACHINE_CPUS_PRESENT };
enum machine_nodes { MACHINE_NODES_ONLINE, MACHINE_NODES_POSSIBLE, MACHINE_NODES_MEMORY };

/*
 * *cpus is new, freed by bitmap_free(); all three have nr = the kernel's nr_cpu_ids (last possible
 * CPU + 1). Without /sys: the CPUs in /proc/stat; without that: CPU 0. A file that is there and
 * cannot be read now is an error: what it would have said is not known.
 */
int machine_cpus(const struct machine *machine, enum machine_cpus which, struct bitmap **cpus);

/*
 * *nodes is new, freed by bitmap_free(); nr is machine_node_bits(). Without /sys: node 0.
 * MEMORY is what cpuset.mems of the root shows. Fails with -ENOMEM only.
 */
int machine_nodes(const struct machine *machine, enum machine_nodes which, struct bitmap **nodes);

/*
 * Bits of a node list in the kernel's grammar: MAX_NUMNODES, as the width of Mems_allowed in
 * /proc/self/status shows it (64 where that is missing). A node past it is -ERANGE in cpuset.mems,
 * one below that is not there is -EINVAL.
 */
unsigned int machine_node_bits(const struct machine *machine);
unsigned int machine_parse_node_bits(const char *text, size_t len);

#endif
