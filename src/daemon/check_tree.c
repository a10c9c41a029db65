/* SPDX-License-Identifier: MIT */
/* The part of --check that mounts: a daemon in a directory of its own, and what clients do with its tree. */
#include "check_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "advice.h"
#include "check_report.h"
#include "daemon.h"

#define START_MS 10000 /* until a daemon that does not serve counts as hung */
#define POLL_MS 10
#define CGROUP "memory/check"
#define LIMIT CGROUP "/memory.limit_in_bytes"
#define PROCS CGROUP "/cgroup.procs"

/* What is tried, in this order; `found` is for what was read, for the report. */
struct step {
	const char *what;
	bool (*works)(int tree, char *found, size_t size);
};

static bool store(int tree, const char *path, const char *value, int flags)
{
	int fd = openat(tree, path, O_WRONLY | O_CLOEXEC | flags);
	bool stored = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);

	if (fd >= 0)
		close(fd);
	return stored;
}

/* A file's first line, or as much of it as there is room for. */
static bool load(int tree, const char *path, char *text, size_t size)
{
	int fd = openat(tree, path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[len > 0 ? len : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return len >= 0;
}

static bool lists(int tree, char *found, size_t size)
{
	int fd = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	size_t used = 0;

	while (directory && (entry = readdir(directory))) {
		if (*entry->d_name != '.' && used < size)
			used += (size_t)snprintf(found + used, size - used, "%s%s", used ? " " : "",
						 entry->d_name);
	}
	if (directory)
		closedir(directory);
	return used && strstr(found, "memory");
}

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

static bool reads_time(int tree, char *found, size_t size)
{
	return load(tree, "cpuacct/cpuacct.usage", found, size) && is_number(found);
}

static bool reads_memory(int tree, char *found, size_t size)
{
	return load(tree, "memory/memory.usage_in_bytes", found, size) && is_number(found);
}

static bool makes_cgroup(int tree, char *found, size_t size)
{
	(void)found, (void)size;
	return !mkdirat(tree, CGROUP, 0755);
}

static bool takes_limit(int tree, char *found, size_t size)
{
	return store(tree, LIMIT, "512M", O_TRUNC) && load(tree, LIMIT, found, size) &&
	       !strcmp(found, "536870912");
}

static bool refuses(int tree, char *found, size_t size)
{
	(void)found, (void)size;
	return !store(tree, LIMIT, "12monkeys", O_TRUNC) && errno == EINVAL;
}

static bool appends(int tree, char *found, size_t size)
{
	(void)found, (void)size;
	return store(tree, LIMIT, "-1", O_APPEND);
}

static bool makes_no_files(int tree, char *found, size_t size)
{
	(void)found, (void)size;
	return openat(tree, "memory/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644) < 0;
}

/* A process is a member until it ends, and keeps its cgroup so long. */
static bool attaches(int tree, char *found, size_t size)
{
	char number[16];
	pid_t child = fork();
	bool works;

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	snprintf(number, sizeof(number), "%d", child);
	works = child > 0 && store(tree, PROCS, number, 0) && load(tree, PROCS, found, size) &&
		!strcmp(found, number) && unlinkat(tree, CGROUP, AT_REMOVEDIR) && errno == EBUSY;
	if (child < 0)
		return false;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return works && load(tree, PROCS, found, size) && !*found;
}

static bool removes_cgroup(int tree, char *found, size_t size)
{
	(void)found, (void)size;
	return !unlinkat(tree, CGROUP, AT_REMOVEDIR);
}

static const struct step steps[] = {
	{"provides", lists},
	{"reads cpuacct.usage, ns:", reads_time},
	{"reads memory.usage_in_bytes:", reads_memory},
	{"makes a cgroup", makes_cgroup},
	{"takes a limit of 512M, in bytes:", takes_limit},
	{"refuses a limit that is none", refuses},
	{"takes a limit that is appended", appends},
	{"permits no other files", makes_no_files},
	{"has a process while it lives", attaches},
	{"removes the cgroup", removes_cgroup},
};

static void try_tree(const char *path)
{
	int tree = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		char found[256] = "";
		bool works = tree >= 0 && steps[i].works(tree, found, sizeof(found));

		check_report(check_verdict(works), "the tree %s%s%s", steps[i].what, *found ? " " : "",
			     found);
	}
	if (tree >= 0)
		close(tree);
}

static bool is_mounted(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && (unsigned long)fs.f_type == FUSE_SUPER_MAGIC;
}

static bool has_ended(pid_t daemon)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)daemon, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid == daemon;
}

/* This program again, which says in `log` how it went. */
static pid_t start(const char *path, int log)
{
	pid_t daemon = fork();

	if (daemon)
		return daemon;
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	dup2(log, STDERR_FILENO);
	execl("/proc/self/exe", "fuse_cgroupfs", "-f", path, (char *)NULL);
	_exit(127);
}

/* What would give the daemon events; gVisor has none to give. */
static const char *events_advice(void)
{
	if (platform_is_gvisor())
		return "";
	return "; CAP_PERFMON, or CAP_NET_ADMIN in the first pid namespace, gives them";
}

/* The daemon's own lines, without its name: why it does not serve, or where it learns of processes. */
static void tell_log(int log, bool serves)
{
	static const char name[] = "fuse_cgroupfs: ", scans[] = "scans of /proc";
	char text[1024], *line, *rest = text;
	ssize_t len = pread(log, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		if (!strncmp(line, name, strlen(name)))
			line += strlen(name);
		if (!serves && *line)
			check_report(CHECK_FAILED, "%s", line);
		else if (*line && strstr(line, scans))
			check_report(CHECK_LACKS,
				     "events of processes: the daemon scans /proc, and misses what is short"
				     "%s", events_advice());
		else if (strstr(line, "events from"))
			check_report(CHECK_OK, "%s", line);
	}
}

static void end(const char *path, pid_t daemon)
{
	int status = -1;

	kill(daemon, SIGTERM);
	waitpid(daemon, &status, 0);
	check_report(check_verdict(!status && !is_mounted(path)),
		     "the daemon ends when told to, and unmounts");
}

static void run(const char *path, int log)
{
	pid_t daemon = start(path, log);

	if (daemon < 0) {
		check_report(CHECK_FAILED, "no process can be started: %s%s", strerror(errno),
			     advice_on(errno));
		return;
	}
	for (int waited = 0; waited < START_MS && !is_mounted(path) && !has_ended(daemon); waited += POLL_MS)
		usleep(POLL_MS * 1000);
	if (is_mounted(path)) {
		check_report(CHECK_OK, "a tree can be mounted");
		try_tree(path);
		tell_log(log, true);
		end(path, daemon);
		return;
	}
	tell_log(log, false);
	kill(daemon, SIGKILL);
	waitpid(daemon, NULL, 0);
	check_report(CHECK_FAILED, "no tree can be mounted");
}

void check_tree(void)
{
	const char *temporary = getenv("TMPDIR");
	int log = memfd_create("log", MFD_CLOEXEC);
	char path[PATH_MAX];

	if (!temporary || !*temporary)
		temporary = "/tmp";
	snprintf(path, sizeof(path), "%s/fuse_cgroupfs-XXXXXX", temporary);
	if (log < 0 || !mkdtemp(path)) {
		check_report(CHECK_FAILED,
			     "%s: no directory to mount on can be made: %s: choose another with TMPDIR",
			     temporary, strerror(errno));
		return;
	}
	signal(SIGINT, SIG_IGN); /* the daemon ends then, and so do we, in order */
	signal(SIGTERM, SIG_IGN);
	run(path, log);
	rmdir(path);
	close(log);
}
