/* SPDX-License-Identifier: MIT */
/* What a tracer tells of the tasks that it traces (task_news.h), beside the scan, which finds all others. */
#ifndef ACCOUNTING_TRACER_H
#define ACCOUNTING_TRACER_H

#include "sources.h"

/* Takes the pipe that is standard input over. 0, -ENOMEM; -EBADF: it is no pipe. */
int tracer_open(struct accounting *accounting);
void tracer_close(struct accounting *accounting);

/* All that follow do nothing, or say no, where there is no tracer. Each takes the lock and reads /proc. */

/* What was told before is nobody's here; who is made from here on is told of. */
void tracer_start(struct accounting *accounting);
enum told { TOLD_NOTHING, TOLD_ALL, TOLD_WITH_LOSSES };

/* Takes in what was told until now. With losses: who is newer than *seen is to be looked for. */
enum told tracer_sync(struct accounting *accounting, struct accounting_moment *seen);
/* What else is to be done now and then, as nobody may ask: looks after those whose ends were told. */
void tracer_look_after(struct accounting *accounting);
/* Whether a task that was found is told of by the tracer, soon if not yet: it is left to that. */
bool tracer_tells_of(struct accounting *accounting, const struct task_id *id);
/* One is about to become a member: looks whether it is traced. */
void tracer_meet(struct accounting *accounting, const struct task_id *id);
/* One that is not has become a member. */
void tracer_meet_stranger(struct accounting *accounting);
/* All members are traced, as far as is known: none of their forks is missing after tracer_sync(). */
bool tracer_tells_all(struct accounting *accounting);

#endif
