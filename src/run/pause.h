/* SPDX-License-Identifier: MIT */
#ifndef RUN_PAUSE_H
#define RUN_PAUSE_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct machine;
struct view;

/*
 * The launcher stands for the command before the shell that started it: stopped while the command is,
 * and not when that is the freezer's doing, of which the kernel's tells no parent. Who is stopped
 * cannot see that the command goes on; so it is the supervisor that stops the launcher, and lets it go on.
 */
struct pause {
	/* a child of the launcher's, which does not wait for it while it is stopped; 0: it has not come */
	pid_t command;
	int launcher; /* pidfd */
	bool holds; /* the launcher is stopped by us */
};

#define PAUSE_POLL_MS 50 /* until it is seen that the command goes on */

/* si_code of a SIGCONT that was sent to the launcher by others, and which our stop has taken from it. */
#define PAUSE_GIVEN_BACK SI_QUEUE

/*
 * The command has been stopped: stops the launcher, too, if that is right. By `continued` (continued.h) is
 * known whether a SIGCONT has come meanwhile: then the launcher goes on with that.
 */
void pause_begin(struct pause *pause, struct view *view, const struct machine *machine, int continued);

/*
 * The launcher has a SIGCONT: whether it may pass it on, as the tree's freezer does not hold the command
 * (asks the daemon). Then it goes on.
 */
bool pause_may_continue(struct pause *pause, struct view *view);

/*
 * While it holds, at least each PAUSE_POLL_MS: lets the launcher go on when the command does, has ended or is
 * held by the freezer. Asks the daemon.
 */
void pause_look(struct pause *pause, struct view *view, const struct machine *machine);

#endif
