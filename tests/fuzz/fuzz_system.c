/* SPDX-License-Identifier: MIT */
/* /proc/stat, uptime, meminfo, vmstat and the width of Mems_allowed. */
#include "fuzz.h"

#include <errno.h>

#include "machine.h"

static char *print_times(char *at, const struct machine_cpu_time *t)
{
	return at + sprintf(at, " %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu\n",
			    (unsigned long long)t->user, (unsigned long long)t->nice,
			    (unsigned long long)t->system, (unsigned long long)t->idle,
			    (unsigned long long)t->iowait, (unsigned long long)t->irq,
			    (unsigned long long)t->softirq, (unsigned long long)t->steal,
			    (unsigned long long)t->guest, (unsigned long long)t->guest_nice);
}

/* What was read, printed as the kernel does and read again, is the same. */
static void check_stat(const char *text, size_t size)
{
	struct machine_stat stat, again;
	char *printed, *at;
	int error = machine_parse_stat(text, size, &stat);

	if (error) {
		CHECK(error == -EINVAL);
		return;
	}
	at = printed = malloc((stat.nr_cpu + 2) * 256);
	at = print_times(at + sprintf(at, "cpu "), &stat.total);
	for (unsigned int i = 0; i < stat.nr_cpu; i++) {
		const struct machine_cpu *cpu = &stat.cpu[i];

		CHECK(cpu->id < BITMAP_MAX_BITS && (!i || stat.cpu[i - 1].id < cpu->id));
		CHECK(machine_stat_cpu(&stat, cpu->id) == &cpu->time);
		at = print_times(at + sprintf(at, "cpu%u", cpu->id), &cpu->time);
	}
	CHECK(!machine_stat_cpu(&stat, BITMAP_MAX_BITS));
	at += sprintf(at, "ctxt %llu\nbtime %llu\n", (unsigned long long)stat.ctxt,
		      (unsigned long long)stat.btime);
	CHECK(!machine_parse_stat(printed, at - printed, &again));
	CHECK(again.nr_cpu == stat.nr_cpu && again.btime == stat.btime && again.ctxt == stat.ctxt);
	CHECK(!memcmp(&again.total, &stat.total, sizeof(stat.total)));
	for (unsigned int i = 0; i < stat.nr_cpu; i++)
		CHECK(!memcmp(&again.cpu[i], &stat.cpu[i], sizeof(stat.cpu[i])));
	machine_stat_free(&again);
	machine_stat_free(&stat);
	free(printed);
}

/* Reading it twice over changes nothing; what is not there is 0. */
static void check_meminfo(const char *text, size_t size)
{
	struct machine_meminfo info, again;
	char *doubled = malloc(size * 2 + 2);

	machine_parse_meminfo(text, size, &info);
	for (int i = 0; i < MACHINE_MEM_NR; i++)
		CHECK(machine_mem_has(&info, i) || !info.value[i]);
	CHECK(info.present >> MACHINE_MEM_NR == 0);
	memcpy(doubled, text, size);
	doubled[size] = '\n';
	memcpy(doubled + size + 1, text, size);
	machine_parse_meminfo(doubled, size * 2 + 1, &again);
	CHECK(!memcmp(&info, &again, sizeof(info)));
	free(doubled);
}

static void check_vmstat(const char *text, size_t size)
{
	struct machine_vmstat *vmstat, *again;
	char *printed = malloc(size + 1), *at = printed;
	uint64_t value, found;

	CHECK(!machine_parse_vmstat(text, size, &vmstat));
	for (size_t i = 0; i < machine_vmstat_count(vmstat); i++) {
		const char *name = machine_vmstat_at(vmstat, i, &value);

		CHECK(*name && !strpbrk(name, " \t\n"));
		CHECK(memmem(text, size, name, strlen(name)));
		CHECK(machine_vmstat_get(vmstat, name, &found) && found == value);
		/* Leading zeros and junk go, so this is never longer than the text. */
		at += sprintf(at, "%s %llu", name, (unsigned long long)value);
		if (at < printed + size)
			*at++ = '\n';
	}
	CHECK(!machine_parse_vmstat(printed, at - printed, &again));
	CHECK(machine_vmstat_count(again) == machine_vmstat_count(vmstat));
	for (size_t i = 0; i < machine_vmstat_count(vmstat); i++) {
		const char *name = machine_vmstat_at(vmstat, i, &value);

		CHECK(machine_vmstat_value(again, name) == value);
	}
	machine_vmstat_free(again);
	machine_vmstat_free(vmstat);
	free(printed);
}

static void check_uptime(const char *text, size_t size)
{
	char printed[64];
	uint64_t ns = 1, again;

	if (machine_parse_uptime(text, size, &ns)) {
		CHECK(ns == 1);
		return;
	}
	snprintf(printed, sizeof(printed), "%llu.%09llu", (unsigned long long)ns / 1000000000,
		 (unsigned long long)ns % 1000000000);
	CHECK(!machine_parse_uptime(printed, strlen(printed), &again) && again == ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);
	unsigned int bits;

	/* A block of exactly this size, so that a read past the end shows. */
	memcpy(text, data, size);
	check_stat(text, size);
	check_meminfo(text, size);
	check_vmstat(text, size);
	check_uptime(text, size);
	bits = machine_parse_node_bits(text, size);
	CHECK(bits && bits <= BITMAP_MAX_BITS && bits % 4 == 0);
	free(text);
	return 0;
}
