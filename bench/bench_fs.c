/* SPDX-License-Identifier: MIT */
/*
 * Measures file operations on several paths in one process, in turns, so that
 * what the machine does beside it hits all of them alike.
 *
 *     bench_fs [-r ROUNDS] [-m MILLISECONDS] [-j THREADS] OPERATION:PATH...
 *
 * Each round gives each OPERATION:PATH in turn a slice of MILLISECONDS. A line
 * of output is one of them: its name, then for each round the nanoseconds of
 * one operation. With one thread that is the median in the slice; with more it
 * is what is left of the clock for one when all threads work at it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BATCH 4 /* operations between two looks at the clock */
#define SAMPLES_MAX (1 << 16)
#define THREADS_MAX 64

struct series;

/* What one thread works on. */
struct worker {
	const struct series *series;
	int fd; /* of operations that keep one */
	char scratch[4096]; /* the name of what it makes */
	uint64_t *samples; /* ns of a batch */
	size_t count;
	uint64_t elapsed;
};

struct operation {
	const char *name;
	int open_flags; /* what a worker keeps open; -1 for nothing */
	void (*once)(struct worker *worker);
};

struct series {
	const char *argument;
	const struct operation *operation;
	const char *path;
	double *rounds;
};

static uint64_t slice_ns = 10 * 1000000;
static unsigned threads = 1;
static unsigned rounds = 15;

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
	int error = errno;
	va_list args;

	fputs("bench_fs: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror(error));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* --- the operations --- */

static int open_or_die(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("open %s", path);
	return fd;
}

/* Nothing is no answer: what is measured must be what was meant. */
static void check_read(const struct worker *worker, ssize_t got)
{
	if (!got)
		errno = ENODATA;
	if (got <= 0)
		die("read %s", worker->series->path);
}

static void read_once(struct worker *worker)
{
	char buffer[4096];
	int fd = open_or_die(worker->series->path);

	check_read(worker, read(fd, buffer, sizeof(buffer)));
	close(fd);
}

/* To the end: /proc gives a page at a time at most. */
static void read_all(struct worker *worker)
{
	char buffer[65536];
	int fd = open_or_die(worker->series->path);
	ssize_t got;

	while ((got = read(fd, buffer, sizeof(buffer))) > 0)
		;
	if (got < 0)
		die("read %s", worker->series->path);
	close(fd);
}

static void pread_once(struct worker *worker)
{
	char buffer[4096];

	check_read(worker, pread(worker->fd, buffer, sizeof(buffer), 0));
}

static void stat_once(struct worker *worker)
{
	struct stat st;

	if (stat(worker->series->path, &st))
		die("stat %s", worker->series->path);
}

static void list_once(struct worker *worker)
{
	DIR *directory = opendir(worker->series->path);

	if (!directory)
		die("opendir %s", worker->series->path);
	errno = 0;
	while (readdir(directory))
		;
	if (errno)
		die("readdir %s", worker->series->path);
	closedir(directory);
}

static void make_and_remove(struct worker *worker)
{
	if (mkdir(worker->scratch, 0755))
		die("mkdir %s", worker->scratch);
	if (rmdir(worker->scratch))
		die("rmdir %s", worker->scratch);
}

/* Moves this process to where `file` says. */
static void attach(const struct worker *worker, const char *file)
{
	char path[8192];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", worker->series->path, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die("write %s", path);
	close(fd);
}

static void join_and_leave(struct worker *worker)
{
	attach(worker, "cgroup.procs");
	attach(worker, "../cgroup.procs");
}

static const struct operation operations[] = {
	{"read", -1, read_once}, /* open, one read, close */
	{"slurp", -1, read_all}, /* open, read to the end, close */
	{"pread", O_RDONLY, pread_once},
	{"stat", -1, stat_once},
	{"readdir", -1, list_once}, /* opendir, readdir to the end, closedir */
	{"mkdir", -1, make_and_remove}, /* mkdir and rmdir of a child */
	{"attach", -1, join_and_leave}, /* into a cgroup, and into its parent */
};

/* --- a slice --- */

static void worker_init(struct worker *worker, const struct series *series, unsigned number)
{
	*worker = (struct worker){.series = series, .fd = -1};
	worker->samples = malloc(SAMPLES_MAX * sizeof(*worker->samples));
	if (!worker->samples)
		die("malloc");
	if (series->operation->open_flags >= 0)
		worker->fd = open_or_die(series->path);
	snprintf(worker->scratch, sizeof(worker->scratch), "%s/bench-%d-%u", series->path,
		 (int)getpid(), number);
}

static void worker_free(struct worker *worker)
{
	if (worker->fd >= 0)
		close(worker->fd);
	free(worker->samples);
}

static void *work(void *data)
{
	struct worker *worker = data;
	uint64_t start, last;

	worker->series->operation->once(worker); /* the first fills caches */
	start = last = now();
	while (last - start < slice_ns && worker->count < SAMPLES_MAX) {
		uint64_t time;

		for (unsigned i = 0; i < BATCH; i++)
			worker->series->operation->once(worker);
		time = now();
		worker->samples[worker->count++] = time - last;
		last = time;
	}
	worker->elapsed = last - start;
	return NULL;
}

static int compare_samples(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static double median_ns(struct worker *worker)
{
	qsort(worker->samples, worker->count, sizeof(*worker->samples), compare_samples);
	return (double)worker->samples[worker->count / 2] / BATCH;
}

static double measure_alone(const struct series *series)
{
	struct worker worker;
	double result;

	worker_init(&worker, series, 0);
	work(&worker);
	result = median_ns(&worker);
	worker_free(&worker);
	return result;
}

static double measure_together(const struct series *series)
{
	static struct worker workers[THREADS_MAX];
	pthread_t ids[THREADS_MAX];
	double rate = 0; /* operations in a ns */

	for (unsigned i = 0; i < threads; i++)
		worker_init(&workers[i], series, i);
	for (unsigned i = 0; i < threads; i++) {
		errno = pthread_create(&ids[i], NULL, work, &workers[i]);
		if (errno)
			die("pthread_create");
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		rate += (double)workers[i].count * BATCH / (double)workers[i].elapsed;
		worker_free(&workers[i]);
	}
	return 1 / rate;
}

/* --- the command line --- */

static struct series series_parse(const char *argument)
{
	struct series series = {.argument = argument, .path = strchr(argument, ':')};

	for (size_t i = 0; series.path && i < sizeof(operations) / sizeof(operations[0]); i++) {
		const char *name = operations[i].name;

		if (strlen(name) == (size_t)(series.path - argument) &&
		    !strncmp(name, argument, strlen(name)))
			series.operation = &operations[i];
	}
	errno = EINVAL;
	if (!series.operation)
		die("%s is not OPERATION:PATH", argument);
	series.path++;
	series.rounds = calloc(rounds, sizeof(*series.rounds));
	if (!series.rounds)
		die("calloc");
	return series;
}

static unsigned number(const char *text, unsigned max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	errno = EINVAL;
	if (*end || !value || value > max)
		die("'%s' is not a number from 1 to %u", text, max);
	return (unsigned)value;
}

static void parse_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "r:m:j:")) != -1) {
		switch (option) {
		case 'r':
			rounds = number(optarg, 10000);
			break;
		case 'm':
			slice_ns = (uint64_t)number(optarg, 60000) * 1000000;
			break;
		case 'j':
			threads = number(optarg, THREADS_MAX);
			break;
		default:
			exit(2);
		}
	}
	if (optind == argc) {
		fputs("usage: bench_fs [-r ROUNDS] [-m MILLISECONDS] [-j THREADS] "
		      "{read|slurp|pread|stat|readdir|mkdir|attach}:PATH...\n", stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct series *list;
	int count;

	parse_options(argc, argv);
	count = argc - optind;
	list = calloc((size_t)count, sizeof(*list));
	if (!list)
		die("calloc");
	for (int i = 0; i < count; i++)
		list[i] = series_parse(argv[optind + i]);
	for (unsigned round = 0; round < rounds; round++) {
		for (int i = 0; i < count; i++)
			list[i].rounds[round] = threads > 1 ? measure_together(&list[i])
							    : measure_alone(&list[i]);
	}
	for (int i = 0; i < count; i++) {
		printf("%s", list[i].argument);
		for (unsigned round = 0; round < rounds; round++)
			printf(" %.1f", list[i].rounds[round]);
		printf("\n");
		free(list[i].rounds);
	}
	free(list);
	return 0;
}
