/* SPDX-License-Identifier: MIT */
/*
 * Anonymous memory that a process shares with its children. After fork() each page has one
 * sharer more, until the child writes to it, execs or ends. Files of several processes cannot
 * be read at one moment: the child may be unknown when its parent's part has become less, and
 * gone when its own part would be read. So a parent holds all that nobody else is known to.
 */
#include <utlist.h>

#include "ledger.h"

#define LITTLE 65536u /* bytes: not worth a question */
#define STRANGERS_TIME 1000000000u /* ns */
#define STRANGERS_READINGS 4u /* at least, in that time */

/* The most that the process can hold of pages that others have too. */
static uint64_t part_of(const struct process *process)
{
	const struct sharing *sharing = &process->sharing;

	return sharing->shared < sharing->anon ? sharing->shared : sharing->anon;
}

/* What a parent shares, it may share with all of its descendants: its children's files tell less. */
static bool is_heads(const struct process *process)
{
	return !process->parent || part_of(process->parent) < LITTLE;
}

/* What the descendants hold, as far as it matters. */
static uint64_t descendants_part(const struct process *process, uint64_t enough)
{
	const struct process *child;
	uint64_t sum = 0;

	DL_FOREACH(process->children, child) {
		if (sum < enough)
			sum += part_of(child);
		if (sum < enough)
			sum += descendants_part(child, enough - sum);
	}
	return sum;
}

/* What is shared with nobody who is known. */
static uint64_t unexplained(const struct process *process)
{
	uint64_t shared = process->sharing.shared, known;

	if (shared < LITTLE)
		return 0;
	known = descendants_part(process, shared);
	return known < shared ? shared - known : 0;
}

void sharing_note(struct process *process, uint64_t anon, uint64_t shared)
{
	process->sharing.anon = anon;
	process->sharing.shared = shared;
}

static void believe(struct sharing *sharing, uint64_t strangers, uint64_t at)
{
	sharing->strangers = strangers;
	sharing->least = UINT64_MAX;
	sharing->since = at;
	sharing->readings = 0;
}

/* What is missing each time is a stranger's: a parent whose children come and go gets it back. */
void sharing_judge(struct process *process, uint64_t at)
{
	struct sharing *sharing = &process->sharing;
	uint64_t excess;

	if (!is_heads(process)) { /* its parent's other children have some */
		believe(sharing, sharing->shared, at);
		return;
	}
	excess = unexplained(process);
	if (!sharing->since || excess <= sharing->strangers) {
		believe(sharing, excess, at);
		return;
	}
	if (excess < sharing->least)
		sharing->least = excess;
	if (++sharing->readings >= STRANGERS_READINGS && at - sharing->since >= STRANGERS_TIME)
		believe(sharing, sharing->least, at);
}

uint64_t sharing_anon(const struct process *process)
{
	const struct sharing *sharing = &process->sharing;
	uint64_t excess = is_heads(process) ? unexplained(process) : 0;

	return sharing->anon + (excess > sharing->strangers ? excess - sharing->strangers : 0);
}

bool sharing_is_doubtful(const struct process *process)
{
	return sharing_anon(process) - process->sharing.anon >= LITTLE;
}

struct process *sharing_head(const struct process *process)
{
	struct process *head = process->parent;

	while (head && !is_heads(head))
		head = head->parent;
	return head && head->sharing.shared >= LITTLE ? head : NULL;
}

void sharing_leave(const struct process *process)
{
	struct process *head = sharing_head(process);

	if (head)
		head->sharing.strangers += part_of(process);
}
