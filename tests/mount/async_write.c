/* SPDX-License-Identifier: MIT */
/*
 * async_write FILE TEXT: opens, says the number of io_submit(2), and on a line of input writes by that call,
 * which need not wait: the file is made O_DIRECT meanwhile. Says "asked" when the call is back, then the
 * write's result.
 */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIZE 4096 /* what direct I/O is made in */

int main(int argc, char **argv)
{
	int fd = argc == 3 ? open(argv[1], O_WRONLY) : -1;
	char *buffer = aligned_alloc(SIZE, SIZE);
	struct iocb request = {.aio_lio_opcode = IOCB_CMD_PWRITE}, *requests[] = {&request};
	struct io_event event = {0};
	aio_context_t context = 0;

	if (fd < 0 || !buffer || fcntl(fd, F_SETFL, O_DIRECT) || syscall(SYS_io_setup, 1, &context)) {
		perror("async_write");
		return 1;
	}
	printf("%d\n", SYS_io_submit);
	fflush(stdout);
	getchar();
	memset(buffer, '\n', SIZE);
	memcpy(buffer, argv[2], strlen(argv[2]));
	request.aio_fildes = (uint32_t)fd;
	request.aio_buf = (uintptr_t)buffer;
	request.aio_nbytes = strlen(argv[2]);
	if (syscall(SYS_io_submit, context, 1, requests) != 1) {
		perror("io_submit");
		return 1;
	}
	puts("asked");
	fflush(stdout);
	if (syscall(SYS_io_getevents, context, 1, 1, &event, NULL) != 1)
		return 1;
	printf("%lld\n", (long long)event.res);
	return 0;
}
