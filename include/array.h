/* SPDX-License-Identifier: MIT */
#ifndef ARRAY_H
#define ARRAY_H

#include <stddef.h>

/*
 * Room for one more element of `size` bytes behind `count` of them: the array where it is now, the caller's
 * to free. *capacity, in elements, is the caller's too, 0 at first with NULL for the array; it doubles. NULL:
 * no memory, and all is as it was.
 */
void *array_room(void *array, size_t count, size_t *capacity, size_t size);

/* Takes element `i` of `size` bytes out, without which `left` are there: those behind it move up. */
void array_remove(void *array, size_t i, size_t left, size_t size);

#endif
