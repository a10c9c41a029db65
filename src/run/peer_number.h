/* SPDX-License-Identifier: MIT */
#ifndef RUN_PEER_NUMBER_H
#define RUN_PEER_NUMBER_H

#include "peer.h"

/*
 * For peer*.c, and for guesses (processor.c, cgroup_namespace.c): all others have no use for a number (peer.h
 * says why).
 */
struct peer {
	pid_t tid;
	peer_check *is_same;
	uint64_t call;
};

#endif
