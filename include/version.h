#ifndef VERSION_H
#define VERSION_H

#define FUSE_CGROUPFS_VERSION "0.1.0"

#endif
