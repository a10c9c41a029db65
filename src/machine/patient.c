/* SPDX-License-Identifier: MIT */
/* Asking what may never answer, by threads that may be lost. */
#include "machine_patient.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <utlist.h>

#include "clock.h"
#include "lock.h"
#include "log.h"
#include "patient.h"
#include "task.h"

#define MS 1000000u /* ns */
#define ASLEEP_MAX (50 * MS) /* what a lock's owner may take that is not hung */
#define ASLEEP_MIN (2 * MS) /* the same after many losses within RECENT */
#define RECENT (1000 * MS)
#define RUNNING_MAX (1000 * MS) /* for a large process, or on a busy machine */
#define LOSSES_MAX (100 * MS) /* for one asker */
#define LOST_MAX 512
#define LOST_OF_USER 64
#define IDLE_MAX 4
#define LOG_EVERY (10000ull * MS)
#define STACK_SIZE (256 * 1024) /* the sanitizers' frames are large */

/* What one asker wants to know. */
struct job {
	const struct patient_kind *kind;
	char *questions;
	size_t count, next; /* next: the one that is asked, or will be */
	uint64_t since; /* ns: when that one was */
	bool done;
};

struct reader {
	struct patient *patient;
	pthread_t thread;
	_Atomic pid_t tid; /* 0: it has not begun to run */
	sem_t asked, answered;
	struct job *job; /* NULL: it has none, or is lost */
	bool is_lost;
	pid_t pid; /* whom it asks */
	uid_t uid; /* once it is lost: whose that is */
	struct reader *prev, *next; /* utlist: idle or lost */
	_Alignas(max_align_t) char question[PATIENT_QUESTION_MAX];
};

static _Thread_local bool is_reader;

struct patient {
	const struct machine *machine;
	pthread_mutex_t lock; /* of all that follows, of readers and of jobs; innermost */
	struct reader *idle, *lost;
	unsigned idle_count, lost_count;
	uint64_t losses; /* ever */
	uint64_t recent; /* of them: each less than RECENT after the one before */
	uint64_t lost_at; /* ns: when the last was */
	uint64_t logged_at; /* ns: when one was logged last; 0: never */
	bool is_logged; /* that some are lost */
	bool quit;
};

/* The user of a task that is hung: status takes no lock of it. */
static uid_t user_of(const struct machine *machine, pid_t pid)
{
	struct machine_task_status status;

	return machine_task_status(machine, pid, 0, &status) ? 0 : status.uid[0];
}

/* --- who may be asked; under the lock --- */

static unsigned lost_of_user(const struct patient *patient, uid_t uid)
{
	const struct reader *reader;
	unsigned count = 0;

	DL_FOREACH(patient->lost, reader)
		count += reader->uid == uid;
	return count;
}

static bool may_ask(const struct patient *patient, pid_t pid)
{
	const struct reader *reader;

	assert_locked(&patient->lock);
	if (!patient->lost)
		return true;
	DL_FOREACH(patient->lost, reader) {
		if (reader->pid == pid)
			return false;
	}
	if (patient->lost_count < LOST_OF_USER)
		return true;
	return patient->lost_count < LOST_MAX &&
	       lost_of_user(patient, user_of(patient->machine, pid)) < LOST_OF_USER;
}

static struct patient_head *head_of(const struct job *job)
{
	return (void *)(job->questions + job->next * job->kind->size);
}

/* The reader's next question. False: there is none. */
static bool take_question(struct reader *reader)
{
	struct job *job = reader->job;
	const struct patient_head *head;

	for (; job->next < job->count; job->next++) {
		head = head_of(job);
		if (head->passed_over || !may_ask(reader->patient, head->pid))
			continue;
		memcpy(reader->question, head, job->kind->size);
		reader->pid = head->pid;
		job->since = now_ns();
		return true;
	}
	return false;
}

static void give_answer(struct reader *reader)
{
	struct job *job = reader->job;

	memcpy(head_of(job), reader->question, job->kind->size);
	head_of(job)->answered = true;
	job->next++;
}

/* --- losses; under the lock --- */

static uint64_t recent_losses(const struct patient *patient, uint64_t now)
{
	return now - patient->lost_at < RECENT ? patient->recent : 0;
}

/* However many hang at once, all that is waited for them adds up to little: half as long, a third, ... */
static uint64_t asleep_max(const struct patient *patient, uint64_t now)
{
	uint64_t time = ASLEEP_MAX / (1 + recent_losses(patient, now));

	return time > ASLEEP_MIN ? time : ASLEEP_MIN;
}

static void lose(struct reader *reader, uint64_t now)
{
	struct patient *patient = reader->patient;

	assert_locked(&patient->lock);
	patient->recent = recent_losses(patient, now) + 1;
	patient->lost_at = now;
	reader->job = NULL;
	reader->is_lost = true;
	reader->uid = user_of(patient->machine, reader->pid);
	DL_APPEND(patient->lost, reader);
	patient->lost_count++;
	patient->losses++;
}

static void come_back(struct reader *reader)
{
	reader->is_lost = false;
	DL_DELETE(reader->patient->lost, reader);
	reader->patient->lost_count--;
}

/* Called with the lock, which is let go: who has the log read may be slow. */
static void log_and_unlock(struct patient *patient)
{
	const unsigned lost = patient->lost_count;
	const uint64_t losses = patient->losses, now = now_ns();
	const pid_t last = lost ? patient->lost->prev->pid : 0;
	bool more = lost && (!patient->logged_at || now - patient->logged_at >= LOG_EVERY);
	bool none = !lost && patient->is_logged;

	assert_locked(&patient->lock);
	if (more)
		patient->logged_at = now;
	if (more || none)
		patient->is_logged = more;
	pthread_mutex_unlock(&patient->lock);
	if (more)
		log_warning(
			"accounting: process %d does not let its files be read: what is known of it stays "
			"(such processes now: %u, losses since the start: %lu)",
			last, lost, losses);
	if (none)
		log_info("accounting: all processes let their files be read again "
			 "(losses since the start: %lu)",
			 losses);
}

/* --- a reader --- */

static void rest(struct reader *reader)
{
	struct patient *patient = reader->patient;

	DL_PREPEND(patient->idle, reader); /* whose stack and cache are warm */
	patient->idle_count++;
}

/* True: it was lost meanwhile. The lock is held, but not while it asks. */
static bool work(struct reader *reader)
{
	struct patient *patient = reader->patient;
	const struct patient_kind *kind = reader->job->kind;

	while (take_question(reader)) {
		pthread_mutex_unlock(&patient->lock);
		kind->ask(patient->machine, reader->question);
		pthread_mutex_lock(&patient->lock);
		if (reader->is_lost) {
			if (kind->drop)
				kind->drop(reader->question);
			return true;
		}
		give_answer(reader);
	}
	return false;
}

static void reader_free(struct reader *reader)
{
	sem_destroy(&reader->asked);
	sem_destroy(&reader->answered);
	free(reader);
}

/* Called with the lock, which is let go. False: it is not needed any more, and has freed itself. */
static bool return_from_loss(struct reader *reader)
{
	struct patient *patient = reader->patient;
	bool stays = !patient->quit && patient->idle_count < IDLE_MAX;

	come_back(reader);
	if (stays)
		rest(reader);
	log_and_unlock(patient);
	if (!stays) {
		pthread_detach(reader->thread);
		reader_free(reader);
	}
	return stays;
}

/* Called with the lock, which is let go. False: it ends. */
static bool turn(struct reader *reader)
{
	bool has_job = reader->job;

	if (reader->is_lost || (has_job && work(reader)))
		return return_from_loss(reader);
	if (has_job)
		reader->job->done = true;
	reader->job = NULL;
	pthread_mutex_unlock(&reader->patient->lock);
	if (has_job)
		sem_post(&reader->answered);
	return has_job;
}

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) && errno == EINTR)
		;
}

static void *read_for_others(void *arg)
{
	struct reader *reader = arg;

	is_reader = true;
	reader->tid = gettid();
	do {
		wait_for(&reader->asked);
		pthread_mutex_lock(&reader->patient->lock);
	} while (turn(reader));
	return NULL;
}

/* Signals are the main thread's. */
static int start_thread(struct reader *reader)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int error;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&reader->thread, &attributes, read_for_others, reader);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return error;
}

static struct reader *reader_new(struct patient *patient)
{
	struct reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->patient = patient;
	sem_init(&reader->asked, 0, 0);
	sem_init(&reader->answered, 0, 0);
	if (!start_thread(reader))
		return reader;
	reader_free(reader);
	return NULL;
}

/* --- an asker --- */

/* One that rests, or a new one. Called with the lock, which is let go while one is made. */
static struct reader *reader_get(struct patient *patient)
{
	struct reader *reader = patient->idle;

	if (reader) {
		DL_DELETE(patient->idle, reader);
		patient->idle_count--;
		return reader;
	}
	pthread_mutex_unlock(&patient->lock);
	reader = reader_new(patient);
	pthread_mutex_lock(&patient->lock);
	return reader;
}

/* Whether it would go on if it had a processor, or has one: then nobody keeps it waiting. */
static bool is_running(const struct machine *machine, const struct reader *reader)
{
	struct machine_task_stat stat;
	struct file file;
	char path[64];
	bool runs = !reader->tid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", reader->tid);
	if (runs || file_read(machine->proc, path, FILE_RECORD, &file))
		return runs;
	if (!machine_parse_task_stat(file.text, file.len, &stat))
		runs = stat.state == 'R';
	file_free(&file);
	return runs;
}

/* Until `until` (ns) at most. False: it has not answered. */
static bool wait_until(struct reader *reader, uint64_t until)
{
	const struct timespec time = {.tv_sec = (time_t)(until / 1000000000u),
				      .tv_nsec = (long)(until % 1000000000u)};
	int failed;

	do
		failed = sem_clockwait(&reader->answered, CLOCK_MONOTONIC, &time);
	while (failed && errno == EINTR);
	return !failed;
}

/* Whether the reader has been at its question for too long. Under the lock. */
static bool is_hung(const struct reader *reader, const struct job *job, uint64_t now)
{
	uint64_t age = now - job->since;

	if (age < asleep_max(reader->patient, now))
		return false;
	return age >= RUNNING_MAX || !is_running(reader->patient->machine, reader);
}

/* Has the reader work at the job; the lock is held at both ends. False: the reader is lost. */
static bool have_read(struct reader *reader, struct job *job)
{
	struct patient *patient = reader->patient;
	uint64_t now = now_ns(), time = asleep_max(patient, now), until = now + time;

	assert_locked(&patient->lock);
	reader->job = job;
	reader->pid = head_of(job)->pid;
	job->since = now;
	pthread_mutex_unlock(&patient->lock);
	sem_post(&reader->asked);
	while (!wait_until(reader, until)) {
		pthread_mutex_lock(&patient->lock);
		now = now_ns();
		if (!job->done && is_hung(reader, job, now)) {
			lose(reader, now);
			return false;
		}
		time = asleep_max(patient, now);
		until = job->since + time > now ? job->since + time : now + ASLEEP_MIN;
		pthread_mutex_unlock(&patient->lock);
	}
	pthread_mutex_lock(&patient->lock);
	return true;
}

static int ask_readers(struct patient *patient, const struct patient_kind *kind, void *questions,
		       size_t count)
{
	struct job job = {.kind = kind, .questions = questions, .count = count};
	struct reader *reader;
	int error = 0;
	uint64_t lost_at = 0; /* ns: when that was asked which was lost first */

	while (job.next < count && head_of(&job)->passed_over)
		job.next++; /* nobody is woken for nothing */
	pthread_mutex_lock(&patient->lock);
	while (job.next < count && (!lost_at || now_ns() - lost_at < LOSSES_MAX)) {
		reader = reader_get(patient);
		error = reader ? 0 : -EAGAIN;
		if (error)
			break;
		if (have_read(reader, &job)) {
			rest(reader);
			break;
		}
		if (!lost_at)
			lost_at = job.since;
		job.next++;
	}
	if (lost_at)
		log_and_unlock(patient);
	else
		pthread_mutex_unlock(&patient->lock);
	return error;
}

static int ask_oneself(const struct machine *machine, const struct patient_kind *kind, char *questions,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct patient_head *head = (void *)(questions + i * kind->size);

		if (head->passed_over)
			continue;
		kind->ask(machine, head);
		head->answered = true;
	}
	return 0;
}

int patient_ask(const struct machine *machine, const struct patient_kind *kind, void *questions,
		size_t count)
{
	if (machine->is_patient && !is_reader)
		return ask_readers(machine->patient, kind, questions, count);
	return ask_oneself(machine, kind, questions, count);
}

/* --- lifetime --- */

void machine_be_patient(struct machine *machine)
{
	machine->is_patient = true;
}

struct patient *patient_new(const struct machine *machine)
{
	struct patient *patient = calloc(1, sizeof(*patient));

	if (!patient)
		return NULL;
	patient->machine = machine;
	lock_init(&patient->lock);
	return patient;
}

bool patient_free(struct patient *patient)
{
	struct reader *reader, *next;
	bool lost;

	pthread_mutex_lock(&patient->lock);
	patient->quit = true;
	lost = patient->lost;
	pthread_mutex_unlock(&patient->lock);
	DL_FOREACH_SAFE(patient->idle, reader, next) {
		DL_DELETE(patient->idle, reader);
		sem_post(&reader->asked);
		pthread_join(reader->thread, NULL);
		reader_free(reader);
	}
	if (lost)
		return false;
	pthread_mutex_destroy(&patient->lock);
	free(patient);
	return true;
}
