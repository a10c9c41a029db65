/* SPDX-License-Identifier: MIT */
/* What a program sees of cgroups by itself: libc or none of it between it and the kernel. */
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

int main(void)
{
	struct statfs top, below;
	char line[8192];
	unsigned count = 0;
	FILE *file;

	if (statfs("/sys/fs/cgroup", &top) || statfs("/sys/fs/cgroup/cpu", &below))
		return 1;
	printf("%lx %lx\n", (long)top.f_type, (long)below.f_type);
	file = fopen("/proc/self/mountinfo", "r");
	while (file && fgets(line, sizeof(line), file))
		count += !!strstr(line, " - cgroup cgroup ");
	printf("%u\n", count);
	if (file)
		fclose(file);
	file = fopen("/proc/self/cgroup", "r");
	while (file && fgets(line, sizeof(line), file)) {
		if (strstr(line, ":cpu:"))
			fputs(line, stdout);
	}
	if (file)
		fclose(file);
	return 0;
}
