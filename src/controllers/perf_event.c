/* SPDX-License-Identifier: MIT */
/* perf_event: perf_event_open(2) takes its directories. No files of its own. kernel/events/core.c */
#include "controller.h"

static const struct cftype perf_event_files[] = { { .name = NULL } };

const struct controller perf_event_controller = {
	.name = "perf_event",
	.legacy_files = perf_event_files,
	.threaded = true,
	.implicit_on_dfl = true,
};
