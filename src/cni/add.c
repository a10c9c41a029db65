/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include <string.h>

#include "attachment.h"
#include "result.h"
#include "store.h"

/* Removes those of wanted[] that are this set's, and returns one; false: there is none. */
static bool take_wanted(struct address *wanted, unsigned *nr, const struct range_set *set,
			struct address *address)
{
	for (unsigned i = 0; i < *nr; i++)
		if (range_set_find(set, &wanted[i])) {
			*address = wanted[i];
			wanted[i] = wanted[--*nr];
			return true;
		}
	return false;
}

struct search {
	const struct attachment *attachment;
	bool found;
};

static bool is_ours(const struct attachment *attachment, const struct holding *holding)
{
	return holding_is(holding, attachment->environment->container, attachment->environment->interface);
}

/* An address that is the attachment's already: ADD was called before. It stays. */
static bool find_old(const struct holding *holding, void *context)
{
	struct search *search = context;

	search->found |= is_ours(search->attachment, holding) &&
			 config_set_of(search->attachment->config, &holding->address);
	return false;
}

/* The addresses that this ADD has given, and no other. */
static bool release_given(const struct holding *holding, void *context)
{
	const struct attachment *attachment = context;

	for (unsigned i = 0; i < attachment->nr_given; i++)
		if (!address_compare(&attachment->given[i].address, &holding->address))
			return is_ours(attachment, holding);
	return false;
}

static int reserve_each(struct store *store, struct attachment *attachment, struct address *wanted,
			unsigned nr_wanted, struct failure *failure)
{
	const struct config *config = attachment->config;
	const struct environment *environment = attachment->environment;
	struct address address;
	char text[PREFIX_TEXT_MAX];

	for (unsigned i = 0; i < config->nr_sets; i++) {
		struct given *given = &attachment->given[i];
		bool is_wanted = take_wanted(wanted, &nr_wanted, &config->sets[i], &address);

		if (store_reserve(store, &config->sets[i], i, is_wanted ? &address : NULL,
				  environment->container, environment->interface, &given->address, failure))
			return -1;
		given->range = range_set_find(&config->sets[i], &given->address);
		attachment->nr_given++;
	}
	if (nr_wanted)
		return failure_set(failure, FAILURE_ADDRESS, NULL,
				   "the address %s is asked for, but no range has it",
				   address_print(&wanted[0], text));
	return 0;
}

static int reserve(struct attachment *attachment, struct failure *failure)
{
	const struct config *config = attachment->config;
	struct address wanted[WANTED_MAX + 1];
	struct search search = {.attachment = attachment};
	unsigned nr_wanted = config->nr_wanted;
	struct store store;
	int error;

	memcpy(wanted, config->wanted, sizeof(config->wanted));
	if (attachment->environment->wanted.family)
		wanted[nr_wanted++] = attachment->environment->wanted;
	if (store_open(&store, config->data_dir, config->name, failure))
		return -1;
	error = store_visit(&store, find_old, &search);
	if (error)
		failure_set(failure, FAILURE_IO, strerror(-error),
			    "cannot read which addresses are taken");
	else if (search.found)
		failure_set(failure, FAILURE_ADDRESS, NULL,
			    "this attachment has an address already: DEL must come first");
	else
		reserve_each(&store, attachment, wanted, nr_wanted, failure);
	if (failure->code)
		store_visit(&store, release_given, attachment);
	store_close(&store);
	return failure->code ? -1 : 0;
}

static void release(struct attachment *attachment)
{
	struct failure ignored = {0};
	struct store store;

	if (!attachment->nr_given ||
	    store_open(&store, attachment->config->data_dir, attachment->config->name, &ignored))
		return;
	store_visit(&store, release_given, attachment);
	store_close(&store);
}

/* Standard: a name that is taken is a failure. lo, which is always there, is loopback's. */
static int check_name(const struct attachment *attachment, struct failure *failure)
{
	struct link link;

	if (attachment->config->mode == MODE_LOOPBACK ||
	    link_find(attachment->node.inside, attachment->environment->interface, &link))
		return 0;
	return failure_set(failure, FAILURE_NETWORK, NULL, "the container has an interface %s already",
			   attachment->environment->interface);
}

static int attach(struct attachment *attachment, struct failure *failure)
{
	json_t *result;
	int error;

	if (attachment_make(attachment, failure))
		return -1;
	result = result_of(attachment);
	error = result_write(result, failure);
	json_decref(result);
	return error;
}

int command_add(const struct config *config, const struct environment *environment, struct failure *failure)
{
	struct attachment attachment = {.config = config, .environment = environment};
	int error;

	attachment_host_name(config->name, environment->container, environment->interface,
			     attachment.host_name);
	if (node_open(&attachment.node, environment->namespace, false, failure))
		return -1;
	error = check_name(&attachment, failure);
	if (!error && config->mode != MODE_LOOPBACK)
		error = reserve(&attachment, failure);
	if (!error) {
		error = attach(&attachment, failure);
		if (error)
			release(&attachment);
	}
	node_close(&attachment.node);
	return error;
}
