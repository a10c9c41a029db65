/* SPDX-License-Identifier: MIT */
#ifndef CNI_ADDRESS_H
#define CNI_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>

/* An address of IPv4 or IPv6. */
struct address {
	int family; /* AF_INET, AF_INET6; 0: none */
	unsigned char bytes[16]; /* in the network's order; of IPv4 the first four, the others are 0 */
};

/* A network, or an address in its network: "10.88.0.5/16". */
struct prefix {
	struct address address;
	unsigned length; /* bits */
};

#define PREFIX_TEXT_MAX (INET6_ADDRSTRLEN + 4)

/* 32 or 128. */
unsigned address_bits(const struct address *address);
/* Four bytes or 16. */
unsigned address_size(const struct address *address);

/* Whether `text` is one; inet_pton(3)'s grammar. What is mapped from IPv4 (::ffff:1.2.3.4) becomes IPv4. */
bool address_parse(const char *text, struct address *address);
/* "ADDRESS/LENGTH". */
bool prefix_parse(const char *text, struct prefix *prefix);

/* As host-local names its files (inet_ntop(3)); returns `text`. */
char *address_print(const struct address *address, char text[PREFIX_TEXT_MAX]);
char *prefix_print(const struct prefix *prefix, char text[PREFIX_TEXT_MAX]);

/* The order of addresses of one family; an IPv4 address is before each of IPv6. As memcmp(3). */
int address_compare(const struct address *a, const struct address *b);
/* The one after it; past the last comes the first. */
struct address address_next(struct address address);

/* The network's first address, which is the network's own, and its last one. */
struct address prefix_first(const struct prefix *prefix);
struct address prefix_last(const struct prefix *prefix);
bool prefix_contains(const struct prefix *prefix, const struct address *address);

#endif
