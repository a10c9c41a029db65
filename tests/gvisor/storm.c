/* SPDX-License-Identifier: MIT */
/*
 * Threads that make, fill and remove cgroups while a timer sends a signal into nearly each call, as Go's
 * scheduler does into some. Counts what no kernel of Linux would answer. See usage() for its arguments.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS 4
#define BURNERS 2 /* processes that do nothing but take processor time */
#define DELAY_NS 4000000 /* from a call's start to its signal, at most: so long the longest takes in gVisor */
#define ERRORS 134 /* errno's values */

enum operation { MKDIR, RMDIR, OPEN, READ, WRITE, CLOSE, LIST, STAT, OPERATIONS };

static const char *const names[] = {"mkdir", "rmdir", "open", "read", "write", "close", "getdents", "stat"};

static const char *top;
static time_t end; /* CLOCK_MONOTONIC, s */
static __thread timer_t timer;
static atomic_ulong rounds, signals, calls, wrong[OPERATIONS][ERRORS];
static atomic_ulong lost; /* a member that its cgroup did not show, a cgroup that was there still */

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static void handle(int number)
{
	(void)number;
	signals++;
}

/*
 * One comes after another time each time, so that all moments of a call are met; but once, so that each call
 * ends at last, however slow the machine is.
 */
static void expect_signal(void)
{
	const struct itimerspec when = {.it_value.tv_nsec = 1 + random() % DELAY_NS};

	timer_settime(timer, 0, &when, NULL);
}

/* As Go's standard library makes calls: what was interrupted is made again. */
#define CALL(operation, call)                                     \
	({                                                        \
		long result;                                      \
								  \
		calls++;                                          \
		expect_signal();                                  \
		while ((result = (call)) < 0 && errno == EINTR)   \
			wrong[operation][EINTR]++;                \
		if (result < 0)                                   \
			wrong[operation][errno]++;                \
		result;                                           \
	})

/* Closed is a file whatever close(2) says: it is not made again. */
static void close_file(int file)
{
	calls++;
	expect_signal();
	if (close(file))
		wrong[CLOSE][errno]++;
}

static void attach(const char *cgroup, pid_t member)
{
	char path[4096], number[16];
	int len = snprintf(number, sizeof(number), "%d", member), file;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	file = (int)CALL(OPEN, open(path, O_WRONLY | O_CLOEXEC));
	if (file < 0)
		return;
	CALL(WRITE, write(file, number, (size_t)len));
	close_file(file);
}

static void look_for(const char *cgroup, pid_t member)
{
	char path[4096], content[64] = "";
	int file;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	file = (int)CALL(OPEN, open(path, O_RDONLY | O_CLOEXEC));
	if (file < 0)
		return;
	if (CALL(READ, read(file, content, sizeof(content) - 1)) >= 0 && atoi(content) != member)
		lost++;
	close_file(file);
}

static void list(const char *cgroup)
{
	char buffer[4096];
	int directory = (int)CALL(OPEN, open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	if (directory < 0)
		return;
	while (CALL(LIST, syscall(SYS_getdents64, directory, buffer, sizeof(buffer))) > 0)
		continue;
	close_file(directory);
}

static void play(unsigned worker, pid_t member)
{
	char outer[2048], inner[2100];
	struct stat st;

	snprintf(outer, sizeof(outer), "%s/storm%u", top, worker);
	snprintf(inner, sizeof(inner), "%s/inner", outer);
	CALL(MKDIR, mkdir(outer, 0755));
	CALL(MKDIR, mkdir(inner, 0755));
	attach(inner, member);
	look_for(inner, member);
	list(outer);
	CALL(STAT, stat(inner, &st));
	attach(top, member);
	CALL(RMDIR, rmdir(inner));
	CALL(RMDIR, rmdir(outer));
	if (!access(outer, F_OK)) {
		lost++;
		rmdir(inner);
		rmdir(outer);
	}
	rounds++;
}

/* A process that lives as long as this one, and does nothing, or as much as it can. */
static pid_t start_process(bool burns)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (burns)
		continue;
	for (;;)
		pause();
}

struct worker {
	pthread_t thread;
	unsigned number;
	pid_t member;
	bool is_directed; /* signals go to the thread; else to whichever of the process takes them */
};

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct sigevent event = {.sigev_notify = worker->is_directed ? SIGEV_THREAD_ID : SIGEV_SIGNAL,
				 .sigev_signo = SIGURG};

	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer)) {
		perror("timer_create");
		exit(2);
	}
	while (now() < end)
		play(worker->number, worker->member);
	timer_delete(timer);
	return NULL;
}

static bool report(void)
{
	bool is_good = !lost;

	printf("%lu rounds, %lu calls, %lu signals\n", rounds, calls, signals);
	for (unsigned i = 0; i < OPERATIONS; i++) {
		for (unsigned error = 0; error < ERRORS; error++) {
			if (wrong[i][error]) {
				printf("%s %s: %lu\n", names[i], strerrorname_np((int)error),
				       wrong[i][error]);
				is_good = false;
			}
		}
	}
	if (lost)
		printf("members or removals lost: %lu\n", lost);
	return is_good;
}

static int usage(void)
{
	fprintf(stderr, "usage: storm CGROUP SECONDS [restart] [shared]\n"
			"restart: the handler has SA_RESTART; shared: signals go to the process\n");
	return 2;
}

int main(int argc, char *argv[])
{
	struct sigaction action = {.sa_handler = handle};
	struct worker workers[WORKERS] = {0};
	bool is_directed = true;
	pid_t burners[BURNERS];

	if (argc < 3)
		return usage();
	top = argv[1];
	end = now() + atoi(argv[2]);
	for (int i = 3; i < argc; i++) {
		if (!strcmp(argv[i], "restart"))
			action.sa_flags = SA_RESTART;
		else if (!strcmp(argv[i], "shared"))
			is_directed = false;
		else
			return usage();
	}
	for (unsigned i = 0; i < BURNERS; i++)
		burners[i] = start_process(true);
	for (unsigned i = 0; i < WORKERS; i++)
		workers[i] = (struct worker){.number = i, .member = start_process(false),
					     .is_directed = is_directed};
	sigaction(SIGURG, &action, NULL);
	for (unsigned i = 0; i < WORKERS; i++)
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	for (unsigned i = 0; i < WORKERS; i++)
		pthread_join(workers[i].thread, NULL);
	for (unsigned i = 0; i < WORKERS; i++)
		kill(workers[i].member, SIGKILL);
	for (unsigned i = 0; i < BURNERS; i++)
		kill(burners[i], SIGKILL);
	while (wait(NULL) > 0)
		continue;
	return report() && rounds ? 0 : 1;
}
