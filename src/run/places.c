/* SPDX-License-Identifier: MIT */
/* Who waits for calls, and where. */
#include "places.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "processor.h"

#define PLACES 2
#define NOWHERE (-1)

struct place {
	bool is_open, is_taken; /* under the lock */
	_Atomic int processor; /* that who has it is kept on, or NOWHERE */
	_Atomic unsigned turn; /* odd while who has it answers; whoever makes it even then has the place */
};

static struct place places[PLACES] = {{.is_open = true, .processor = NOWHERE}, {.processor = NOWHERE}};
static _Atomic unsigned wanted;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t is_free = PTHREAD_COND_INITIALIZER;
static _Thread_local struct place *mine;
static _Thread_local bool is_urgent;
static _Thread_local unsigned turn;

/* How long an answer that need not wait may take, in ns: from once to twice that. */
#define PATIENCE 10000000
static pthread_cond_t is_woken = PTHREAD_COND_INITIALIZER;
static atomic_bool watcher_sleeps;

/*
 * A call wakes all who wait: while one processor asks, a second place only costs. When others ask
 * too, more than one call in a hundred, they would wait for each other.
 */
#define OTHER 100 /* calls from the same processor that weigh as much as one from another */
#define CROWD (20 * OTHER)
static _Atomic int pressure;
static _Atomic int last_processor;
static atomic_bool is_wide; /* the second place is open */

bool places_mine(void)
{
	return mine;
}

unsigned places_wanted(void)
{
	return wanted;
}

static struct place *find_free(void)
{
	for (unsigned i = 0; i < PLACES; i++) {
		if (places[i].is_open && !places[i].is_taken)
			return &places[i];
	}
	return NULL;
}

void places_take(void)
{
	if (mine)
		return;
	is_urgent = processor_be_urgent(); /* already: who leaves is not waited for */
	wanted++;
	pthread_mutex_lock(&lock);
	while (!(mine = find_free()))
		pthread_cond_wait(&is_free, &lock);
	mine->is_taken = true;
	pthread_mutex_unlock(&lock);
	wanted--;
	if (is_urgent && mine->processor != NOWHERE)
		processor_move(mine->processor);
}

static void wake_watcher(void)
{
	pthread_mutex_lock(&lock);
	watcher_sleeps = false;
	pthread_cond_signal(&is_woken);
	pthread_mutex_unlock(&lock);
}

void places_begin(void)
{
	if (!mine)
		return;
	turn = ++mine->turn;
	if (watcher_sleeps)
		wake_watcher();
}

void places_end(void)
{
	unsigned expected = turn;

	if (!mine || atomic_compare_exchange_strong(&mine->turn, &expected, turn + 1))
		return;
	mine = NULL; /* it was taken away */
	if (is_urgent)
		processor_be_ordinary();
}

static void leave(bool is_open)
{
	pthread_mutex_lock(&lock);
	if (!is_open)
		mine->processor = NOWHERE;
	mine->is_taken = false;
	mine->is_open = is_open;
	mine = NULL;
	pthread_cond_signal(&is_free);
	pthread_mutex_unlock(&lock);
	if (is_urgent)
		processor_be_ordinary();
}

void places_leave(void)
{
	if (mine)
		leave(true);
}

static void open_all(void)
{
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < PLACES; i++)
		places[i].is_open = true;
	pthread_cond_signal(&is_free);
	pthread_mutex_unlock(&lock);
}

/* An ordinary thread is woken where the caller is; an urgent one where it was last. */
static void follow(int processor)
{
	for (unsigned i = 0; i < PLACES; i++) {
		if (places[i].processor == processor)
			return;
	}
	processor_move(processor);
	mine->processor = processor;
}

void places_adapt(int processor)
{
	bool is_other = atomic_exchange(&last_processor, processor) != processor;
	int now = pressure + (is_other ? OTHER : -1);

	pressure = now < 0 ? 0 : now > CROWD ? CROWD : now;
	if (is_urgent && mine)
		follow(processor);
	if (now >= CROWD && !atomic_exchange(&is_wide, true))
		open_all();
	else if (now <= 0 && mine && atomic_exchange(&is_wide, false))
		leave(false);
}

/* Until somebody answers, or has since the last look. */
static void wait_for_turns(const unsigned seen[PLACES])
{
	pthread_mutex_lock(&lock);
	watcher_sleeps = true;
	for (unsigned i = 0; i < PLACES; i++) {
		unsigned now = places[i].turn;

		if (now != seen[i] || now % 2)
			watcher_sleeps = false;
	}
	while (watcher_sleeps)
		pthread_cond_wait(&is_woken, &lock);
	pthread_mutex_unlock(&lock);
}

/* From whoever is at this turn still. */
static void take_away(struct place *place, unsigned now, void (*make_another)(void))
{
	if (!atomic_compare_exchange_strong(&place->turn, &now, now + 1))
		return;
	if (!wanted)
		make_another();
	pthread_mutex_lock(&lock);
	place->is_taken = false;
	pthread_cond_signal(&is_free);
	pthread_mutex_unlock(&lock);
}

void places_watch(void (*make_another)(void))
{
	const struct timespec patience = {.tv_nsec = PATIENCE};
	unsigned seen[PLACES] = {0};

	for (;;) {
		wait_for_turns(seen);
		nanosleep(&patience, NULL);
		for (unsigned i = 0; i < PLACES; i++) {
			unsigned now = places[i].turn;

			if (now % 2 && now == seen[i])
				take_away(&places[i], now, make_another);
			seen[i] = now;
		}
	}
}
