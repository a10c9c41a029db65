/* SPDX-License-Identifier: MIT */
/* What a process' files tell of its memory. */
#include <errno.h>

#include "reading.h"

#define KERNEL_STACK 16384u /* THREAD_SIZE of x86_64 and arm64 */
#define MUCH (1u << 20) /* bytes: more than by how much two files differ at one moment */

/* Shared pages by the number of their sharers; smaps has no split of its Pss, Rss gives it. */
static void use_smaps(struct memory_read *read, const struct machine_task_smaps *smaps)
{
	struct memory_usage *memory = &read->held;

	memory->swap = smaps->swap_pss;
	if (smaps->has_pss_split) {
		memory->anon = smaps->pss_anon;
		memory->anon_huge = number_scale(smaps->anon_huge_pages, smaps->pss_anon, smaps->anonymous);
		memory->file = smaps->pss_file;
		memory->shmem = smaps->pss_shmem;
		if (smaps->anonymous > smaps->pss_anon)
			read->shared = smaps->anonymous - smaps->pss_anon;
		return;
	}
	memory->anon = number_scale(smaps->pss, smaps->anonymous, smaps->rss);
	memory->anon_huge = number_scale(smaps->anon_huge_pages, memory->anon, smaps->anonymous);
	memory->file = smaps->pss - memory->anon;
}

/* Where smaps cannot be read: by status and statm, which take no lock of the process. */
static int use_rss(const struct machine *machine, pid_t tgid,
		   const struct machine_task_status *status, struct memory_usage *memory)
{
	struct machine_task_statm statm;
	int error;

	if (status->has_rss_split) {
		memory->anon = status->rss_anon;
		memory->file = status->rss_file;
		memory->shmem = status->rss_shmem;
		return 0;
	}
	error = machine_task_statm(machine, tgid, 0, &statm);
	if (!error) {
		memory->anon = (statm.resident - statm.shared) * number_page_size();
		memory->file = statm.shared * number_page_size();
	}
	return error == -ESRCH ? 0 : error;
}

static bool has_no_memory(const struct machine_task_status *status)
{
	return !status->has_mm && status->has_rss_split;
}

int memory_read(const struct machine *machine, pid_t tgid, pid_t parent, struct memory_read *read)
{
	struct memory_usage *memory = &read->held;
	struct machine_task_status status;
	struct machine_task_smaps smaps;
	int error = machine_task_status(machine, tgid, 0, &status);

	*read = (struct memory_read){0};
	if (error || has_no_memory(&status))
		return error;
	memory->kernel = memory->stacks = status.threads * KERNEL_STACK;
	if (parent && machine_task_same_memory(machine, tgid, parent))
		return 0;
	read->resident = status.vm_rss;
	read->high = status.vm_hwm;
	memory->kernel += status.vm_pte;
	memory->swap = status.vm_swap;
	error = machine_task_smaps_rollup(machine, tgid, &smaps);
	if (error == -ENOENT)
		error = machine_task_smaps(machine, tgid, &smaps);
	if (error == -ESRCH)
		return 0; /* no memory any more */
	if (error && error != -ENOENT && error != -EACCES && error != -EPERM)
		return error;
	if (error)
		return use_rss(machine, tgid, &status, memory);
	use_smaps(read, &smaps);
	if (smaps.rss + MUCH < read->resident)
		read->resident = smaps.rss; /* it freed some since status was read: that is not held */
	return 0;
}

int memory_estimate(const struct machine *machine, pid_t tgid, struct memory_read *read)
{
	struct memory_usage *memory = &read->held;
	struct machine_task_status status;
	int error = machine_task_status(machine, tgid, 0, &status);

	*read = (struct memory_read){.resident = status.vm_rss, .high = status.vm_hwm};
	if (error || has_no_memory(&status))
		return error;
	memory->stacks = status.threads * KERNEL_STACK;
	memory->kernel = memory->stacks + status.vm_pte;
	memory->swap = status.vm_swap;
	return use_rss(machine, tgid, &status, memory);
}
