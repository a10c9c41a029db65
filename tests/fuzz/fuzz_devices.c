/* SPDX-License-Identifier: MIT */
/*
 * devices: any sequence of writes, mkdir and rmdir. No cgroup may ever do
 * more than its parent; a refused write changes nothing; a list that is
 * written back, line by line, gives the same list.
 *
 * Each step is a byte that chooses: mkdir, rmdir, "a", or a write of the text
 * up to a NUL, or of a rule that the next byte describes.
 */
#include <stddef.h>
#include <stdint.h>

#include "../unit/devices_probe.h"
#include "../unit/small_tree.h"

static const char *const cgroups[] = {"/devices", "/devices/a", "/devices/a/b", "/devices/c"};
#define CGROUPS 4

static const struct controller *const list[] = {&devices_controller, NULL};
static struct small_tree small;

#define require(condition)                                                     \
	do {                                                                  \
		if (!(condition)) {                                           \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
			abort();                                              \
		}                                                             \
	} while (0)

static char *list_of(const char *cgroup)
{
	const char *text;
	char path[64];

	snprintf(path, sizeof(path), "%s/devices.list", cgroup);
	text = small_read(&small, path);
	return text ? strdup(text) : NULL;
}

static void write_once(const char *cgroup, const char *verb, const char *text)
{
	char *before[CGROUPS], *after, path[64];
	int error;

	for (int i = 0; i < CGROUPS; i++)
		before[i] = list_of(cgroups[i]);
	snprintf(path, sizeof(path), "%s/devices.%s", cgroup, verb);
	error = small_write(&small, path, text);
	require(error <= 0);
	for (int i = 0; i < CGROUPS; i++) {
		after = list_of(cgroups[i]);
		require(!before[i] == !after);
		require(!error || !after || !strcmp(before[i], after));
		free(before[i]);
		free(after);
	}
}

static void make_rule(unsigned choice, char text[256])
{
	static const char *const numbers[] = {"0", "1", "2", "*"};

	snprintf(text, 256, "%c %s:%s %s%s%s", "bc"[choice & 1], numbers[choice >> 1 & 3],
		 numbers[choice >> 3 & 3], choice & 0x20 ? "r" : "", choice & 0x40 ? "w" : "",
		 choice & 0x80 ? "m" : "");
}

/* The text at `data` up to a NUL or the end; returns what follows. */
static const uint8_t *take_text(const uint8_t *data, const uint8_t *end, char text[256])
{
	size_t len = 0;

	while (data < end && *data) {
		if (len < 255)
			text[len++] = *data;
		data++;
	}
	text[len] = '\0';
	return data < end ? data + 1 : end;
}

/* What is allowed below the root can be allowed to a new child of the root. */
static void check_round_trip(const char *cgroup)
{
	char *text = list_of(cgroup), *again, *line;

	/* a rule without access can't be written as it is shown */
	if (!text || *text == 'a' || strstr(text, " \n")) {
		free(text);
		return;
	}
	again = strdup(text);
	require(!small_mkdir(&small, "/devices/copy"));
	require(!small_write(&small, "/devices/copy/devices.deny", "a"));
	for (char *rest = again; (line = strsep(&rest, "\n"));)
		require(!*line || !small_write(&small, "/devices/copy/devices.allow", line));
	free(again);
	again = list_of("/devices/copy");
	require(!strcmp(text, again));
	require(!small_rmdir(&small, "/devices/copy"));
	free(again);
	free(text);
}

static bool exists(const char *cgroup)
{
	char *text = list_of(cgroup);

	free(text);
	return text != NULL;
}

static void check_within(const char *parent, const char *child)
{
	char rule[32];

	if (exists(child))
		require(!devices_exceeds(&small, parent, child, rule));
}

enum { STEP_DIRECTORY = 0x80, STEP_ALLOW = 0x40, STEP_RULE = 0x20, STEP_ALL = 0x10 };

/* Plays one step; returns what follows it. */
static const uint8_t *play_step(const uint8_t *data, const uint8_t *end)
{
	unsigned step = *data++;
	const char *cgroup = cgroups[step % CGROUPS];
	char text[256] = "a";

	if (step & STEP_DIRECTORY) {
		if (step & STEP_ALLOW)
			small_mkdir(&small, cgroup);
		else
			small_rmdir(&small, cgroup);
		return data;
	}
	if (step & STEP_RULE)
		make_rule(data < end ? *data++ : 0, text);
	else if (!(step & STEP_ALL))
		data = take_text(data, end, text);
	write_once(cgroup, step & STEP_ALLOW ? "allow" : "deny", text);
	return data;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size;

	small_tree_open(&small, "tests/unit/fixtures/linux", list);
	while (data < end)
		data = play_step(data, end);
	check_within("/devices", "/devices/a");
	check_within("/devices/a", "/devices/a/b");
	check_within("/devices", "/devices/c");
	for (int i = 1; i < CGROUPS; i++)
		check_round_trip(cgroups[i]);
	small_tree_close(&small);
	return 0;
}
