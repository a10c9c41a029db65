/* SPDX-License-Identifier: MIT */
/* What others want to be told: forks, and groups that become populated or empty. */
#include <stdlib.h>

#include "array.h"
#include "table.h"

void note_fork(struct accounting *accounting, const struct task *task, unsigned hierarchy)
{
	struct fork_news *news;

	assert_locked(&accounting->lock);
	if (!accounting->on_fork[hierarchy].forked)
		return;
	news = array_room(accounting->news, accounting->news_count, &accounting->news_capacity,
			  sizeof(*news));
	if (!news)
		return;
	accounting->news = news;
	news[accounting->news_count++] = (struct fork_news){.id = task->id,
							    .hierarchy = hierarchy,
							    .group = task->links[hierarchy].group};
}

void forks_announce(struct accounting *accounting)
{
	struct fork_news *news;
	size_t count;

	pthread_mutex_lock(&accounting->lock);
	news = accounting->news;
	count = accounting->news_count;
	accounting->news = NULL;
	accounting->news_count = accounting->news_capacity = 0;
	pthread_mutex_unlock(&accounting->lock);
	for (size_t i = 0; i < count; i++) {
		unsigned hierarchy = news[i].hierarchy;

		accounting->on_fork[hierarchy].forked(accounting->on_fork[hierarchy].context,
						      news[i].group, &news[i].id);
	}
	free(news);
}

void tell_news(struct accounting *accounting)
{
	assert_locked(&accounting->lock);
	if (accounting->on_news.tell)
		accounting->on_news.tell(accounting->on_news.context);
}
