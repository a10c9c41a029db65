/* SPDX-License-Identifier: MIT */
/* What a process holds and moves: smaps, smaps_rollup and io, lines of "Name: number" */
#include "task.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SMAPS(name, member) \
	{ name, sizeof(name) - 1, offsetof(struct machine_task_smaps, member) }

static const struct field smaps_rows[] = {
	SMAPS("Rss", rss),
	SMAPS("Pss", pss),
	SMAPS("Pss_Dirty", pss_dirty),
	SMAPS("Pss_Anon", pss_anon),
	SMAPS("Pss_File", pss_file),
	SMAPS("Pss_Shmem", pss_shmem),
	SMAPS("Shared_Clean", shared_clean),
	SMAPS("Shared_Dirty", shared_dirty),
	SMAPS("Private_Clean", private_clean),
	SMAPS("Private_Dirty", private_dirty),
	SMAPS("Referenced", referenced),
	SMAPS("Anonymous", anonymous),
	SMAPS("AnonHugePages", anon_huge_pages),
	SMAPS("ShmemPmdMapped", shmem_pmd_mapped),
	SMAPS("FilePmdMapped", file_pmd_mapped),
	SMAPS("Shared_Hugetlb", shared_hugetlb),
	SMAPS("Private_Hugetlb", private_hugetlb),
	SMAPS("Swap", swap),
	SMAPS("SwapPss", swap_pss),
	SMAPS("Locked", locked),
};

void machine_parse_task_smaps(const char *text, size_t len, struct machine_task_smaps *smaps)
{
	struct span rest = { text, text + len }, line, name;
	unsigned int hint = 0;

	memset(smaps, 0, sizeof(*smaps));
	while (span_line(&rest, &line)) {
		const struct field *field;
		uint64_t value;

		/* The other lines are mappings: "7ffe9cf5...-... rw-p ... /a:path". */
		if (line.at == line.end || *line.at < 'A' || *line.at > 'Z' ||
		    !span_key(&line, &name))
			continue;
		field = field_find(smaps_rows, sizeof(smaps_rows) / sizeof(smaps_rows[0]), &hint,
				   &name);
		if (!field || !span_bytes(&line, &value))
			continue;
		*(uint64_t *)((char *)smaps + field->at) += value;
		if (field->at == offsetof(struct machine_task_smaps, pss_anon))
			smaps->has_pss_split = true;
	}
}

static int read_smaps(const struct machine *machine, pid_t pid, const char *name,
		      enum file_kind kind, struct machine_task_smaps *smaps)
{
	struct file file;
	int error = task_read(machine, pid, 0, name, kind, &file);

	if (error)
		return error;
	machine_parse_task_smaps(file.text, file.len, smaps);
	file_free(&file);
	return 0;
}

int machine_task_smaps_rollup(const struct machine *machine, pid_t pid,
			      struct machine_task_smaps *smaps)
{
	return read_smaps(machine, pid, "smaps_rollup", FILE_RECORD, smaps);
}

int machine_task_smaps(const struct machine *machine, pid_t pid, struct machine_task_smaps *smaps)
{
	return read_smaps(machine, pid, "smaps", FILE_RECORDS, smaps);
}

bool machine_task_same_memory(const struct machine *machine, pid_t pid, pid_t other)
{
	return machine->is_own && !syscall(SYS_kcmp, pid, other, KCMP_VM, 0, 0);
}

#define IO(name) { #name, sizeof(#name) - 1, offsetof(struct machine_task_io, name) }

int machine_parse_task_io(const char *text, size_t len, struct machine_task_io *io)
{
	static const struct field rows[] = {
		IO(read_bytes),
		IO(write_bytes),
	};
	struct span rest = { text, text + len }, line, name;
	struct machine_task_io result = { 0 };
	unsigned int hint = 0, found = 0;

	while (span_line(&rest, &line)) {
		const struct field *field;
		uint64_t value;

		if (!span_key(&line, &name))
			continue;
		field = field_find(rows, sizeof(rows) / sizeof(rows[0]), &hint, &name);
		if (!field || !span_u64(&line, &value))
			continue;
		*(uint64_t *)((char *)&result + field->at) = value;
		found++;
	}
	if (!found)
		return -EINVAL;
	*io = result;
	return 0;
}

int machine_task_io(const struct machine *machine, pid_t pid, pid_t tid,
		    struct machine_task_io *io)
{
	struct file file;
	int error = task_read(machine, pid, tid, "io", FILE_RECORD, &file);

	if (error)
		return error;
	error = machine_parse_task_io(file.text, file.len, io);
	file_free(&file);
	return error;
}
