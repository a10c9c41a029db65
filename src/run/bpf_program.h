/* SPDX-License-Identifier: MIT */
#ifndef RUN_BPF_PROGRAM_H
#define RUN_BPF_PROGRAM_H

#include <stdint.h>

struct peer;

/*
 * A task's BPF program: our descriptor of it, and its number. `type` is the enum bpf_attach_type that it must
 * be for. -EBADF; -EINVAL: it is something else.
 */
int bpf_program_fetch(const struct peer *peer, uint32_t fd, uint32_t type, uint32_t *number);
/* Its number, whatever it is for. -EBADF, -EINVAL. */
int64_t bpf_program_number(const struct peer *peer, uint32_t fd);

#endif
