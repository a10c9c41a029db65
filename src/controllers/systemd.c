/* SPDX-License-Identifier: MIT */
/* systemd: the hierarchy "name=systemd", which has processes in it and no controller. */
#include "controller.h"

static const struct cftype systemd_files[] = { { .name = NULL } };

const struct controller systemd_controller = {
	.name = "systemd",
	.named = true,
	.legacy_files = systemd_files,
};
