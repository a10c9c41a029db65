// SPDX-License-Identifier: MIT

package clients

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/cgroups/v3/cgroup2"
	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/fs2"
	"golang.org/x/sys/unix"
)

// What runc, the kubelet and containerd's shim do with a container on cgroup v2, below the launcher: they ask
// for the filesystem's type.

func needUnified(t *testing.T) {
	t.Helper()
	if os.Getenv("FCG_UNIFIED") == "" {
		t.Skip("FCG_UNIFIED does not say that this runs below fuse_cgroup_run --v2: " +
			"tests/clients/run.sh does")
	}
	checkEqual(t, "unified", cgroups.IsCgroup2UnifiedMode(), true)
}

// unifiedCgroup is a cgroup's name and path; it goes at the end if it is still there.
func unifiedCgroup(t *testing.T, name string) (string, string) {
	t.Helper()
	path := filepath.Join(standardRoot, name)
	t.Cleanup(func() { _ = unix.Rmdir(path) })
	return "/" + name, path
}

// checkFiles compares stored values with what was asked for.
func checkFiles(t *testing.T, path string, want map[string]string) {
	t.Helper()
	for file, value := range want {
		checkEqual(t, file, strings.TrimSpace(content(t, filepath.Join(path, file))), value)
	}
}

func TestUnifiedOpencontainers(t *testing.T) {
	needUnified(t)
	name, path := unifiedCgroup(t, "fcg-fs2")
	worker := startWorker(t)
	manager, err := fs2.NewManager(&cgroups.Cgroup{Path: name, Resources: &cgroups.Resources{}}, path)
	must(t, "NewManager", err)
	checkEqual(t, "Exists before Apply", manager.Exists(), false)
	must(t, "Apply", manager.Apply(worker.pid()))
	pids, err := manager.GetAllPids()
	must(t, "GetAllPids", err)
	checkNumbers(t, "GetAllPids", pids, []int{worker.pid()})

	limit := int64(100)
	must(t, "Set", manager.Set(&cgroups.Resources{CpuWeight: 300, CpuPeriod: 50_000, CpuQuota: 200_000,
		CpusetCpus: "0", Memory: 512 * megabyte, MemorySwap: 768 * megabyte,
		MemoryReservation: 256 * megabyte,
		PidsLimit:         &limit,
		Unified:           map[string]string{"memory.high": "400000000", "memory.oom.group": "1"}}))
	checkFiles(t, path, map[string]string{"cpu.weight": "300", "cpu.max": "200000 50000",
		"cpuset.cpus": "0",
		"memory.max":  "536870912", "memory.swap.max": "268435456", "memory.low": "268435456",
		"pids.max":    "100",
		"memory.high": "399998976", "memory.oom.group": "1"})
	if manager.Set(&cgroups.Resources{Unified: map[string]string{"memory.high": "much"}}) == nil {
		t.Error("Set took a limit that is no number")
	}

	worker.ask("map 24")
	settle(func() bool {
		stats, err := manager.GetStats()
		return err != nil ||
			stats.PidsStats.Current >= 1 && stats.MemoryStats.Usage.Usage >= 24*megabyte
	})
	stats, err := manager.GetStats()
	must(t, "GetStats", err)
	checkEqual(t, "pids limit", stats.PidsStats.Limit, 100)
	checkEqual(t, "memory limit", stats.MemoryStats.Usage.Limit, 512*megabyte)
	checkRange(t, "memory", stats.MemoryStats.Usage.Usage, 24*megabyte, 512*megabyte)
	checkRange(t, "threads", stats.PidsStats.Current, 1, 100)

	must(t, "Freeze", manager.Freeze(cgroups.Frozen))
	state, err := manager.GetFreezerState()
	must(t, "GetFreezerState", err)
	checkEqual(t, "state", state, cgroups.Frozen)
	must(t, "Thaw", manager.Freeze(cgroups.Thawed))
	if manager.Destroy() == nil {
		t.Error("Destroy removed a cgroup that has a process")
	}
	worker.stop()
	must(t, "Destroy", manager.Destroy())
	checkEqual(t, "Exists", manager.Exists(), false)
}

func TestUnifiedContainerd(t *testing.T) {
	needUnified(t)
	name, path := unifiedCgroup(t, "fcg-cgroup2")
	worker := startWorker(t)
	weight, memory := uint64(300), int64(512*megabyte)
	manager, err := cgroup2.NewManager(standardRoot, name, &cgroup2.Resources{
		CPU: &cgroup2.CPU{Weight: &weight,
			Max: cgroup2.NewCPUMax(pointer(int64(200_000)), pointer(uint64(50_000)))},
		Memory: &cgroup2.Memory{Max: &memory}, Pids: &cgroup2.Pids{Max: 100}})
	must(t, "NewManager", err)
	must(t, "AddProc", manager.AddProc(uint64(worker.pid())))
	processes, err := manager.Procs(false)
	must(t, "Procs", err)
	if len(processes) != 1 || processes[0] != uint64(worker.pid()) {
		t.Errorf("Procs: %v, should be %v", processes, worker.pid())
	}
	checkFiles(t, path, map[string]string{"cpu.weight": "300", "cpu.max": "200000 50000",
		"memory.max": "536870912", "pids.max": "100"})
	memory = 256 * megabyte
	must(t, "Update", manager.Update(&cgroup2.Resources{Memory: &cgroup2.Memory{Max: &memory}}))
	worker.ask("map 24")
	settle(func() bool {
		metrics, err := manager.Stat()
		return err != nil || metrics.Pids.Current >= 1 && metrics.Memory.Usage >= 24*megabyte
	})
	metrics, err := manager.Stat()
	must(t, "Stat", err)
	checkEqual(t, "memory limit", metrics.Memory.UsageLimit, 256*megabyte)
	checkEqual(t, "pids limit", metrics.Pids.Limit, 100)
	checkRange(t, "memory", metrics.Memory.Usage, 24*megabyte, 256*megabyte)
	must(t, "Freeze", manager.Freeze())
	state := filepath.Join(path, "cgroup.events")
	settle(func() bool { return strings.Contains(content(t, state), "frozen 1") })
	checkFiles(t, path, map[string]string{"cgroup.freeze": "1", "cgroup.events": "populated 1\nfrozen 1"})
	must(t, "Thaw", manager.Thaw())

	events, _ := manager.EventChan()
	must(t, "Kill", manager.Kill())
	worker.stop()
	for range events { // ends when cgroup.events tells that nobody is there
		break
	}
	must(t, "Delete", manager.Delete())
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", path, err)
	}
}
