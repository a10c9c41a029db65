/* SPDX-License-Identifier: MIT */
/*
 * Any text to any file of any cgroup of all hierarchies, with mkdir, rmdir
 * and processes of a recorded machine that come and go. Whatever happens:
 * an answer is 0 or a negative errno, a refused write leaves the file as it
 * was, what a file shows is whole lines of text, and its number is one.
 *
 * A step is three bytes that choose hierarchy, cgroup and file, and for a
 * write the text up to a NUL.
 */
#include <stddef.h>
#include <stdint.h>

#include "../unit/small_tree.h"
#include "../unit/temporary.h"
#include "freezer.h"
#include "number.h"

#ifndef OPEN_TREE
#define OPEN_TREE(small, root) small_tree_open(small, root, controllers)
#endif

#define ERRNO_MAX 4095 /* of the kernel */
#define TEXT_MAX 6000 /* a write past 4096 is refused */

static const char *const cgroups[] = {"", "/a", "/a/b", "/c"};
#define CGROUPS 4

static struct small_tree small;
static char at[256]; /* the path of the step that is played */

#define require(condition)                                                     \
	do {                                                                  \
		if (!(condition)) {                                           \
			fprintf(stderr, "line %d: %s: %s\n", __LINE__, at, #condition); \
			abort();                                              \
		}                                                             \
	} while (0)

/* What the file shows, or NULL: nothing can be read from it. free() it. */
static char *show(const struct request *request, size_t *len)
{
	int error = cgroup_file_read(request, &small.out);
	char *text;

	require(error <= 0 && error >= -ERRNO_MAX);
	if (error)
		return NULL;
	*len = small.out.len;
	require(!*len || small.out.data[*len - 1] == '\n');
	require(!*len || !memchr(small.out.data, '\0', *len));
	text_add_bytes(&small.out, "", 1);
	text = strdup(small.out.data);
	return text;
}

/* Shows what changes by writes only: how long a cgroup has been frozen the clock changes. */
static bool is_stored(const struct cftype *type)
{
	return (type->show || type->read_u64 || type->read_s64) && strcmp(type->name, "cgroup.stat.local");
}

static void check_number(const struct cftype *type, const char *text)
{
	uint64_t number;
	int64_t signed_number;

	if (type->read_u64)
		require(!number_parse_u64(text, 10, &number));
	if (type->read_s64)
		require(!number_parse_s64(text, 10, &signed_number));
}

static void write_file(const struct request *request, const char *text, size_t len)
{
	const struct cftype *type = request->file->type;
	size_t len_before = 0, len_after = 0;
	char *before = NULL, *after = NULL;
	int error;

	if (is_stored(type))
		before = show(request, &len_before);
	error = cgroup_file_write(request, text, len);
	require(error <= 0 && error >= -ERRNO_MAX);
	require(cftype_mode(type) & 0200 || error || !len);
	if (is_stored(type)) {
		after = show(request, &len_after);
		require(!before == !after); /* memory.pressure_level shows an error */
		require(!error || !before || !strcmp(before, after));
		if (after)
			check_number(type, after);
	}
	free(before);
	free(after);
}

static void read_file(const struct request *request)
{
	size_t len;

	free(show(request, &len));
}

/* v2's one hierarchy has no directory of its own. */
static void put_path(const struct hierarchy *hierarchy, uint8_t choice)
{
	snprintf(at, sizeof(at), "%s%s%s", *hierarchy->name ? "/" : "", hierarchy->name,
		 cgroups[choice % CGROUPS]);
}

/*
 * The request for a file of a cgroup, by numbers; false: there is no such cgroup now, or it would
 * end processes of this machine that have numbers of the recorded one's.
 */
static bool choose(const uint8_t choice[3], struct request *request)
{
	const struct hierarchy *hierarchy =
		&small.tree->hierarchies[choice[0] % small.tree->hierarchy_count];
	const struct cgroup_file *file = &hierarchy->files[choice[2] % hierarchy->file_count];

	put_path(hierarchy, choice[1]);
	strcat(strcat(at, "/"), file->name);
	return strcmp(file->name, "cgroup.kill") && !small_find(&small, at, 0, request);
}

enum { STEP_READ = 0x10, STEP_DIRECTORY = 0x20, STEP_MAKE = 0x40, STEP_USER = 0x80 };

static void change_directory(const uint8_t choice[3])
{
	const struct hierarchy *hierarchy =
		&small.tree->hierarchies[choice[0] % small.tree->hierarchy_count];
	int error;

	put_path(hierarchy, choice[1]);
	if (!*at)
		return;
	error = choice[1] & STEP_MAKE ? small_mkdir(&small, at) : small_rmdir(&small, at);
	require(error <= 0 && error >= -ERRNO_MAX);
}

/*
 * The text at `data` up to a NUL; "\1N" stands for the character before it, N
 * times 64 more, "\2" for a NUL.
 */
static const uint8_t *take_text(const uint8_t *data, const uint8_t *end, char text[TEXT_MAX],
				size_t *len)
{
	*len = 0;
	for (; data < end && *data; data++) {
		size_t times = 1;
		char c = *data;

		if (c == 1 && *len && data + 1 < end) {
			times = *++data * 64u;
			c = text[*len - 1];
		} else if (c == 2) {
			c = '\0';
		}
		while (times-- && *len < TEXT_MAX - 1)
			text[(*len)++] = c;
	}
	text[*len] = '\0';
	return data < end ? data + 1 : end;
}

static const uint8_t *play_step(const uint8_t *data, const uint8_t *end)
{
	const uint8_t *choice = data;
	static char text[TEXT_MAX];
	struct request request;
	size_t len;

	data += 3;
	if (choice[1] & STEP_DIRECTORY) {
		change_directory(choice);
		return data;
	}
	if (!(choice[1] & STEP_READ))
		data = take_text(data, end, text, &len);
	if (!choose(choice, &request))
		return data;
	if (choice[1] & STEP_USER)
		request.caller.uid = request.caller.task_uid = 1000;
	if (choice[1] & STEP_READ)
		read_file(&request);
	else
		write_file(&request, text, len);
	cgroup_put(request.cgroup);
	return data;
}

static char machine[TEMPORARY_MAX]; /* the recorded one, whose process has numbers that fit */

static void remove_machine(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", machine);
	if (system(command))
		perror(machine);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char command[512];

	(void)argc, (void)argv;
	if (!mkdtemp(temporary(machine, "/tmp/fcg-store")))
		return -1;
	atexit(remove_machine);
	snprintf(command, sizeof(command),
		 "cd %s && cp -r \"$OLDPWD\"/tests/unit/fixtures/linux/* . && "
		 "sed -i 's/16534/42/g; s/16537/43/g; s/16529/1/g' proc/42/status "
		 "$(find proc/42 -name stat -o -name children) && "
		 "mkdir -p sys/dev/block/7:0/queue && "
		 "echo '[bfq]' >sys/dev/block/7:0/queue/scheduler",
		 machine);
	return system(command) ? -1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size;

	freezer_set_acting(false); /* as for cgroup.kill */
	OPEN_TREE(&small, machine);
	while (end - data >= 3)
		data = play_step(data, end);
	small_tree_close(&small);
	return 0;
}
