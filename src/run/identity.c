/* Acting with the rights of a task. */
#include "identity.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "peer.h"

#define MAX_GROUPS 65536 /* NGROUPS_MAX */

struct identity {
	unsigned uid[4], gid[4]; /* real, effective, saved, filesystem */
	unsigned umask; /* octal in the file */
	gid_t *groups;
	size_t group_count;
};

static void read_groups(struct identity *identity, const char *list)
{
	char *end;

	for (;;) {
		unsigned long group = strtoul(list, &end, 10);
		gid_t *groups;

		if (end == list || identity->group_count == MAX_GROUPS)
			return;
		groups = reallocarray(identity->groups, identity->group_count + 1, sizeof(*groups));
		if (!groups)
			return;
		groups[identity->group_count++] = (gid_t)group;
		identity->groups = groups;
		list = end;
	}
}

static bool read_line(struct identity *identity, const char *line)
{
	unsigned *uid = identity->uid, *gid = identity->gid;

	if (!strncmp(line, "Groups:", 7))
		read_groups(identity, line + 7);
	sscanf(line, "Umask: %o", &identity->umask);
	return sscanf(line, "Uid: %u %u %u %u", uid, uid + 1, uid + 2, uid + 3) == 4 ||
	       sscanf(line, "Gid: %u %u %u %u", gid, gid + 1, gid + 2, gid + 3) == 4;
}

/* The lines of /proc/PID/status that say who it is. */
static bool read_identity(const struct peer *peer, struct identity *identity)
{
	struct text status = {0};
	char *rest, *line;
	int found = 0;

	if (!peer_proc_read(peer, "status", &status)) {
		text_add_bytes(&status, "", 1);
		rest = status.data;
		while (!status.error && (line = strsep(&rest, "\n")))
			found += read_line(identity, line);
	}
	text_free(&status);
	return found == 2;
}

/* Of this thread alone: the C library's would change all of them. */
static bool set_groups(size_t count, const gid_t *groups)
{
	return !syscall(__NR_setgroups, count, groups);
}

bool identity_take(const struct peer *peer, bool real, mode_t *umask)
{
	struct identity identity = {.umask = 022};
	unsigned which = real ? 0 : 3;
	bool taken = read_identity(peer, &identity);

	*umask = identity.umask;
	if (taken && geteuid() == 0) {
		taken = set_groups(identity.group_count, identity.groups);
		setfsgid(identity.gid[which]);
		setfsuid(identity.uid[which]);
	}
	free(identity.groups);
	if (!taken)
		identity_return();
	return taken;
}

bool identity_is_root(const struct peer *peer)
{
	struct stat st;

	return !peer_proc_stat(peer, ".", &st) && st.st_uid == 0;
}

void identity_return(void)
{
	if (geteuid() != 0)
		return;
	setfsuid(0);
	setfsgid(getegid());
	set_groups(0, NULL);
}
