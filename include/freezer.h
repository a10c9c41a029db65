#ifndef FREEZER_H
#define FREEZER_H

#include <stdbool.h>

/*
 * Whether FROZEN stops processes (as it does at first), or is remembered and
 * shown only: -o freeze=none. Before the tree is made.
 */
void freezer_set_acting(bool acting);

#endif
