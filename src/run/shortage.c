/* SPDX-License-Identifier: MIT */
/* What the supervisor could not have. */
#include "shortage.h"

#include <errno.h>

static _Thread_local int met;

void shortage_begin(void)
{
	met = 0;
}

int shortage_note(int result)
{
	if (!met && (result == -ENOMEM || result == -ENFILE))
		met = result;
	else if (!met && result == -EMFILE)
		met = -ENFILE; /* it is not the task that has too many */
	return result;
}

int shortage_note_errno(int result)
{
	return result < 0 ? shortage_note(-errno) : result;
}

int shortage_met(void)
{
	return met;
}
