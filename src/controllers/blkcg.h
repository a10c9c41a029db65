/* SPDX-License-Identifier: MIT */
#ifndef BLKCG_H
#define BLKCG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accounting.h"
#include "controller.h"

/* What the files of the blkio controller share among themselves. */

enum blkio_op { BLKIO_READ, BLKIO_WRITE, BLKIO_DISCARD, BLKIO_OPS };

enum blkio_figure {
	BLKIO_BYTES,
	BLKIO_REQUESTS,
	BLKIO_MERGED, /* bios that were merged into a request: they are serviced too */
	BLKIO_TIME, /* ns from a request's start to its end */
	BLKIO_BUSY, /* ns that the disk had a request; in BLKIO_READ's place, of all operations */
	BLKIO_FIGURES,
};

struct blkio_stat {
	uint64_t figure[BLKIO_FIGURES][BLKIO_OPS];
};

enum blkio_limit { LIMIT_READ_BPS, LIMIT_WRITE_BPS, LIMIT_READ_IOPS, LIMIT_WRITE_IOPS, LIMITS };
#define NO_LIMIT UINT64_MAX

enum blkio_weight { WEIGHT_CFQ, WEIGHT_CFQ_LEAF, WEIGHT_BFQ, WEIGHT_IOCOST, WEIGHTS };

/* A disk as one cgroup has it: the kernel's struct blkcg_gq. */
struct blkio_disk;
struct iocost;

struct blkg {
	struct blkg *next;
	uint32_t device; /* major << 20 | minor */
	uint16_t weight[WEIGHTS]; /* 0: the cgroup's own */
	uint64_t limit[LIMITS]; /* bytes or operations a second, or NO_LIMIT */
	uint64_t latency; /* ns, io.latency's target; 0: none */
	struct iocost *cost; /* in a root only (iocost.h); NULL: none was set */
	/*
	 * What members did on this disk, and all that they and everything below
	 * did. In a root, whose figures are the disk's: the highest local ones
	 * seen so far, and what resets have taken away from the disk's.
	 */
	struct blkio_stat local, total;
	/* How much of what accounting counted is in local and total. Not in a root. */
	struct {
		struct io_usage local, total;
	} counted;
	/* In a root only: what children that are gone did, and the disk before we started. */
	struct blkio_stat removed, start;
};

/* The state of a cgroup. All of it, and its blkgs, under the tree lock. */
struct blkcg {
	struct blkg *blkgs; /* the newest first, as the kernel lists them */
	uint16_t weight[WEIGHTS];
	unsigned prio_class; /* below blkio_class_count(); 0: no change */
	/*
	 * In a root: its children that had a member once, in them or below. In
	 * such a child: its place in that list.
	 */
	struct blkcg *used, *prev, *next;
	struct cgroup *cgroup; /* whose state this is */
	bool is_used; /* it is in the list */
};

struct blkcg *blkcg_of(const struct cgroup *cgroup);

/* The cgroup's blkg for a device, or NULL. Under the tree lock. */
struct blkg *blkg_find(const struct blkcg *blkcg, uint32_t device);

/* A new one, which it has not. NULL when memory is short. Under the tree lock, exclusive. */
struct blkg *blkg_add(struct blkcg *blkcg, uint32_t device);

/*
 * The cgroup's blkg for a device, made where it is missing, with those of the ancestors
 * (blkg_lookup_create). NULL when memory is short. Under the tree lock, exclusive.
 */
struct blkg *blkg_get(struct cgroup *cgroup, uint32_t device);

/* "8:0" (blkg_dev_name). */
void blkio_print_device(struct text *out, uint32_t device);

/*
 * Sets one thing of a blkg to what follows the device. 0 or a negative errno. Under the tree lock, exclusive.
 */
typedef int (*blkg_setter)(struct blkg *blkg, int what, const char *value);
/*
 * Takes "MAJ:MIN VALUE" (blkg_conf_prep) and has `set` called with the device's blkg. -EINVAL: no device's
 * number; -ENODEV: no such disk, or a partition; -EOPNOTSUPP: it has not this scheduler (NULL: any may be),
 * for which blkio_costs_scheduler stands for blk-iocost. Takes the tree lock.
 */
extern const char blkio_costs_scheduler[];
int blkio_configure(const struct request *request, const char *text, const char *scheduler,
		    blkg_setter set, int what);

/* The figures that a blkg shows. Under the tree lock. */
struct blkio_stat blkg_stat(const struct cgroup *cgroup, const struct blkg *blkg,
			    const struct blkio_disk *disk, bool recursive);

/* throttle.*_device; cftype->private is enum blkio_limit. */
int blkio_limit_show(const struct request *request, struct text *out);
int blkio_limit_act(const struct request *request, char *text);

/* weight and weight_device files; cftype->private is enum blkio_weight. */
uint64_t blkio_weight_read(struct cgroup *cgroup, const struct cgroup_file *file);
int blkio_weight_write(struct cgroup *cgroup, const struct cgroup_file *file, uint64_t weight);
int blkio_weight_device_show(const struct request *request, struct text *out);
int blkio_weight_device_act(const struct request *request, char *text);

/* What a statistics file shows; its cftype->private is one of these, with flags. */
enum blkio_view {
	VIEW_BYTES,
	VIEW_BIOS,
	VIEW_REQUESTS,
	VIEW_MERGED,
	VIEW_TIME,
	VIEW_NOTHING,
	VIEW_BUSY_MS, /* this and the next: one number for a disk */
	VIEW_SECTORS,
	VIEW_MASK = 0xff,
	VIEW_RECURSIVE = 1 << 8,
	VIEW_BFQ = 1 << 9, /* only the disks that bfq schedules */
};

/* A whole disk of the machine, and what it has done since boot. */
struct blkio_disk {
	uint32_t device;
	struct blkio_stat stat;
};

struct blkio_disks {
	struct blkio_disk *disk; /* in the order they came up */
	size_t count;
};

/*
 * The machine's disks; none where it has no /proc/diskstats. 0 or -ENOMEM.
 * blkio_free_disks() frees what *disks points to; also for the cleanup attribute.
 */
int blkio_read_disks(const struct machine *machine, struct blkio_disks *disks);
void blkio_free_disks(struct blkio_disks *disks);
/* The disk of this number, or NULL. */
const struct blkio_disk *blkio_find_disk(const struct blkio_disks *disks, uint32_t device);

/*
 * Brings a cgroup's blkgs up to now: `total`, and `local` where it is not only
 * for totals. 0 or a negative errno. Reads /proc, takes the tree lock.
 */
int blkio_refresh(struct cgroup *cgroup, const struct blkio_disks *disks, bool only_total);

/*
 * A child of the root goes: its figures are not to become the root's own.
 * Under the tree lock, exclusive.
 */
void blkio_child_removed(struct cgroup *child);

/* v2 has enabled it in a cgroup: what members did before is not counted. Reads /proc, takes the tree lock. */
void blkio_start(struct cgroup *cgroup, void *state);

/* Figure by figure; nothing goes below 0. */
void blkio_stat_add(struct blkio_stat *stat, const struct blkio_stat *other);
void blkio_stat_subtract(struct blkio_stat *stat, const struct blkio_stat *other);

/* blkio_options.c: handlers of io.latency and prio.class, which are there when they are asked for */
int blkio_latency_show(const struct request *request, struct text *out);
int blkio_latency_act(const struct request *request, char *text);
int blkio_class_show(const struct request *request, struct text *out);
int blkio_class_store(const struct request *request, char *text);
unsigned blkio_class_count(void);

int blkio_stat_measure(const struct request *request, struct text *out);
/* blkio_v2.c */
extern const struct cftype blkio_dfl_files[];

int blkio_reset_act(const struct request *request, char *text);

/*
 * A root starts with all of the machine's disks. 0 or -ENOMEM. Reads /proc,
 * before the tree is in use.
 */
int blkio_add_disks(struct blkcg *root, const struct machine *machine);

#endif
