/* SPDX-License-Identifier: MIT */
#include "environment.h"

#include <ctype.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool name_is_valid(const char *name)
{
	static const char alphanumeric[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	static const char all[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	return *name && strchr(alphanumeric, *name) && !name[strspn(name, all)];
}

bool interface_name_is_valid(const char *name)
{
	if (!*name || strlen(name) >= IF_NAMESIZE || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (*name == '/' || *name == ':' || isspace((unsigned char)*name))
			return false;
	return true;
}

/* The variable's value; NULL where it is empty or not there, which is a failure if `needed`. */
static const char *variable(const char *name, bool needed, struct failure *failure)
{
	const char *value = getenv(name);

	if (value && *value)
		return value;
	if (needed)
		failure_set(failure, FAILURE_ENVIRONMENT, NULL, "%s is missing", name);
	return NULL;
}

/* "IP=10.88.0.9;IgnoreUnknown=1": of all keys that a runtime may send one is ours. */
static int read_arguments(const char *text, struct address *wanted, struct failure *failure)
{
	char address[INET6_ADDRSTRLEN];

	while (*text) {
		size_t len = strcspn(text, ";");
		const char *value = memchr(text, '=', len);
		size_t size;

		if (!value++ && len)
			return failure_set(failure, FAILURE_ENVIRONMENT, NULL,
					   "CNI_ARGS has an argument that is not KEY=VALUE");
		size = len ? len - (size_t)(value - text) : 0;
		if (len && !strncasecmp(text, "IP=", 3) && size) {
			snprintf(address, sizeof(address), "%.*s", (int)size, value);
			if (size >= sizeof(address) || !address_parse(address, wanted))
				return failure_set(failure, FAILURE_ENVIRONMENT, NULL,
						   "CNI_ARGS has an IP that is no address: %s", address);
		}
		text += len + (text[len] == ';');
	}
	return 0;
}

int environment_read(struct environment *environment, unsigned needs, struct failure *failure)
{
	const char *arguments = variable("CNI_ARGS", false, failure);

	*environment = (struct environment){
		.container = variable("CNI_CONTAINERID", needs & NEED_CONTAINER, failure),
		.interface = variable("CNI_IFNAME", needs & NEED_CONTAINER, failure),
		.namespace = variable("CNI_NETNS", needs & NEED_NAMESPACE, failure),
	};
	if (environment->container && !name_is_valid(environment->container))
		failure_set(failure, FAILURE_ENVIRONMENT, NULL,
			    "CNI_CONTAINERID has characters that it may not have");
	if (environment->interface && !interface_name_is_valid(environment->interface))
		failure_set(failure, FAILURE_ENVIRONMENT, NULL,
			    "CNI_IFNAME cannot be the name of an interface");
	if (arguments)
		read_arguments(arguments, &environment->wanted, failure);
	return failure->code ? -1 : 0;
}
