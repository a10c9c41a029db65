/* SPDX-License-Identifier: MIT */
#ifndef RUN_CATCHERS_H
#define RUN_CATCHERS_H

#include "catcher.h"

/* The best one of those that the kernel has, by what it says of itself. */
const struct catcher *catcher_choose(void);

/* TRAP_... (calls.h): what is to be caught on this kernel besides, whichever the way is. */
unsigned catchers_kernel_traps(void);

/* The one of this name; NULL: there is none. */
const struct catcher *catcher_find(const char *name);

#endif
