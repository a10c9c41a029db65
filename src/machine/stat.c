/* SPDX-License-Identifier: MIT */
/* /proc/stat and /proc/uptime */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "array.h"

static bool starts_with(const struct span *s, const char *prefix, size_t len)
{
	return (size_t)(s->end - s->at) >= len && !memcmp(s->at, prefix, len);
}

/* At least the four numbers that every kernel has. */
static bool parse_times(struct span *line, struct machine_cpu_time *time)
{
	uint64_t v[10] = { 0 };
	int nr = 0;

	while (nr < 10 && span_u64(line, &v[nr]))
		nr++;
	if (nr < 4)
		return false;
	*time = (struct machine_cpu_time){ v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7],
					   v[8], v[9] };
	return true;
}

static int add_cpu(struct machine_stat *stat, size_t *capacity, const struct machine_cpu *cpu)
{
	struct machine_cpu *cpus = array_room(stat->cpu, stat->nr_cpu, capacity, sizeof(*cpus));

	if (!cpus)
		return -ENOMEM;
	stat->cpu = cpus;
	cpus[stat->nr_cpu++] = *cpu;
	return 0;
}

/* "cpu0 1 2 3": the kernel's numbers ascend, so one that does not is damage. */
static int parse_cpu(struct machine_stat *stat, size_t *capacity, struct span *line)
{
	struct machine_cpu cpu;
	uint64_t id;

	if (!span_digits(line, &id) || id >= BITMAP_MAX_BITS || !parse_times(line, &cpu.time))
		return 0;
	if (stat->nr_cpu && id <= stat->cpu[stat->nr_cpu - 1].id)
		return 0;
	cpu.id = id;
	return add_cpu(stat, capacity, &cpu);
}

int machine_parse_stat(const char *text, size_t len, struct machine_stat *stat)
{
	static const struct field counters[] = {
		{ "ctxt", 4, offsetof(struct machine_stat, ctxt) },
		{ "btime", 5, offsetof(struct machine_stat, btime) },
		{ "processes", 9, offsetof(struct machine_stat, processes) },
		{ "procs_running", 13, offsetof(struct machine_stat, procs_running) },
		{ "procs_blocked", 13, offsetof(struct machine_stat, procs_blocked) },
	};
	struct machine_stat s = { 0 };
	struct span rest = { text, text + len }, line, name;
	size_t capacity = 0;
	unsigned int hint = 0;
	bool total = false;

	while (span_line(&rest, &line)) {
		const struct field *counter;
		uint64_t value;

		if (starts_with(&line, "cpu", 3)) {
			line.at += 3;
			if (line.at < line.end && is_blank(*line.at)) {
				total |= parse_times(&line, &s.total);
			} else if (parse_cpu(&s, &capacity, &line)) {
				machine_stat_free(&s);
				return -ENOMEM;
			}
			continue;
		}
		if (!span_word(&line, &name))
			continue;
		counter = field_find(counters, 5, &hint, &name);
		if (counter && span_u64(&line, &value))
			*(uint64_t *)((char *)&s + counter->at) = value;
	}
	if (!total) {
		machine_stat_free(&s);
		return -EINVAL;
	}
	*stat = s;
	return 0;
}

int machine_stat(const struct machine *machine, struct machine_stat *stat)
{
	struct file file;
	int error = file_read_kept(machine, KEPT_STAT, FILE_RECORD, &file);

	if (error)
		return error;
	error = machine_parse_stat(file.text, file.len, stat);
	file_free(&file);
	return error;
}

void machine_stat_free(struct machine_stat *stat)
{
	free(stat->cpu);
	stat->cpu = NULL;
	stat->nr_cpu = 0;
}

const struct machine_cpu_time *machine_stat_cpu(const struct machine_stat *stat, unsigned int id)
{
	unsigned int low = 0, high = stat->nr_cpu;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (stat->cpu[middle].id == id)
			return &stat->cpu[middle].time;
		if (stat->cpu[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

int machine_parse_uptime(const char *text, size_t len, uint64_t *ns)
{
	struct span s = { text, text + len };
	uint64_t seconds, fraction = 0;
	unsigned int unit = 1000000000;

	span_skip_blanks(&s);
	if (!span_digits(&s, &seconds) || seconds > UINT64_MAX / unit - 1)
		return -EINVAL;
	if (s.at < s.end && *s.at == '.')
		for (s.at++; s.at < s.end && *s.at >= '0' && *s.at <= '9'; s.at++) {
			unit /= 10;
			fraction += (*s.at - '0') * (uint64_t)unit;
		}
	*ns = seconds * 1000000000 + fraction;
	return 0;
}

int machine_uptime(const struct machine *machine, uint64_t *ns)
{
	struct file file;
	int error = file_read(machine->proc, "uptime", FILE_RECORD, &file);
	struct timespec now;

	if (error && error != -ENOENT && machine->is_own && !clock_gettime(CLOCK_BOOTTIME, &now)) {
		/* The same clock: who does not know the time takes everybody for new. */
		*ns = now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
		return 0;
	}
	if (error)
		return error;
	error = machine_parse_uptime(file.text, file.len, ns);
	file_free(&file);
	return error;
}
