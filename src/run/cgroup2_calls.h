/* SPDX-License-Identifier: MIT */
#ifndef RUN_CGROUP2_CALLS_H
#define RUN_CGROUP2_CALLS_H

struct answer;
struct call;
struct calls_context;

/* Calls that take a directory of cgroup v2: rows of the table of traps (calls.h). */

/*
 * clone3(2) with CLONE_INTO_CGROUP for a cgroup of ours is told EOPNOTSUPP: the kernel can start nobody
 * there, and who hears so moves the new process instead.
 */
void answer_clone3(const struct calls_context *context, const struct call *call, char *path,
		   struct answer *answer);

/*
 * bpf(2): programs that are attached to a cgroup of ours (runc, crun and systemd do so with one for its
 * devices) are kept and told of. They are not run. Source: bpf_prog_attach and __cgroup_bpf_query of
 * kernel/bpf.
 */
void answer_bpf(const struct calls_context *context, const struct call *call, char *path,
		struct answer *answer);

#endif
