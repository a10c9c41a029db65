/* SPDX-License-Identifier: MIT */
/* Groups and the kernel's own cgroups below them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "questions.h"

void accounting_back(struct accounting *accounting, unsigned hierarchy, const char *controller,
		     const char *top)
{
	accounting->backed[hierarchy].controller = controller;
	accounting->backed[hierarchy].top = top;
	accounting->is_backed = true;
}

int group_back(struct group *group, struct native_dir *native, const char *place)
{
	struct accounting *accounting = group->accounting;
	int error = 0;

	pthread_mutex_lock(&accounting->lock);
	group->place = strdup(place);
	if (group->place)
		HASH_ADD_KEYPTR(placed, accounting->places[group->hierarchy], group->place,
				strlen(group->place), group);
	if (!group->place || !HASH_HAS(placed, group)) {
		free(group->place);
		group->place = NULL;
		error = -ENOMEM;
	}
	group->native = error ? NULL : native;
	pthread_mutex_unlock(&accounting->lock);
	return error;
}

void group_unback(struct group *group)
{
	struct accounting *accounting = group->accounting;

	assert_locked(&accounting->lock);
	if (group->native && group->parent)
		native_remove(group->native);
	group->native = NULL;
	if (group->place)
		HASH_DELETE(placed, accounting->places[group->hierarchy], group);
	free(group->place);
	group->place = NULL;
}

/* Held, as the group may end meanwhile. */
static struct native_dir *hold(struct group *group)
{
	struct native_dir *dir;

	pthread_mutex_lock(&group->accounting->lock);
	dir = native_get(group->native);
	pthread_mutex_unlock(&group->accounting->lock);
	return dir;
}

bool group_native_figures(struct group *group, enum native_figure first, unsigned count, uint64_t values[])
{
	struct native_dir *dir = hold(group);
	bool told = dir && native_figures(dir, first, count, values);

	native_put(dir);
	return told;
}

void group_native_reset(struct group *group)
{
	struct native_dir *dir = hold(group);

	if (dir)
		native_reset(dir);
	native_put(dir);
}

void group_native_set(struct group *group, enum native_setting setting, int64_t value)
{
	struct native_dir *dir = hold(group);
	int error = dir ? native_set(dir, setting, value) : 0;

	native_put(dir);
	if (error && error != -ENOENT)
		log_info("native: %s takes no %ld: %s", group->place, value, strerror(-error));
}

bool group_native_is_busy(struct group *group)
{
	struct native_dir *dir = hold(group);
	bool busy = dir && native_is_busy(dir);

	native_put(dir);
	return busy;
}
