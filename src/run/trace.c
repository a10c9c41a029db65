/* SPDX-License-Identifier: MIT */
/* The tracer: the one thread that stops and resumes tasks. Sources: ptrace(2), seccomp(2). */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "catcher.h"
#include "trace_again.h"
#include "trace_answer.h"
#include "trace_jobs.h"
#include "trace_news.h"
#include "trace_registers.h"
#include "trace_tasks.h"

#define OPTIONS (PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
		 PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)
#define SYSCALL_STOP (SIGTRAP | 0x80) /* PTRACE_O_TRACESYSGOOD */
#define WAKE SIGUSR1 /* from the threads that find answers */

/* The tracer's own; the last two are set before its thread is there. */
static bool is_gvisor, is_known; /* once it was asked for */
static const struct machine *machine;
static pthread_t tracer;

struct start {
	pid_t command;
	int end; /* whose other side hangs up when the tracer closes this */
	int error;
	pthread_mutex_t lock;
	pthread_cond_t is_done;
	bool done;
};

/* --- going on --- */

/* What Linux tells of a stop; gVisor tells nothing. */
static bool get_kind(const struct task *task, uint8_t *kind)
{
	/* as much of struct ptrace_syscall_info as is of use */
	return ptrace(PTRACE_GET_SYSCALL_INFO, task->tid, sizeof(*kind), kind) > 0;
}

/* Found out at the first stop of which this matters. */
static bool is_in_gvisor(const struct task *task)
{
	uint8_t kind;

	if (!is_known) {
		bool tells = get_kind(task, &kind);

		is_gvisor = !tells && errno == EIO;
		is_known = tells || errno != ESRCH; /* one that was killed has nothing to tell */
	}
	return is_gvisor;
}

/* Of a call that is caught, or one that a signal has interrupted, which the task gets when it goes on. */
static void give_job(struct task *task, int number)
{
	struct trace_job *job = calloc(1, sizeof(*job));

	if (!job || !registers_get(task->tid, &job->before)) {
		free(job);
		resume_task(task, number);
		return;
	}
	job->tid = task->tid;
	job->may_be_replaced = task->has_threads;
	job->signal = number;
	task->job = job;
	trace_jobs_give(job);
}

/* --- calls of ours --- */

/* From its own call, not made yet, the first one; from the end of one the next. */
static void begin_call(struct task *task)
{
	const uint64_t all = UINT64_MAX;
	struct trace_job *job = task->job;
	struct registers registers = job->before;

	registers_call(&registers, job->number, job->arguments);
	if (job->has_called) {
		registers_go_back(&registers);
	} else {
		ptrace(PTRACE_GETSIGMASK, task->tid, sizeof(job->mask), &job->mask);
		ptrace(PTRACE_SETSIGMASK, task->tid, sizeof(all), &all);
	}
	registers_set(task->tid, &registers);
	job->has_called = true;
	task->is_calling = true;
	task->has_entered = false;
	resume_task(task, 0);
}

/* Whether the stop is that before a call. gVisor does not tell, but has both for each call. */
static bool is_entry(struct task *task)
{
	bool is_first = !task->has_entered;
	uint8_t kind;

	task->has_entered = true;
	return is_in_gvisor(task) || !get_kind(task, &kind) ? is_first : kind == PTRACE_SYSCALL_INFO_ENTRY;
}

static void see_call(struct task *task)
{
	struct registers registers;

	if (!task->is_calling || is_entry(task)) {
		resume_task(task, 0);
		return;
	}
	if (!registers_get(task->tid, &registers))
		return;
	task->is_calling = false;
	trace_jobs_tell(task->job, registers_result(&registers));
}

static void end_job(struct task *task)
{
	struct trace_job *job = task->job;
	const int number = job->signal;

	if (job->wish == WISH_VALUE)
		registers_return(&job->before, job->result);
	else if (job->wish == WISH_ARGUMENTS)
		registers_call(&job->before, registers_number(&job->before), job->arguments);
	else if (job->wish == WISH_AGAIN)
		registers_repeat(&job->before);
	if (job->wish != WISH_KERNEL)
		registers_set(task->tid, &job->before);
	if (job->has_called)
		ptrace(PTRACE_SETSIGMASK, task->tid, sizeof(job->mask), &job->mask);
	task->job = NULL;
	free(job);
	resume_task(task, number);
}

static void fulfil_wishes(void)
{
	struct trace_job *job;

	while ((job = trace_jobs_wish())) {
		struct task *task = find_task(job->tid);

		if (job->wish == WISH_CALL)
			begin_call(task);
		else
			end_job(task);
	}
}

/* --- what tasks do --- */

/* Of the call that a signal may have interrupted. */
static enum trace_verdict judge_call(const struct task *task)
{
	struct registers registers;
	enum trace_verdict verdict;

	if (!is_in_gvisor(task) || task->job || !registers_get(task->tid, &registers))
		return VERDICT_AS_IT_IS;
	verdict = trace_again_judge(task->tid, &registers);
	if (verdict == VERDICT_DONE)
		registers_return(&registers, 0);
	if (verdict == VERDICT_DONE || (verdict == VERDICT_AGAIN && registers_repeat(&registers)))
		registers_set(task->tid, &registers);
	return verdict;
}

/* One comes for it, and is passed on. */
static void see_signal(struct task *task, int number)
{
	if (judge_call(task) == VERDICT_ASK)
		give_job(task, number);
	else
		resume_task(task, number);
}

static void forget(struct task *task)
{
	forks_forget(task);
	forget_task(task);
}

/* Whoever made it the leader of its process has been told of under the number that it had. */
static void see_exec(struct task *task)
{
	unsigned long former;

	trace_news_exec(task->tid);
	task->has_threads = false;
	if (!ptrace(PTRACE_GETEVENTMSG, task->tid, 0, &former) && (pid_t)former != task->tid) {
		struct task *other = find_task((pid_t)former);

		if (other && !other->job)
			forget(other);
	}
	resume_task(task, 0);
}

static void see_event(struct task *task, int event, int number)
{
	switch (event) {
	case PTRACE_EVENT_SECCOMP:
		/* of a call of ours, or of the program's */
		return task->is_calling ? resume_task(task, 0) : give_job(task, 0);
	case PTRACE_EVENT_EXEC:
		return see_exec(task);
	case PTRACE_EVENT_CLONE:
		task->has_threads = true;
		return forks_see_maker(machine, task, is_in_gvisor(task));
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
		return forks_see_maker(machine, task, is_in_gvisor(task));
	case PTRACE_EVENT_STOP:
		/* Stopped by a signal as its whole process is, until one lets it go on; or it is new. */
		judge_call(task);
		return forks_see_stop(machine, task, number);
	default:
		return resume_task(task, 0);
	}
}

static void see_stop(pid_t tid, int status)
{
	struct task *task = get_task(tid);
	int number = WSTOPSIG(status);

	if (!task) {
		ptrace(PTRACE_CONT, tid, 0, 0);
		return;
	}
	if (status >> 16)
		see_event(task, status >> 16, number);
	else if (number == SYSCALL_STOP)
		see_call(task);
	else
		see_signal(task, number);
}

/* Of its end nobody has been told yet: it is a zombie until we wait for it. */
static void see_end(const siginfo_t *news)
{
	const struct task *task = find_task(news->si_pid);

	if (news->si_code != CLD_EXITED && news->si_code != CLD_KILLED && news->si_code != CLD_DUMPED)
		return;
	if (!task)
		forks_see_unheard_end(machine, news->si_pid);
	trace_news_exit(machine, news->si_pid, task ? task->tgid : news->si_pid);
}

/* Waits for one that has something to tell, and forgets who is gone by it. 0: by now it has another. */
static pid_t hear_of(pid_t tid, int *status)
{
	struct task *task = find_task(tid);

	trace_jobs_lock();
	tid = waitpid(tid, status, __WALL | __WNOTHREAD | WNOHANG);
	if (tid > 0 && task && !WIFSTOPPED(*status))
		forget(task);
	else if (tid > 0 && task && *status >> 16 == PTRACE_EVENT_EXEC)
		forget_job(task); /* the leader's that was */
	trace_jobs_unlock();
	return tid;
}

/* The next task that has something to tell: 0: none has; -1: none is left. */
static pid_t hear(int *status)
{
	pid_t tid;

	do {
		siginfo_t news = {0};

		if (waitid(P_ALL, 0, &news, WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WALL | __WNOTHREAD))
			return -1;
		if (!news.si_pid)
			return 0;
		see_end(&news);
		tid = hear_of(news.si_pid, status);
	} while (!tid);
	return tid;
}

/* Until no task is left. */
static void trace(void)
{
	sigset_t news;

	sigemptyset(&news);
	sigaddset(&news, SIGCHLD);
	sigaddset(&news, WAKE);
	for (;;) {
		int status;
		pid_t tid = hear(&status);

		if (tid < 0)
			return;
		if (tid > 0 && WIFSTOPPED(status))
			see_stop(tid, status);
		fulfil_wishes();
		forks_look_again(machine);
		if (!tid)
			sigtimedwait(&news, NULL, forks_patience());
	}
}

static void *run(void *argument)
{
	struct start *start = argument;
	int end = start->end;
	struct task *command = get_task(start->command);
	bool done = command && !ptrace(PTRACE_SEIZE, start->command, 0, OPTIONS);

	if (command)
		command->tgid = start->command; /* nobody is to be told of its fork */
	pthread_mutex_lock(&start->lock);
	start->error = done ? 0 : -errno;
	start->done = true;
	pthread_cond_signal(&start->is_done);
	pthread_mutex_unlock(&start->lock);
	if (done)
		trace();
	close(end);
	return NULL;
}

static void wake(void)
{
	pthread_kill(tracer, WAKE);
}

/* All threads leave to the tracer what it waits for. */
static void block_news(void)
{
	sigset_t news;

	sigemptyset(&news);
	sigaddset(&news, SIGCHLD);
	sigaddset(&news, WAKE);
	pthread_sigmask(SIG_BLOCK, &news, NULL);
}

static int start(int listener, pid_t command, const struct calls_context *context)
{
	struct start start = {
		.command = command,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.is_done = PTHREAD_COND_INITIALIZER,
	};
	int ends[2];

	(void)listener;
	machine = context->machine;
	block_news();
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	start.end = ends[1];
	if (!trace_answer_start(context, wake) || pthread_create(&tracer, NULL, run, &start))
		return -EAGAIN;
	pthread_detach(tracer);
	pthread_mutex_lock(&start.lock);
	while (!start.done)
		pthread_cond_wait(&start.is_done, &start.lock);
	pthread_mutex_unlock(&start.lock);
	return start.error ? start.error : ends[0];
}

/* Answers are found by threads that may wait. */
static void before_waiting(void)
{
}

const struct catcher catcher_trace = {
	.name = "trace",
	.action = SCMP_ACT_TRACE(0),
	.traps = TRAP_TRACED,
	.traces = true,
	.serve = start,
	.open_news = trace_news_open,
	.before_waiting = before_waiting,
};
