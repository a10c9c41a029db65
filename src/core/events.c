/* SPDX-License-Identifier: MIT */
/* Which files have news for those who poll or watch them (cgroup_file_notify of kernel/cgroup/cgroup.c). */
#include <stdlib.h>

#include "array.h"
#include "cgroup.h"
#include "controller.h"

static uint64_t event_of(struct cgroup *cgroup, const struct cgroup_file *file)
{
	if (!file->type->event || cgroup->dead || !cgroup_has_file(cgroup, file))
		return 0;
	return file->type->event(cgroup, file);
}

uint64_t cgroup_file_event(struct cgroup *cgroup, const struct cgroup_file *file)
{
	struct tree *tree = cgroup_tree(cgroup);
	uint64_t event;

	if (!file->type->event)
		return 0;
	tree_read_lock(tree);
	event = event_of(cgroup, file);
	tree_unlock(tree);
	return event;
}

/* A file with news; its cgroup is held. */
struct news {
	struct cgroup *cgroup;
	const struct cgroup_file *file;
};

struct news_list {
	struct news *news;
	size_t count, capacity;
};

static void add_news(struct news_list *list, struct cgroup *cgroup, const struct cgroup_file *file)
{
	struct news *news = array_room(list->news, list->count, &list->capacity, sizeof(*news));

	if (!news)
		return; /* who waits is told by what happens next */
	list->news = news;
	news[list->count++] = (struct news){cgroup_get(cgroup), file};
}

/*
 * Notes what there is to tell of the cgroup. Nobody but the teller uses v2.told. Under the tree lock, shared.
 */
static void look_at(struct cgroup *cgroup, struct news_list *list)
{
	const struct hierarchy *hierarchy = cgroup->hierarchy;
	bool is_new = !cgroup->v2.told;

	if (is_new)
		cgroup->v2.told = calloc(hierarchy->event_count, sizeof(*cgroup->v2.told));
	for (unsigned i = 0; cgroup->v2.told && i < hierarchy->file_count; i++) {
		const struct cgroup_file *file = &hierarchy->files[i];
		uint64_t *told = &cgroup->v2.told[file->event], event;

		if (!file->type->event)
			continue;
		event = event_of(cgroup, file);
		if (event != *told && event)
			add_news(list, cgroup, file);
		*told = event;
	}
}

void tree_tell_events(struct tree *tree,
		      void (*tell)(void *context, struct cgroup *cgroup, const struct cgroup_file *file),
		      void *context)
{
	struct news_list list = {0};
	struct cgroup *cgroup;

	tree_read_lock(tree);
	cgroup_for_each_descendant(cgroup, tree->unified->root)
		look_at(cgroup, &list);
	tree_unlock(tree);
	for (size_t i = 0; i < list.count; i++) {
		tell(context, list.news[i].cgroup, list.news[i].file);
		cgroup_put(list.news[i].cgroup);
	}
	free(list.news);
}
