/* SPDX-License-Identifier: MIT */
/* Acting with the rights of a task. */
#include "identity.h"

#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "peer.h"
#include "shortage.h"

#define MAX_GROUPS 65536 /* NGROUPS_MAX */
#define LINK_MAX_LEN 64

/* The supervisor's own, before any thread takes another's. */
static struct {
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t group_count;
	bool lacks_fsuid; /* there is no setfsuid(2): gVisor */
	char user_namespace[LINK_MAX_LEN]; /* "user:[4026531837]" */
} own;
static pthread_once_t own_once = PTHREAD_ONCE_INIT;
static mode_t untold_umask = 077; /* of a task that nothing tells of */

/* What this thread has put down, to take it up again. */
static _Thread_local struct __user_cap_data_struct put_down[2];
static _Thread_local bool is_other, has_other_groups;

static void learn_own(void)
{
	int count = getgroups(0, NULL);
	ssize_t len = readlink("/proc/self/ns/user", own.user_namespace, LINK_MAX_LEN - 1);

	own.user_namespace[len > 0 ? len : 0] = '\0';
	own.lacks_fsuid = syscall(__NR_setfsuid, -1) < 0 && errno == ENOSYS;
	own.uid = geteuid();
	own.gid = getegid();
	own.groups = count > 0 ? calloc((size_t)count, sizeof(gid_t)) : NULL;
	if (own.groups && getgroups(count, own.groups) == count)
		own.group_count = (size_t)count;
}

/* --- who a task is --- */

static bool read_groups(struct identity *identity, const char *list)
{
	char *end;

	for (;;) {
		unsigned long group = strtoul(list, &end, 10);
		gid_t *groups;

		if (end == list)
			return true;
		if (identity->group_count == MAX_GROUPS)
			return false;
		groups = reallocarray(identity->groups, identity->group_count + 1, sizeof(*groups));
		if (!groups) {
			shortage_note(-ENOMEM);
			return false;
		}
		groups[identity->group_count++] = (gid_t)group;
		identity->groups = groups;
		list = end;
	}
}

/* Whether it is one of the lines that must be there, and could be read. */
static bool read_line(struct identity *identity, const char *line)
{
	unsigned *uid = identity->uid, *gid = identity->gid;
	unsigned long long set;

	if (!strncmp(line, "Groups:", 7))
		return read_groups(identity, line + 7);
	if (sscanf(line, "CapPrm: %llx", &set) == 1) {
		identity->permitted = set;
		return true;
	}
	if (sscanf(line, "CapEff: %llx", &set) == 1) {
		identity->effective = set;
		return true;
	}
	if (sscanf(line, "Umask: %o", &identity->umask) == 1)
		return false; /* not everywhere */
	return sscanf(line, "Uid: %u %u %u %u", uid, uid + 1, uid + 2, uid + 3) == 4 ||
	       sscanf(line, "Gid: %u %u %u %u", gid, gid + 1, gid + 2, gid + 3) == 4;
}

#define LINES 5

static int read_status(const struct peer *peer, struct identity *identity)
{
	struct text status = {0};
	char *rest, *line;
	unsigned found = 0;
	int error = peer_proc_read(peer, "status", &status);

	if (!error) {
		text_add_bytes(&status, "", 1);
		error = shortage_note(status.error);
	}
	rest = status.data;
	while (!error && (line = strsep(&rest, "\n")))
		found += read_line(identity, line);
	text_free(&status);
	return error ? error : found == LINES ? 0 : -EPERM;
}

/* 1: its capabilities are what they are for us; 0: they are none; or a negative errno. */
static int is_in_our_user_namespace(const struct peer *peer)
{
	char link[LINK_MAX_LEN];
	int len = peer_proc_readlink(peer, "ns/user", link, sizeof(link));

	pthread_once(&own_once, learn_own);
	if (len == -ENOENT)
		return !own.user_namespace[0]; /* a kernel that has none */
	return len < 0 ? len : !strcmp(link, own.user_namespace);
}

void identity_expect_umask(mode_t umask)
{
	untold_umask = umask;
}

int identity_read(const struct peer *peer, struct identity *identity)
{
	int error, ours = is_in_our_user_namespace(peer);

	*identity = (struct identity){.umask = untold_umask};
	error = ours < 0 ? ours : read_status(peer, identity);
	if (error)
		identity_free(identity);
	else if (!ours)
		identity->permitted = identity->effective = 0;
	return error;
}

void identity_free(struct identity *identity)
{
	free(identity->groups);
	identity->groups = NULL;
	identity->group_count = 0;
}

/* --- to be another --- */

/* All of this thread alone: the C library's calls would change all of them. */

static bool get_capabilities(struct __user_cap_data_struct sets[2])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

	return !syscall(__NR_capget, &header, sets);
}

static bool set_capabilities(const struct __user_cap_data_struct sets[2])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

	return !syscall(__NR_capset, &header, sets);
}

static uint64_t effective_of(const struct __user_cap_data_struct sets[2])
{
	return (uint64_t)sets[1].effective << 32 | sets[0].effective;
}

/* No more than it has now. */
static bool leave_effective(uint64_t effective)
{
	struct __user_cap_data_struct sets[2];

	memcpy(sets, put_down, sizeof(sets));
	sets[0].effective &= (uint32_t)effective;
	sets[1].effective &= (uint32_t)(effective >> 32);
	return set_capabilities(sets);
}

static bool set_groups(size_t count, const gid_t *groups)
{
	return !syscall(__NR_setgroups, count, groups);
}

static bool are_own_groups(size_t count, const gid_t *groups)
{
	return count == own.group_count &&
	       (!count || !memcmp(groups, own.groups, count * sizeof(*groups)));
}

/* Where nothing changes it needs no right: in a user namespace nobody may set groups. */
static bool take_groups(const struct identity *identity)
{
	if (are_own_groups(identity->group_count, identity->groups))
		return true;
	has_other_groups = set_groups(identity->group_count, identity->groups);
	return has_other_groups;
}

static bool return_groups(void)
{
	if (has_other_groups && !set_groups(own.group_count, own.groups))
		return false;
	has_other_groups = false;
	return true;
}

/* These two tell of no failure: one that changes nothing asks what came of it. */
static bool set_fs_ids(uid_t uid, gid_t gid)
{
	setfsgid(gid);
	setfsuid(uid);
	return (uid_t)setfsuid((uid_t)-1) == uid && (gid_t)setfsgid((gid_t)-1) == gid;
}

#define UNCHANGED UINT32_MAX

/* The real and saved ids stay: by them others may send signals. privilege.c permits no more. */
static bool set_effective_ids(uid_t uid, gid_t gid)
{
	return !syscall(__NR_setresgid, UNCHANGED, gid, UNCHANGED) &&
	       !syscall(__NR_setresuid, UNCHANGED, uid, UNCHANGED);
}

static bool set_ids(uid_t uid, gid_t gid)
{
	return own.lacks_fsuid ? set_effective_ids(uid, gid) : set_fs_ids(uid, gid);
}

int identity_take(const struct identity *identity, bool real)
{
	unsigned which = real ? 0 : 3;
	uint64_t effective = identity->effective;

	if (real) /* access(2): root's are all that it could have, another's none */
		effective = identity->uid[0] ? 0 : identity->permitted;
	pthread_once(&own_once, learn_own);
	if (is_other || !get_capabilities(put_down))
		return -EPERM;
	is_other = true;
	if (take_groups(identity) && set_ids(identity->uid[which], identity->gid[which]) &&
	    leave_effective(effective))
		return 0;
	identity_return();
	return -EPERM;
}

static bool has_all_of_ours(const struct peer *peer)
{
	struct __user_cap_data_struct ours[2];
	uint64_t theirs;

	return get_capabilities(ours) && !peer_capabilities(peer, &theirs) &&
	       !(effective_of(ours) & ~theirs) && is_in_our_user_namespace(peer) > 0;
}

int identity_take_of(const struct peer *peer)
{
	struct identity identity;
	int error;

	if (has_all_of_ours(peer))
		return 0;
	error = identity_read(peer, &identity);
	if (error)
		return error;
	error = identity_take(&identity, false);
	identity_free(&identity);
	return error;
}

/* First the right to change them; user 0 takes more of them up than there were. */
void identity_return(void)
{
	if (!is_other)
		return;
	if (!set_capabilities(put_down) || !set_ids(own.uid, own.gid) ||
	    !return_groups() || !set_capabilities(put_down)) {
		fprintf(stderr, "fuse_cgroup_run: the supervisor has lost its own rights\n");
		abort();
	}
	is_other = false;
}
