// SPDX-License-Identifier: MIT
/*
 * For LD_PRELOAD: RLIMIT_MEMLOCK is set without effect. crun 1.8 raises it before it loads a BPF program,
 * which since Linux 5.11 needs that no more, and gives up where it may not (CAP_SYS_RESOURCE).
 */
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
	return resource == RLIMIT_MEMLOCK ? 0 : prlimit64(0, resource, limit, NULL);
}

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	return resource == RLIMIT_MEMLOCK ? 0 : prlimit(0, resource, limit, NULL);
}
