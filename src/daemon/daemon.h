/* SPDX-License-Identifier: MIT */
#ifndef DAEMON_H
#define DAEMON_H

#include <stdarg.h>
#include <stdbool.h>
#include <sys/types.h>

#include "cgroup.h"
#include "options.h"

#include "libfuse.h"

/*
 * What differs between the kernels that may serve our mount. Filled in once
 * at start; the operations read it and never ask where they run.
 */
struct platform {
	const char *name; /* for the log */
	off_t file_size; /* st_size of a file; the kernel's is 0 */
	off_t open_size; /* an open file's size must be above its content's; 0: nobody asks */
	double cache_seconds; /* how long names and attributes may be kept */
	bool asks_attributes; /* attributes must be asked for each time all the same */
	bool retries_after_interrupt; /* a finished mkdir may be asked for again */
	bool unmounts_silently; /* nothing tells us of an unmount */
	bool never_forgets; /* nothing tells us that the kernel has forgotten a name */
	bool tells_first_ids; /* users and groups are those of the first user namespace, not of the mount's */
};

/*
 * Linux's FUSE or gVisor's, by what this kernel says of itself. `sendfile`:
 * sendfile(2) and splice(2) of our files shall work, at the cost of their size.
 */
const struct platform *platform_detect(bool sendfile);

/* Whether gVisor's kernel runs us, by its uname(2). */
bool platform_is_gvisor(void);

/*
 * Whether libfuse (3.18) and the kernel (Linux 6.14, fuse.enable_uring) may serve requests by io_uring: a
 * queue and a thread for each processor, so that no request wakes another. libfuse may be built without.
 */
bool platform_offers_io_uring(void);

/*
 * Users and groups of requests, where they are told as the first user namespace knows them
 * (platform->tells_first_ids) and ours is another. ids_learn() reads its map (user_namespaces(7)), before
 * there are threads. Until then, and in the first namespace, all ids are what they are.
 * A namespace two levels below the first knows only what its ids are in the one between: then they are
 * nobody's.
 */
void ids_learn(void);
/* Whom a request tells of, in our namespace; who is not in it is nobody (65534). */
uid_t ids_user(uid_t told);
gid_t ids_group(gid_t told);
/* The owners of our namespace as a reply tells them. */
void ids_tell(struct stat *st);

/* What the FUSE operations work on: fuse_context.private_data. */
struct notifier;

struct front_end {
	struct tree *tree;
	struct accounting *accounting;
	const struct platform *platform;
	struct state *state; /* NULL: none is kept */
	bool io_uring; /* libfuse has been told to take requests by io_uring */
	bool answering; /* the kernel's first request has come to a thread that takes requests */
	pthread_mutex_t handles_lock; /* protects what follows */
	struct handle *handles, *handles_by_number; /* every open file and directory; uthash */
	uint64_t last_handle; /* the last number that was given */
	struct notifier *notifier; /* NULL on v1, whose files have no news */
};

extern const struct fuse_operations front_end_operations;

/* Lets go what clients had open when the filesystem ended; nobody serves requests any more. */
void handles_close_all(struct front_end *front);

/*
 * Remembers which directory was just made for whom, where the platform lets a
 * caller repeat what has been done. (A repeated rmdir does not come to us:
 * gVisor looks the name up first.) retry_forgive() returns 0 instead of
 * `error` when the same thread repeats what it did within the last second.
 * Thread-safe.
 */
void retry_remember(const struct platform *platform, const char *path, pid_t tid);
int retry_forgive(const struct platform *platform, const char *path, pid_t tid, int error);

/*
 * forgetting.c, for a kernel that does not tell when it has forgotten a name (platform->never_forgets): those
 * of removed cgroups and of their files are forgotten when no request is about them and nobody has them open.
 * Who still has one, as by its working directory, gets ESTALE, as from libfuse. Thread-safe.
 *
 * forgetting_start(): before the session, whose descriptor is `fd`, takes its first request. False: libfuse
 * is older than 3.13, or there is no memory; then names are kept, and the rest does nothing.
 * forgetting_removed(): the cgroup with this number (struct cgroup) has been removed.
 * forgetting_stop(): nobody takes requests any more; frees all.
 */
bool forgetting_start(struct fuse_session *session, int fd);
void forgetting_removed(uint64_t number);
void forgetting_stop(void);

/*
 * Ends the program, as SIGTERM does, once what is mounted on `path` now is not
 * mounted any more. `path` is kept. NULL where it cannot be watched.
 */
struct watch *watch_start(const char *path);
/*
 * Whether it is not mounted any more, so that nothing on `path` is ours. To be
 * called when nobody serves requests any more: ends the connection, which is
 * `fd`, but leaves `fd` open. Takes NULL: false, and does nothing.
 */
bool watch_stop(struct watch *watch, int fd);

/*
 * From here on SIGTERM, SIGINT and SIGHUP end the loop of `fuse`, also one that
 * has yet to begin. If it has not ended 4 s later `path` (kept) is unmounted, and
 * the process ends with status 1. False: there can be no thread that sees to that.
 * signals_ignore(): the loop has ended, the end is under way.
 */
bool signals_end(struct fuse *fuse, const char *path);
void signals_ignore(void);

/*
 * Goes on in a child; the parent waits until background_ready(), then exits
 * with status 0, or with 1 when the child ends before. Both share standard
 * error until then. False, and said why, when there can be no child.
 */
bool background_start(void);
/*
 * The mount is up, and answers: lets the parent go, and standard streams and working directory too. In the
 * foreground nothing.
 */
void background_ready(void);

/* Prints that threads are lacking, which limits of memory and of processes may cause. */
void explain_threads(void);

/*
 * Serves the mount on `path` until a signal ends it. False, and said why, when what it needs for that cannot
 * be had, or when libfuse's loop failed. *unmounted: others unmounted it, and what is on the path now is not
 * ours. front->notifier lives on: it is to be stopped when the mount is gone.
 */
bool serve_until_signal(struct fuse *fuse, const struct options *options, struct front_end *front,
			const char *path, bool *unmounted);

/*
 * Checks that `path` can be mounted on, and clears away what a killed daemon
 * left there. Prints what is wrong and what to do, and returns false, when not.
 */
bool mount_point_prepare(const char *path);

/* Unmounts what is on `path`, in use or not; true when nothing of it is there any more. */
bool mount_point_leave(const char *path);

/* fuse_mount(), quietly: when it fails, what a helper program said is in `reason` (of `size` bytes). */
bool mount_point_mount(struct fuse *fuse, const char *path, char *reason, size_t size);

/* Prints why mounting on `path` failed; `reason` is libfuse's own line, may be empty. */
void mount_explain_failure(const char *path, const char *reason);

/*
 * --check: says on standard output, a line each, what this machine has and lacks for us, what we provide, and
 * what to do about it; mounts a tree for a moment to see that. The exit status: 0, or 1
 * when the daemon cannot serve here.
 */
int check_run(void);

/*
 * -d. trace_fuse_log() is for fuse_set_log_func(): warnings of libfuse, and its trace. trace_change() and
 * trace_write() tell of a request that changes something, and what became of it (0 or a negative errno). The
 * tree lock is not held.
 */
void trace_fuse_log(enum fuse_log_level level, const char *format, va_list args);
void trace_change(const char *what, const char *path, const char *value, int error);
void trace_write(const struct node *node, const char *bytes, size_t size, int error);

/* --- notifier.c: news of v2's files --- */

struct notifier;

/*
 * Starts telling; `mount` is where the tree is mounted, and must outlive it. NULL: no memory, or no thread.
 */
struct notifier *notifier_start(struct front_end *front, const char *mount);
/* Something may have news. Never waits. Takes NULL. */
void notifier_wake(struct notifier *notifier);
/* Whether the request of this task is its own. */
bool notifier_is(const struct notifier *notifier, pid_t tid);
/* Ends it, once the mount is gone. Takes NULL. */
void notifier_stop(struct notifier *notifier);

#endif
