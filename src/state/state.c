/* SPDX-License-Identifier: MIT */
/* Keeping the tree in a state directory while it changes. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "changes.h"
#include "file.h"
#include "log.h"
#include "tree_bytes.h"

#define PERIOD_NS 100000000 /* between two looks at what happened while nobody asked */
#define SEEN_PERIODS 10 /* until the file has up to when nothing did, but that strangers were made */
#define GROWTH (1u << 20) /* bytes past twice the last snapshot: time for a new one */

struct state {
	struct tree *tree;
	pthread_mutex_t lock; /* of everything below; outside the tree's */
	struct state_file file;
	struct changes changes; /* of the next record */
	struct text record;
	uint64_t snapshot_size;
	bool broken; /* the file lacks something: a snapshot is due */
	bool complained;
	char boot[64];

	pthread_t thread;
	bool running, quit;
	unsigned periods;
	pthread_cond_t wake;
};

/* --- records --- */

static int snapshot(struct state *state)
{
	struct text boot = {.data = state->boot, .len = strlen(state->boot)};
	struct text *content = &state->changes.content;
	int error = changes_put_everything(&state->changes, &boot);

	text_clear(&state->record);
	kept_put_magic(&state->record);
	kept_put_record(&state->record, content);
	if (!error)
		error = state_file_replace(&state->file, &state->record);
	text_clear(content);
	if (!error)
		state->snapshot_size = state->file.size;
	log_debug("state: all that there is, %zu bytes: %s", state->record.len,
		  error ? strerror(-error) : "written");
	return error;
}

static void complain(struct state *state, int error)
{
	state->broken = error;
	if (error && !state->complained)
		log_error("state: %s: %s: changes are not kept until it can be written again",
			  state->file.path, strerror(-error));
	if (!error && state->complained)
		log_info("state: %s: can be written again", state->file.path);
	state->complained = error;
}

/* What has come together is one record: it counts as a whole or not at all. */
static void flush(struct state *state)
{
	struct text *content = &state->changes.content;
	int error = changes_put_accounting(&state->changes);

	if (error || content->error)
		state->broken = true;
	if (content->len && !state->broken) {
		text_clear(&state->record);
		kept_put_record(&state->record, content);
		error = state_file_append(&state->file, &state->record);
		log_debug("state: what has changed, %zu bytes: %s", state->record.len,
			  error ? strerror(-error) : "written");
		if (error)
			complain(state, error);
	}
	text_clear(content);
	if (state->broken || state->file.size > 2 * state->snapshot_size + GROWTH)
		complain(state, snapshot(state));
}

/* --- changes --- */

void state_begin(struct state *state)
{
	if (state)
		pthread_mutex_lock(&state->lock);
}

void state_end(struct state *state)
{
	if (!state)
		return;
	flush(state);
	pthread_mutex_unlock(&state->lock);
}

void state_keep_path(struct state *state, const char *path)
{
	struct node node;

	if (!state)
		return;
	tree_read_lock(state->tree);
	if (!tree_lookup(state->tree, path, &node)) {
		changes_put_place(&state->changes, node.cgroup);
		if (node.cgroup)
			changes_put_values(&state->changes, node.cgroup);
	}
	tree_unlock(state->tree);
}

void state_keep_attributes(struct state *state, struct cgroup *cgroup)
{
	if (!state)
		return;
	tree_read_lock(state->tree);
	if (!cgroup || !cgroup->dead)
		changes_put_place(&state->changes, cgroup);
	tree_unlock(state->tree);
}

void state_keep_values(struct state *state, struct cgroup *cgroup)
{
	if (!state)
		return;
	tree_read_lock(state->tree);
	changes_put_around(&state->changes, cgroup, true);
	for (struct cgroup *up = cgroup; up && !cgroup->dead; up = up->parent)
		accounting_changed(&up->group); /* a reset goes round the usual ways */
	tree_unlock(state->tree);
}

void state_keep_removal(struct state *state, const char *path, uint64_t number)
{
	char *parent;
	struct node node;

	if (!state)
		return;
	changes_put_removal(&state->changes, number);
	parent = strdup(path);
	if (!parent) {
		state->broken = true;
		return;
	}
	*strrchr(parent, '/') = '\0';
	tree_read_lock(state->tree);
	if (!tree_lookup(state->tree, parent, &node) && node.cgroup)
		changes_put_around(&state->changes, node.cgroup, false);
	tree_unlock(state->tree);
	free(parent);
}

void state_shown(struct state *state, struct cgroup *cgroup)
{
	if (!state)
		return;
	pthread_mutex_lock(&state->lock);
	tree_read_lock(state->tree);
	if (!cgroup->dead) {
		changes_put_values(&state->changes, cgroup);
		if (cgroup->parent)
			changes_put_values(&state->changes, cgroup->hierarchy->root);
	}
	tree_unlock(state->tree);
	flush(state);
	pthread_mutex_unlock(&state->lock);
}

/* --- what happens while nobody asks --- */

static void look(struct state *state)
{
	struct tree *tree = state->tree;

	if (++state->periods % SEEN_PERIODS == 0)
		state->changes.tells_seen = true;
	if (!accounting_has_changed(tree->accounting) && !state->broken &&
	    !state->changes.tells_seen)
		return;
	tree_read_lock(tree);
	for (unsigned i = 0; i < tree->hierarchy_count; i++)
		changes_put_values(&state->changes, tree->hierarchies[i].root);
	tree_unlock(tree);
	flush(state);
}

static void *run(void *arg)
{
	struct state *state = arg;

	pthread_mutex_lock(&state->lock);
	while (!state->quit) {
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += PERIOD_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&state->wake, &state->lock, &until);
		if (!state->quit)
			look(state);
	}
	pthread_mutex_unlock(&state->lock);
	return NULL;
}

bool state_start(struct state *state)
{
	sigset_t all, before;

	if (!state)
		return true;
	accounting_resume(state->tree->accounting);
	pthread_mutex_lock(&state->lock);
	state->changes.tells_seen = true; /* the next daemon is not to look at them again */
	flush(state);
	pthread_mutex_unlock(&state->lock);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	state->running = !pthread_create(&state->thread, NULL, run, state);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return state->running;
}

/* --- start and end --- */

/* 0; a negative errno: which boot this is cannot be told now. */
static int read_boot(struct state *state)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, state->boot, sizeof(state->boot) - 1);
	int error = len < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	if (error && error != -ENOENT)
		return error;
	if (len <= 0)
		strcpy(state->boot, "unknown"); /* (pid, start time) still tells who is gone */
	state->boot[strcspn(state->boot, "\n")] = '\0';
	return 0;
}

static char *refuse(const struct state *state, const char *why)
{
	char name[PATH_MAX + 64], *line;
	int error = state_file_set_aside(&state->file, name, sizeof(name));

	if (error)
		return asprintf(&line, "%s/state is refused: %s", state->file.path, why) < 0 ? NULL
											    : line;
	return asprintf(&line, "%s/state is refused: %s; it is kept as %s, and the next start "
			       "begins anew", state->file.path, why, name) < 0 ? NULL : line;
}

static char *load(struct state *state, const struct text *content)
{
	struct kept kept;
	const char *why = kept_read(&kept, content->data, content->len);
	char *problem = NULL, *line = NULL;
	bool keep = false;

	if (!why) {
		bool same_boot = kept.boot.len == strlen(state->boot) &&
				 !memcmp(kept.boot.data, state->boot, kept.boot.len);

		accounting_import_moment(state->tree->accounting, &kept.seen);
		problem = tree_restore(state->tree, &kept, same_boot, &keep);
	}
	if (why && kept.is_short) {
		keep = true;
		problem = strdup(why);
	}
	if (problem && keep && asprintf(&line, "%s: %s", state->file.path, problem) < 0)
		line = NULL;
	else if (!keep && (why || problem))
		line = refuse(state, why ? why : problem);
	free(problem);
	kept_free(&kept);
	return line;
}

static char *open_and_load(struct state *state, const char *directory)
{
	struct text content = {0};
	char *problem = state_file_open(&state->file, directory);
	bool is_loaded;
	int error;

	if (problem)
		return problem;
	error = read_boot(state);
	if (!error)
		error = state_file_read(&state->file, &content, &problem);
	is_loaded = !error;
	if (!error)
		problem = load(state, &content);
	else if (error == -EINVAL)
		problem = refuse(state, "it is not a file");
	else if (error == -EFBIG)
		problem = refuse(state, "it is larger than 1 GiB, which no daemon has written");
	text_free(&content);
	if (problem)
		return problem;
	if (!error || error == -ENOENT)
		error = snapshot(state);
	if (error && is_loaded) {
		complain(state, error); /* it can be gone on with, and written once that is possible */
		return NULL;
	}
	if (error && asprintf(&problem, "%s: %s: make room, or name a directory that can be written to",
			      state->file.path, strerror(-error)) < 0)
		problem = NULL;
	return problem;
}

static void state_free(struct state *state)
{
	changes_free(&state->changes);
	text_free(&state->record);
	state_file_close(&state->file);
	pthread_cond_destroy(&state->wake);
	pthread_mutex_destroy(&state->lock);
	free(state);
}

struct state *state_open(const char *directory, struct tree *tree, char **problem)
{
	struct state *state = calloc(1, sizeof(*state));
	pthread_condattr_t monotonic;

	*problem = NULL;
	if (!state)
		return NULL;
	state->tree = state->changes.tree = tree;
	pthread_mutex_init(&state->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&state->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	accounting_keep(tree->accounting);
	*problem = open_and_load(state, directory);
	if (!*problem)
		return state;
	state_free(state);
	return NULL;
}

void state_close(struct state *state)
{
	if (!state)
		return;
	pthread_mutex_lock(&state->lock);
	state->quit = true;
	pthread_cond_signal(&state->wake);
	pthread_mutex_unlock(&state->lock);
	if (state->running)
		pthread_join(state->thread, NULL);
	complain(state, snapshot(state));
	state_free(state);
}
