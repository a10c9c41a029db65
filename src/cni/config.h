/* SPDX-License-Identifier: MIT */
#ifndef CNI_CONFIG_H
#define CNI_CONFIG_H

#include <jansson.h>
#include <stdbool.h>

#include "address.h"
#include "failure.h"
#include "range.h"

#define CNI_NEWEST "1.1.0"

enum cni_version { CNI_0_3_1, CNI_0_4_0, CNI_1_0_0, CNI_1_1_0, CNI_VERSION_NR };

/* "0.3.1" and so on. */
extern const char *const cni_version_names[CNI_VERSION_NR];

enum mode {
	MODE_AUTO, /* ptp where the kernel makes one, else lo */
	MODE_PTP, /* a veth between the container and the node */
	MODE_LO, /* the address on the container's lo, where nobody else reaches it */
	MODE_LOOPBACK, /* lo is made to work, and no more: containernetworking's plugin of this name */
};

/* A route of the container. */
struct route {
	struct prefix destination;
	struct address gateway; /* family 0: the address' own */
	unsigned priority; /* 0: none is told */
};

#define SETS_MAX 8
#define WANTED_MAX 16
#define ROUTES_MAX 32

/* What a plugin is told on its standard input (SPEC.md, sections 1 and 3). Strings are of `json`. */
struct config {
	json_t *json;
	enum cni_version version;
	const char *name; /* of the network */
	enum mode mode;
	unsigned mtu; /* 0: the kernel's own */
	const char *data_dir;
	unsigned nr_sets, nr_wanted, nr_routes;
	struct range_set sets[SETS_MAX];
	struct address wanted[WANTED_MAX]; /* addresses that the attachment shall have */
	struct route routes[ROUTES_MAX];
};

/*
 * Reads it from `size` bytes of text, which need not end with NUL. 0, or -1 with `failure`; then, too,
 * config->version is the one to answer in, and config_free() is needed.
 */
int config_read(const char *text, size_t size, struct config *config, struct failure *failure);

void config_free(struct config *config);

/* The set that has this address, or NULL. */
const struct range_set *config_set_of(const struct config *config, const struct address *address);

#endif
