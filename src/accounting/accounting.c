/* Lifetime of accounting. */
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
