/* SPDX-License-Identifier: MIT */
/* The lines of --check. */
#include "check_report.h"

#include <stdarg.h>
#include <stdio.h>

static unsigned failures;

void check_report(enum verdict verdict, const char *format, ...)
{
	static const char *const words[] = {
		[CHECK_OK] = "ok   ",
		[CHECK_LACKS] = "lacks",
		[CHECK_FAILED] = "FAIL ",
	};
	va_list args;

	failures += verdict == CHECK_FAILED;
	printf("%s ", words[verdict]);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout); /* whoever is forked next is not to print it again */
}

unsigned check_failures(void)
{
	return failures;
}
