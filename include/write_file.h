/* SPDX-License-Identifier: MIT */
#ifndef WRITE_FILE_H
#define WRITE_FILE_H

/*
 * Writes `text` to the file at `path` below `directory` (AT_FDCWD: as open(2) takes it), in one write(2), as
 * files of the kernel's want it. 0, or a negative errno; -EIO: it took less. Needs no lock.
 */
int write_file(int directory, const char *path, const char *text);

#endif
