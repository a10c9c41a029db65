/* SPDX-License-Identifier: MIT */
/* An open file for a traced task. */
#include "trace.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "peer.h"

/*
 * Nobody can put a file into another's table but the kernel by a message: the task makes a pair of sockets,
 * we take one, send the file, and the task receives it. So it is the very file, whatever the task may
 * open and wherever /proc is. It gets the number that open(2) would have given it.
 */

/* In the task's memory, meanwhile. */
struct scratch {
	int pair[2];
	struct iovec data;
	char byte;
	struct msghdr message;
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
};

#define CALL(job, number, ...) trace_call(job, number, (const uint64_t[6]){__VA_ARGS__})

static void describe(struct scratch *scratch, uint64_t address)
{
	*scratch = (struct scratch){
		.data = {(void *)(address + offsetof(struct scratch, byte)), 1},
		.message = {
			.msg_iov = (void *)(address + offsetof(struct scratch, data)),
			.msg_iovlen = 1,
			.msg_control = (void *)(address + offsetof(struct scratch, control)),
			.msg_controllen = sizeof(scratch->control),
		},
	};
}

static int send_file(int socket, int file)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = {0};
	struct cmsghdr *header = (struct cmsghdr *)control;
	struct iovec data = {&byte, 1};
	const struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	*header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
				   .cmsg_len = CMSG_LEN(sizeof(int))};
	*(int *)CMSG_DATA(header) = file;
	return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -errno;
}

/* The number in the message that the task has received. */
static int64_t read_number(const struct peer *peer, uint64_t address)
{
	struct scratch scratch;
	int error = peer_read(peer, address, &scratch, sizeof(scratch));
	const struct cmsghdr *header = (const struct cmsghdr *)scratch.control;

	if (error)
		return error;
	if (scratch.message.msg_flags & MSG_CTRUNC || header->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EMFILE; /* or a security module's wish */
	return *(const int *)CMSG_DATA(header);
}

/* The task's end of the pair gets the file; the other number becomes free for it. */
static int64_t receive(struct trace_job *job, const struct peer *peer, uint64_t address, const int pair[2],
		       int file, bool close_on_exec)
{
	int ours = peer_descriptor(peer, pair[0]);
	int64_t result;

	CALL(job, __NR_close, (uint64_t)pair[0]);
	if (ours < 0)
		return ours;
	result = send_file(ours, file);
	close(ours);
	if (!result)
		result = CALL(job, __NR_recvmsg, (uint64_t)pair[1],
			      address + offsetof(struct scratch, message),
			      MSG_DONTWAIT | (close_on_exec ? MSG_CMSG_CLOEXEC : 0));
	return result < 0 ? result : read_number(peer, address);
}

static int64_t pass(struct trace_job *job, const struct peer *peer, uint64_t address, int file,
		    bool close_on_exec)
{
	struct scratch scratch;
	int64_t result;

	describe(&scratch, address);
	result = peer_write(peer, address, &scratch, sizeof(scratch));
	if (!result)
		result = CALL(job, __NR_socketpair, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			      address + offsetof(struct scratch, pair));
	if (!result)
		result = peer_read(peer, address, &scratch, sizeof(scratch));
	if (result)
		return result;
	result = receive(job, peer, address, scratch.pair, file, close_on_exec);
	CALL(job, __NR_close, (uint64_t)scratch.pair[1]);
	return result;
}

int64_t trace_give_file(struct trace_job *job, const struct peer *peer, int file, bool close_on_exec)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	int64_t address = CALL(job, __NR_mmap, 0, page, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0);
	int64_t result = address;

	if (address >= 0) {
		result = pass(job, peer, (uint64_t)address, file, close_on_exec);
		CALL(job, __NR_munmap, (uint64_t)address, page);
	}
	close(file);
	return result;
}
