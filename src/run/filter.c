/* SPDX-License-Identifier: MIT */
/* The seccomp filter, from the table of traps. */
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"
#include "redirect.h"

static bool is_redirected(int number)
{
	unsigned i = 0;

	while (redirect_number(i) && redirect_number(i) != number)
		i++;
	return redirect_number(i);
}

static int add_redirected(scmp_filter_ctx filter, uint32_t action)
{
	int error = 0;

	for (unsigned i = 0; redirect_number(i) && !error; i++)
		error = seccomp_rule_add(filter, action, redirect_number(i), 0);
	return error;
}

static int add_trap(scmp_filter_ctx filter, uint32_t action, const struct trap *trap)
{
	struct scmp_arg_cmp when = SCMP_CMP(trap->argument, SCMP_CMP_MASKED_EQ, trap->mask,
					    trap->wanted);

	return seccomp_rule_add_array(filter, action, trap->number, trap->mask ? 1 : 0,
				      &when);
}

/*
 * GNU cpp looks for each header in each directory: five of six opens of a build. They differ from all
 * opens of tables that are known: the path is in the lowest 4 GiB (cpp is linked to a fixed address),
 * with O_NOCTTY, without O_CLOEXEC. Those go by; the path is the argument before the flags.
 */
#define LOW_END (1ull << 32)

static int add_open(scmp_filter_ctx filter, uint32_t action, const struct trap *trap)
{
	const struct {
		uint64_t mask, wanted, path; /* from there on */
	} rules[] = {
		{0, 0, LOW_END}, /* whoever is linked to no fixed address */
		{O_NOCTTY, 0, 0}, /* or lacks the one flag */
		{O_NOCTTY | O_CLOEXEC, O_NOCTTY | O_CLOEXEC, 0}, /* or has the other */
	};
	int error = 0;

	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]) && !error; i++) {
		struct scmp_arg_cmp when[] = {
			SCMP_CMP(trap->argument, SCMP_CMP_MASKED_EQ, trap->mask | rules[i].mask,
				 trap->wanted | rules[i].wanted),
			SCMP_CMP(trap->argument - 1, SCMP_CMP_GE, rules[i].path, 0),
		};

		error = seccomp_rule_add_array(filter, action, trap->number,
					       rules[i].path ? 2 : 1, when);
	}
	return error;
}

static int add_traps(scmp_filter_ctx filter, uint32_t action, bool redirect, unsigned needed)
{
	int error = 0;

	for (unsigned i = 0; i < trap_count && !error; i++) {
		if ((redirect && is_redirected(traps[i].number)) ||
		    (traps[i].flags & TRAP_CONDITIONS & ~needed))
			continue;
		if (traps[i].flags & TRAP_OPEN)
			error = add_open(filter, action, &traps[i]);
		else
			error = add_trap(filter, action, &traps[i]);
	}
	return error;
}

/* Reads the instructions that libseccomp wrote, all at once. */
static struct sock_fprog *read_program(int file)
{
	const size_t size = BPF_MAXINSNS * sizeof(struct sock_filter);
	struct sock_fprog *program = malloc(sizeof(*program) + size);
	ssize_t got;

	if (!program)
		return NULL;
	program->filter = (struct sock_filter *)(program + 1);
	got = read(file, program->filter, size);
	if (got > 0) {
		program->len = (unsigned short)((size_t)got / sizeof(*program->filter));
		return program;
	}
	free(program);
	return NULL;
}

static int write_program(int file, uint32_t action, bool redirect, unsigned needed)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int error;

	if (!filter)
		return -ENOMEM;
	/* Programs of another architecture (i386 on x86_64) are not served, and not hindered. */
	error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);
	if (!error)
		error = add_traps(filter, action, redirect, needed);
	if (!error && redirect)
		error = add_redirected(filter, action);
	if (!error)
		error = seccomp_export_bpf(filter, file);
	seccomp_release(filter);
	return error;
}

struct sock_fprog *filter_new(uint32_t action, bool redirect, unsigned needed)
{
	struct sock_fprog *program = NULL;
	int ends[2], error;

	/* No file: RLIMIT_FSIZE is the command's. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return NULL;
	error = write_program(ends[0], action, redirect, needed);
	if (!error)
		program = read_program(ends[1]);
	close(ends[0]);
	close(ends[1]);
	if (error)
		errno = -error;
	return program;
}

void filter_free(struct sock_fprog *program)
{
	free(program);
}

/* Not by seccomp_load(): Debian 12's knows no SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV. */
static int install(const struct sock_fprog *program, unsigned long flags)
{
	return (int)syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
}

static int install_listener(const struct sock_fprog *program)
{
	/* Signals (Go sends its threads many) do not end a wait that the supervisor is at work on. */
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	int listener = install(program, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);

	if (listener < 0 && errno == EINVAL) /* before Linux 5.19 */
		listener = install(program, flags);
	return listener;
}

/*
 * Whether a launcher like this one answers with a listener what we would: the kernel asks that first, and a
 * tracer hears nothing of it. It says EBUSY at once, where the kernel would look at the program before.
 */
static bool is_answered_already(void)
{
	return install((const void *)-1, SECCOMP_FILTER_FLAG_NEW_LISTENER) < 0 && errno == EBUSY;
}

static int install_plain(const struct sock_fprog *program)
{
	int done = is_answered_already() ? -1 : install(program, SECCOMP_FILTER_FLAG_SPEC_ALLOW);

	if (done < 0 && errno == EINVAL) /* gVisor */
		done = install(program, 0);
	return done;
}

int filter_install(const struct sock_fprog *program, bool with_listener)
{
	int (*install_one)(const struct sock_fprog *program) = with_listener ? install_listener
									     : install_plain;
	int result = install_one(program);

	if (result < 0 && errno == EACCES && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		result = install_one(program);
	return result;
}
