/* SPDX-License-Identifier: MIT */
/* The process that makes children in the supervisor's place. */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "advice.h"
#include "descriptors.h"
#include "peer.h"

static int helper; /* our end of the channel to it; set before there are threads */
/* Protects the order of what is asked of it, and of its answers. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static enum channel_word do_in_child(const struct helper_job *job, int task)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(job->work(task) ? 0 : 1);
	if (child < 0)
		return CHANNEL_FAILED;
	return waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status) ? job->yes
											       : job->no;
}

static enum channel_word answer(const struct helper_job *jobs, const struct channel_message *message)
{
	for (const struct helper_job *job = jobs; job->work; job++) {
		if (job->asked == message->word)
			return do_in_child(job, message->descriptor);
	}
	return CHANNEL_GONE;
}

static void become_helper(int end, pid_t parent, const struct helper_job *jobs)
{
	struct channel_message message;

	descriptors_to_null(0, 2);
	descriptors_close(&end, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || chdir("/"))
		_exit(1);
	signal(SIGCHLD, SIG_DFL);
	while ((message = channel_receive(end)).word != CHANNEL_GONE) {
		channel_send(end, answer(jobs, &message), -1);
		close(message.descriptor);
	}
	_exit(0);
}

bool helper_open(const struct helper_job *jobs)
{
	pid_t parent = getpid(), child = -1;
	int ends[2];

	if (channel_open(ends)) {
		child = fork();
		if (!child)
			become_helper(ends[1], parent, jobs);
		close(ends[1]);
		helper = ends[0];
	}
	if (child < 0)
		fprintf(stderr, "fuse_cgroup_run: no process can be started: %s%s\n", strerror(errno),
			advice_on(errno));
	return child > 0;
}

enum channel_word helper_ask(const struct peer *peer, enum channel_word word)
{
	struct channel_message message = {.word = CHANNEL_GONE};
	int task = peer_proc_open(peer, ".", O_PATH | O_DIRECTORY);

	if (task < 0)
		return CHANNEL_GONE;
	pthread_mutex_lock(&lock);
	if (channel_send(helper, word, task))
		message = channel_receive(helper);
	pthread_mutex_unlock(&lock);
	close(task);
	return message.word;
}
