/* SPDX-License-Identifier: MIT */
/* What the view tells of a task's cgroups. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "machine_task.h"
#include "membership.h"
#include "peer.h"
#include "view.h"

int view_root(const struct view *view, const struct text *roots, const char *word, size_t word_len,
	      struct text *root)
{
	struct membership membership;

	text_clear(root);
	if (!roots || !roots->len)
		text_add(root, view->prefix);
	else if (membership_find(roots, word, word_len, &membership) && membership.path_len > 1)
		text_add_bytes(root, membership.path, membership.path_len);
	text_add_bytes(root, "", 1);
	return root->error;
}

static void add_membership(struct text *out, const struct view *view, const struct text *roots,
			   const struct membership *membership)
{
	struct text root = {0};
	int error = view_root(view, roots, membership->word, membership->word_len, &root);

	if (error)
		out->error = error;
	else
		view_add_path(out, root.data, membership->path, membership->path_len);
	text_add(out, "\n");
	text_free(&root);
}

#define PF_EXITING 0x4 /* linux/sched.h */

/*
 * proc_cgroup_show(): who is exiting, a zombie too, is told to be in the root of each of v1's hierarchies.
 * Who hangs is taken for none of them.
 */
static bool is_exiting(const struct view *view, const struct peer *peer)
{
	struct machine_task_stat stat;

	return !peer_task_stat(view->machine, peer, &stat) && stat.flags & PF_EXITING;
}

int view_task(struct view *view, const struct text *roots, const struct peer *peer,
	      struct text *out)
{
	struct membership membership;
	struct text text = {0};
	int error = view_memberships(view, peer, &text);
	bool exiting = !error && !view->unified && is_exiting(view, peer);
	const char *at = text.data, *line;
	size_t len;

	text_clear(out);
	while (!error && (line = membership_next_line(&at, text.data + text.len, &len))) {
		if (!membership_split(line, len, &membership))
			continue;
		text_add_bytes(out, line, (size_t)(membership.path - line));
		if (exiting)
			text_add(out, "/\n");
		else
			add_membership(out, view, roots, &membership);
	}
	text_free(&text);
	return error ? error : out->error;
}

/* v2: the cgroup itself or the nearest above it that has the controller. */
static void go_to_cpuset(struct view *view, struct membership *membership)
{
	char path[PATH_MAX];
	bool has = false;

	while (membership->path_len > 1 && !has) {
		snprintf(path, sizeof(path), ".%.*s/cpuset.cpus", (int)membership->path_len,
			 membership->path);
		pthread_rwlock_rdlock(&view->lock);
		has = !faccessat(view->top, path, F_OK, 0);
		pthread_rwlock_unlock(&view->lock);
		if (!has)
			membership->path_len = (size_t)((const char *)memrchr(
				membership->path, '/', membership->path_len) - membership->path);
	}
}

int view_cpuset(struct view *view, const struct text *roots, const struct peer *peer,
	      struct text *out)
{
	const char *word = view->unified ? "" : "cpuset";
	struct membership membership;
	struct text text = {0};
	int error = view_memberships(view, peer, &text);
	bool found = !error && membership_find(&text, word, strlen(word), &membership);

	text_clear(out);
	if (found && view->unified)
		go_to_cpuset(view, &membership);
	if (found)
		add_membership(out, view, roots, &membership);
	else
		text_add(out, "/\n"); /* nobody has left the root of what is mounted nowhere */
	text_free(&text);
	return error ? error : out->error;
}

/* How much of `path` is the directory `prefix` or one above it; whole names only. */
static size_t common_length(const char *prefix, const char *path, size_t len)
{
	size_t common = 0;

	for (size_t i = 0;; i++) {
		bool prefix_ends = prefix[i] == '\0' || prefix[i] == '/';
		bool path_ends = i >= len || path[i] == '/';

		if (prefix_ends && path_ends)
			common = i;
		if (prefix[i] == '\0' || i >= len || prefix[i] != path[i])
			return common;
	}
}

void view_add_path(struct text *out, const char *prefix, const char *path, size_t len)
{
	size_t before = out->len, common;

	if (len == 1) /* the root is no name below itself */
		len = 0;
	common = common_length(prefix, path, len);
	for (const char *rest = prefix + common; *rest; rest++) {
		if (*rest == '/')
			text_add(out, "/..");
	}
	text_add_bytes(out, path + common, len - common);
	if (out->len == before)
		text_add(out, "/");
}
