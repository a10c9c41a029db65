/* SPDX-License-Identifier: MIT */
/* Whether there is anyone in it, and how well what it has is known. */
#include "table.h"

bool accounting_tells_exits(const struct accounting *accounting)
{
	return accounting->source && accounting->source->tells_exits;
}

bool accounting_is_idle(struct accounting *accounting)
{
	guard(&accounting->lock);
	return !accounting->processes;
}
