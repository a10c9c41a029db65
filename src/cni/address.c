/* SPDX-License-Identifier: MIT */
#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "number.h"

unsigned address_size(const struct address *address)
{
	return address->family == AF_INET ? 4 : 16;
}

unsigned address_bits(const struct address *address)
{
	return 8 * address_size(address);
}

bool address_parse(const char *text, struct address *address)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

	*address = (struct address){.family = AF_INET};
	if (inet_pton(AF_INET, text, address->bytes) == 1)
		return true;
	address->family = AF_INET6;
	if (inet_pton(AF_INET6, text, address->bytes) != 1) {
		*address = (struct address){0};
		return false;
	}
	if (!memcmp(address->bytes, mapped, sizeof(mapped))) {
		address->family = AF_INET;
		memmove(address->bytes, address->bytes + 12, 4);
		memset(address->bytes + 4, 0, 12);
	}
	return true;
}

bool prefix_parse(const char *text, struct prefix *prefix)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	uint32_t length;

	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return false;
	memcpy(address, text, slash - text);
	address[slash - text] = '\0';
	if (strspn(slash + 1, "0123456789") != strlen(slash + 1) ||
	    number_parse_u32(slash + 1, 10, &length) || !address_parse(address, &prefix->address) ||
	    length > address_bits(&prefix->address))
		return false;
	prefix->length = length;
	return true;
}

char *address_print(const struct address *address, char text[PREFIX_TEXT_MAX])
{
	if (!inet_ntop(address->family, address->bytes, text, PREFIX_TEXT_MAX))
		*text = '\0';
	return text;
}

char *prefix_print(const struct prefix *prefix, char text[PREFIX_TEXT_MAX])
{
	size_t len = strlen(address_print(&prefix->address, text));

	snprintf(text + len, PREFIX_TEXT_MAX - len, "/%u", prefix->length % 1000);
	return text;
}

int address_compare(const struct address *a, const struct address *b)
{
	if (a->family != b->family)
		return a->family == AF_INET ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

struct address address_next(struct address address)
{
	unsigned at = address_size(&address);

	while (at-- && !++address.bytes[at])
		;
	return address;
}

/* The address with all bits past the network's own as `bit` is. */
static struct address with_host_bits(const struct prefix *prefix, bool bit)
{
	struct address address = prefix->address;

	for (unsigned at = prefix->length; at < address_bits(&address); at++) {
		unsigned char mask = 0x80 >> at % 8;

		if (bit)
			address.bytes[at / 8] |= mask;
		else
			address.bytes[at / 8] &= (unsigned char)~mask;
	}
	return address;
}

struct address prefix_first(const struct prefix *prefix)
{
	return with_host_bits(prefix, false);
}

struct address prefix_last(const struct prefix *prefix)
{
	return with_host_bits(prefix, true);
}

bool prefix_contains(const struct prefix *prefix, const struct address *address)
{
	struct address first = prefix_first(prefix), last = prefix_last(prefix);

	return address->family == first.family && address_compare(address, &first) >= 0 &&
	       address_compare(address, &last) <= 0;
}
