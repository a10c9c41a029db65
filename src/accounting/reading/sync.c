/* SPDX-License-Identifier: MIT */
/* Asking the source, whichever it is: what it tells comes by calls downwards. */
#include "reading.h"

static struct source *source_of(struct accounting *accounting)
{
	return accounting->source ? accounting->source : &accounting->unstarted;
}

void source_sync(struct accounting *accounting)
{
	struct source *source = source_of(accounting);

	if (accounting_is_idle(accounting))
		return;
	source->sync(source);
	orphans_refresh(accounting);
}

void source_wake(struct accounting *accounting)
{
	struct source *source = source_of(accounting);

	disks_start(accounting); /* what they did until now was nobody's here */
	source->wake(source);
}

void source_stir(struct accounting *accounting)
{
	struct source *source = source_of(accounting);

	source_sync(accounting);
	if (source->stir)
		source->stir(source);
}
