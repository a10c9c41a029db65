/* SPDX-License-Identifier: MIT */
#ifndef VERSION_H
#define VERSION_H

#define FUSE_CGROUPFS_VERSION "0.2.0"

#endif
