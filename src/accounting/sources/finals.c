/* SPDX-License-Identifier: MIT */
/* What tasks used in their lives, as told at their exits: it waits for the event of the exit. */
#include "events.h"

#include <stdlib.h>

/* What a task used in its life; waits for the event of its exit. */
struct final {
	pid_t tid;
	struct exit_figures figures;
	UT_hash_handle hh;
};

void finals_keep(struct finals *finals, pid_t tid, const struct exit_figures *figures)
{
	struct final *final;

	HASH_FIND_INT(finals->all, &tid, final);
	if (!final) {
		final = calloc(1, sizeof(*final));
		if (!final)
			return;
		final->tid = tid;
		HASH_ADD_INT(finals->all, tid, final);
		if (!HASH_KEPT(hh, final))
			return;
	}
	final->figures = *figures;
}

bool finals_take(struct finals *finals, pid_t tid, struct exit_figures *figures)
{
	struct final *final;

	HASH_FIND_INT(finals->all, &tid, final);
	if (!final)
		return false;
	*figures = final->figures;
	HASH_DEL(finals->all, final);
	free(final);
	return true;
}

void finals_forget(struct finals *finals)
{
	struct final *final, *next;

	HASH_ITER(hh, finals->all, final, next) {
		HASH_DEL(finals->all, final);
		free(final);
	}
}
