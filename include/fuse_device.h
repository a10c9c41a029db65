/* SPDX-License-Identifier: MIT */
#ifndef FUSE_DEVICE_H
#define FUSE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether /dev/fuse is FUSE's device and can be opened. One that is missing is made, if we may, and taken
 * away again if it is of no use. False: what is wrong and what to do is in `problem`, of `size` bytes. Needs
 * no lock.
 */
bool fuse_device_check(char *problem, size_t size);

#endif
