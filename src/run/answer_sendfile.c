/*
 * sendfile(2) from our files. Linux's FUSE client splices by the page cache and ends at st_size,
 * which is 0 for a cgroup file: nothing would be copied. busybox' cat uses it.
 */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "answers.h"
#include "peer.h"
#include "view.h"

#define PART 65536

static bool is_ours(struct view *view, const struct peer *peer, int fd)
{
	int file = peer_file(peer, fd);
	struct statx about;
	bool ours;

	if (file < 0)
		return false;
	ours = view_has(view, file, &about) && S_ISREG(about.stx_mode);
	close(file);
	return ours;
}

/* From `position` on; *copied is what has gone. 0 or a negative errno. */
static int copy(int out, int in, off_t position, size_t count, size_t *copied)
{
	char part[PART];

	while (*copied < count) {
		size_t wanted = count - *copied < PART ? count - *copied : PART;
		ssize_t len = pread(in, part, wanted, position + (off_t)*copied);
		ssize_t written = len > 0 ? write(out, part, (size_t)len) : len;

		if (len < 0 || written < 0)
			return -errno;
		*copied += (size_t)written;
		if (!len || written < len)
			return 0;
	}
	return 0;
}

/* Copies from where the task says, or from where its file is, and leaves that behind the last byte. */
static int64_t send(const struct peer *peer, int out, int in, uint64_t address, size_t count)
{
	off_t position = lseek(in, 0, SEEK_CUR);
	size_t copied = 0;
	int error = address ? peer_read(peer, address, &position, sizeof(position)) : 0;

	if (error)
		return error;
	error = copy(out, in, position, count, &copied);
	position += (off_t)copied;
	if (!address)
		lseek(in, position, SEEK_SET);
	else if (peer_write(peer, address, &position, sizeof(position)))
		return -EFAULT;
	if (error == -EPIPE)
		peer_signal(peer, SIGPIPE); /* as writing itself would have */
	return copied ? (int64_t)copied : error;
}

int answers_sendfile(struct view *view, const struct peer *peer, int out, int in, uint64_t address, size_t count,
		     int64_t *result)
{
	int from, to;

	if (!is_ours(view, peer, in))
		return -ENOENT;
	from = peer_descriptor(peer, in);
	to = peer_descriptor(peer, out);
	*result = from < 0 ? from : to < 0 ? to : send(peer, to, from, address, count);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return 0;
}
