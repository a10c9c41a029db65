/* SPDX-License-Identifier: MIT */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>

/*
 * The daemon's log: the file that was named; or else standard error while it runs in the
 * foreground, and syslog (facility daemon) once it is in the background. What is not printable ASCII is
 * told as '?' (text_make_printable()). Thread-safe.
 */

/*
 * Appends everything from here on to this file, each line with its time (UTC) and our process. `flags` are
 * more of those of open(2), as O_NOFOLLOW. 0 or a negative errno.
 */
int log_to_file(const char *path, int flags);

/* Sends everything from here on to syslog instead of standard error, if there is no file. */
void log_to_syslog(void);

/* Shows log_debug() lines too (-d). Off at start. */
void log_set_debug(bool on);
/* Whether it does, where it is work to say what there would be to say. */
bool log_is_debug(void);

/* One line each, without a newline at its end. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
