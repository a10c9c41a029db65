/* SPDX-License-Identifier: MIT */
/* Links of BPF programs to cgroups. */
#include "attached_links.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "attached_lists.h"

#define MAX_LINKS 1024

static struct {
	ino_t number;
	uint32_t type;
} links[MAX_LINKS];
static struct pollfd ends[MAX_LINKS]; /* ours of each; POLLERR comes unasked */
static unsigned count;

int attached_links_make(uint32_t type, ino_t *number)
{
	struct stat st;
	int pair[2];

	if (count == MAX_LINKS)
		return -ENOSPC;
	if (pipe2(pair, O_CLOEXEC))
		return -errno;
	if (fstat(pair[0], &st)) {
		close(pair[0]);
		close(pair[1]);
		return -EIO;
	}
	ends[count].fd = pair[1];
	links[count].type = type;
	*number = links[count++].number = st.st_ino;
	return pair[0];
}

bool attached_links_find(ino_t number, uint32_t *type)
{
	for (unsigned i = 0; i < count; i++) {
		if (links[i].number == number) {
			*type = links[i].type;
			return true;
		}
	}
	return false;
}

void attached_links_detach(ino_t number)
{
	unsigned place;
	struct attached_list *list = attached_list_of_link(number, &place);

	if (!list)
		return;
	attached_list_drop(list, place);
	list->revision++;
}

void attached_links_drop_closed(void)
{
	if (!count || poll(ends, count, 0) <= 0)
		return;
	for (unsigned i = count; i-- > 0;) {
		if (!(ends[i].revents & POLLERR))
			continue;
		attached_links_detach(links[i].number);
		close(ends[i].fd);
		count--;
		links[i] = links[count];
		ends[i] = ends[count];
	}
}
