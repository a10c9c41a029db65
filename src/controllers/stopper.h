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
 */
struct stopper;

/* NULL: no memory. */
struct stopper *stopper_new(const struct machine *machine);
/* Lets everyone go on who is stopped by it. Takes NULL. */
void stopper_free(struct stopper *stopper);

/* Whom it stopped, as bytes and back; they are stopped still, or it learns otherwise. Take NULL. */
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

/* Lets the task's process go on if this stopper stopped it. */
void stopper_continue(struct stopper *stopper, const struct task_id *task);

#endif
