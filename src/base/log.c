/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

static atomic_int file = -1;
static atomic_bool to_syslog;
static atomic_bool debug;

void log_to_syslog(void)
{
	openlog("fuse_cgroupfs", LOG_PID, LOG_DAEMON);
	to_syslog = true;
}

int log_to_file(const char *path, int more)
{
	/* Nobody waits for who reads a pipe: what has no room there is lost. */
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = open(path, flags | more, 0640);

	if (fd < 0)
		return -errno;
	file = fd;
	return 0;
}

void log_set_debug(bool on)
{
	debug = on;
}

bool log_is_debug(void)
{
	return debug;
}

/* One write a line, so that those of several threads and daemons do not mix. */
static void add_to_file(const char *message)
{
	time_t now = time(NULL);
	struct tm utc;
	char line[1024];
	size_t len;

	gmtime_r(&now, &utc);
	len = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%SZ ", &utc);
	len += (size_t)snprintf(line + len, sizeof(line) - len, "fuse_cgroupfs[%d]: ", getpid());
	snprintf(line + len, sizeof(line) - len - 1, "%s", message);
	len += strlen(line + len);
	line[len++] = '\n';
	if (write(file, line, len) < 0)
		return; /* there is nobody else to tell */
}

static void log_line(int priority, const char *format, va_list args)
{
	char line[1024];

	vsnprintf(line, sizeof(line), format, args);
	text_make_printable(line, strlen(line)); /* it may have names that users gave */
	if (file >= 0)
		add_to_file(line);
	else if (to_syslog)
		syslog(priority, "%s", line);
	else
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
