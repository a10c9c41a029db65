/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_LIBFUSE_H
#define DAEMON_LIBFUSE_H

/*
 * libfuse, from 3.10 on. What an older one has not is here by the newer name; the source is libfuse's
 * ChangeLog.rst.
 */

#define FUSE_USE_VERSION 312
#include <fuse.h>
#include <fuse_lowlevel.h>
#include <stdbool.h>

#define LIBFUSE_WITH_IO_URING 318 /* the first whose fuse_version() knows the option io_uring */

#if FUSE_VERSION < FUSE_MAKE_VERSION(3, 12)

#include <stdlib.h>

/* NULL without memory; to be freed by fuse_loop_cfg_destroy(). */
static inline struct fuse_loop_config *fuse_loop_cfg_create(void)
{
	struct fuse_loop_config *config = calloc(1, sizeof(*config));

	if (config)
		config->max_idle_threads = 10; /* libfuse's default */
	return config;
}

static inline void fuse_loop_cfg_destroy(struct fuse_loop_config *config)
{
	free(config);
}

static inline void fuse_loop_cfg_set_clone_fd(struct fuse_loop_config *config, unsigned clone_fd)
{
	config->clone_fd = clone_fd;
}

/* Only those that wait for work can be bounded there; more are made when all are busy. */
static inline void fuse_loop_cfg_set_max_threads(struct fuse_loop_config *config, unsigned max_threads)
{
	config->max_idle_threads = max_threads;
}

#endif

/*
 * From now on the session gets requests from its descriptor `fd` by `get`, and gives replies to it by `put`,
 * which are as read(2) and writev(2). False: there is no memory, or an older libfuse cannot do that.
 */
static inline bool libfuse_set_io(struct fuse_session *session, int fd,
				  ssize_t (*get)(int fd, void *buffer, size_t size, void *data),
				  ssize_t (*put)(int fd, struct iovec *parts, int count, void *data))
{
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 13)
	const struct fuse_custom_io io = {.read = get, .writev = put};

	return !fuse_session_custom_io(session, &io, fd);
#else
	(void)session;
	(void)fd;
	(void)get;
	(void)put;
	return false;
#endif
}

/* Asks for no flush when this open file is closed; an older libfuse asks all the same. */
static inline void libfuse_set_noflush(struct fuse_file_info *fi)
{
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 11)
	fi->noflush = 1;
#else
	(void)fi;
#endif
}

#endif
