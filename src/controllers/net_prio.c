/* SPDX-License-Identifier: MIT */
/*
 * net_prio: priorities of a cgroup's packets on each interface. net/core/netprio_cgroup.c. Stored, packets
 * are not marked.
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "controller.h"
#include "machine_device.h"
#include "number.h"

#define NO_ID 0
#define ROOT_ID 1
#define LAST_ID UINT16_MAX /* NETPRIO_ID_MAX */

/* The kernel keeps these with the interface: another one of the same name starts from 0. */
struct priority {
	unsigned ifindex; /* 0: not known, the name alone says which */
	uint32_t priority;
	char name[IF_NAMESIZE];
};

struct net_prio {
	unsigned id; /* the lowest that was free */
	unsigned count;
	struct priority *priorities; /* of interfaces that were written to */
	uint64_t *used_ids; /* a root's only: a bit for each id */
};

static struct net_prio *net_prio_of(const struct cgroup *cgroup)
{
	return cgroup_css(cgroup, &net_prio_controller);
}

/* --- ids: css->id --- */

/* NO_ID when all are taken. */
static unsigned lowest_free_id(const uint64_t *used)
{
	for (unsigned word = 0; word <= LAST_ID / 64; word++) {
		if (used[word] != UINT64_MAX)
			return word * 64 + (unsigned)__builtin_ctzll(~used[word]);
	}
	return NO_ID;
}

static void take_id(uint64_t *used, unsigned id)
{
	used[id / 64] |= UINT64_C(1) << id % 64;
}

static void release_id(uint64_t *used, unsigned id)
{
	used[id / 64] &= ~(UINT64_C(1) << id % 64);
}

static uint64_t *used_ids(const struct cgroup *cgroup)
{
	return net_prio_of(cgroup->hierarchy->root)->used_ids;
}

static uint64_t prioidx_read(struct cgroup *cgroup, const struct cgroup_file *file)
{
	(void)file;
	return net_prio_of(cgroup)->id;
}

/* --- priorities --- */

static bool is_same_device(const struct priority *priority, const struct machine_netdev *dev)
{
	if (priority->ifindex && dev->ifindex)
		return priority->ifindex == dev->ifindex;
	return !strcmp(priority->name, dev->name);
}

static struct priority *find_priority(const struct net_prio *net_prio,
				      const struct machine_netdev *dev)
{
	for (unsigned i = 0; i < net_prio->count; i++) {
		if (is_same_device(&net_prio->priorities[i], dev))
			return &net_prio->priorities[i];
	}
	return NULL;
}

/* netprio_set_prio */
static int set_priority(struct net_prio *net_prio, const struct machine_netdev *dev, uint32_t value)
{
	struct priority *priority = find_priority(net_prio, dev);

	if (!priority) {
		struct priority *more = reallocarray(net_prio->priorities, net_prio->count + 1,
						     sizeof(*more));

		if (!more)
			return -ENOMEM;
		net_prio->priorities = more;
		priority = &more[net_prio->count++];
		*priority = (struct priority){ .ifindex = dev->ifindex };
		strncpy(priority->name, dev->name, sizeof(priority->name) - 1);
	}
	priority->priority = value;
	return 0;
}

static void show_devices(const struct net_prio *net_prio, const struct machine_netdevs *devs,
			 struct text *out)
{
	for (size_t i = 0; i < devs->nr; i++) {
		const struct priority *priority = find_priority(net_prio, &devs->dev[i]);

		text_add_pair(out, devs->dev[i].name, priority ? priority->priority : 0);
	}
}

/* read_priomap; a machine without /proc/net/dev has no interfaces to show. */
static int ifpriomap_measure(const struct request *request, struct text *out)
{
	struct tree *tree = cgroup_tree(request->cgroup);
	struct machine_netdevs devs = { .nr = 0 };
	int error = machine_netdevs(tree->machine, &devs);

	if (error && error != -ENOENT)
		return error;
	tree_read_lock(tree);
	error = request->cgroup->dead ? -ENODEV : 0;
	if (!error)
		show_devices(net_prio_of(request->cgroup), &devs, out);
	tree_unlock(tree);
	machine_netdevs_free(&devs);
	return error;
}

/*
 * sscanf(text, "%16s %u"): a word of at most 16 characters, then digits;
 * what follows is ignored, and so are bits past 32. Cuts the word off in `text`.
 */
static int parse_priority(char *text, char **name, uint32_t *value)
{
	size_t len;
	uint64_t number;

	*name = (char *)text_skip_spaces(text);
	for (len = 0; len < IF_NAMESIZE; len++) {
		if ((*name)[len] == '\0' || text_skip_spaces(*name + len) != *name + len)
			break;
	}
	if (!len || number_scan_u64(*name + len, &number))
		return -EINVAL;
	(*name)[len] = '\0';
	*value = (uint32_t)number;
	return 0;
}

static const struct machine_netdev *find_device(const struct machine_netdevs *devs,
						const char *name)
{
	for (size_t i = 0; i < devs->nr; i++) {
		if (!strcmp(devs->dev[i].name, name))
			return &devs->dev[i];
	}
	return NULL;
}

/* write_priomap */
static int ifpriomap_act(const struct request *request, char *text)
{
	struct tree *tree = cgroup_tree(request->cgroup);
	struct machine_netdevs devs = { .nr = 0 };
	const struct machine_netdev *dev;
	uint32_t value;
	char *name;
	int error = parse_priority(text, &name, &value);

	if (!error)
		error = machine_netdevs(tree->machine, &devs);
	if (error)
		return error == -ENOENT ? -ENODEV : error;
	dev = find_device(&devs, name);
	if (dev) {
		tree_write_lock(tree);
		error = request->cgroup->dead
				? -ENODEV
				: set_priority(net_prio_of(request->cgroup), dev, value);
		tree_unlock(tree);
	}
	machine_netdevs_free(&devs);
	return dev ? error : -ENODEV;
}

/* --- life of a cgroup --- */

static void net_prio_exit(void *state)
{
	struct net_prio *net_prio = state;

	free(net_prio->priorities);
	free(net_prio->used_ids);
}

static int init_root(struct net_prio *net_prio)
{
	net_prio->used_ids = calloc(LAST_ID / 64 + 1, sizeof(uint64_t));
	if (!net_prio->used_ids)
		return -ENOMEM;
	take_id(net_prio->used_ids, NO_ID);
	take_id(net_prio->used_ids, ROOT_ID);
	net_prio->id = ROOT_ID;
	return 0;
}

/* cgrp_css_online: a new cgroup starts with its parent's priorities. */
static int inherit(struct net_prio *net_prio, const struct net_prio *parent)
{
	size_t size = parent->count * sizeof(*parent->priorities);

	if (!parent->count)
		return 0;
	net_prio->priorities = malloc(size);
	if (!net_prio->priorities)
		return -ENOMEM;
	memcpy(net_prio->priorities, parent->priorities, size);
	net_prio->count = parent->count;
	return 0;
}

static int init_child(struct net_prio *net_prio, const struct cgroup *cgroup)
{
	if (lowest_free_id(used_ids(cgroup)) == NO_ID)
		return -ENOSPC;
	return inherit(net_prio, net_prio_of(cgroup->parent));
}

static int net_prio_init(struct cgroup *cgroup, void *state)
{
	return cgroup->parent ? init_child(state, cgroup) : init_root(state);
}

/* Not sooner: a cgroup that fails to come about has no end that would give the id back. */
static void net_prio_online(struct cgroup *cgroup)
{
	struct net_prio *net_prio = net_prio_of(cgroup);

	net_prio->id = lowest_free_id(used_ids(cgroup));
	take_id(used_ids(cgroup), net_prio->id);
}

static void net_prio_offline(struct cgroup *cgroup)
{
	if (!cgroup_is_root(cgroup))
		release_id(used_ids(cgroup), net_prio_of(cgroup)->id);
}

/* --- keeping it --- */

static void net_prio_save(struct cgroup *cgroup, struct text *out)
{
	const struct net_prio *net_prio = net_prio_of(cgroup);

	bytes_put_u64(out, net_prio->id);
	bytes_put_u64(out, net_prio->count);
	for (unsigned i = 0; i < net_prio->count; i++) {
		bytes_put_u64(out, net_prio->priorities[i].ifindex);
		bytes_put_u64(out, net_prio->priorities[i].priority);
		bytes_put_string(out, net_prio->priorities[i].name);
	}
}

static int get_priority(struct net_prio *net_prio, struct bytes *in)
{
	char name[IF_NAMESIZE];
	struct machine_netdev dev = {.ifindex = (unsigned)bytes_get_u64(in), .name = name};
	uint32_t value = (uint32_t)bytes_get_u64(in);

	if (!bytes_get_string(in, name, sizeof(name)))
		return -EINVAL;
	return set_priority(net_prio, &dev, value);
}

static int net_prio_restore(struct cgroup *cgroup, struct bytes *in)
{
	struct net_prio *net_prio = net_prio_of(cgroup);
	uint64_t id = bytes_get_u64(in), count = bytes_get_u64(in);
	int error = in->wrong || id > LAST_ID ? -EINVAL : 0;

	if (error)
		return error;
	if (cgroup_is_root(cgroup)) /* it is restored first; all others give back what they got */
		memset(net_prio->used_ids, 0, (LAST_ID / 64 + 1) * sizeof(uint64_t));
	take_id(used_ids(cgroup), NO_ID);
	take_id(used_ids(cgroup), (unsigned)id);
	net_prio->id = (unsigned)id;
	net_prio->count = 0;
	while (count-- && !error)
		error = get_priority(net_prio, in);
	return error;
}

static const struct cftype net_prio_files[] = {
	{ .name = "prioidx", .read_u64 = prioidx_read },
	{ .name = "ifpriomap", .measure = ifpriomap_measure, .act = ifpriomap_act },
	{ .name = NULL },
};

const struct controller net_prio_controller = {
	.name = "net_prio",
	.legacy_files = net_prio_files,
	.css_size = sizeof(struct net_prio),
	.css_init = net_prio_init,
	.css_online = net_prio_online,
	.css_offline = net_prio_offline,
	.css_exit = net_prio_exit,
	.save = net_prio_save,
	.restore = net_prio_restore,
};
