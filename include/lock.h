/* SPDX-License-Identifier: MIT */
/*
 * Locks that are asserted: a function whose caller must have one says so by its first statement. Built with
 * -DDEBUG_LOCKS, as the sanitizers' builds are, it ends the program when that is not so; else it is nothing.
 * Whoever asserts a lock initializes it by lock_init(). The order of locks is the thread sanitizer's to see.
 */
#ifndef LOCK_H
#define LOCK_H

#include <pthread.h>

#ifdef DEBUG_LOCKS

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <time.h>

/* One that knows who has it (PTHREAD_MUTEX_ERRORCHECK). */
static inline void lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t checks;

	pthread_mutexattr_init(&checks);
	pthread_mutexattr_settype(&checks, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(lock, &checks);
	pthread_mutexattr_destroy(&checks);
}

#define LOCK_INITIALIZER PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP

/* Whether this thread has the lock. Waits for nobody. */
static inline bool lock_is_ours(const pthread_mutex_t *lock)
{
	const struct timespec past = {0};
	int error = pthread_mutex_timedlock((pthread_mutex_t *)lock, &past);

	if (!error)
		pthread_mutex_unlock((pthread_mutex_t *)lock);
	return error == EDEADLK;
}

/* Whether somebody has the lock, for writing or reading: who reads is not known. */
static inline bool rwlock_is_taken(const pthread_rwlock_t *lock)
{
	int error = pthread_rwlock_trywrlock((pthread_rwlock_t *)lock);

	if (!error)
		pthread_rwlock_unlock((pthread_rwlock_t *)lock);
	return error;
}

/* Whether this thread has it for writing. */
static inline bool rwlock_is_ours(const pthread_rwlock_t *lock)
{
	const struct timespec past = {0};
	int error = pthread_rwlock_timedwrlock((pthread_rwlock_t *)lock, &past);

	if (!error)
		pthread_rwlock_unlock((pthread_rwlock_t *)lock);
	return error == EDEADLK;
}

#define assert_locked(lock) assert(lock_is_ours(lock))
#define assert_rwlocked(lock) assert(rwlock_is_taken(lock))
#define assert_write_locked(lock) assert(rwlock_is_ours(lock))

#else

#define lock_init(lock) pthread_mutex_init((lock), NULL)
#define LOCK_INITIALIZER PTHREAD_MUTEX_INITIALIZER
#define assert_locked(lock) ((void)sizeof(lock))
#define assert_rwlocked(lock) ((void)sizeof(lock))
#define assert_write_locked(lock) ((void)sizeof(lock))

#endif

static inline pthread_mutex_t *lock_take(pthread_mutex_t *lock)
{
	pthread_mutex_lock(lock);
	return lock;
}

static inline void lock_give(pthread_mutex_t **lock)
{
	pthread_mutex_unlock(*lock);
}

/* Has the mutex from here to the end of the block, however that is left. */
#define guard(lock) \
	pthread_mutex_t *guarded __attribute__((cleanup(lock_give), unused)) = lock_take(lock)

#endif
