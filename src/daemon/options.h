/* SPDX-License-Identifier: MIT */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

#include "accounting.h"

struct controller;
struct fuse_args;

/* The command line. */
#define OPTIONS_FILES 8

struct options {
	char *mount_point; /* as it was given */
	char *source_name; /* what mount(8) calls the source; NULL: none was given */
	int check; /* --check */
	bool answered; /* --help or --version */
	bool foreground;
	bool debug;
	bool single_thread;
	bool clone_fd;
	int no_io_uring; /* -o no_io_uring */
	char *state; /* -o state=DIRECTORY, NULL for none */
	char *native; /* -o native=auto or DIRECTORY, NULL for none */
	char *log; /* -o log=FILE, NULL for standard error or syslog */
	int sendfile; /* -o sendfile */
	int v2; /* -o v2: the unified hierarchy */
	char *view; /* -o view=NAME, NULL for host */
	bool container_view; /* the same */
	char *controllers; /* -o controllers=a:b, NULL for all */
	char *with; /* -o with=a:b, NULL for nothing */
	const char *files[OPTIONS_FILES]; /* those of it that are files; NULL ends it */
	char *accounting; /* -o accounting=NAME, NULL for auto */
	enum accounting_source source; /* the same */
	char *freeze; /* -o freeze=NAME, NULL for stop */
	const struct controller **list; /* the controllers that are served; NULL ends it */
};

enum options_result {
	OPTIONS_RUN, /* mount as `options` says */
	OPTIONS_CHECK, /* --check: mount for a moment, and tell what works */
	OPTIONS_DONE, /* --help or --version was answered */
	OPTIONS_WRONG, /* said what is wrong on standard error */
};

/*
 * Reads the command line into `options`; what libfuse and the kernel have to
 * know stays in `args`. Free with options_free().
 */
enum options_result options_parse(struct options *options, struct fuse_args *args);
void options_free(struct options *options);

#endif
