/* SPDX-License-Identifier: MIT */
/* The source of forks and exits: choosing it. */
#include <string.h>

#include "log.h"
#include "tracer.h"

int accounting_start(struct accounting *accounting, enum accounting_source source)
{
	int error = 0;

	if (source == ACCOUNTING_TRACER)
		error = tracer_open(accounting);
	if (error)
		return error;
	if (source != ACCOUNTING_SCAN && source != ACCOUNTING_TRACER)
		accounting->source = events_source_open(accounting, &error);
	if (!accounting->source && source == ACCOUNTING_EVENTS)
		return error;
	if (!accounting->source) {
		if (error)
			log_info("accounting: events are not to be had: %s", strerror(-error));
		accounting->source = scan_source_open(accounting, &error);
	}
	if (!accounting->source)
		return error;
	if (!accounting_is_idle(accounting))
		source_wake(accounting);
	return 0;
}

void accounting_stop(struct accounting *accounting)
{
	if (accounting->source)
		accounting->source->close(accounting->source);
	accounting->source = NULL;
	tracer_close(accounting);
}
