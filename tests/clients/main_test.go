// SPDX-License-Identifier: MIT

// Package clients drives real Go clients of cgroup v1 on a tree: the kernel's
// or ours. The same tests run on both, and what they write down must be equal.
package clients

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Where the hierarchies are, and where to write what is to be the same on every tree.
var (
	root       = os.Getenv("FCG_ROOT")
	transcript = os.Getenv("FCG_TRANSCRIPT")
)

const standardRoot = "/sys/fs/cgroup"

var hierarchies = []string{"blkio", "cpu", "cpuacct", "cpuset", "devices", "freezer", "hugetlb",
	"memory", "net_cls", "net_prio", "perf_event", "pids", "systemd"}

func TestMain(m *testing.M) {
	if os.Getenv(workerVariable) != "" {
		work()
		return
	}
	os.Exit(m.Run())
}

func need(t *testing.T) {
	t.Helper()
	if root == "" {
		t.Skip("FCG_ROOT does not say where a cgroup tree is: tests/clients/run.sh sets it")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes cgroups and moves processes")
	}
	for _, hierarchy := range hierarchies {
		if _, err := os.Stat(filepath.Join(root, hierarchy, "tasks")); err != nil {
			t.Fatalf("%s is no cgroup v1 tree: %v", root, err)
		}
	}
}

// uniqueName is a cgroup name of this test alone; what is left of it at the end goes.
func uniqueName(t *testing.T, suffix string) string {
	t.Helper()
	name := fmt.Sprintf("fcg-client-%d-%s", os.Getpid(), suffix)
	t.Cleanup(func() {
		for _, hierarchy := range hierarchies {
			removeTree(filepath.Join(root, hierarchy, name))
		}
	})
	return name
}

// removeTree removes a cgroup and those below it; the files go with them.
func removeTree(path string) {
	entries, _ := os.ReadDir(path)
	for _, entry := range entries {
		if entry.IsDir() {
			removeTree(filepath.Join(path, entry.Name()))
		}
	}
	_ = unix.Rmdir(path)
}

// stored are the files that say what was set, not what is used.
var stored = map[string][]string{
	"blkio": {"blkio.throttle.*_device"},
	"cpu":   {"cpu.shares", "cpu.cfs_*", "cpu.rt_*", "cpu.idle"},
	"cpuset": {"cpuset.cpus", "cpuset.mems", "cpuset.effective_*", "cpuset.*_exclusive",
		"cpuset.memory_[ms]*", "cpuset.sched_*", "cpuset.mem_hardwall"},
	"devices": {"devices.list"},
	"freezer": {"freezer.*"},
	"hugetlb": {"hugetlb.*.limit_in_bytes"},
	"memory": {"memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.soft_limit_in_bytes",
		"memory.kmem.tcp.limit_in_bytes", "memory.swappiness", "memory.oom_control",
		"memory.use_hierarchy", "memory.*failcnt"},
	"net_cls":  {"net_cls.classid"},
	"net_prio": {"net_prio.ifpriomap"},
	"pids":     {"pids.max", "pids.events"},
	"systemd":  {"notify_on_release", "cgroup.clone_children"},
}

// recordStored writes down every stored file of a cgroup.
func recordStored(t *testing.T, name, when string) {
	t.Helper()
	for _, hierarchy := range hierarchies {
		for _, pattern := range stored[hierarchy] {
			files, err := filepath.Glob(filepath.Join(root, hierarchy, name, pattern))
			if err != nil || len(files) == 0 {
				t.Errorf("%s: %s/%s: no such file", when, hierarchy, pattern)
			}
			for _, file := range files {
				record(t, when+" "+filepath.Base(file), content(t, file))
			}
		}
	}
}

func content(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Errorf("%v", err)
	}
	return string(text)
}

// record writes down what must be the same on every tree, if it is asked for.
func record(t *testing.T, what string, value any) {
	t.Helper()
	if transcript == "" {
		return
	}
	file, err := os.OpenFile(transcript, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := fmt.Fprintf(file, "%s: %s: %q\n", t.Name(), what, fmt.Sprint(value)); err != nil {
		t.Fatal(err)
	}
}

// must ends the test when a step of it failed.
func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func checkEqual[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, should be %v", what, got, want)
	}
}

func checkNumbers(t *testing.T, what string, got, want []int) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, should be %v", what, got, want)
	}
}

// checkRange is for figures that depend on the machine's mood.
func checkRange[T uint64 | float64](t *testing.T, what string, got, low, high T) {
	t.Helper()
	t.Logf("%s: %v (from %v to %v)", what, got, low, high)
	if got < low || got > high {
		t.Errorf("%s: %v, should be from %v to %v", what, got, low, high)
	}
}

// patience is how long a figure may take. The kernel counts at once; a tree that
// reads /proc may look at most once a second, and a busy machine has others to run.
const patience = 5 * time.Second

// settle asks until the answer is yes, or for as long as we have patience: what
// is said then is to be checked.
func settle(done func() bool) {
	for end := time.Now().Add(patience); !done() && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
}

// hasV1Mounts tells whether the mount table says that a hierarchy is mounted at root.
func hasV1Mounts(t *testing.T) bool {
	t.Helper()
	table, err := os.ReadFile("/proc/self/mountinfo")
	must(t, "mountinfo", err)
	for line := range bytes.Lines(table) {
		place, filesystem, _ := strings.Cut(string(line), " - ")
		if strings.HasPrefix(filesystem, "cgroup ") && strings.Contains(place, " "+root+"/devices ") {
			return true
		}
	}
	return false
}
