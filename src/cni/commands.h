/* SPDX-License-Identifier: MIT */
#ifndef CNI_COMMANDS_H
#define CNI_COMMANDS_H

#include "config.h"
#include "environment.h"

/* The operations of SPEC.md, "CNI operations". Each returns 0, or -1 with `failure`. */

/* Gives the container its addresses and its links, and answers what these are. */
int command_add(const struct config *config, const struct environment *environment, struct failure *failure);
/* Takes them back; what is gone already is no failure. */
int command_del(const struct config *config, const struct environment *environment, struct failure *failure);
/* Looks whether all is as "prevResult" says. */
int command_check(const struct config *config, const struct environment *environment,
		  struct failure *failure);
/* Takes back what belongs to none of "cni.dev/valid-attachments". */
int command_gc(const struct config *config, const struct environment *environment, struct failure *failure);
/* Whether ADD could do it: addresses can be kept, and each set has a free one. */
int command_status(const struct config *config, const struct environment *environment,
		   struct failure *failure);

#endif
