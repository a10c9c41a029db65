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
#include "view.h"

/* A row is a table of /proc. */
struct table {
	const char *name;
	bool of_machine; /* /proc/NAME; else of each task */
	bool has_news; /* poll(2) of the kernel's tells of changes */
	/*
	 * Makes it of a task for a reader with these roots and this share; `file` is the kernel's own,
	 * O_PATH, or -1.
	 */
	int (*make)(struct view *view, const struct text *roots, const struct peer *of, int file,
		    struct table_share *share, struct text *out);
};

#define COPIES 4 /* of what is read, at most, until the table is made: texts grow by doubling */

static int read_all(int fd, struct table_share *share, struct text *out)
{
	char part[16384];
	ssize_t len;

	while ((len = read(fd, part, sizeof(part))) > 0) {
		if (out->len + (size_t)len > TABLE_TEXT_MAX ||
		    table_share_grow(share, COPIES * (size_t)len))
			return -ENOMEM;
		text_add_bytes(out, part, (size_t)len);
	}
	return len < 0 ? -errno : out->error;
}

/* Opens the file that an O_PATH descriptor is of. */
static int open_file(int file)
{
	char path[64];

	if (file < 0)
		return -ENOENT; /* the kernel has none, and says so */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return shortage_note_errno(open(path, O_RDONLY | O_CLOEXEC));
}

/* Of a descriptor, which is closed, or a negative errno. */
static int read_file(int fd, struct table_share *share, struct text *out)
{
	int error;

	if (fd < 0)
		return fd;
	text_clear(out);
	error = read_all(fd, share, out);
	close(fd);
	return error;
}

static int make_mountinfo(struct view *view, const struct text *roots, const struct peer *of, int file,
			  struct table_share *share, struct text *out)
{
	struct text mountinfo = {0};
	int error = read_file(open_file(file), share, &mountinfo);

	if (!error)
		error = view_mountinfo(view, roots, &mountinfo, view_is_outside(view, of), out);
	text_free(&mountinfo);
	return error;
}

#define MOMENTS 10 /* tries to read two tables between two mounts */

static int make_from_two(struct view *view, const struct peer *of, int file, struct table_share *share,
			 struct text *out,
			 int (*merge)(struct view *view, const struct text *mountinfo,
				      const struct text *table, bool outside, struct text *out))
{
	struct text mountinfo = {0}, table = {0};
	bool outside = view_is_outside(view, of);
	int error = -EAGAIN;

	for (unsigned i = 0; i < MOMENTS && error == -EAGAIN; i++) {
		table_share_shrink(share, 0); /* what the try before has read */
		error = read_file(peer_proc_open(of, "mountinfo", O_RDONLY), share, &mountinfo);
		if (!error)
			error = read_file(open_file(file), share, &table);
		if (!error)
			error = merge(view, &mountinfo, &table, outside, out);
	}
	text_free(&mountinfo);
	text_free(&table);
	return error;
}

static int make_mounts(struct view *view, const struct text *roots, const struct peer *of, int file,
		       struct table_share *share, struct text *out)
{
	(void)roots;
	return make_from_two(view, of, file, share, out, view_mounts);
}

static int make_mountstats(struct view *view, const struct text *roots, const struct peer *of, int file,
			   struct table_share *share, struct text *out)
{
	(void)roots;
	return make_from_two(view, of, file, share, out, view_mountstats);
}

static int make_cgroup(struct view *view, const struct text *roots, const struct peer *of, int file,
		       struct table_share *share, struct text *out)
{
	(void)file;
	(void)share;
	return view_task(view, roots, of, out);
}

static int make_cpuset(struct view *view, const struct text *roots, const struct peer *of, int file,
		       struct table_share *share, struct text *out)
{
	(void)file;
	(void)share;
	return view_cpuset(view, roots, of, out);
}

static int make_cgroups(struct view *view, const struct text *roots, const struct peer *of, int file,
			struct table_share *share, struct text *out)
{
	(void)of;
	(void)file;
	(void)share;
	(void)roots;
	return view_cgroups(view, out);
}

static const struct table tables[] = {
	{"mountinfo", false, true, make_mountinfo},
	{"mounts", false, true, make_mounts},
	{"mountstats", false, false, make_mountstats},
	{"cgroup", false, false, make_cgroup},
	{"cpuset", false, false, make_cpuset},
	{"cgroups", true, false, make_cgroups},
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

#define FILE_BYTES 512 /* of an open table, beside its text */

/* From now on the share is that of the finished table. */
static int settle(struct table_share *share, const struct text *text)
{
	size_t bytes = FILE_BYTES + 2 * text->len;

	if (share->bytes < bytes)
		return table_share_grow(share, bytes - share->bytes);
	table_share_shrink(share, bytes);
	return 0;
}

/* The text as the file that the kernel's would be. `kernels` is that, or -1; both are used up. */
static int open_text(const struct table *table, const struct text *text, int file, int kernels,
		     struct table_share *share)
{
	struct stat about = {.st_ino = 1, .st_mode = 0444}; /* where the kernel has none */
	int fd;

	if (file >= 0)
		fstat(file, &about);
	fd = table_files_open(table->name, text, &about, kernels, share);
	if (fd != -ENOSYS)
		return fd;
	table_share_return(share); /* the kernel does not tell when such a file is closed */
	if (kernels >= 0)
		close(kernels);
	return open_in_memory(table->name, text, about.st_mode & 0777);
}

/* The table of the task `of`, or of the machine, at the place. */
static int make_table(struct view *view, const struct table *table, const struct peer *reader,
		      const struct peer *of, int file)
{
	struct text text = {0}, roots = {0};
	struct table_share share = {0};
	int fd = share_find_user(reader, &share.user) ? check_permission(reader, file) : -ENOMEM;
	int kernels = !fd && table->has_news ? open_file(file) : -1; /* before it is read: no news is lost */

	if (!fd)
		fd = cgroup_namespace_roots(view, reader, &roots);
	if (!fd)
		fd = table->make(view, &roots, of, file, &share, &text);
	if (fd == -EAGAIN)
		fd = -ENOENT; /* mounts come faster than they can be read: the kernel's own */
	if (!fd)
		fd = settle(&share, &text);
	if (!fd)
		fd = open_text(table, &text, file, kernels, &share);
	else if (kernels >= 0)
		close(kernels);
	table_share_return(&share); /* but for what the file has taken over */
	text_free(&roots);
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
