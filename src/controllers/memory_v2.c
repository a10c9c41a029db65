/* SPDX-License-Identifier: MIT */
/*
 * memory on cgroup v2: its files but for the figures (mm/memcontrol.c). Limits are stored and shown, not
 * enforced.
 */
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "mem_cgroup.h"
#include "number.h"

#define SWAPPINESS_MAX 200 /* MAX_SWAPPINESS */

static uint64_t default_limit(unsigned limit)
{
	return limit == MEMORY_MIN || limit == MEMORY_LOW ? 0 : number_pages_max();
}

void memory_v2_init(struct mem_cgroup *memcg)
{
	for (unsigned i = 0; i < MEMORY_V2_LIMIT_NR; i++)
		memcg->v2_limit[i] = default_limit(i);
}

/* mem_cgroup_css_reset(): not the limit of zswap, nor what is no limit. */
void memory_v2_reset(void *state)
{
	struct mem_cgroup *memcg = state;

	for (unsigned i = 0; i < MEMORY_V2_LIMIT_NR; i++) {
		if (i != MEMORY_ZSWAP_MAX)
			memcg->v2_limit[i] = default_limit(i);
	}
	memcg->max[MEMORY_MEM] = number_pages_max();
}

void memory_v2_save(const struct mem_cgroup *memcg, struct text *out)
{
	for (unsigned i = 0; i < MEMORY_V2_LIMIT_NR; i++)
		bytes_put_u64(out, memcg->v2_limit[i]);
	bytes_put_u64(out, memcg->oom_group);
	bytes_put_u64(out, memcg->no_zswap_writeback);
}

void memory_v2_restore(struct mem_cgroup *memcg, struct bytes *in)
{
	for (unsigned i = 0; i < MEMORY_V2_LIMIT_NR; i++)
		memcg->v2_limit[i] = bytes_get_u64(in);
	memcg->oom_group = bytes_get_u64(in);
	memcg->no_zswap_writeback = bytes_get_u64(in);
}

/* --- limits --- */

static int show_limit(uint64_t pages, struct text *out)
{
	if (pages == number_pages_max())
		text_add(out, "max");
	else
		text_add_u64(out, number_pages_to_bytes(pages));
	text_add(out, "\n");
	return 0;
}

static int limit_show(const struct request *request, struct text *out)
{
	return show_limit(mem_cgroup_of(request->cgroup)->v2_limit[request->file->type->private], out);
}

static int limit_store(const struct request *request, char *text)
{
	return number_parse_pages(text_strip(text), "max",
				  &mem_cgroup_of(request->cgroup)->v2_limit[request->file->type->private]);
}

/* Unlike v1's it is never refused: the kernel reclaims and kills until usage fits. */
static int max_show(const struct request *request, struct text *out)
{
	return show_limit(mem_cgroup_of(request->cgroup)->max[MEMORY_MEM], out);
}

static int max_store(const struct request *request, char *text)
{
	return number_parse_pages(text_strip(text), "max", &mem_cgroup_of(request->cgroup)->max[MEMORY_MEM]);
}

/* --- usage --- */

static int add_line(struct text *out, uint64_t value)
{
	text_add_u64(out, value);
	text_add(out, "\n");
	return 0;
}

static int current_measure(const struct request *request, struct text *out)
{
	struct memory_held held;
	int error = memory_held(request->cgroup, &held);

	return error ? error : add_line(out, held.counter[MEMORY_MEM]);
}

static int swap_current_measure(const struct request *request, struct text *out)
{
	struct memory_held held;
	int error = memory_held(request->cgroup, &held);

	return error ? error : add_line(out, held.counter[MEMORY_MEMSWAP] - held.counter[MEMORY_MEM]);
}

/* What is in zswap is not told of a process. */
static int zswap_current_show(const struct request *request, struct text *out)
{
	(void)request;
	return add_line(out, 0);
}

/* --- peaks: of the cgroup's life, or since this open file was written to (peak_show, peak_write) --- */

struct peaks {
	uint64_t ever, since, now;
};

static int measure_peaks(const struct request *request, struct peaks *peaks)
{
	bool swap = request->file->type->private;
	struct memory_peaks told;
	struct memory_held held;
	int error = memory_held(request->cgroup, &held);

	if (!error)
		error = group_memory_peaks(&request->cgroup->group, &told);
	if (error)
		return error;
	peaks->now = held.counter[MEMORY_MEM];
	if (swap)
		peaks->now = held.counter[MEMORY_MEMSWAP] - peaks->now;
	peaks->ever = told.of[swap ? MEMORY_PEAK_SWAP : MEMORY_PEAK_MEMORY];
	peaks->since = told.of[swap ? MEMORY_PEAK_SWAP_SINCE : MEMORY_PEAK_SINCE];
	return 0;
}

/* What the file has is the usage at its last write and one, so that 0 is never. */
static int peak_measure(const struct request *request, struct text *out)
{
	struct peaks peaks;
	int error = measure_peaks(request, &peaks);
	uint64_t value;

	if (error)
		return error;
	value = peaks.ever;
	if (request->opened && *request->opened)
		value = peaks.since > *request->opened - 1 ? peaks.since : *request->opened - 1;
	return add_line(out, value - value % number_page_size());
}

static int peak_act(const struct request *request, char *text)
{
	struct peaks peaks;
	int error = measure_peaks(request, &peaks);

	(void)text;
	if (error)
		return error;
	group_memory_peak_reset(&request->cgroup->group, request->file->type->private ? MEMORY_PEAK_SWAP_SINCE
										      : MEMORY_PEAK_SINCE);
	if (request->opened)
		*request->opened = peaks.now + 1;
	return 0;
}

/* --- events: no limit is enforced here, so none of them happens --- */

static int show_names(const char *const *names, struct text *out)
{
	for (; *names; names++)
		text_add_pair(out, *names, 0);
	return 0;
}

static int events_show(const struct request *request, struct text *out)
{
	static const char *const names[] = {"low", "high", "max", "oom", "oom_kill", "oom_group_kill", NULL};

	(void)request;
	return show_names(names, out);
}

static int swap_events_show(const struct request *request, struct text *out)
{
	static const char *const names[] = {"high", "max", "fail", NULL};

	(void)request;
	return show_names(names, out);
}

/* --- switches --- */

static int show_switch(bool on, struct text *out)
{
	return add_line(out, on);
}

static int store_switch(char *text, bool *on)
{
	int value, error = number_parse_int(text_strip(text), 0, &value);

	if (!error && value != 0 && value != 1)
		error = -EINVAL;
	if (!error)
		*on = value;
	return error;
}

static int oom_group_show(const struct request *request, struct text *out)
{
	return show_switch(mem_cgroup_of(request->cgroup)->oom_group, out);
}

static int oom_group_store(const struct request *request, char *text)
{
	return store_switch(text, &mem_cgroup_of(request->cgroup)->oom_group);
}

static int zswap_writeback_show(const struct request *request, struct text *out)
{
	return show_switch(!mem_cgroup_of(request->cgroup)->no_zswap_writeback, out);
}

static int zswap_writeback_store(const struct request *request, char *text)
{
	bool on = false;
	int error = store_switch(text, &on);

	if (!error)
		mem_cgroup_of(request->cgroup)->no_zswap_writeback = !on;
	return error;
}

/* --- reclaim (user_proactive_reclaim of mm/vmscan.c) --- */

/* "swappiness=60" or "swappiness=max" */
static bool is_swappiness(const char *word)
{
	static const char key[] = "swappiness=";
	int value;

	if (strncmp(word, key, strlen(key)))
		return false;
	word += strlen(key);
	return !strcmp(word, "max") ||
	       (!number_parse_int(word, 0, &value) && value >= 0 && value <= SWAPPINESS_MAX);
}

/* We can free no page of others: less than one is done, and more cannot be. */
static int reclaim_store(const struct request *request, char *text)
{
	const char *end;
	uint64_t bytes;

	(void)request;
	text = text_strip(text);
	bytes = number_memparse(text, &end);
	if (end == text)
		return -EINVAL;
	text = text_strip((char *)end);
	for (char *word; (word = strsep(&text, " "));) {
		if (*word && !is_swappiness(word))
			return -EINVAL;
	}
	return bytes / number_page_size() ? -EAGAIN : 0;
}

#define LIMIT_FILE(file, limit) \
	{.name = file, .flags = CFTYPE_NOT_ON_ROOT, .private = limit, .show = limit_show, \
	 .store = limit_store}

const struct cftype memory_dfl_files[] = {
	{.name = "current", .flags = CFTYPE_NOT_ON_ROOT, .measure = current_measure},
	{.name = "peak", .flags = CFTYPE_NOT_ON_ROOT, .private = false, .measure = peak_measure,
	 .act = peak_act},
	LIMIT_FILE("min", MEMORY_MIN),
	LIMIT_FILE("low", MEMORY_LOW),
	LIMIT_FILE("high", MEMORY_HIGH),
	{.name = "max", .flags = CFTYPE_NOT_ON_ROOT, .show = max_show, .store = max_store},
	{.name = "events", .flags = CFTYPE_NOT_ON_ROOT, .show = events_show},
	{.name = "events.local", .flags = CFTYPE_NOT_ON_ROOT, .show = events_show},
	{.name = "stat", .measure = memory_v2_stat_measure},
	{.name = "numa_stat", .measure = memory_v2_numa_stat_measure},
	{.name = "oom.group", .flags = CFTYPE_NOT_ON_ROOT | CFTYPE_NS_DELEGATABLE,
	 .show = oom_group_show, .store = oom_group_store},
	{.name = "reclaim", .flags = CFTYPE_NS_DELEGATABLE, .store = reclaim_store},
	{.name = "swap.current", .flags = CFTYPE_NOT_ON_ROOT, .measure = swap_current_measure},
	LIMIT_FILE("swap.high", MEMORY_SWAP_HIGH),
	LIMIT_FILE("swap.max", MEMORY_SWAP_MAX),
	{.name = "swap.peak", .flags = CFTYPE_NOT_ON_ROOT, .private = true, .measure = peak_measure,
	 .act = peak_act},
	{.name = "swap.events", .flags = CFTYPE_NOT_ON_ROOT, .show = swap_events_show},
	{.name = "zswap.current", .flags = CFTYPE_NOT_ON_ROOT, .show = zswap_current_show},
	LIMIT_FILE("zswap.max", MEMORY_ZSWAP_MAX),
	{.name = "zswap.writeback", .show = zswap_writeback_show, .store = zswap_writeback_store},
	{0},
};
