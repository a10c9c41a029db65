/* SPDX-License-Identifier: MIT */
/*
 * What only a v2 cgroup keeps for -o state: which controllers it enables, its type and limits, whose files
 * are whose.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "bytes.h"
#include "cgroup.h"
#include "controller.h"
#include "core.h"

static const struct css *online_css(const struct cgroup *cgroup, unsigned position)
{
	const struct css *css = cgroup->css[position];

	return css && css->online ? css : NULL;
}

/* By name, as another daemon may serve other controllers. */
static void put_controllers(const struct cgroup *cgroup, struct text *out)
{
	const struct hierarchy *hierarchy = cgroup->hierarchy;
	unsigned count = 0;

	while (hierarchy->controllers[count])
		count++;
	bytes_put_u64(out, count);
	for (unsigned i = 0; i < count; i++) {
		const struct css *css = online_css(cgroup, i);

		bytes_put_string(out, hierarchy->kind->name_of(hierarchy->controllers[i]));
		bytes_put_u64(out, cgroup->v2.subtree_control >> i & 1);
		bytes_put_u64(out, css ? css->uid : cgroup->uid);
		bytes_put_u64(out, css ? css->gid : cgroup->gid);
	}
}

static void get_controllers(struct cgroup *cgroup, struct bytes *in)
{
	const struct hierarchy *hierarchy = cgroup->hierarchy;
	uint64_t count = bytes_get_u64(in);

	while (count-- && !in->wrong) {
		char name[NAME_MAX + 1];
		bool enabled;
		uid_t uid;
		gid_t gid;

		bytes_get_string(in, name, sizeof(name));
		enabled = bytes_get_u64(in);
		uid = (uid_t)bytes_get_u64(in);
		gid = (gid_t)bytes_get_u64(in);
		for (unsigned i = 0; hierarchy->controllers[i]; i++) {
			struct css *css = cgroup->css[i];

			if (strcmp(hierarchy->kind->name_of(hierarchy->controllers[i]), name))
				continue;
			if (enabled && cgroup_control(cgroup) >> i & 1)
				cgroup->v2.subtree_control |= 1u << i;
			if (css) {
				css->uid = uid;
				css->gid = gid;
			}
		}
	}
}

void cgroup_v2_save(const struct cgroup *cgroup, struct text *out)
{
	bytes_put_u64(out, cgroup_is_threaded(cgroup));
	bytes_put_u64(out, (uint64_t)cgroup->v2.max_depth);
	bytes_put_u64(out, (uint64_t)cgroup->v2.max_descendants);
	bytes_put_u64(out, cgroup->v2.no_pressure);
	put_controllers(cgroup, out);
}

static void restore_threaded(struct cgroup *cgroup)
{
	if (!cgroup->parent || cgroup_is_threaded(cgroup))
		return;
	cgroup->v2.domain = cgroup->parent->v2.domain;
	cgroup->parent->v2.threaded_children++;
}

int cgroup_v2_restore(struct cgroup *cgroup, struct bytes *in)
{
	if (bytes_get_u64(in))
		restore_threaded(cgroup);
	cgroup->v2.max_depth = (int)bytes_get_u64(in);
	cgroup->v2.max_descendants = (int)bytes_get_u64(in);
	cgroup->v2.no_pressure = bytes_get_u64(in);
	get_controllers(cgroup, in);
	return in->wrong ? -EINVAL : cgroup_apply_control(cgroup, cgroup->uid, cgroup->gid);
}

void cgroup_save_kind(const struct cgroup *cgroup, struct text *out)
{
	if (cgroup->hierarchy->kind->save)
		cgroup->hierarchy->kind->save(cgroup, out);
}

int cgroup_restore_kind(struct cgroup *cgroup, struct bytes *in)
{
	return cgroup->hierarchy->kind->restore ? cgroup->hierarchy->kind->restore(cgroup, in) : 0;
}
