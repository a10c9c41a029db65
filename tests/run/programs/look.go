// SPDX-License-Identifier: MIT

// What a static Go program sees of cgroups: no libc, its own system calls.
package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
)

func kind(path string) int64 {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		panic(err)
	}
	return fs.Type
}

func main() {
	fmt.Printf("%x %x\n", kind("/sys/fs/cgroup"), kind("/sys/fs/cgroup/cpu"))
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		panic(err)
	}
	fmt.Println(strings.Count(string(mountinfo), " - cgroup cgroup "))
	cgroup, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		panic(err)
	}
	for _, line := range strings.SplitAfter(string(cgroup), "\n") {
		if strings.Contains(line, ":cpu:") {
			fmt.Print(line)
		}
	}
	// Go's scheduler interrupts system calls by signals: none may be seen.
	var group sync.WaitGroup
	for i := 0; i < 64; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for j := 0; j < 10; j++ {
				if kind("/sys/fs/cgroup/memory") != 0x27e0eb {
					panic("not a cgroup")
				}
				if _, err := os.ReadFile("/proc/thread-self/mountinfo"); err != nil {
					panic(err)
				}
			}
		}()
	}
	group.Wait()
}
