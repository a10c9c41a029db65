/* SPDX-License-Identifier: MIT */
#ifndef CONTROLLERS_STOPPER_H
#define CONTROLLERS_STOPPER_H

#include <stdbool.h>

#include "accounting.h"
#include "bytes.h"
#include "machine.h"

/*
 * Stopping processes and letting them go on: SIGSTOP and SIGCONT through a
 * pidfd. A stop is of a whole process. Whom we stopped is remembered, so that
 * those whom someone else had stopped stay so. Own lock; reads /proc.
 *
 * A parent that waits with WUNTRACED (su, runuser, nsenter, sudo) stops itself
 * when its child stops, and does not go on when that does. So who descends
 * from whom is stopped after him, once he stands, and let go before him, when he
 * has not seen it: descent.h. Who ran nevertheless, as a parent that is not to be stopped does,
 * is remembered too, and let go on with them.
 */
struct stopper;

/* NULL: no memory. */
struct stopper *stopper_new(const struct machine *machine);
/* Lets everyone go on who is stopped by it. Takes NULL. */
void stopper_free(struct stopper *stopper);

/*
 * Whom it stopped, and who was told of it, as bytes and back; they are stopped still, or it learns otherwise.
 * Take NULL.
 */
void stopper_save(struct stopper *stopper, struct text *out);
void stopper_restore(struct stopper *stopper, struct bytes *in);
/* Forgets whom it stopped, and lets nobody go. */
void stopper_forget(struct stopper *stopper);

/*
 * Stops the task's process, unless it is stopped. True when the task runs no
 * more (it may also have ended, or be one that cannot be stopped: a kernel
 * thread, this process). A signal takes a moment: ask again.
 */
bool stopper_stop(struct stopper *stopper, const struct task_id *task);
/* Whether a task that was so stopped is about to stand: it may yet see what happens to its children. */
bool stopper_awaits(const struct stopper *stopper, const struct task_id *task);

/* The next stopper_settle() lets the task's process go on, if this stopper stopped it. */
void stopper_continue(struct stopper *stopper, const struct task_id *task);

#define STOPPER_PATIENCE 1000 /* ms */
/*
 * Lets them go on, and with them those who stopped themselves when they were
 * told of a stop, unless someone below them is stopped still: the youngest
 * first, so that nobody finds a child stopped when he goes on. Waits, up to
 * `patience` milliseconds, for those of the told who run and may be about to stop.
 */
void stopper_settle(struct stopper *stopper, unsigned patience);

#endif
