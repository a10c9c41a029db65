/* SPDX-License-Identifier: MIT */
/* status: lines of "Name:\tvalue" of several kinds */
#include "task.h"

#include <errno.h>

/* Indexes of rows, by what their value is. The table's field.at is an offset. */
enum { ROW_STATE, ROW_TGID, ROW_PID, ROW_PPID, ROW_TRACER, ROW_UID, ROW_GID, ROW_NSTGID, ROW_NSPID,
	ROW_VM_SIZE = 10, ROW_RSS_ANON = 14, ROW_THREADS = 24 };

#define ROW(name, member) \
	{ name, sizeof(name) - 1, offsetof(struct machine_task_status, member) }

static const struct field rows[] = {
	ROW("State", state),
	ROW("Tgid", tgid),
	ROW("Pid", pid),
	ROW("PPid", ppid),
	ROW("TracerPid", tracer),
	ROW("Uid", uid),
	ROW("Gid", gid),
	ROW("NStgid", nstgid),
	ROW("NSpid", nspid),
	/* From here on numbers, in kB or none. */
	ROW("VmPeak", vm_peak),
	ROW("VmSize", vm_size),
	ROW("VmLck", vm_lck),
	ROW("VmHWM", vm_hwm),
	ROW("VmRSS", vm_rss),
	ROW("RssAnon", rss_anon),
	ROW("RssFile", rss_file),
	ROW("RssShmem", rss_shmem),
	ROW("VmData", vm_data),
	ROW("VmStk", vm_stk),
	ROW("VmExe", vm_exe),
	ROW("VmLib", vm_lib),
	ROW("VmPTE", vm_pte),
	ROW("VmSwap", vm_swap),
	ROW("HugetlbPages", hugetlb_pages),
	ROW("Threads", threads),
};

#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

/* Up to max ids; how many there were. */
static unsigned int parse_ids(struct span *line, uint32_t *id, unsigned int max)
{
	unsigned int nr = 0;
	uint64_t v;

	while (nr < max && span_u64(line, &v) && v <= UINT32_MAX)
		id[nr++] = v;
	return nr;
}

static bool parse_pid(struct span *line, pid_t *pid)
{
	uint64_t v;

	if (!span_u64(line, &v) || v > INT32_MAX)
		return false;
	*pid = v;
	return true;
}

static unsigned int parse_pids(struct span *line, pid_t pid[MACHINE_NSPID_MAX])
{
	unsigned int nr = 0;

	while (nr < MACHINE_NSPID_MAX && parse_pid(line, &pid[nr]))
		nr++;
	return nr;
}

static bool parse_row(struct span *line, unsigned int row, struct machine_task_status *s)
{
	struct span word;
	uint64_t value;

	switch (row) {
	case ROW_STATE:
		if (!span_word(line, &word))
			return false;
		s->state = *word.at;
		return true;
	case ROW_TGID:
		return parse_pid(line, &s->tgid);
	case ROW_PID:
		return parse_pid(line, &s->pid);
	case ROW_PPID:
		return parse_pid(line, &s->ppid);
	case ROW_TRACER:
		return parse_pid(line, &s->tracer);
	case ROW_UID:
		return parse_ids(line, s->uid, 4) == 4;
	case ROW_GID:
		return parse_ids(line, s->gid, 4) == 4;
	case ROW_NSTGID:
		s->nr_nstgid = parse_pids(line, s->nstgid);
		return true;
	case ROW_NSPID:
		s->nr_nspid = parse_pids(line, s->nspid);
		return true;
	}
	if (!span_bytes(line, &value))
		return false;
	*(uint64_t *)((char *)s + rows[row].at) = value;
	s->has_mm |= row == ROW_VM_SIZE;
	s->has_rss_split |= row == ROW_RSS_ANON;
	return true;
}

int machine_parse_task_status(const char *text, size_t len, struct machine_task_status *status)
{
	struct span rest = { text, text + len }, line, name;
	struct machine_task_status s;
	unsigned int hint = 0;
	bool has_pid = false;

	memset(&s, 0, sizeof(s));
	while (span_line(&rest, &line)) {
		const struct field *field;

		if (!span_key(&line, &name))
			continue;
		field = field_find(rows, NR_ROWS, &hint, &name);
		/* gVisor does not escape newlines in the name, the line before: with its 15 bytes it
		 * can be made to look like a line, but not like State's and another. */
		if (!field || (!s.state && field != &rows[ROW_STATE]))
			continue;
		if (parse_row(&line, field - rows, &s) && field == &rows[ROW_PID])
			has_pid = true;
		/* The second half of the file has nothing for us. */
		if (field == &rows[ROW_THREADS])
			break;
	}
	if (!has_pid || !s.state)
		return -EINVAL;
	*status = s;
	return 0;
}

int machine_task_status(const struct machine *machine, pid_t pid, pid_t tid,
			struct machine_task_status *status)
{
	struct file file;
	int error = task_read(machine, pid, tid, "status", FILE_RECORD, &file);

	if (error)
		return error;
	error = machine_parse_task_status(file.text, file.len, status);
	file_free(&file);
	return error;
}
