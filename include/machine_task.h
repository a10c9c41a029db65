/* SPDX-License-Identifier: MIT */
/*
 * Processes and threads: /proc/PID and /proc/PID/task/TID. Sources: fs/proc/{base,array,task_mmu}.c,
 * proc(5). See machine.h for what holds for every function.
 *
 * A task is named (pid, tid): tid 0 is the process as a whole (/proc/PID/X), else the thread
 * (/proc/PID/task/TID/X). pids are those of the pid namespace that /proc was mounted in.
 *
 * Errors of reading a task: -ESRCH: it has ended (also when that happened halfway). -ENOENT: it
 * lives, but this machine has no such file (gVisor: smaps_rollup, schedstat). -EACCES, -EPERM: not
 * allowed to look (smaps and io of another user's).
 */
#ifndef MACHINE_TASK_H
#define MACHINE_TASK_H

#include <sys/stat.h>
#include <sys/types.h>

#include "machine.h"
#include "machine_patient.h"

/* A growing array of ids. Zeroed is empty; reuse it to save allocations. The caller's. */
struct machine_ids {
	pid_t *id;
	size_t nr;
	size_t capacity;
};

/* Frees what *ids points to and empties it. */
void machine_ids_free(struct machine_ids *ids);

/* Each fills *ids anew, ascending, no duplicates. On error *ids is empty. */
/* Every process (thread group leaders). */
int machine_pids(const struct machine *machine, struct machine_ids *ids);
/* The threads of pid, itself included. -ESRCH. */
int machine_tids(const struct machine *machine, pid_t pid, struct machine_ids *ids);
/* The child processes that one thread has made: tid 0 is the main thread. -ESRCH, -ENOENT. */
int machine_children(const struct machine *machine, pid_t pid, pid_t tid,
		     struct machine_ids *ids);
int machine_parse_children(const char *text, size_t len, struct machine_ids *ids);

/* The number of the newest task, thread or process: numbers are given in turn. Where the machine
 * does not tell (gVisor) a thread made for this is the newest; 0: none can be made. */
int machine_last_pid(const struct machine *machine, pid_t *pid);
int machine_parse_last_pid(const char *text, size_t len, pid_t *pid);

/* Whether pid is there now (as a process or, as /proc has it, as a thread's hidden directory). */
bool machine_task_exists(const struct machine *machine, pid_t pid, pid_t tid);
/* True: there is none (pid below 1: none can be), as kill(2) tells at a tenth of what looking for it
 * in /proc costs. False: there may be one. */
bool machine_task_is_gone(const struct machine *machine, pid_t pid, pid_t tid);

/*
 * Whether the leader waits in the kernel for something, as /proc/PID/wchan tells: state S is also that
 * of one who still looks whether it must wait. True too where the file is missing (gVisor, no
 * CONFIG_KALLSYMS) or it has ended; false where PTRACE_MODE_READ is not granted.
 */
bool machine_task_is_blocked(const struct machine *machine, pid_t pid);

/*
 * Whether a task of state D waits for its vfork(2)ed child to exec or end, and for nothing else. False too
 * where /proc/PID/task/TID/wchan does not tell: see above. Kernel: wait_for_vfork_done(), kernel/fork.c.
 */
bool machine_task_waits_for_vfork(const struct machine *machine, pid_t pid, pid_t tid);

/*
 * Where the kernel's own cgroups have it: /proc/PID/cgroup, lines of "NUMBER:CONTROLLERS:PATH", into *text on
 * the heap, the caller's to free. 0, -ESRCH (one that is exiting too, in gVisor), -ENOENT, -ENOMEM.
 */
int machine_task_cgroups(const struct machine *machine, pid_t pid, pid_t tid, char **text);

/*
 * Sends a signal to the process that was started then (stat.starttime), through a pidfd: to no other that has
 * its number by now. 0, -ESRCH, or why not: pidfd_open(2), pidfd_send_signal(2). -EBUSY: it hangs, and does
 * not tell when it was started; SIGCONT is sent all the same, lest it stop when it goes on.
 */
int machine_process_signal(const struct machine *machine, pid_t pid, uint64_t start_time, int signal);

/* --- stat --- */

/* utime, stime, cutime and cstime are USER_HZ ticks (machine.h); a process' are the sums over its
 * threads, those that ended included; c* are those of children it has waited for. */
struct machine_task_stat {
	char comm[64];			/* 15 bytes, or 63 for kernel threads; may hold anything */
	char state;			/* R S D T t Z X I ... */
	pid_t pid, ppid, pgrp, session;
	uint32_t flags;			/* PF_*: linux/sched.h */
	uint64_t minflt, cminflt, majflt, cmajflt;
	uint64_t utime, stime;
	int64_t cutime, cstime;
	int64_t num_threads;
	uint64_t starttime;		/* ticks after boot; (pid, starttime) names a process */
	uint64_t vsize;			/* bytes */
	uint64_t rss;			/* pages */
	/* address, another after each exec; 0: none, or not allowed to look */
	uint64_t startstack;
	int32_t processor;
	int32_t exit_code;
};

/* PF_KTHREAD: linux/sched.h. */
#define MACHINE_TASK_KTHREAD 0x00200000u

/* Fills *stat. -EBUSY: it hangs, and does not let it be read (machine_patient.h). */
int machine_task_stat(const struct machine *machine, pid_t pid, pid_t tid,
		      struct machine_task_stat *stat);
/* The same of many at once, which costs less. */
struct machine_stat_question {
	struct patient_head head; /* head.pid, and: */
	pid_t tid;
	int error; /* out: as machine_task_stat()'s; the head's `answered` is of no interest */
	struct machine_task_stat stat;
};
void machine_task_stats(const struct machine *machine, struct machine_stat_question *questions,
			size_t count);
/* -EINVAL: not the line of a task, or cut off before rss. */
int machine_parse_task_stat(const char *text, size_t len, struct machine_task_stat *stat);

/*
 * stat(2) of a file of task `pid` that may keep who asks waiting, as those of ns/ do (machine_patient.h):
 * `name` is below the directory `at`, or absolute. 0, -EBUSY: it hangs, or a negative errno.
 */
int machine_task_look(const struct machine *machine, pid_t pid, int at, const char *name,
		      struct stat *about);

/* --- statm: pages --- */

struct machine_task_statm {
	uint64_t size, resident, shared, text, data;
};

/* Fills *statm. */
int machine_task_statm(const struct machine *machine, pid_t pid, pid_t tid,
		       struct machine_task_statm *statm);
/* -EINVAL: less than the first three numbers. */
int machine_parse_task_statm(const char *text, size_t len, struct machine_task_statm *statm);

/* --- status --- */

#define MACHINE_NSPID_MAX 33	/* MAX_PID_NS_LEVEL + 1 */

struct machine_task_status {
	char state;
	pid_t tgid, pid, ppid;
	pid_t tracer; /* the thread that traces it; 0: none does */
	/* The task's id in each pid namespace, /proc's own first, innermost last; nr_nspid is 0 where
	 * the line is missing. */
	pid_t nspid[MACHINE_NSPID_MAX];
	pid_t nstgid[MACHINE_NSPID_MAX];
	unsigned int nr_nspid, nr_nstgid;
	uid_t uid[4];			/* real, effective, saved, filesystem */
	gid_t gid[4];
	uint64_t threads;
	bool has_mm;			/* false: kernel thread or zombie, the following are 0 */
	/* Bytes. */
	uint64_t vm_peak, vm_size, vm_lck, vm_hwm, vm_rss;
	uint64_t rss_anon, rss_file, rss_shmem;
	uint64_t vm_data, vm_stk, vm_exe, vm_lib, vm_pte, vm_swap, hugetlb_pages;
	/* gVisor has vm_rss but not rss_*. */
	bool has_rss_split;
};

/* Fills *status. */
int machine_task_status(const struct machine *machine, pid_t pid, pid_t tid,
			struct machine_task_status *status);
/* -EINVAL: no State or no Pid line. */
int machine_parse_task_status(const char *text, size_t len, struct machine_task_status *status);

/* --- smaps and smaps_rollup: bytes --- */

struct machine_task_smaps {
	uint64_t rss, pss, pss_dirty, pss_anon, pss_file, pss_shmem;
	uint64_t shared_clean, shared_dirty, private_clean, private_dirty;
	uint64_t referenced, anonymous, anon_huge_pages, shmem_pmd_mapped, file_pmd_mapped;
	uint64_t shared_hugetlb, private_hugetlb;
	uint64_t swap, swap_pss, locked;
	bool has_pss_split;		/* pss_anon, pss_file, pss_shmem: smaps_rollup only */
};

/*
 * smaps_rollup, or smaps summed up (slower by the number of mappings); which one, and statm after
 * them, is the caller's choice. -ESRCH is also what the kernel says of a task without memory
 * (kernel thread, zombie) for smaps_rollup: it counts nothing either way. smaps is empty then.
 */
int machine_task_smaps_rollup(const struct machine *machine, pid_t pid,
			      struct machine_task_smaps *smaps);
int machine_task_smaps(const struct machine *machine, pid_t pid, struct machine_task_smaps *smaps);
/* Sums every line of either file that it knows. Never fails. */
void machine_parse_task_smaps(const char *text, size_t len, struct machine_task_smaps *smaps);

/*
 * Whether two processes have one memory, not equal ones: after vfork() until exec, and
 * clone(CLONE_VM). By kcmp(2): false too where there is none (gVisor, no CONFIG_KCMP), where
 * PTRACE_MODE_READ is not granted, and on a machine that is not this one (machine_open() of another root).
 */
bool machine_task_same_memory(const struct machine *machine, pid_t pid, pid_t other);

/* --- io: bytes --- */

struct machine_task_io {
	uint64_t read_bytes, write_bytes;
};

/* Fills *io. */
int machine_task_io(const struct machine *machine, pid_t pid, pid_t tid,
		    struct machine_task_io *io);
/* -EINVAL: none of the lines. */
int machine_parse_task_io(const char *text, size_t len, struct machine_task_io *io);

/* --- schedstat --- */

/* A thread's own: for tid 0 that of the main thread, NOT of the process. Without
 * CONFIG_SCHED_INFO: "0 0 0". */
struct machine_task_schedstat {
	uint64_t run_ns, wait_ns, timeslices;
};

/* Fills *sched. */
int machine_task_schedstat(const struct machine *machine, pid_t pid, pid_t tid,
			   struct machine_task_schedstat *sched);
/* -EINVAL: not three numbers. */
int machine_parse_task_schedstat(const char *text, size_t len,
				 struct machine_task_schedstat *sched);

#endif
