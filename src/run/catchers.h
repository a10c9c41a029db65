/* SPDX-License-Identifier: MIT */
#ifndef RUN_CATCHERS_H
#define RUN_CATCHERS_H

#include "catcher.h"

/* The best one of those that the kernel has, by what it says of itself. */
const struct catcher *catcher_choose(void);

/* The one of this name; NULL: there is none. */
const struct catcher *catcher_find(const char *name);

#endif
