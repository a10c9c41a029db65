/* SPDX-License-Identifier: MIT */
/* The sources: who tells of forks, execs and exits. Each fills in a struct source (table.h). */
#ifndef ACCOUNTING_SOURCES_H
#define ACCOUNTING_SOURCES_H

#include "../reading/reading.h"

/* --- events.c, scan_source.c --- */

/* Each makes one, with its thread; NULL with *error set. */
struct source *scan_source_open(struct accounting *accounting, int *error);
struct source *events_source_open(struct accounting *accounting, int *error);
/* What stands for a source until there is one: a scan for each question. */
struct source scan_unstarted(struct accounting *accounting);

/* --- moment.c --- */

/* Reads /proc. */
struct accounting_moment moment_now(const struct accounting *accounting);
/* Whether a task that started in this tick with this number is newer; when in doubt it is. */
bool moment_is_before(const struct accounting_moment *moment, uint64_t ticks, pid_t number);
/* accounting->seen; takes the lock. */
struct accounting_moment moment_seen(struct accounting *accounting);
/* All that was made until then has been seen. Under the lock. */
void moment_reach(struct accounting *accounting, const struct accounting_moment *moment);

/* --- scan.c; each takes the lock and reads /proc --- */

/* Takes in what a tracer has told, if there is one. True: that was something. */
bool scan_hear(struct accounting *accounting);
/* Finds tasks that are new since the last scan. True: some are members, or a tracer told something. */
bool scan_new(struct accounting *accounting);
/* New are those that come from here on. */
void scan_start(struct accounting *accounting);
/* Looks at all tasks that are newer than `seen`, and at all members: when news were lost. */
void scan_all(struct accounting *accounting, const struct accounting_moment *seen);

#endif
