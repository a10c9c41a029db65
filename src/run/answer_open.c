/* SPDX-License-Identifier: MIT */
/* The tables of /proc. */
#include "answers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup_namespace.h"
#include "identity.h"
#include "peer.h"
#include "share.h"
#include "shortage.h"
#include "table_files.h"
#include "table_share.h"
#include "table_source.h"
#include "view.h"

/* A row is a table of /proc. */
struct table {
	const char *name;
	bool of_machine; /* /proc/NAME; else of each task */
	bool has_news; /* poll(2) of the kernel's tells of changes */
	/* Makes it of a task for a reader with these roots; NULL: it is made of the kernel's own table */
	int (*make)(struct view *view, const struct text *roots, const struct peer *of, struct text *out);
	table_merge *merge; /* table_source_open() */
};

/* Opens the file that an O_PATH descriptor is of. */
static int open_file(int file)
{
	char path[64];

	if (file < 0)
		return -ENOENT; /* the kernel has none, and says so */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return shortage_note_errno(open(path, O_RDONLY | O_CLOEXEC));
}

static int make_cgroups(struct view *view, const struct text *roots, const struct peer *of, struct text *out)
{
	(void)of;
	(void)roots;
	return view_cgroups(view, out);
}

static const struct table tables[] = {
	{"mountinfo", .has_news = true},
	{"mounts", .has_news = true, .merge = view_mounts},
	{"mountstats", .merge = view_mountstats},
	{"cgroup", .make = view_task},
	{"cpuset", .make = view_cpuset},
	{"cgroups", .of_machine = true, .make = make_cgroups},
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

static const struct table *find_table(const char *name)
{
	for (unsigned i = 0; i < TABLES; i++) {
		if (!strcmp(tables[i].name, name))
			return &tables[i];
	}
	return NULL;
}

static bool is_number(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return digits && !name[digits];
}

bool answers_may_be_table(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	/* /etc/mtab is a link to the mounts; a number may be /proc/self/fd/N. */
	return find_table(name) || !strcmp(name, "mtab") || is_number(name);
}

/* The directory of /proc that a file was found in, by the file's own path: behind a magic link. */
static int open_parent(const struct peer *peer, int file, struct place *place)
{
	char link[64], path[PATH_MAX];
	struct stat wanted, found;
	ssize_t len;
	int error;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0)
		return -errno;
	path[len] = '\0';
	error = place_find(peer, AT_FDCWD, path, place);
	if (error)
		return error;
	if (place->fd < 0 || fstat(place->fd, &found) || fstat(file, &wanted) ||
	    found.st_dev != wanted.st_dev || found.st_ino != wanted.st_ino) {
		place_close(place);
		return -ENOENT;
	}
	return 0;
}

/* Which kind of table is at the place. NULL: none. */
static const struct table *identify(const struct place *place)
{
	const struct table *table = find_table(place->name);

	if (!table || place->parent < 0 || !is_proc(place->parent))
		return NULL;
	return table->of_machine == is_proc_root(place->parent) ? table : NULL;
}

/* The text as a file that can only be read, in memory: where we can have no FUSE filesystem. */
static int open_in_memory(const char *name, const struct text *text, mode_t mode)
{
	char path[64];
	int memory = memfd_create(name, MFD_CLOEXEC), fd = -1;
	size_t done = 0;
	ssize_t len;

	if (memory < 0)
		return -errno;
	while (done < text->len) {
		len = write(memory, text->data + done, text->len - done);
		if (len < 0)
			break;
		done += (size_t)len;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
	if (done == text->len && !fchmod(memory, mode))
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	close(memory);
	return fd;
}

/*
 * Whether the reader may open the file for reading, as the kernel checks it: mountstats of other users'
 * processes is not for everybody. What everybody may read needs no look. 0 or a negative errno.
 */
static int check_permission(const struct peer *reader, int file)
{
	struct stat st;
	int fd;

	if (file < 0 || fstat(file, &st) || st.st_mode & S_IROTH)
		return 0;
	fd = identity_take_of(reader);
	if (fd)
		return fd;
	fd = open_file(file);
	identity_return();
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

/* The text as the file that the kernel's would be. `source` (or NULL) has news of it, and is used up. */
static int open_text(const struct table *table, const struct text *text, int file,
		     struct table_source *source, struct table_share *share)
{
	struct stat about = {.st_ino = 1, .st_mode = 0444}; /* where the kernel has none */
	int fd;

	if (file >= 0)
		fstat(file, &about);
	fd = table_files_open(table->name, text, &about, source, share);
	if (fd != -ENOSYS)
		return fd;
	table_share_return(share); /* the kernel does not tell when such a file is closed */
	table_source_free(source);
	return open_in_memory(table->name, text, about.st_mode & 0777);
}

/* The text of the table of `of`, or of the machine. *source is what it was made of, or NULL. */
static int make_text(struct view *view, const struct table *table, const struct peer *reader,
		     const struct peer *of, int file, struct table_source **source,
		     struct table_share *share, struct text *text)
{
	struct text roots = {0};
	int error = cgroup_namespace_roots(view, reader, &roots);

	if (!error && table->make)
		error = table->make(view, &roots, of, text);
	else if (!error)
		error = table_source_open(view, table->merge, of, open_file(file), &roots, source);
	if (!error && *source)
		error = table_source_make(*source, share, text);
	text_free(&roots);
	return error;
}

/* The table of the task `of`, or of the machine, at the place. */
static int make_table(struct view *view, const struct table *table, const struct peer *reader,
		      const struct peer *of, int file)
{
	struct table_source *source = NULL;
	struct table_share share = {0};
	struct text text = {0};
	int fd = share_find_user(reader, &share.user) ? check_permission(reader, file) : -ENOMEM;

	if (!fd)
		fd = make_text(view, table, reader, of, file, &source, &share, &text);
	if (fd == -EAGAIN)
		fd = -ENOENT; /* mounts come faster than they can be read: the kernel's own */
	if (!fd)
		fd = table_share_settle(&share, text.len);
	if (fd || !table->has_news) {
		table_source_free(source);
		source = NULL;
	}
	if (!fd)
		fd = open_text(table, &text, file, source, &share);
	table_share_return(&share); /* but for what the file has taken over */
	text_free(&text);
	return fd;
}

/* Whether the kernel has the table, and this /proc does not show it (subset=pid of proc(5)). */
static bool is_left_out(const struct table *table, const struct place *place)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s%s", table->of_machine ? "" : "self/", table->name);
	return place->fd < 0 && !access(path, F_OK);
}

static int open_place(struct view *view, const struct peer *reader, const struct place *place)
{
	const struct table *table = identify(place);
	struct peer *of = NULL;
	int fd;

	if (!table || is_left_out(table, place))
		return -ENOENT;
	if (!table->of_machine) {
		of = proc_directory_task(view->machine, place->parent, reader);
		if (!of)
			return -ENOENT;
	}
	fd = make_table(view, table, reader, of, place->fd);
	peer_free(of);
	return fd;
}

int answers_open_table(struct view *view, const struct peer *peer, int dirfd, const char *path,
		       uint64_t resolve)
{
	struct place place, real;
	int fd = place_find_restricted(peer, dirfd, path, resolve, &place);

	if (fd)
		return -ENOENT; /* the kernel says why */
	if (place.fd >= 0 && place.parent < 0 && is_proc(place.fd) &&
	    !open_parent(peer, place.fd, &real)) {
		fd = open_place(view, peer, &real);
		place_close(&real);
	} else {
		fd = open_place(view, peer, &place);
	}
	place_close(&place);
	return fd;
}
