/* SPDX-License-Identifier: MIT */
/* Arrays that grow, and that lose one. */
#include "array.h"

#include <stdlib.h>
#include <string.h>

#define FIRST 16

void *array_room(void *array, size_t count, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? 2 * *capacity : FIRST;

	if (count < *capacity)
		return array;
	array = reallocarray(array, wanted, size);
	if (array)
		*capacity = wanted;
	return array;
}

void array_remove(void *array, size_t i, size_t left, size_t size)
{
	char *place = (char *)array + i * size;

	memmove(place, place + size, (left - i) * size);
}
