/* SPDX-License-Identifier: MIT */
#include "fair.h"

#include <stdlib.h>

static uid_t user_at(const uid_t *first, size_t stride, unsigned i)
{
	return *(const uid_t *)(const void *)((const char *)first + i * stride);
}

static int compare(const void *a, const void *b)
{
	const uid_t *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

/* The user of the longest run. */
static uid_t most_frequent(const uid_t *sorted, unsigned count)
{
	unsigned longest = 0, run = 0;
	uid_t user = sorted[0];

	for (unsigned i = 0; i < count; i++) {
		run = i && sorted[i] == sorted[i - 1] ? run + 1 : 1;
		if (run > longest) {
			longest = run;
			user = sorted[i];
		}
	}
	return user;
}

unsigned fair_victim(const uid_t *first, size_t stride, unsigned count)
{
	uid_t sorted[FAIR_MAX], user;
	unsigned victim = 0;

	for (unsigned i = 0; i < count; i++)
		sorted[i] = user_at(first, stride, i);
	qsort(sorted, count, sizeof(sorted[0]), compare);
	user = most_frequent(sorted, count);
	while (user_at(first, stride, victim) != user)
		victim++;
	return victim;
}
