/* SPDX-License-Identifier: MIT */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>

int failure_set(struct failure *failure, enum failure_code code, const char *details, const char *format, ...)
{
	va_list arguments;

	if (failure->code)
		return -1;
	failure->code = code;
	va_start(arguments, format);
	vsnprintf(failure->message, sizeof(failure->message), format, arguments);
	va_end(arguments);
	snprintf(failure->details, sizeof(failure->details), "%s", details ? details : "");
	return -1;
}
