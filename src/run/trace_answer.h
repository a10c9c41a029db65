/* SPDX-License-Identifier: MIT */
#ifndef RUN_TRACE_ANSWER_H
#define RUN_TRACE_ANSWER_H

#include <stdbool.h>

struct calls_context;

/*
 * Starts the threads that find answers for the tracer (trace_jobs.h), from `answers`, which must last as
 * long; `wake` makes the tracer look at trace_jobs_wish(). False: no thread can be made.
 */
bool trace_answer_start(const struct calls_context *answers, void (*wake)(void));

#endif
