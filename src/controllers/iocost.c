/* SPDX-License-Identifier: MIT */
/* io.cost.qos and io.cost.model of the root: what is set is kept and shown (block/blk-iocost.c). */
#include "iocost.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "blkcg.h"
#include "machine_block.h"
#include "machine_device.h"
#include "number.h"

#define RATE_MIN 10000u /* VRATE_MIN_PPM: millionths */
#define RATE_MAX 100000000u /* VRATE_MAX_PPM */
#define TOKEN_MAX 32 /* of a word's value, with its NUL */
#define WORD_MAX 128 /* of a word, more than any needs */

enum qos { QOS_READ_PERCENT, QOS_READ_LATENCY, QOS_WRITE_PERCENT, QOS_WRITE_LATENCY, QOS_MIN,
	   QOS_MAX, QOS_VALUES };
#define MODEL_VALUES 6

/* One disk's. */
struct iocost {
	bool rotational, enabled, user_qos, user_model;
	uint32_t qos[QOS_VALUES]; /* percents and rates in millionths, latencies in us */
	uint64_t model[MODEL_VALUES];
};

static const char *const qos_names[QOS_VALUES] = {"rpct", "rlat", "wpct", "wlat", "min", "max"};
static const char *const model_names[MODEL_VALUES] = {"rbps", "rseqiops", "rrandiops",
						      "wbps", "wseqiops", "wrandiops"};

/* What the kernel takes where nothing else was said, for a disk that turns and one that does not (autop). */
static const uint32_t auto_qos[2][QOS_VALUES] = {
	{0, 25000, 0, 25000, RATE_MIN, RATE_MAX}, {0, 250000, 0, 250000, RATE_MIN, RATE_MAX}};
static const uint64_t auto_model[2][MODEL_VALUES] = {
	{488636629, 8932, 8518, 427891549, 28755, 21940}, {174019176, 41708, 370, 178075866, 42705, 378}};

/* ioc_refresh_params() */
static void refresh(struct iocost *cost)
{
	if (!cost->user_qos)
		memcpy(cost->qos, auto_qos[cost->rotational], sizeof(cost->qos));
	if (!cost->user_model)
		memcpy(cost->model, auto_model[cost->rotational], sizeof(cost->model));
}

/* A word "name=value" of this name: its value, which is not empty. */
static const char *value_of(const char *word, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(word, name, len) && word[len] == '=' && word[len + 1] ? word + len + 1 : NULL;
}

static int find_name(const char *word, const char *const names[], int count, const char **value)
{
	for (int i = 0; i < count; i++) {
		*value = value_of(word, names[i]);
		if (*value)
			return i;
	}
	return -1;
}

/* match_token()'s "%u", and match_u64() of what that matched. */
static bool take_u64(const char *text, uint64_t *value)
{
	return *text != '+' && *text != '-' && !strchr(text, '\n') && !number_parse_u64(text, 0, value);
}

static bool take_control(const char *value, bool *user)
{
	*user = !strcmp(value, "user");
	return *user || !strcmp(value, "auto");
}

/* --- qos --- */

static bool take_qos_value(uint32_t *qos, enum qos which, const char *text)
{
	uint64_t number;
	int64_t hundredths;

	if (which == QOS_READ_LATENCY || which == QOS_WRITE_LATENCY) {
		if (!take_u64(text, &number))
			return false;
		qos[which] = (uint32_t)number;
		return true;
	}
	if (strlen(text) >= TOKEN_MAX || number_parse_hundredths(text, &hundredths) || hundredths < 0)
		return false;
	if (which == QOS_READ_PERCENT || which == QOS_WRITE_PERCENT) {
		if (hundredths > 10000)
			return false;
		qos[which] = (uint32_t)hundredths * 100;
		return true;
	}
	number = (uint64_t)hundredths * 100;
	qos[which] = number < RATE_MIN ? RATE_MIN : number > RATE_MAX ? RATE_MAX : (uint32_t)number;
	return true;
}

static bool take_qos_word(struct iocost *cost, const char *word)
{
	const char *value = value_of(word, "enable");
	uint64_t enabled;
	int which;

	if (value) {
		if (!take_u64(value, &enabled))
			return false;
		cost->enabled = enabled;
		return true;
	}
	value = value_of(word, "ctrl");
	if (value)
		return take_control(value, &cost->user_qos);
	which = find_name(word, qos_names, QOS_VALUES, &value);
	if (which < 0 || !take_qos_value(cost->qos, (enum qos)which, value))
		return false;
	cost->user_qos = true;
	return true;
}

/* --- model --- */

static bool take_model_word(struct iocost *cost, const char *word)
{
	const char *value = value_of(word, "ctrl");
	int which;

	if (value)
		return take_control(value, &cost->user_model);
	value = value_of(word, "model");
	if (value)
		return !strcmp(value, "linear");
	which = find_name(word, model_names, MODEL_VALUES, &value);
	if (which < 0 || !take_u64(value, &cost->model[which]))
		return false;
	cost->user_model = true;
	return true;
}

/* --- both --- */

static bool take_words(struct iocost *cost, const char *text,
		       bool (*take)(struct iocost *cost, const char *word))
{
	char word[WORD_MAX];
	size_t len;

	for (; text += strspn(text, " \t\n"), *text; text += len) {
		len = strcspn(text, " \t\n");
		if (len >= sizeof(word))
			return false;
		memcpy(word, text, len);
		word[len] = '\0';
		if (!take(cost, word))
			return false;
	}
	return true;
}

/* The disk's, made at the first write, also if that then turns out to be wrong (blk_iocost_init). */
static struct iocost *cost_of(struct blkg *blkg, bool rotational)
{
	if (!blkg->cost)
		blkg->cost = calloc(1, sizeof(*blkg->cost));
	if (blkg->cost && !blkg->cost->qos[QOS_MAX]) {
		blkg->cost->rotational = rotational;
		refresh(blkg->cost);
	}
	return blkg->cost;
}

static int set(struct blkg *blkg, bool rotational, const char *text,
	       bool (*take)(struct iocost *cost, const char *word))
{
	struct iocost *cost = cost_of(blkg, rotational), changed;

	if (!cost)
		return -ENOMEM;
	changed = *cost;
	if (!take_words(&changed, text, take) || changed.qos[QOS_MIN] > changed.qos[QOS_MAX])
		return -EINVAL;
	*cost = changed;
	refresh(cost);
	return 0;
}

static int set_qos(struct blkg *blkg, int rotational, const char *text)
{
	return set(blkg, rotational, text, take_qos_word);
}

static int set_model(struct blkg *blkg, int rotational, const char *text)
{
	return set(blkg, rotational, text, take_model_word);
}

static bool is_rotational(const struct request *request, const char *text)
{
	unsigned int major, minor;

	return !number_scan_dev(&text, &major, &minor) &&
	       machine_block_is_rotational(cgroup_tree(request->cgroup)->machine, major, minor);
}

int iocost_qos_act(const struct request *request, char *text)
{
	return blkio_configure(request, text, NULL, set_qos, is_rotational(request, text));
}

int iocost_model_act(const struct request *request, char *text)
{
	return blkio_configure(request, text, NULL, set_model, is_rotational(request, text));
}

int iocost_qos_show(const struct request *request, struct text *out)
{
	for (const struct blkg *blkg = blkcg_of(request->cgroup)->blkgs; blkg; blkg = blkg->next) {
		const struct iocost *cost = blkg->cost;

		if (!cost)
			continue;
		blkio_print_device(out, blkg->device);
		text_printf(out, " enable=%d ctrl=%s", cost->enabled, cost->user_qos ? "user" : "auto");
		for (int i = 0; i < QOS_VALUES; i++) {
			bool latency = i == QOS_READ_LATENCY || i == QOS_WRITE_LATENCY;

			if (latency)
				text_printf(out, " %s=%u", qos_names[i], cost->qos[i]);
			else
				text_printf(out, " %s=%u.%02u", qos_names[i], cost->qos[i] / 10000,
					    cost->qos[i] % 10000 / 100);
		}
		text_add(out, "\n");
	}
	return 0;
}

int iocost_model_show(const struct request *request, struct text *out)
{
	for (const struct blkg *blkg = blkcg_of(request->cgroup)->blkgs; blkg; blkg = blkg->next) {
		if (!blkg->cost)
			continue;
		blkio_print_device(out, blkg->device);
		text_printf(out, " ctrl=%s model=linear", blkg->cost->user_model ? "user" : "auto");
		for (int i = 0; i < MODEL_VALUES; i++)
			text_printf(out, " %s=%lu", model_names[i], blkg->cost->model[i]);
		text_add(out, "\n");
	}
	return 0;
}

void iocost_save(const struct blkg *blkg, struct text *out)
{
	bytes_put(out, blkg->cost, blkg->cost ? sizeof(*blkg->cost) : 0);
}

int iocost_restore(struct blkg *blkg, struct bytes *in)
{
	struct bytes part = bytes_get(in);

	if (part.wrong || (part.len && part.len != sizeof(*blkg->cost)))
		return -EINVAL;
	if (!part.len)
		return 0;
	if (!blkg->cost)
		blkg->cost = malloc(sizeof(*blkg->cost));
	if (!blkg->cost)
		return -ENOMEM;
	memcpy(blkg->cost, part.data, part.len);
	return 0;
}
