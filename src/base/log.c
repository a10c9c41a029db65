/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <syslog.h>

static atomic_bool to_syslog;
static atomic_bool debug;

void log_to_syslog(void)
{
	openlog("fuse_cgroupfs", LOG_PID, LOG_DAEMON);
	to_syslog = true;
}

void log_set_debug(bool on)
{
	debug = on;
}

static void log_line(int priority, const char *format, va_list args)
{
	char line[1024];

	if (to_syslog) {
		vsyslog(priority, format, args);
		return;
	}
	vsnprintf(line, sizeof(line), format, args);
	fprintf(stderr, "fuse_cgroupfs: %s\n", line);
}

#define LOG_FUNCTION(name, priority)            \
	void name(const char *format, ...)      \
	{                                       \
		va_list args;                   \
						\
		va_start(args, format);         \
		log_line(priority, format, args); \
		va_end(args);                   \
	}

LOG_FUNCTION(log_error, LOG_ERR)
LOG_FUNCTION(log_warning, LOG_WARNING)
LOG_FUNCTION(log_info, LOG_INFO)

void log_debug(const char *format, ...)
{
	va_list args;

	if (!debug)
		return;
	va_start(args, format);
	log_line(LOG_DEBUG, format, args);
	va_end(args);
}
