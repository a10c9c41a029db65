// SPDX-License-Identifier: MIT

package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// A disk as blkio knows it: never a partition.
type disk struct {
	major, minor int64
}

// diskOf finds the disk that a directory's files are on, if it is one.
func diskOf(directory string) (disk, error) {
	var stat unix.Stat_t
	if err := unix.Stat(directory, &stat); err != nil {
		return disk{}, err
	}
	device, err := filepath.EvalSymlinks(fmt.Sprintf("/sys/dev/block/%d:%d",
		unix.Major(stat.Dev), unix.Minor(stat.Dev)))
	if err != nil {
		return disk{}, err
	}
	if _, err := os.Stat(filepath.Join(device, "partition")); err == nil {
		device = filepath.Dir(device)
	}
	number, err := os.ReadFile(filepath.Join(device, "dev"))
	if err != nil {
		return disk{}, err
	}
	var found disk
	_, err = fmt.Sscanf(strings.TrimSpace(string(number)), "%d:%d", &found.major, &found.minor)
	return found, err
}
