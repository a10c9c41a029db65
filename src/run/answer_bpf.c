/* SPDX-License-Identifier: MIT */
/* bpf(2) on cgroups of ours. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attached.h"
#include "bpf_program.h"
#include "calls.h"
#include "cgroup2_calls.h"
#include "peer.h"
#include "rights.h"
#include "view.h"

#define LISTED_MAX 1024
#define LINK_FLAGS (BPF_F_ID | BPF_F_BEFORE | BPF_F_AFTER | BPF_F_PREORDER | BPF_F_LINK)

/* What the commands take: members of union bpf_attr of Linux 6.18, of which older headers lack some. */
struct attach_attributes { /* BPF_PROG_ATTACH and BPF_PROG_DETACH */
	uint32_t cgroup, program, type, flags, replaced, relative;
	uint64_t revision;
};

struct query_attributes {
	uint32_t cgroup, type, query_flags, flags;
	uint64_t numbers;
	uint32_t count, unused;
	uint64_t program_flags, links, link_flags, revision;
};

struct link_attributes { /* BPF_LINK_CREATE */
	uint32_t program, cgroup, type, flags, relative, unused;
	uint64_t revision;
};

struct update_attributes { /* BPF_LINK_UPDATE; BPF_LINK_DETACH has the first only */
	uint32_t link, program, flags, replaced;
};

union attributes {
	struct attach_attributes attach;
	struct query_attributes query;
	struct link_attributes link;
	struct update_attributes update;
};

struct request {
	const struct call *call;
	int target; /* O_PATH of the cgroup, or of the link */
	ino_t link; /* whose number this is */
	uint32_t type; /* of the link */
	union attributes given; /* what was not given is 0 */
};

/* --- links and programs --- */

/* The number and type of the link that the file is; 0: it is none. */
static ino_t link_of(int file, uint32_t *type)
{
	struct stat st;

	if (fstat(file, &st) || !S_ISFIFO(st.st_mode) || !attached_is_link(st.st_ino, type))
		return 0;
	return st.st_ino;
}

/* The number of one of the task's links. */
static int64_t link_number(const struct peer *peer, uint32_t fd)
{
	int file = peer_file(peer, (int)fd);
	uint32_t type;
	ino_t number;

	if (file < 0)
		return file;
	number = link_of(file, &type);
	close(file);
	return number ? (int64_t)number : -EINVAL;
}

/* The number alone of one of the task's programs. 0, or as bpf_program_fetch(). */
static int fetch_number(const struct peer *peer, uint32_t fd, uint32_t type, uint32_t *number)
{
	int program = bpf_program_fetch(peer, fd, type, number);

	if (program < 0)
		return program;
	close(program);
	return 0;
}

/* The one to be before or after: a descriptor, or a number with BPF_F_ID. */
static void find_beside(const struct call *call, uint32_t relative, struct attachment *attachment)
{
	uint32_t flags = attachment->flags;
	int64_t number;

	attachment->has_beside = relative;
	if (flags & BPF_F_ID)
		number = relative ? (int64_t)relative : -EINVAL;
	else if (flags & BPF_F_LINK)
		number = link_number(call->peer, relative);
	else
		number = relative ? bpf_program_number(call->peer, relative) : 0;
	attachment->beside = number < 0 ? 0 : (ino_t)number;
	attachment->beside_error = number < 0 ? (int)number : 0;
}

static int attach(const struct request *request, struct answer *answer)
{
	const struct attach_attributes *given = &request->given.attach;
	const struct peer *peer = request->call->peer;
	struct attachment attachment = {.directory = request->target, .type = given->type,
					.flags = given->flags, .revision = given->revision};
	int program, error = 0;

	(void)answer;
	program = bpf_program_fetch(peer, given->program, given->type, &attachment.program);
	if (program < 0)
		return program;
	if (given->flags & BPF_F_REPLACE && given->flags & BPF_F_ALLOW_MULTI)
		error = fetch_number(peer, given->replaced, given->type, &attachment.replaced);
	if (error) {
		close(program);
		return error;
	}
	find_beside(request->call, given->relative, &attachment);
	return attached_add(&attachment, program);
}

static int detach(const struct request *request, struct answer *answer)
{
	const struct attach_attributes *given = &request->given.attach;
	struct attachment attachment = {.directory = request->target, .type = given->type,
					.revision = given->revision};

	(void)answer;
	if (given->flags || given->relative)
		return -EINVAL;
	/* Who permits one only may name none. */
	fetch_number(request->call->peer, given->program, given->type, &attachment.program);
	return attached_remove(&attachment);
}

/* --- a query --- */

static int tell(const struct call *call, size_t offset, const void *value, size_t size)
{
	return peer_write(call->peer, call->arguments[1] + offset, value, size);
}

/* The numbers, and the flags of each, which are the same. */
static int tell_programs(const struct call *call, const struct query_attributes *given,
			 const struct attached_programs *programs)
{
	uint32_t size = given->count < programs->count ? given->count : programs->count;
	uint32_t flags[LISTED_MAX];
	int error;

	if (size > programs->size)
		size = programs->size;
	error = peer_write(call->peer, given->numbers, programs->numbers, size * sizeof(uint32_t));
	for (uint32_t i = 0; i < size; i++)
		flags[i] = programs->flags;
	if (!error && given->program_flags)
		error = peer_write(call->peer, given->program_flags, flags, size * sizeof(uint32_t));
	return error ? error : size < programs->count ? -ENOSPC : 0;
}

static int query(const struct request *request, struct answer *answer)
{
	const struct query_attributes *given = &request->given.query;
	const struct call *call = request->call;
	const struct attachment attachment = {.directory = request->target, .type = given->type,
					      .flags = given->query_flags};
	uint32_t numbers[LISTED_MAX];
	struct attached_programs programs = {.size = LISTED_MAX, .numbers = numbers};
	int error;

	(void)answer;
	if (given->query_flags & ~(uint32_t)BPF_F_QUERY_EFFECTIVE ||
	    (given->query_flags && given->program_flags))
		return -EINVAL;
	attached_query(&attachment, &programs);
	error = tell(call, offsetof(struct query_attributes, flags), &programs.flags, sizeof(programs.flags));
	if (!error)
		error = tell(call, offsetof(struct query_attributes, count), &programs.count,
			     sizeof(programs.count));
	if (!error && call->arguments[2] >= sizeof(*given))
		error = tell(call, offsetof(struct query_attributes, revision), &programs.revision,
			     sizeof(programs.revision));
	if (error || !given->count || !given->numbers || !programs.count)
		return error;
	return tell_programs(call, given, &programs);
}

/* --- links --- */

/* cgroup_bpf_link_attach(): as a program that others may be beside. */
static int create_link(const struct request *request, struct answer *answer)
{
	const struct link_attributes *given = &request->given.link;
	struct attachment attachment = {.directory = request->target, .type = given->type,
					.flags = given->flags | BPF_F_ALLOW_MULTI,
					.revision = given->revision};
	int program, link, error;

	program = bpf_program_fetch(request->call->peer, given->program, given->type, &attachment.program);
	if (program < 0)
		return program;
	link = given->flags & ~LINK_FLAGS ? -EINVAL : attached_new_link(given->type, &attachment.link);
	if (link < 0) {
		close(program);
		return link;
	}
	find_beside(request->call, given->relative, &attachment);
	error = attached_add(&attachment, program);
	if (error) {
		close(link);
		return error;
	}
	*answer = (struct answer){
		.kind = ANSWER_FILE, .file = link, .close_on_exec = true, .closed_first = true};
	return 0;
}

/* link_update() and cgroup_bpf_replace() */
static int update_link(const struct request *request, struct answer *answer)
{
	const struct update_attributes *given = &request->given.update;
	const struct peer *peer = request->call->peer;
	uint32_t number, replaced = 0;
	int program, error = 0;

	(void)answer;
	if (given->flags & ~(uint32_t)BPF_F_REPLACE || (!given->flags && given->replaced))
		return -EINVAL;
	program = bpf_program_fetch(peer, given->program, request->type, &number);
	if (program < 0)
		return program;
	if (given->flags)
		error = fetch_number(peer, given->replaced, request->type, &replaced);
	if (error) {
		close(program);
		return error;
	}
	return attached_update_link(request->link, number, replaced, program);
}

static int detach_link(const struct request *request, struct answer *answer)
{
	(void)answer;
	attached_detach_link(request->link);
	return 0;
}

/* --- the call --- */

static const struct command {
	uint64_t number; /* enum bpf_cmd */
	size_t target; /* where its descriptor of a cgroup or link is */
	size_t size;
	bool of_link;
	/* What is returned, unless *answer is filled. */
	int (*serve)(const struct request *request, struct answer *answer);
} commands[] = {
	{BPF_PROG_ATTACH, 0, sizeof(struct attach_attributes), false, attach},
	{BPF_PROG_DETACH, 0, sizeof(struct attach_attributes), false, detach},
	{BPF_PROG_QUERY, 0, sizeof(struct query_attributes), false, query},
	{BPF_LINK_CREATE, offsetof(struct link_attributes, cgroup), sizeof(struct link_attributes), false,
	 create_link},
	{BPF_LINK_UPDATE, 0, sizeof(struct update_attributes), true, update_link},
	{BPF_LINK_DETACH, 0, sizeof(uint32_t), true, detach_link},
};

static const struct command *find_command(uint64_t number)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (commands[i].number == number)
			return &commands[i];
	}
	return NULL;
}

/* Whether what the target is is ours. */
static bool is_ours(const struct calls_context *context, const struct command *command,
		    struct request *request)
{
	struct statx about;

	if (!command->of_link)
		return view_has(context->view, request->target, &about);
	request->link = link_of(request->target, &request->type);
	return request->link;
}

static void serve(const struct command *command, const struct request *request, struct answer *answer)
{
	int64_t value = -EPERM;

	if (rights_of_admin(request->call->peer))
		value = command->serve(request, answer);
	if (answer->kind != ANSWER_FILE)
		answer_value(answer, value);
}

void answer_bpf(const struct calls_context *context, const struct call *call, char *path,
		struct answer *answer)
{
	const struct command *command = find_command(call->arguments[0]);
	struct request request = {.call = call};
	size_t size = call->arguments[2];
	uint32_t target;

	if (!command)
		return;
	if (size > command->size)
		size = command->size;
	if (peer_read(call->peer, call->arguments[1], &request.given, size))
		return;
	memcpy(&target, (const char *)&request.given + command->target, sizeof(target));
	snprintf(path, PATH_MAX, "%d, %u", (int)call->arguments[0], target);
	request.target = peer_file(call->peer, (int)target);
	if (request.target < 0)
		return;
	if (is_ours(context, command, &request))
		serve(command, &request, answer);
	close(request.target);
}
