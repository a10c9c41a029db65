/* SPDX-License-Identifier: MIT */
/* Arrays that grow. */
#include "array.h"

#include <stdlib.h>

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
