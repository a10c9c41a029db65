/* SPDX-License-Identifier: MIT */
/* /proc/meminfo and /sys/devices/system/node/nodeN/meminfo */
#include "internal.h"

#include <stdio.h>

#define MEM(field, string) { string, sizeof(string) - 1, MACHINE_MEM_##field }

/* In the order of /proc/meminfo; a node's differs a little and costs a longer search there. */
static const struct field fields[] = {
	MEM(TOTAL, "MemTotal"),
	MEM(FREE, "MemFree"),
	MEM(AVAILABLE, "MemAvailable"),
	MEM(USED, "MemUsed"),
	MEM(BUFFERS, "Buffers"),
	MEM(CACHED, "Cached"),
	MEM(SWAPCACHED, "SwapCached"),
	MEM(ACTIVE, "Active"),
	MEM(INACTIVE, "Inactive"),
	MEM(ACTIVE_ANON, "Active(anon)"),
	MEM(INACTIVE_ANON, "Inactive(anon)"),
	MEM(ACTIVE_FILE, "Active(file)"),
	MEM(INACTIVE_FILE, "Inactive(file)"),
	MEM(UNEVICTABLE, "Unevictable"),
	MEM(MLOCKED, "Mlocked"),
	MEM(SWAPTOTAL, "SwapTotal"),
	MEM(SWAPFREE, "SwapFree"),
	MEM(ZSWAP, "Zswap"),
	MEM(ZSWAPPED, "Zswapped"),
	MEM(DIRTY, "Dirty"),
	MEM(WRITEBACK, "Writeback"),
	MEM(FILEPAGES, "FilePages"),
	MEM(ANONPAGES, "AnonPages"),
	MEM(MAPPED, "Mapped"),
	MEM(SHMEM, "Shmem"),
	MEM(KRECLAIMABLE, "KReclaimable"),
	MEM(SLAB, "Slab"),
	MEM(SRECLAIMABLE, "SReclaimable"),
	MEM(SUNRECLAIM, "SUnreclaim"),
	MEM(KERNELSTACK, "KernelStack"),
	MEM(SHADOWCALLSTACK, "ShadowCallStack"),
	MEM(PAGETABLES, "PageTables"),
	MEM(SECPAGETABLES, "SecPageTables"),
	MEM(NFS_UNSTABLE, "NFS_Unstable"),
	MEM(BOUNCE, "Bounce"),
	MEM(WRITEBACKTMP, "WritebackTmp"),
	MEM(COMMITLIMIT, "CommitLimit"),
	MEM(COMMITTED_AS, "Committed_AS"),
	MEM(VMALLOCTOTAL, "VmallocTotal"),
	MEM(VMALLOCUSED, "VmallocUsed"),
	MEM(PERCPU, "Percpu"),
	MEM(ANONHUGEPAGES, "AnonHugePages"),
	MEM(SHMEMHUGEPAGES, "ShmemHugePages"),
	MEM(SHMEMPMDMAPPED, "ShmemPmdMapped"),
	MEM(FILEHUGEPAGES, "FileHugePages"),
	MEM(FILEPMDMAPPED, "FilePmdMapped"),
	MEM(UNACCEPTED, "Unaccepted"),
	MEM(BALLOON, "Balloon"),
	MEM(HUGEPAGES_TOTAL, "HugePages_Total"),
	MEM(HUGEPAGES_FREE, "HugePages_Free"),
	MEM(HUGEPAGES_RSVD, "HugePages_Rsvd"),
	MEM(HUGEPAGES_SURP, "HugePages_Surp"),
	MEM(HUGEPAGESIZE, "Hugepagesize"),
	MEM(HUGETLB, "Hugetlb"),
};

_Static_assert(sizeof(fields) / sizeof(fields[0]) == MACHINE_MEM_NR, "each field has its name");
_Static_assert(MACHINE_MEM_NR <= 64, "each field has its bit");

/* "Node 0 " before the name */
static void skip_node(struct span *name)
{
	uint64_t node;

	if (name->end - name->at < 5 || memcmp(name->at, "Node ", 5))
		return;
	name->at += 5;
	span_u64(name, &node);
	span_skip_blanks(name);
}

void machine_parse_meminfo(const char *text, size_t len, struct machine_meminfo *info)
{
	struct span rest = { text, text + len }, line, name;
	unsigned int hint = 0;

	memset(info, 0, sizeof(*info));
	while (span_line(&rest, &line)) {
		const struct field *field;
		uint64_t value;

		if (!span_key(&line, &name))
			continue;
		skip_node(&name);
		field = field_find(fields, MACHINE_MEM_NR, &hint, &name);
		if (!field || !span_bytes(&line, &value))
			continue;
		info->value[field->at] = value;
		info->present |= UINT64_C(1) << field->at;
	}
}

int machine_meminfo(const struct machine *machine, struct machine_meminfo *info)
{
	struct file file;
	int error = file_read_kept(machine, KEPT_MEMINFO, FILE_RECORD, &file);

	if (error)
		return error;
	machine_parse_meminfo(file.text, file.len, info);
	file_free(&file);
	return 0;
}

int machine_node_meminfo(const struct machine *machine, unsigned int node,
			 struct machine_meminfo *info)
{
	struct file file;
	char path[64];
	int error;

	snprintf(path, sizeof(path), "devices/system/node/node%u/meminfo", node);
	error = file_read(machine->sys, path, FILE_RECORD, &file);
	if (error)
		return error;
	machine_parse_meminfo(file.text, file.len, info);
	file_free(&file);
	return 0;
}
