/* SPDX-License-Identifier: MIT */
#ifndef CNI_STORE_H
#define CNI_STORE_H

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>

#include "address.h"
#include "failure.h"
#include "range.h"

/*
 * Which addresses are given away, in files as containernetworking's host-local keeps them: DATA_DIR/NETWORK
 * has one of each address's name with "CONTAINER\r\nINTERFACE" in it, last_reserved_ip.SET, and `lock`, which
 * is flock(2)ed from store_open() to store_close(). What host-local has written is read here, and the other
 * way round.
 */
struct store {
	int directory;
	int lock;
};

/* Who has an address. */
struct holding {
	struct address address;
	char container[NAME_MAX + 1]; /* empty: the file was not written to its end */
	char interface[IF_NAMESIZE]; /* empty: of a host-local before 0.8, which had none */
};

/* Makes the directory where it is missing, and waits for the lock. 0, or -1 with `failure`. */
int store_open(struct store *store, const char *data_dir, const char *network, struct failure *failure);
void store_close(struct store *store);

/* Whether the holding is this attachment's. */
bool holding_is(const struct holding *holding, const char *container, const char *interface);

/*
 * Shows each holding to `visit`, and gives back the addresses for which that is true. All are visited,
 * whatever fails; 0, or the first failure as a negative errno.
 */
int store_visit(struct store *store, bool (*visit)(const struct holding *holding, void *context),
		void *context);

/*
 * Gives one address away: `wanted`, or (NULL) the next that is free after the one that was last given away
 * from this set. `index` is the set's number. 0, or -1 with `failure`.
 */
int store_reserve(struct store *store, const struct range_set *set, unsigned index,
		  const struct address *wanted, const char *container, const char *interface,
		  struct address *address, struct failure *failure);

/* Whether an address of this set is free; negative errno: it is not to be seen. */
int store_has_free(struct store *store, const struct range_set *set);

#endif
