/* SPDX-License-Identifier: MIT */
/* stat, statm and schedstat: lines of numbers */
#include "task.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>

/* Numbers of proc_pid_stat(5); state is 3. */
enum {
	STAT_PPID = 4, STAT_PGRP = 5, STAT_SESSION = 6, STAT_FLAGS = 9,
	STAT_MINFLT = 10, STAT_CMINFLT = 11, STAT_MAJFLT = 12, STAT_CMAJFLT = 13,
	STAT_UTIME = 14, STAT_STIME = 15, STAT_CUTIME = 16, STAT_CSTIME = 17,
	STAT_NUM_THREADS = 20, STAT_STARTTIME = 22, STAT_VSIZE = 23, STAT_RSS = 24,
	STAT_STARTSTACK = 28,
	STAT_PROCESSOR = 39, STAT_EXIT_CODE = 52, STAT_NR
};

/* As many numbers as there are, up to nr. */
static unsigned int parse_numbers(struct span *s, uint64_t *value, unsigned int nr)
{
	unsigned int i = 0;

	while (i < nr && span_number(s, &value[i]))
		i++;
	return i;
}

/* "1 (comm) S ": comm may hold anything, parentheses and newlines too, but what follows may not. */
static bool parse_head(struct span *s, struct machine_task_stat *stat)
{
	const char *open, *close;
	uint64_t pid;
	size_t len;

	if (!span_u64(s, &pid) || pid > INT_MAX)
		return false;
	span_skip_blanks(s);
	open = s->at;
	if (open == s->end || *open != '(')
		return false;
	close = memrchr(open, ')', s->end - open);
	if (!close || s->end - close < 3 || close[1] != ' ' || !isalpha((unsigned char)close[2]))
		return false;
	len = close - open - 1;
	if (len >= sizeof(stat->comm))
		len = sizeof(stat->comm) - 1;
	memcpy(stat->comm, open + 1, len);
	stat->comm[len] = '\0';
	stat->pid = pid;
	stat->state = close[2];
	s->at = close + 3;
	return true;
}

int machine_parse_task_stat(const char *text, size_t len, struct machine_task_stat *stat)
{
	struct span s = { text, text + len };
	struct machine_task_stat t = { 0 };
	uint64_t v[STAT_NR] = { 0 };
	unsigned int nr;

	if (!parse_head(&s, &t))
		return -EINVAL;
	nr = parse_numbers(&s, v + STAT_PPID, STAT_NR - STAT_PPID);
	if (STAT_PPID + nr <= STAT_RSS)
		return -EINVAL;
	t.ppid = v[STAT_PPID];
	t.pgrp = v[STAT_PGRP];
	t.session = v[STAT_SESSION];
	t.flags = v[STAT_FLAGS];
	t.minflt = v[STAT_MINFLT];
	t.cminflt = v[STAT_CMINFLT];
	t.majflt = v[STAT_MAJFLT];
	t.cmajflt = v[STAT_CMAJFLT];
	t.utime = v[STAT_UTIME];
	t.stime = v[STAT_STIME];
	t.cutime = v[STAT_CUTIME];
	t.cstime = v[STAT_CSTIME];
	t.num_threads = v[STAT_NUM_THREADS];
	t.starttime = v[STAT_STARTTIME];
	t.vsize = v[STAT_VSIZE];
	t.rss = v[STAT_RSS];
	t.startstack = v[STAT_STARTSTACK];
	t.processor = v[STAT_PROCESSOR];
	t.exit_code = v[STAT_EXIT_CODE];
	*stat = t;
	return 0;
}

int machine_parse_task_statm(const char *text, size_t len, struct machine_task_statm *statm)
{
	struct span s = { text, text + len };
	uint64_t v[6] = { 0 };	/* lib, the fifth, is always 0 */

	if (parse_numbers(&s, v, 6) < 3)
		return -EINVAL;
	*statm = (struct machine_task_statm){ v[0], v[1], v[2], v[3], v[5] };
	return 0;
}

int machine_task_statm(const struct machine *machine, pid_t pid, pid_t tid,
		       struct machine_task_statm *statm)
{
	struct file file;
	int error = task_read(machine, pid, tid, "statm", FILE_RECORD, &file);

	if (error)
		return error;
	error = machine_parse_task_statm(file.text, file.len, statm);
	file_free(&file);
	return error;
}

int machine_parse_task_schedstat(const char *text, size_t len,
				 struct machine_task_schedstat *sched)
{
	struct span s = { text, text + len };
	uint64_t v[3];

	if (parse_numbers(&s, v, 3) < 3)
		return -EINVAL;
	*sched = (struct machine_task_schedstat){ v[0], v[1], v[2] };
	return 0;
}

int machine_task_schedstat(const struct machine *machine, pid_t pid, pid_t tid,
			   struct machine_task_schedstat *sched)
{
	struct file file;
	int error = -ENOENT;

	if (!machine->lacks_schedstat)
		error = task_read(machine, pid, tid, "schedstat", FILE_RECORD, &file);
	if (error)
		return error;
	error = machine_parse_task_schedstat(file.text, file.len, sched);
	file_free(&file);
	return error;
}
