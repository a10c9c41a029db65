/* SPDX-License-Identifier: MIT */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOLDING_TEXT_MAX (NAME_MAX + IF_NAMESIZE + 8)

/* Opens the directory `path`, made with all above it where it is missing. -1 with errno. */
static int open_directory(const char *path)
{
	char copy[PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof(copy)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(copy, path, len + 1);
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	if (mkdir(copy, 0755) && errno != EEXIST)
		return -1;
	return open(copy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int store_open(struct store *store, const char *data_dir, const char *network, struct failure *failure)
{
	char path[PATH_MAX];

	*store = (struct store){-1, -1};
	if (snprintf(path, sizeof(path), "%s/%s", data_dir, network) >= (int)sizeof(path))
		return failure_set(failure, FAILURE_CONFIG, NULL, "dataDir is too long");
	store->directory = open_directory(path);
	if (store->directory >= 0)
		store->lock = openat(store->directory, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
				     0600);
	while (store->lock >= 0 && flock(store->lock, LOCK_EX))
		if (errno != EINTR) {
			close(store->lock);
			store->lock = -1;
		}
	if (store->lock >= 0)
		return 0;
	failure_set(failure, FAILURE_IO, strerror(errno), "cannot keep addresses below %.100s", path);
	store_close(store);
	return -1;
}

void store_close(struct store *store)
{
	if (store->lock >= 0)
		close(store->lock);
	if (store->directory >= 0)
		close(store->directory);
	*store = (struct store){-1, -1};
}

/* The file's text, with NUL at its end. 0 or a negative errno. */
static int read_file(const struct store *store, const char *name, char *text, size_t size)
{
	int fd = openat(store->directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), error = 0;
	size_t len = 0;
	ssize_t got = 1;

	if (fd < 0)
		return -errno;
	while (got > 0 && len < size - 1) {
		got = read(fd, text + len, size - 1 - len);
		if (got > 0)
			len += got;
		else if (got < 0)
			error = -errno;
	}
	close(fd);
	text[len] = '\0';
	return error;
}

/* Takes the next line of *text, without the white space at its ends, into `word`; what is too long is cut. */
static void take_line(const char **text, char *word, size_t size)
{
	const char *start = *text + strspn(*text, " \t"), *end = *text + strcspn(*text, "\r\n");

	*text = end + strspn(end, "\r\n");
	while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	snprintf(word, size, "%.*s", end > start ? (int)(end - start) : 0, start);
}

/* 0; -ENOENT: this is no address's file; or another negative errno. */
static int read_holding(const struct store *store, const char *name, struct holding *holding)
{
	char text[HOLDING_TEXT_MAX];
	const char *at = text;
	int error;

	if (!address_parse(name, &holding->address))
		return -ENOENT;
	error = read_file(store, name, text, sizeof(text));
	if (error)
		return error;
	take_line(&at, holding->container, sizeof(holding->container));
	take_line(&at, holding->interface, sizeof(holding->interface));
	return 0;
}

bool holding_is(const struct holding *holding, const char *container, const char *interface)
{
	return !strcmp(holding->container, container) &&
	       (!holding->interface[0] || !strcmp(holding->interface, interface));
}

/* A stream of the directory from its start, which leaves store->directory open. */
static DIR *open_stream(const struct store *store)
{
	int fd = openat(store->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);

	if (!stream && fd >= 0)
		close(fd);
	return stream;
}

int store_visit(struct store *store, bool (*visit)(const struct holding *holding, void *context),
		void *context)
{
	DIR *stream = open_stream(store);
	struct holding holding;
	const struct dirent *entry;
	int error, first = 0;

	if (!stream)
		return -errno;
	while (errno = 0, (entry = readdir(stream))) {
		error = read_holding(store, entry->d_name, &holding);
		if (!error && visit(&holding, context) && unlinkat(store->directory, entry->d_name, 0))
			error = -errno;
		if (error && error != -ENOENT && !first)
			first = error;
	}
	if (errno && !first)
		first = -errno;
	closedir(stream);
	return first;
}

/* A new file with this text, or none. 0 or a negative errno; -EEXIST. */
static int write_new(const struct store *store, const char *name, const char *text, int flags)
{
	int fd = openat(store->directory, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
	ssize_t len = (ssize_t)strlen(text), written;
	int error = 0;

	if (fd < 0)
		return -errno;
	written = write(fd, text, len);
	if (written != len)
		error = written < 0 ? -errno : -ENOSPC;
	if (close(fd) && !error)
		error = -errno;
	if (error)
		unlinkat(store->directory, name, 0);
	return error;
}

static void last_name(unsigned index, char name[32])
{
	snprintf(name, 32, "last_reserved_ip.%u", index);
}

/* 0; -EEXIST: another has it; or another negative errno. */
static int take(struct store *store, unsigned index, const struct address *address, const char *container,
		const char *interface)
{
	char name[PREFIX_TEXT_MAX], text[HOLDING_TEXT_MAX], last[32];
	int error;

	address_print(address, name);
	snprintf(text, sizeof(text), "%s\r\n%s", container, interface);
	error = write_new(store, name, text, O_EXCL);
	if (error)
		return error;
	last_name(index, last);
	error = write_new(store, last, name, O_TRUNC);
	if (error)
		unlinkat(store->directory, name, 0);
	return error;
}

static bool is_gateway(const struct range_set *set, const struct address *address)
{
	return !address_compare(&range_set_find(set, address)->gateway, address);
}

/* The one after which to look: what was given away last, or one that begins with the set's first. */
static struct address last_reserved(const struct store *store, const struct range_set *set, unsigned index)
{
	char name[32], text[PREFIX_TEXT_MAX];
	struct address last;

	last_name(index, name);
	if (!read_file(store, name, text, sizeof(text)) && address_parse(text, &last) &&
	    range_set_find(set, &last))
		return last;
	return set->ranges[set->nr - 1].end;
}

int store_reserve(struct store *store, const struct range_set *set, unsigned index,
		  const struct address *wanted, const char *container, const char *interface,
		  struct address *address, struct failure *failure)
{
	struct address last = wanted ? *wanted : last_reserved(store, set, index);
	char text[PREFIX_TEXT_MAX];
	int error = -EEXIST;

	*address = last;
	if (wanted && !is_gateway(set, wanted))
		error = take(store, index, address, container, interface);
	while (!wanted && error == -EEXIST) {
		*address = range_set_next(set, address);
		if (!is_gateway(set, address))
			error = take(store, index, address, container, interface);
		if (!address_compare(address, &last))
			break;
	}
	if (!error)
		return 0;
	if (error != -EEXIST)
		return failure_set(failure, FAILURE_IO, strerror(-error), "cannot keep the address %s",
				   address_print(address, text));
	if (wanted)
		return failure_set(failure, FAILURE_ADDRESS, NULL, "the address %s is not free",
				   address_print(wanted, text));
	return failure_set(failure, FAILURE_ADDRESS, NULL,
			   "no address is free in set %u of the ranges", index);
}

int store_has_free(struct store *store, const struct range_set *set)
{
	struct address last = set->ranges[set->nr - 1].end, address = last;
	char name[PREFIX_TEXT_MAX];

	do {
		address = range_set_next(set, &address);
		if (!is_gateway(set, &address) &&
		    faccessat(store->directory, address_print(&address, name), F_OK, AT_SYMLINK_NOFOLLOW))
			return errno == ENOENT ? 1 : -errno;
	} while (address_compare(&address, &last));
	return 0;
}
