/* Lifetime of accounting. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

struct accounting *accounting_new(struct machine *machine)
{
	struct accounting *accounting = calloc(1, sizeof(*accounting));

	if (!accounting)
		return NULL;
	accounting->machine = machine;
	pthread_mutex_init(&accounting->lock, NULL);
	return accounting;
}

void accounting_free(struct accounting *accounting)
{
	struct task *task, *next;

	if (!accounting)
		return;
	HASH_ITER(hh, accounting->tasks, task, next)
		task_free(accounting, task);
	pthread_mutex_destroy(&accounting->lock);
	free(accounting);
}

void accounting_track(struct accounting *accounting, unsigned hierarchy, unsigned kinds)
{
	pthread_mutex_lock(&accounting->lock);
	accounting->kinds[hierarchy] |= kinds;
	pthread_mutex_unlock(&accounting->lock);
}

int accounting_settle(struct accounting *accounting, const struct task_id *tasks, size_t count)
{
	(void)accounting, (void)tasks, (void)count; /* nothing is counted yet */
	return 0;
}

int accounting_start(struct accounting *accounting, enum accounting_source source)
{
	(void)accounting;
	return source == ACCOUNTING_EVENTS ? -EPROTONOSUPPORT : 0;
}

const char *accounting_source_name(const struct accounting *accounting)
{
	(void)accounting;
	return "scan";
}
