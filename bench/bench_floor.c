/* SPDX-License-Identifier: MIT */
/*
 * The floor of catching opens: a supervisor with the launcher's filter and threads that asks nothing
 * and lets the kernel do all. Usage: bench_floor COMMAND [ARGUMENT...]
 */
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "catcher.h"
#include "channel.h"
#include "filter.h"
#include "machine.h"
#include "redirect.h"

const struct trap traps[] = {
#ifdef __NR_open
	{__NR_open, "open", 1, CALLS_NOT_READING, O_RDONLY, false, NULL},
#endif
	{__NR_openat, "openat", 2, CALLS_NOT_READING, O_RDONLY, false, NULL},
};
const unsigned trap_count = sizeof(traps) / sizeof(traps[0]);

int redirect_number(unsigned index)
{
	(void)index;
	return 0;
}

/* What catcher.c has, without its bound for each user and without other ways of catching. */
bool catcher_is_over(int end, int milliseconds)
{
	struct pollfd poller = {.fd = end};

	return poll(&poller, 1, milliseconds) > 0 && poller.revents & POLLHUP;
}

void catcher_answer(const struct calls_context *context, const struct call *call, struct answer *answer)
{
	(void)context;
	(void)call;
	*answer = (struct answer){.kind = ANSWER_KERNEL, .file = -1};
}

static void run(char **command, const struct sock_fprog *program, int channel)
{
	int listener = filter_install(program, true);

	if (listener < 0 || !channel_send(channel, CHANNEL_COMMAND, listener) ||
	    channel_receive(channel).word != CHANNEL_GO)
		err(125, "the filter");
	close(listener);
	close(channel);
	execvp(command[0], command);
	err(127, "%s", command[0]);
}

int main(int argc, char **argv)
{
	struct sock_fprog *program = filter_new(catcher_notify.action, false, 0);
	struct calls_context context = {.machine = machine_open("/"),
					.before_waiting = catcher_notify.before_waiting};
	int ends[2], status;
	pid_t pid;

	if (argc < 2 || !program || !context.machine || !channel_open(ends))
		errx(125, "usage: bench_floor COMMAND [ARGUMENT...]");
	pid = fork();
	if (!pid)
		run(argv + 1, program, ends[1]);
	if (catcher_notify.serve(channel_receive(ends[0]).descriptor, pid, &context) < 0 ||
	    !channel_send(ends[0], CHANNEL_GO, -1))
		errx(125, "no answers");
	if (waitpid(pid, &status, 0) != pid)
		err(125, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
