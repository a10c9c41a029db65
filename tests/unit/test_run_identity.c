/* SPDX-License-Identifier: MIT */
/* Rights that cannot be taken are not acted with: nobody goes on as root. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "identity.h"
#include "peer.h"
#include "temporary.h"

#define NOBODY 65534

static bool get(struct __user_cap_data_struct sets[2])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

	return !syscall(__NR_capget, &header, sets);
}

static void set(const struct __user_cap_data_struct sets[2])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

	assert_int_equal(syscall(__NR_capset, &header, sets), 0);
}

static uint32_t effective(void)
{
	struct __user_cap_data_struct sets[2];

	assert_true(get(sets));
	return sets[0].effective;
}

static void skip_unless_root(void)
{
	if (geteuid())
		skip();
}

/* gVisor has no filesystem ids: the effective ones count. */
static bool lacks_fsuid(void)
{
	return syscall(__NR_setfsuid, -1) < 0 && errno == ENOSYS;
}

static void assert_is(uid_t uid, gid_t gid)
{
	uid_t real, effective, saved;

	assert_int_equal(getresuid(&real, &effective, &saved), 0);
	assert_int_equal(real, 0); /* lest others may send signals */
	assert_int_equal(saved, 0);
	if (lacks_fsuid()) {
		assert_int_equal(effective, uid);
		assert_int_equal(getegid(), gid);
		return;
	}
	assert_int_equal(setfsuid((uid_t)-1), uid);
	assert_int_equal(setfsgid((gid_t)-1), gid);
}

static struct identity nobody(gid_t *groups, size_t count)
{
	return (struct identity){
		.uid = {1, 2, 3, NOBODY}, .gid = {4, 5, 6, NOBODY},
		.permitted = ~0ull, .effective = 1 << CAP_NET_RAW | 1ull << 63,
		.groups = groups, .group_count = count,
	};
}

static void test_there_and_back(void **state)
{
	gid_t groups[] = {7, 8}, found[8], before[1024];
	struct identity identity = nobody(groups, 2);
	int count = getgroups(1024, before);
	uint32_t own = effective();

	(void)state;
	skip_unless_root();
	assert_int_equal(identity_take(&identity, false), 0);
	assert_is(NOBODY, NOBODY);
	assert_int_equal(effective(), own & (1 << CAP_NET_RAW));
	assert_int_equal(getgroups(8, found), 2);
	assert_int_equal(found[1], 8);
	assert_int_equal(identity_take(&identity, false), -EPERM); /* not twice */
	identity_return();
	assert_is(0, 0);
	assert_int_equal(effective(), own);
	assert_int_equal(getgroups(8, found), count);
	identity_return(); /* nothing to return from */
	assert_is(0, 0);

	assert_int_equal(identity_take(&identity, true), 0);
	assert_is(1, 4);
	assert_int_equal(effective(), 0); /* access(2) by an ordinary user */
	identity_return();
	identity.uid[0] = 0;
	assert_int_equal(identity_take(&identity, true), 0);
	assert_int_equal(effective(), own); /* and by root */
	identity_return();
	assert_int_equal(effective(), own);
}

static bool can_open(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

struct other {
	const char *name;
	pthread_barrier_t ready, taken;
	bool opened;
};

static void *open_meanwhile(void *argument)
{
	struct other *other = argument;

	pthread_barrier_wait(&other->ready);
	pthread_barrier_wait(&other->taken);
	other->opened = can_open(other->name);
	return NULL;
}

/* What counts: this thread, and no other, opens nothing that is root's alone. */
static void test_files(void **state)
{
	struct identity identity = nobody(NULL, 0);
	char name[TEMPORARY_MAX];
	struct other other = {.name = name};
	pthread_t thread;
	bool opened;
	int fd, error;

	(void)state;
	skip_unless_root();
	fd = mkstemp(temporary(name, "/tmp/test_run_identity"));
	assert_true(fd >= 0);
	close(fd);
	pthread_barrier_init(&other.ready, NULL, 2);
	pthread_barrier_init(&other.taken, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, open_meanwhile, &other), 0);
	pthread_barrier_wait(&other.ready);
	assert_int_equal(identity_take(&identity, false), 0);
	opened = can_open(name);
	error = errno;
	pthread_barrier_wait(&other.taken);
	pthread_join(thread, NULL);
	identity_return();
	assert_false(opened);
	assert_int_equal(error, EACCES);
	assert_true(other.opened);
	assert_true(can_open(name));
	assert_int_equal(unlink(name), 0);
	pthread_barrier_destroy(&other.ready);
	pthread_barrier_destroy(&other.taken);
}

/* Without the right to change this one. */
static void assert_refused(unsigned capability, const struct identity *identity)
{
	struct __user_cap_data_struct sets[2], less[2];

	assert_true(get(sets));
	memcpy(less, sets, sizeof(less));
	less[0].effective &= ~(1u << capability);
	set(less);
	assert_int_equal(identity_take(identity, false), -EPERM);
	assert_is(0, 0);
	assert_int_equal(effective(), less[0].effective);
	set(sets);
}

static void test_refused(void **state)
{
	gid_t groups[] = {7, 8};
	struct identity identity = nobody(groups, 2);

	(void)state;
	skip_unless_root();
	assert_refused(CAP_SETGID, &identity);
	assert_refused(CAP_SETUID, &identity);
	identity.uid[3] = 0;
	identity.group_count = 0;
	assert_refused(CAP_SETGID, &identity);
}

static bool is_same(uint64_t call)
{
	return call;
}

static void test_of_a_task(void **state)
{
	struct peer *self = peer_new(getpid(), is_same, 1), *gone = peer_new(getpid(), is_same, 0);
	struct identity identity;

	(void)state;
	umask(027);
	identity_expect_umask(027); /* where nothing tells of it */
	assert_int_equal(identity_read(self, &identity), 0);
	assert_int_equal(identity.uid[0], getuid());
	assert_int_equal(identity.gid[3], getegid());
	assert_int_equal(identity.umask, 027);
	assert_int_equal((uint32_t)identity.effective, effective());
	assert_int_equal(identity.group_count, getgroups(0, NULL));
	identity_free(&identity);
	assert_int_equal(identity_take_of(self), 0);
	identity_return();
	assert_int_equal(identity_read(gone, &identity), -ESRCH);
	assert_int_equal(identity_take_of(gone), -ESRCH);
	peer_free(self);
	peer_free(gone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_of_a_task),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
