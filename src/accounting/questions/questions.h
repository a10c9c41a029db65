/* SPDX-License-Identifier: MIT */
/* What controllers ask: accounting.h is this room's door, and nothing below knows it. */
#ifndef ACCOUNTING_QUESTIONS_H
#define ACCOUNTING_QUESTIONS_H

#include "../sources/sources.h"

/* --- native.c: the kernel's own cgroup below a group, if there is one --- */

/* The group ends: so does what is below it. Under the lock. */
void group_unback(struct group *group);
/* Its counters are 0. Takes the lock. */
void group_native_reset(struct group *group);
/* Whether it has live tasks. Takes the lock. */
bool group_native_is_busy(struct group *group);

#endif
