/* SPDX-License-Identifier: MIT */
/* What to do where a limit has been reached. */
#include "advice.h"

#include <errno.h>

const char *advice_on(int error)
{
	switch (error) {
	case EMFILE:
		return ": raise the limit of open files (ulimit -n)";
	case EAGAIN:
	case ENOMEM:
		return ": raise the limits of memory and of processes (ulimit -v, ulimit -u)";
	default:
		return "";
	}
}
