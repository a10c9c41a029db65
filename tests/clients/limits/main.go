// SPDX-License-Identifier: MIT

// A Go program that says which limits it sees: what the Go runtime makes of them
// by itself, and what the usual libraries do.
package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"go.uber.org/automaxprocs/maxprocs"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// openFiles are those that the runtime keeps open, to see limits change.
func openFiles() []string {
	descriptors, err := filepath.Glob("/proc/self/fd/*")
	check(err)
	files := []string{}
	for _, descriptor := range descriptors {
		if file, err := os.Readlink(descriptor); err == nil {
			files = append(files, file)
		}
	}
	return files
}

func main() {
	seen := map[string]any{
		"processors": runtime.NumCPU(),
		"GOMAXPROCS": runtime.GOMAXPROCS(0),
		"open":       openFiles(),
	}
	_, err := maxprocs.Set()
	check(err)
	seen["automaxprocs"] = runtime.GOMAXPROCS(0)
	seen["memory"], err = memlimit.FromCgroup()
	check(err)
	check(json.NewEncoder(os.Stdout).Encode(seen))
}
