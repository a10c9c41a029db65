/* SPDX-License-Identifier: MIT */
/*
 * devices: which device nodes the tasks of a cgroup may open and make.
 * security/device_cgroup.c. Kept and evaluated as the kernel does it, not enforced.
 *
 * A cgroup allows all or denies all by default, and has exceptions to that. A
 * child never may do what its parent may not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "controller.h"
#include "number.h"

enum device_type { DEVICE_BLOCK = 1, DEVICE_CHAR = 2 };
enum device_access { ACCESS_MKNOD = 1, ACCESS_READ = 2, ACCESS_WRITE = 4 };
enum verb { VERB_ALLOW, VERB_DENY };

#define ANY_NUMBER UINT32_MAX /* "*", and 4294967295 too */
#define NUMBER_DIGITS 11 /* what the kernel's buffer takes */

struct exception {
	uint32_t major, minor; /* or ANY_NUMBER */
	uint8_t type; /* enum device_type */
	uint8_t access; /* enum device_access, may be none */
};

struct devices {
	bool allow_all; /* the default; the exceptions are then what is denied */
	unsigned count, capacity;
	struct exception *exceptions; /* in the order they were added */
};

static struct devices *devices_of(const struct cgroup *cgroup)
{
	return cgroup_css(cgroup, &devices_controller);
}

static struct devices *parent_devices(const struct cgroup *cgroup)
{
	return cgroup->parent ? devices_of(cgroup->parent) : NULL;
}

/* Makes room for `count` exceptions. 0 or -ENOMEM. */
static int devices_reserve(struct devices *devices, unsigned count)
{
	struct exception *exceptions;

	if (count <= devices->capacity)
		return 0;
	count += count / 2;
	exceptions = reallocarray(devices->exceptions, count, sizeof(*exceptions));
	if (!exceptions)
		return -ENOMEM;
	devices->exceptions = exceptions;
	devices->capacity = count;
	return 0;
}

/* Takes the default and the exceptions of another. 0, or -ENOMEM and nothing changed. */
static int devices_copy(struct devices *devices, const struct devices *other)
{
	if (devices_reserve(devices, other->count))
		return -ENOMEM;
	if (other->count)
		memcpy(devices->exceptions, other->exceptions,
		       other->count * sizeof(*other->exceptions));
	devices->count = other->count;
	devices->allow_all = other->allow_all;
	return 0;
}

static void devices_clear(struct devices *devices)
{
	free(devices->exceptions);
	devices->exceptions = NULL;
	devices->count = devices->capacity = 0;
}

/* The exception for exactly these devices, whatever its access, or NULL. */
static struct exception *find_same(const struct devices *devices, const struct exception *wanted)
{
	for (unsigned i = 0; i < devices->count; i++) {
		struct exception *exception = &devices->exceptions[i];

		if (exception->type == wanted->type && exception->major == wanted->major &&
		    exception->minor == wanted->minor)
			return exception;
	}
	return NULL;
}

/* dev_exception_add(); room for one more was reserved. */
static void exception_add(struct devices *devices, const struct exception *exception)
{
	struct exception *same = find_same(devices, exception);

	if (same)
		same->access |= exception->access;
	else
		devices->exceptions[devices->count++] = *exception;
}

/* dev_exception_rm(): what has no access left is dropped, also when it had none before. */
static void exception_remove(struct devices *devices, const struct exception *exception)
{
	struct exception *same = find_same(devices, exception);

	if (!same)
		return;
	same->access &= ~exception->access;
	if (same->access)
		return;
	devices->count--;
	memmove(same, same + 1, (devices->exceptions + devices->count - same) * sizeof(*same));
}

static bool number_covers(uint32_t number, uint32_t wanted)
{
	return number == ANY_NUMBER || number == wanted;
}

static bool numbers_meet(uint32_t a, uint32_t b)
{
	return a == ANY_NUMBER || number_covers(b, a);
}

/* match_exception(): one exception has all of the wanted devices with all of the access. */
static bool match_whole(const struct devices *devices, const struct exception *wanted)
{
	for (unsigned i = 0; i < devices->count; i++) {
		const struct exception *exception = &devices->exceptions[i];

		if (exception->type == wanted->type &&
		    number_covers(exception->major, wanted->major) &&
		    number_covers(exception->minor, wanted->minor) &&
		    !(wanted->access & ~exception->access))
			return true;
	}
	return false;
}

/* match_exception_partial(): one exception has some of the wanted devices with some access. */
static bool match_partial(const struct devices *devices, const struct exception *wanted)
{
	for (unsigned i = 0; i < devices->count; i++) {
		const struct exception *exception = &devices->exceptions[i];

		if (exception->type == wanted->type &&
		    numbers_meet(exception->major, wanted->major) &&
		    numbers_meet(exception->minor, wanted->minor) &&
		    (wanted->access & exception->access))
			return true;
	}
	return false;
}

/* verify_new_ex(): may a child of `parent` have this exception? */
static bool parent_permits(const struct devices *parent, const struct devices *child,
			   const struct exception *exception)
{
	if (!parent)
		return true;
	if (!parent->allow_all)
		return match_whole(parent, exception);
	return child->allow_all || !match_partial(parent, exception);
}

/* parent_allows_removal(): a denial that the parent has too must stay. */
static bool parent_permits_removal(const struct devices *parent, const struct exception *exception)
{
	return !parent || !match_partial(parent, exception);
}

/* revalidate_active_exceptions(): drops what the parent no longer permits. */
static void revalidate(struct devices *devices, const struct devices *parent)
{
	unsigned i = 0;

	while (i < devices->count) {
		struct exception exception = devices->exceptions[i];

		if (parent_permits(parent, devices, &exception))
			i++;
		else
			exception_remove(devices, &exception);
	}
}

/*
 * A denial here and, by propagate_exception(), in everything below. What
 * allows all has only ancestors that do, so one rule fits the whole subtree.
 */
static int deny_exception(struct cgroup *top, const struct exception *exception)
{
	struct cgroup *cgroup;

	cgroup_for_each_descendant(cgroup, top) {
		if (devices_reserve(devices_of(cgroup), devices_of(cgroup)->count + 1))
			return -ENOMEM;
	}
	cgroup_for_each_descendant(cgroup, top) {
		struct devices *devices = devices_of(cgroup);

		if (devices->allow_all)
			exception_add(devices, exception);
		else
			exception_remove(devices, exception);
		if (cgroup != top)
			revalidate(devices, parent_devices(cgroup));
	}
	return 0;
}

static int allow_exception(struct cgroup *cgroup, const struct exception *exception)
{
	struct devices *devices = devices_of(cgroup), *parent = parent_devices(cgroup);

	if (devices->allow_all) {
		if (!parent_permits_removal(parent, exception))
			return -EPERM;
		exception_remove(devices, exception);
		return 0;
	}
	if (!parent_permits(parent, devices, exception))
		return -EPERM;
	if (devices_reserve(devices, devices->count + 1))
		return -ENOMEM;
	exception_add(devices, exception);
	return 0;
}

static int allow_all(struct cgroup *cgroup)
{
	struct devices *devices = devices_of(cgroup), *parent = parent_devices(cgroup);

	if (cgroup->children)
		return -EINVAL;
	if (parent)
		return parent->allow_all ? devices_copy(devices, parent) : -EPERM;
	devices_clear(devices);
	devices->allow_all = true;
	return 0;
}

static int deny_all(struct cgroup *cgroup)
{
	struct devices *devices = devices_of(cgroup);

	if (cgroup->children)
		return -EINVAL;
	devices_clear(devices);
	devices->allow_all = false;
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One white space, as the kernel has it. */
static int parse_space(const char **text)
{
	if (text_skip_spaces(*text) == *text)
		return -EINVAL;
	++*text;
	return 0;
}

static int parse_number(const char **text, uint32_t *number)
{
	char digits[NUMBER_DIGITS + 1] = "";

	if (**text == '*') {
		*number = ANY_NUMBER;
		++*text;
		return 0;
	}
	for (unsigned i = 0; i < NUMBER_DIGITS && is_digit(**text); i++)
		digits[i] = *(*text)++;
	return number_parse_u32(digits, 10, number) ? -EINVAL : 0;
}

/* Up to three letters; a newline ends them, and what follows is not looked at. */
static int parse_access(const char *text, uint8_t *access)
{
	*access = 0;
	for (const char *end = text + 3; text < end && *text && *text != '\n'; text++) {
		if (*text == 'r')
			*access |= ACCESS_READ;
		else if (*text == 'w')
			*access |= ACCESS_WRITE;
		else if (*text == 'm')
			*access |= ACCESS_MKNOD;
		else
			return -EINVAL;
	}
	return 0;
}

/* "c 1:3 rwm", from the second letter on. */
static int parse_exception(const char *text, struct exception *exception)
{
	if (parse_space(&text) || parse_number(&text, &exception->major))
		return -EINVAL;
	if (*text++ != ':')
		return -EINVAL;
	if (parse_number(&text, &exception->minor) || parse_space(&text))
		return -EINVAL;
	return parse_access(text, &exception->access);
}

/* devcgroup_update_access(). CAP_SYS_ADMIN is root's here: we do not know capabilities. */
static int access_store(const struct request *request, char *text)
{
	enum verb verb = request->file->type->private;
	struct cgroup *cgroup = request->cgroup;
	struct exception exception = {0};

	if (request->caller.task_uid)
		return -EPERM;
	text = text_strip(text);
	if (*text == 'a')
		return verb == VERB_ALLOW ? allow_all(cgroup) : deny_all(cgroup);
	if (*text == 'b')
		exception.type = DEVICE_BLOCK;
	else if (*text == 'c')
		exception.type = DEVICE_CHAR;
	else
		return -EINVAL;
	if (parse_exception(text + 1, &exception))
		return -EINVAL;
	return verb == VERB_ALLOW ? allow_exception(cgroup, &exception)
				  : deny_exception(cgroup, &exception);
}

static void add_number(struct text *out, uint32_t number)
{
	if (number == ANY_NUMBER)
		text_add(out, "*");
	else
		text_add_u64(out, number);
}

/* devcgroup_seq_show(): what is allowed; the exceptions to "all" are not told. */
static int list_show(const struct request *request, struct text *out)
{
	const struct devices *devices = devices_of(request->cgroup);

	if (devices->allow_all) {
		text_add(out, "a *:* rwm\n");
		return 0;
	}
	for (unsigned i = 0; i < devices->count; i++) {
		const struct exception *exception = &devices->exceptions[i];

		text_add(out, exception->type == DEVICE_BLOCK ? "b " : "c ");
		add_number(out, exception->major);
		text_add(out, ":");
		add_number(out, exception->minor);
		text_add(out, " ");
		text_add_bytes(out, "r", !!(exception->access & ACCESS_READ));
		text_add_bytes(out, "w", !!(exception->access & ACCESS_WRITE));
		text_add_bytes(out, "m", !!(exception->access & ACCESS_MKNOD));
		text_add(out, "\n");
	}
	return 0;
}

/* devcgroup_online(): a child starts with what its parent has, the root with everything. */
static int devices_css_init(struct cgroup *cgroup, void *state)
{
	struct devices *devices = state;
	const struct devices *parent = parent_devices(cgroup);

	devices->allow_all = true;
	return parent ? devices_copy(devices, parent) : 0;
}

static void devices_css_exit(void *state)
{
	devices_clear(state);
}

/* The exceptions to "all" are in no file. */
static void devices_save(struct cgroup *cgroup, struct text *out)
{
	const struct devices *devices = devices_of(cgroup);

	bytes_put_u64(out, devices->allow_all);
	bytes_put_u64(out, devices->count);
	for (unsigned i = 0; i < devices->count; i++) {
		const struct exception *exception = &devices->exceptions[i];

		bytes_put_u64(out, exception->major);
		bytes_put_u64(out, exception->minor);
		bytes_put_u64(out, exception->type);
		bytes_put_u64(out, exception->access);
	}
}

static int devices_restore(struct cgroup *cgroup, struct bytes *in)
{
	struct devices *devices = devices_of(cgroup);
	uint64_t count;

	devices_clear(devices);
	devices->allow_all = bytes_get_u64(in);
	count = bytes_get_u64(in);
	while (count-- && !in->wrong) {
		struct exception exception = {.major = (uint32_t)bytes_get_u64(in)};

		exception.minor = (uint32_t)bytes_get_u64(in);
		exception.type = (uint8_t)bytes_get_u64(in);
		exception.access = (uint8_t)bytes_get_u64(in);
		if (devices_reserve(devices, devices->count + 1))
			return -ENOMEM;
		devices->exceptions[devices->count++] = exception;
	}
	return in->wrong ? -EINVAL : 0;
}

static const struct cftype devices_files[] = {
	{.name = "allow", .private = VERB_ALLOW, .store = access_store},
	{.name = "deny", .private = VERB_DENY, .store = access_store},
	{.name = "list", .show = list_show},
	{0},
};

const struct controller devices_controller = {
	.name = "devices",
	.legacy_files = devices_files,
	.css_size = sizeof(struct devices),
	.css_init = devices_css_init,
	.css_exit = devices_css_exit,
	.save = devices_save,
	.restore = devices_restore,
};
