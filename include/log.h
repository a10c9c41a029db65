/* SPDX-License-Identifier: MIT */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>

/*
 * The daemon's log: standard error while it runs in the foreground, syslog
 * (facility daemon) once it is in the background. Thread-safe.
 */

/* Sends everything from here on to syslog instead of standard error. */
void log_to_syslog(void);

/* Shows log_debug() lines too (-d). Off at start. */
void log_set_debug(bool on);

/* One line each, without a newline at its end. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
