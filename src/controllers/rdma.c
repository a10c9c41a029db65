/* SPDX-License-Identifier: MIT */
/*
 * rdma: handles and objects of RDMA devices (kernel/cgroup/rdma.c). Stored and shown; what is used is not
 * told.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "bytes.h"
#include "controller.h"
#include "machine_device.h"
#include "number.h"

enum resource { HANDLE, OBJECT, RESOURCES };
static const char *const names[RESOURCES] = {"hca_handle", "hca_object"};

#define DEVICE_NAME 64 /* IB_DEVICE_NAME_MAX */

/* Limits for a device, where any was set. */
struct limits {
	struct limits *next;
	char device[DEVICE_NAME];
	int max[RESOURCES]; /* INT_MAX is "max" */
};

struct rdma {
	struct limits *limits; /* under the tree lock */
};

static struct rdma *rdma_of(const struct cgroup *cgroup)
{
	return cgroup_css(cgroup, &rdma_controller);
}

static struct limits *find_limits(const struct cgroup *cgroup, const char *device)
{
	struct limits *limits;

	LL_FOREACH(rdma_of(cgroup)->limits, limits) {
		if (!strcmp(limits->device, device))
			return limits;
	}
	return NULL;
}

/* --- max, current --- */

struct listing {
	struct cgroup *cgroup;
	struct text *out;
	bool limits; /* else what is used */
};

static void add_device(const char *device, void *arg)
{
	const struct listing *listing = arg;
	struct tree *tree = cgroup_tree(listing->cgroup);
	const struct limits *limits;

	text_add(listing->out, device);
	tree_read_lock(tree);
	limits = find_limits(listing->cgroup, device);
	for (unsigned i = 0; i < RESOURCES; i++) {
		int value = !listing->limits ? 0 : limits ? limits->max[i] : INT_MAX;

		text_printf(listing->out, value == INT_MAX ? " %s=max" : " %s=%d", names[i], value);
	}
	tree_unlock(tree);
	text_add(listing->out, " \n");
}

static int measure(const struct request *request, struct text *out)
{
	struct listing listing = {request->cgroup, out, request->file->type->private};

	return machine_rdma_devices(cgroup_tree(request->cgroup)->machine, add_device, &listing);
}

/* match_int(): what follows the number is ignored. Or any beginning of "max". */
static int parse_limit(const char *text, int *limit)
{
	const char *digits = text + (*text == '-'), *end;
	uint64_t value = number_simple_u64(digits, 0, &end);

	if (end != digits && value <= INT_MAX) {
		*limit = (int)value;
		return *text == '-' && value ? -EINVAL : 0;
	}
	*limit = INT_MAX;
	return strncmp(text, "max", strlen(text)) ? -EINVAL : 0;
}

/* "hca_handle=2 hca_object=max" into `max`, where what is not named stays as it is. */
static int parse_limits(char *text, int max[RESOURCES])
{
	char *word;

	while ((word = strsep(&text, " "))) {
		char *value = word, *name = strsep(&value, "=");
		unsigned i = 0;

		while (i < RESOURCES && strcmp(names[i], name))
			i++;
		if (!value || i == RESOURCES || parse_limit(value, &max[i]))
			return -EINVAL;
	}
	return 0;
}

static int set_limits(struct cgroup *cgroup, const char *device, const char *text)
{
	struct limits *limits = find_limits(cgroup, device);
	int max[RESOURCES] = {INT_MAX, INT_MAX};
	char *copy = strdup(text ? text : "");
	int error;

	if (!copy)
		return -ENOMEM;
	if (limits)
		memcpy(max, limits->max, sizeof(max));
	error = text ? parse_limits(copy, max) : 0;
	free(copy);
	if (!error && !limits) {
		limits = calloc(1, sizeof(*limits));
		if (!limits)
			return -ENOMEM;
		memcpy(limits->device, device, strnlen(device, DEVICE_NAME - 1));
		LL_APPEND(rdma_of(cgroup)->limits, limits);
	}
	if (!error)
		memcpy(limits->max, max, sizeof(max));
	return error;
}

static int max_act(const struct request *request, char *text)
{
	struct tree *tree = cgroup_tree(request->cgroup);
	char *options = text_strip(text), *device = strsep(&options, " "), *copy;
	int ignored[RESOURCES], error;

	copy = strdup(options ? options : "");
	if (!copy)
		return -ENOMEM;
	error = options ? parse_limits(copy, ignored) : 0;
	free(copy);
	if (error)
		return error;
	if (!machine_rdma_exists(tree->machine, device))
		return -ENODEV;
	tree_write_lock(tree);
	error = set_limits(request->cgroup, device, options);
	tree_unlock(tree);
	return error;
}

/* --- the state --- */

static void rdma_exit(void *state)
{
	struct rdma *rdma = state;
	struct limits *limits, *next;

	LL_FOREACH_SAFE(rdma->limits, limits, next)
		free(limits);
}

static void rdma_save(struct cgroup *cgroup, struct text *out)
{
	const struct limits *limits;

	LL_FOREACH(rdma_of(cgroup)->limits, limits) {
		bytes_put_string(out, limits->device);
		bytes_put_u64(out, (uint64_t)limits->max[HANDLE]);
		bytes_put_u64(out, (uint64_t)limits->max[OBJECT]);
	}
}

static int rdma_restore(struct cgroup *cgroup, struct bytes *in)
{
	while (in->len && !in->wrong) {
		struct limits *limits = calloc(1, sizeof(*limits));

		if (!limits)
			return -ENOMEM;
		bytes_get_string(in, limits->device, sizeof(limits->device));
		limits->max[HANDLE] = (int)bytes_get_u64(in);
		limits->max[OBJECT] = (int)bytes_get_u64(in);
		LL_APPEND(rdma_of(cgroup)->limits, limits);
	}
	return in->wrong ? -EINVAL : 0;
}

static const struct cftype dfl_files[] = {
	{.name = "max", .flags = CFTYPE_NOT_ON_ROOT, .private = true, .measure = measure, .act = max_act},
	{.name = "current", .flags = CFTYPE_NOT_ON_ROOT, .measure = measure},
	{0},
};

const struct controller rdma_controller = {
	.name = "rdma",
	.dfl_files = dfl_files,
	.css_size = sizeof(struct rdma),
	.css_exit = rdma_exit,
	.save = rdma_save,
	.restore = rdma_restore,
};
