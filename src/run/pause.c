/* SPDX-License-Identifier: MIT */
/* The launcher stopped with the command. */
#include "pause.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "continued.h"
#include "machine_task.h"
#include "view.h"

static bool is_stopped(const struct machine *machine, pid_t pid)
{
	struct machine_task_stat stat;

	return !machine_task_stat(machine, pid, 0, &stat) && strchr("Tt", stat.state);
}

static void send_signal(const struct pause *pause, int number)
{
	syscall(__NR_pidfd_send_signal, pause->launcher, number, NULL, 0);
}

static void let_go_on(struct pause *pause)
{
	pause->holds = false;
	send_signal(pause, SIGCONT);
}

/* The SIGCONT that we have taken from it. */
static void give_back(struct pause *pause)
{
	siginfo_t info = {.si_signo = SIGCONT, .si_code = PAUSE_GIVEN_BACK, .si_pid = getpid(),
			  .si_uid = getuid()};

	pause->holds = false;
	syscall(__NR_pidfd_send_signal, pause->launcher, SIGCONT, &info, 0);
}

static bool is_frozen(const struct pause *pause, struct view *view)
{
	return pause->command && view_is_frozen(view, pause->command);
}

void pause_begin(struct pause *pause, struct view *view, const struct machine *machine, int continued)
{
	if (!pause->command || is_frozen(pause, view) || !is_stopped(machine, pause->command))
		return;
	pause->holds = true;
	send_signal(pause, SIGSTOP);
	if (continued_has_come(continued))
		give_back(pause);
}

bool pause_may_continue(struct pause *pause, struct view *view)
{
	if (is_frozen(pause, view))
		return false;
	if (pause->holds) /* it asked, and was stopped before it heard */
		let_go_on(pause);
	return true;
}

/* What was taken for a stop of the command's own may have been the freezer's, which was just letting go. */
void pause_look(struct pause *pause, struct view *view, const struct machine *machine)
{
	if (is_stopped(machine, pause->command) && !is_frozen(pause, view))
		return;
	let_go_on(pause);
}
