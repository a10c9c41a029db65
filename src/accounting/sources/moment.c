/* SPDX-License-Identifier: MIT */
/*
 * Which task was made before which moment. Start times are in ticks, and much
 * happens within one: there the numbers tell, which are given in turn.
 */
#include "sources.h"

/* Numbers of one tick that lie further apart have the end of all numbers between them. */
#define ROUND 16384
/* A new task may be dated this many ticks back: gVisor rounds uptime, and its start down. */
#define LATE 2

struct accounting_moment moment_now(const struct accounting *accounting)
{
	struct accounting_moment now = {.at = now_ns()};
	uint64_t uptime;

	/* In this order: whoever has a later number did not start in an earlier tick. */
	if (!machine_uptime(accounting->machine, &uptime))
		now.ticks = uptime / MACHINE_TICK_NS;
	if (machine_last_pid(accounting->machine, &now.last_pid))
		now.last_pid = 0;
	if (!now.last_pid)
		now.ticks -= now.ticks < LATE ? now.ticks : LATE;
	return now;
}

int task_id_of_hung(const struct machine *machine, struct task_id *id)
{
	uint64_t uptime;
	int error = machine_uptime(machine, &uptime);

	if (!error)
		id->forked_at = uptime / MACHINE_TICK_NS;
	return error;
}

bool moment_is_before(const struct accounting_moment *moment, uint64_t ticks, pid_t number)
{
	int64_t ahead = (int64_t)number - moment->last_pid;

	if (!moment->last_pid || ticks > moment->ticks || ticks + LATE < moment->ticks)
		return ticks >= moment->ticks;
	return ahead > ROUND ? false : ahead < -ROUND ? true : ahead > 0;
}

void moment_reach(struct accounting *accounting, const struct accounting_moment *moment)
{
	struct accounting_moment *seen = &accounting->seen;

	assert_locked(&accounting->lock);
	if (moment_is_before(seen, moment->ticks, moment->last_pid))
		*seen = *moment;
}

struct accounting_moment moment_seen(struct accounting *accounting)
{
	guard(&accounting->lock);
	return accounting->seen;
}
