/* SPDX-License-Identifier: MIT */
/* readlink(2) of what is open in our tree: it tells where programs find it. */
#include "redirect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"
#include "peer.h"
#include "view.h"

/* Where the link leads that is opened at `file`. False: not into the tree. */
static bool find_name(struct view *view, int file, char *name)
{
	char link[64], target[PATH_MAX];
	struct statx about;
	ssize_t len;

	if (!view_has(view, file, &about))
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
	len = readlink(link, target, sizeof(target) - 1);
	if (len < 0)
		return false;
	target[len] = '\0';
	return redirect_back(view, target, name);
}

static bool is_link_of_task(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return !strcmp(name, "cwd") || (*name && !name[strspn(name, "0123456789")]);
}

static bool is_readlink(int number)
{
#ifdef __NR_readlink
	if (number == __NR_readlink)
		return true;
#endif
	return number == __NR_readlinkat;
}

static int64_t give_name(const struct call *call, unsigned buffer, const char *name)
{
	const uint64_t *arguments = call->arguments;
	size_t len = strlen(name);
	int error;

	if ((int)arguments[buffer + 1] <= 0)
		return -EINVAL;
	if (len > arguments[buffer + 1])
		len = arguments[buffer + 1];
	error = peer_write(call->peer, arguments[buffer], name, len);
	return error ? error : (int64_t)len;
}

bool redirect_link(const struct calls_context *context, const struct call *call, const char *path,
		   struct answer *answer)
{
	bool at = call->number == __NR_readlinkat;
	char name[PATH_MAX];
	struct place place;
	bool ours;

	if (!is_readlink(call->number) || !is_link_of_task(path))
		return false;
	context->before_waiting();
	if (place_find(call->peer, at ? (int)call->arguments[0] : AT_FDCWD, path,
		       &place))
		return false;
	ours = place.fd >= 0 && place.parent < 0 && find_name(context->view, place.fd, name);
	place_close(&place);
	if (!ours)
		return false;
	answer->kind = ANSWER_VALUE;
	answer->value = give_name(call, at + 1, name);
	return true;
}
