/* SPDX-License-Identifier: MIT */
/* Lifetime of accounting, and who wants to be told what. */
#include <stdlib.h>

#include "../ledger/disks.h"
#include "questions.h"

struct accounting *accounting_new(struct machine *machine)
{
	struct accounting *accounting = calloc(1, sizeof(*accounting));
	struct bitmap *cpus = NULL;

	if (!accounting)
		return NULL;
	accounting->disks = disks_new();
	if (!accounting->disks || machine_cpus(machine, MACHINE_CPUS_POSSIBLE, &cpus)) {
		free(accounting->disks);
		free(accounting);
		return NULL;
	}
	accounting->machine = machine;
	accounting->nr_cpu = cpus->nr;
	accounting->unstarted = scan_unstarted(accounting);
	bitmap_free(cpus);
	lock_init(&accounting->lock);
	lock_init(&accounting->scanning);
	lock_init(&accounting->settling);
	lock_init(&accounting->looking);
	pthread_cond_init(&accounting->has_read, NULL);
	return accounting;
}

void accounting_free(struct accounting *accounting)
{
	if (!accounting)
		return;
	accounting_stop(accounting);
	pthread_mutex_lock(&accounting->lock);
	while (accounting->tasks)
		task_free(accounting, accounting->tasks);
	pthread_mutex_unlock(&accounting->lock);
	free(accounting->news);
	unsaved_free(accounting);
	disks_free(accounting->disks);
	pthread_cond_destroy(&accounting->has_read);
	pthread_mutex_destroy(&accounting->looking);
	pthread_mutex_destroy(&accounting->settling);
	pthread_mutex_destroy(&accounting->scanning);
	pthread_mutex_destroy(&accounting->lock);
	free(accounting);
}

unsigned accounting_nr_cpu(const struct accounting *accounting)
{
	return accounting->nr_cpu;
}

void accounting_track(struct accounting *accounting, unsigned hierarchy, unsigned kinds)
{
	pthread_mutex_lock(&accounting->lock);
	accounting->kinds[hierarchy] |= kinds;
	accounting->tracked |= kinds;
	pthread_mutex_unlock(&accounting->lock);
	if (kinds & USAGE_IO)
		disks_start(accounting);
}

void accounting_track_pids(struct accounting *accounting, unsigned hierarchy)
{
	guard(&accounting->lock);
	accounting->counts_pids |= UINT32_C(1) << hierarchy;
}

void accounting_on_fork(struct accounting *accounting, unsigned hierarchy,
			void (*forked)(void *context, const struct group *group,
				       const struct task_id *task),
			void *context)
{
	guard(&accounting->lock);
	accounting->on_fork[hierarchy].forked = forked;
	accounting->on_fork[hierarchy].context = context;
}

void accounting_on_news(struct accounting *accounting, void (*tell)(void *context), void *context)
{
	guard(&accounting->lock);
	accounting->on_news.tell = tell;
	accounting->on_news.context = context;
}

void accounting_catch_up(struct accounting *accounting)
{
	source_sync(accounting);
}
