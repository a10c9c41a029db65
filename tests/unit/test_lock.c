/* SPDX-License-Identifier: MIT */
/* Who has a lock, as builds for finding faults ask. */
#include "fixture.h"

#ifndef DEBUG_LOCKS
#define DEBUG_LOCKS
#endif
#include "lock.h"

struct locks {
	pthread_mutex_t mutex;
	pthread_rwlock_t rwlock;
	bool is_ours, is_write_ours, is_taken;
};

static void *look(void *context)
{
	struct locks *locks = context;

	locks->is_ours = lock_is_ours(&locks->mutex);
	locks->is_write_ours = rwlock_is_ours(&locks->rwlock);
	locks->is_taken = rwlock_is_taken(&locks->rwlock);
	return NULL;
}

static void look_from_elsewhere(struct locks *locks)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, look, locks), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void who_has_it(void **state)
{
	struct locks locks = {.rwlock = PTHREAD_RWLOCK_INITIALIZER};

	(void)state;
	lock_init(&locks.mutex);
	pthread_mutex_lock(&locks.mutex);
	pthread_rwlock_wrlock(&locks.rwlock);
	assert_true(lock_is_ours(&locks.mutex));
	assert_true(rwlock_is_ours(&locks.rwlock));
	assert_true(rwlock_is_taken(&locks.rwlock));
	look_from_elsewhere(&locks);
	assert_false(locks.is_ours);
	assert_false(locks.is_write_ours);
	assert_true(locks.is_taken);
	pthread_rwlock_unlock(&locks.rwlock);
	pthread_mutex_unlock(&locks.mutex);
	pthread_rwlock_destroy(&locks.rwlock);
	pthread_mutex_destroy(&locks.mutex);
}

static void who_reads(void **state)
{
	struct locks locks = {.mutex = LOCK_INITIALIZER, .rwlock = PTHREAD_RWLOCK_INITIALIZER};

	(void)state;
	assert_false(lock_is_ours(&locks.mutex));
	assert_false(rwlock_is_taken(&locks.rwlock));
	pthread_rwlock_rdlock(&locks.rwlock);
	assert_false(rwlock_is_ours(&locks.rwlock));
	assert_true(rwlock_is_taken(&locks.rwlock));
	pthread_rwlock_unlock(&locks.rwlock);
	assert_false(rwlock_is_taken(&locks.rwlock));
	pthread_rwlock_destroy(&locks.rwlock);
	pthread_mutex_destroy(&locks.mutex);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_it),
		cmocka_unit_test(who_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
