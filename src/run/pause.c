/* SPDX-License-Identifier: MIT */
/* The launcher stopped with the command. */
#include "pause.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

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

bool pause_is_frozen(const struct pause *pause, struct view *view)
{
	return pause->command && view_is_frozen(view, pause->command);
}

void pause_begin(struct pause *pause, struct view *view, const struct machine *machine)
{
	if (!pause->command || pause_is_frozen(pause, view) || !is_stopped(machine, pause->command))
		return;
	pause->holds = true;
	send_signal(pause, SIGSTOP);
}

void pause_look(struct pause *pause, const struct machine *machine)
{
	if (is_stopped(machine, pause->command))
		return;
	pause->holds = false;
	send_signal(pause, SIGCONT);
}
