/* SPDX-License-Identifier: MIT */
#ifndef CNI_RESULT_H
#define CNI_RESULT_H

#include <jansson.h>

#include "attachment.h"

/*
 * What ADD answers (SPEC.md, "ADD Success") in the configuration's version: what was there before
 * ("prevResult") and, behind it, what the attachment has. NULL: no memory. To be freed with json_decref().
 */
json_t *result_of(const struct attachment *attachment);

/* One text on standard output. 0 or -1 with `failure`. */
int result_write(const json_t *json, struct failure *failure);

/* The failure as CNI's error, in this version, on standard output. */
void result_write_failure(const struct failure *failure, const char *version);

#endif
