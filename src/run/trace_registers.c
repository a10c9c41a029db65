/* SPDX-License-Identifier: MIT */
/* What system calls have in registers. */
#include "trace_registers.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

static bool move_set(enum __ptrace_request request, pid_t tid, uintptr_t set, void *data, size_t size)
{
	struct iovec all = {data, size};

	return !ptrace(request, tid, set, &all);
}

static bool has_instruction(pid_t tid, uint64_t address, unsigned long mask, unsigned long wanted)
{
	unsigned long word;

	errno = 0;
	word = (unsigned long)ptrace(PTRACE_PEEKTEXT, tid, address, 0);
	return !errno && (word & mask) == wanted;
}

#if defined(__x86_64__)

#define CALL_INSTRUCTION 2 /* bytes */

bool registers_get(pid_t tid, struct registers *registers)
{
	return move_set(PTRACE_GETREGSET, tid, NT_PRSTATUS, &registers->user, sizeof(registers->user));
}

bool registers_set(pid_t tid, const struct registers *registers)
{
	return move_set(PTRACE_SETREGSET, tid, NT_PRSTATUS, (void *)&registers->user,
			sizeof(registers->user));
}

int registers_number(const struct registers *registers)
{
	return (int)registers->user.orig_rax;
}

void registers_arguments(const struct registers *registers, uint64_t arguments[6])
{
	const struct user_regs_struct *user = &registers->user;

	arguments[0] = user->rdi;
	arguments[1] = user->rsi;
	arguments[2] = user->rdx;
	arguments[3] = user->r10;
	arguments[4] = user->r8;
	arguments[5] = user->r9;
}

void registers_return(struct registers *registers, int64_t value)
{
	registers->user.orig_rax = (unsigned long long)-1;
	registers->user.rax = (unsigned long long)value;
}

void registers_call(struct registers *registers, int number, const uint64_t arguments[6])
{
	struct user_regs_struct *user = &registers->user;

	user->orig_rax = user->rax = (unsigned long long)number;
	user->rdi = arguments[0];
	user->rsi = arguments[1];
	user->rdx = arguments[2];
	user->r10 = arguments[3];
	user->r8 = arguments[4];
	user->r9 = arguments[5];
}

void registers_go_back(struct registers *registers)
{
	registers->user.rip -= CALL_INSTRUCTION;
	registers->user.orig_rax = (unsigned long long)-1; /* it is no call that could be made again */
}

bool registers_follow_call(pid_t tid, const struct registers *registers)
{
	return has_instruction(tid, registers->user.rip - CALL_INSTRUCTION, 0xffff, 0x050f);
}

bool registers_repeat(struct registers *registers)
{
	registers->user.rax = registers->user.orig_rax;
	registers_go_back(registers);
	return true;
}

int64_t registers_result(const struct registers *registers)
{
	return (int64_t)registers->user.rax;
}

#elif defined(__aarch64__)

#define CALL_INSTRUCTION 4 /* bytes */
#define NUMBER_REGISTER 8

bool registers_get(pid_t tid, struct registers *registers)
{
	return move_set(PTRACE_GETREGSET, tid, NT_PRSTATUS, &registers->user, sizeof(registers->user)) &&
	       move_set(PTRACE_GETREGSET, tid, NT_ARM_SYSTEM_CALL, &registers->number,
			sizeof(registers->number));
}

bool registers_set(pid_t tid, const struct registers *registers)
{
	return move_set(PTRACE_SETREGSET, tid, NT_PRSTATUS, (void *)&registers->user,
			sizeof(registers->user)) &&
	       move_set(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, (void *)&registers->number,
			sizeof(registers->number));
}

int registers_number(const struct registers *registers)
{
	return registers->number;
}

void registers_arguments(const struct registers *registers, uint64_t arguments[6])
{
	for (unsigned i = 0; i < 6; i++)
		arguments[i] = registers->user.regs[i];
}

void registers_return(struct registers *registers, int64_t value)
{
	registers->number = -1;
	registers->user.regs[0] = (uint64_t)value;
}

void registers_call(struct registers *registers, int number, const uint64_t arguments[6])
{
	registers->number = number;
	registers->user.regs[NUMBER_REGISTER] = (uint64_t)number;
	for (unsigned i = 0; i < 6; i++)
		registers->user.regs[i] = arguments[i];
}

void registers_go_back(struct registers *registers)
{
	registers->user.pc -= CALL_INSTRUCTION;
	registers->number = -1;
}

bool registers_follow_call(pid_t tid, const struct registers *registers)
{
	return has_instruction(tid, registers->user.pc - CALL_INSTRUCTION, 0xffffffff, 0xd4000001);
}

/* The first argument's register has the result. */
bool registers_repeat(struct registers *registers)
{
	(void)registers;
	return false;
}

int64_t registers_result(const struct registers *registers)
{
	return (int64_t)registers->user.regs[0];
}

#else
#error "which registers hold system calls has to be said for this processor"
#endif
