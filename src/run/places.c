/* Who waits for calls, and where. */
#include "places.h"

#include <pthread.h>
#include <stdatomic.h>

#include "processor.h"

#define PLACES 2
#define NOWHERE (-1)

struct place {
	bool is_open, is_taken; /* under the lock */
	_Atomic int processor; /* that who has it is kept on, or NOWHERE */
};

static struct place places[PLACES] = {{.is_open = true, .processor = NOWHERE}, {.processor = NOWHERE}};
static _Atomic unsigned wanted;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t is_free = PTHREAD_COND_INITIALIZER;
static _Thread_local struct place *mine;
static _Thread_local bool is_urgent;

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
