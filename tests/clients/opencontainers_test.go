// SPDX-License-Identifier: MIT

package clients

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/cgroups"
	_ "github.com/opencontainers/cgroups/devices" // has the manager write device rules
	devices "github.com/opencontainers/cgroups/devices/config"
	"github.com/opencontainers/cgroups/fs"
)

// What runc, the kubelet and cAdvisor do with a container on cgroup v1.

const megabyte = 1 << 20

// deviceRules is what containers are given, in short: nothing but what is allowed.
func deviceRules(allowed ...devices.Rule) []*devices.Rule {
	rules := []*devices.Rule{{Type: 'a', Major: -1, Minor: -1, Permissions: "rwm"}}
	for _, rule := range allowed {
		rule.Allow = true
		rules = append(rules, &rule)
	}
	return rules
}

func limitedResources() *cgroups.Resources {
	idle, burst, pids, swappiness := int64(0), uint64(20_000), int64(100), uint64(40)
	resources := &cgroups.Resources{
		CpuShares:         512,
		CpuPeriod:         50_000,
		CpuQuota:          200_000,
		CpuBurst:          &burst,
		CpuRtPeriod:       500_000,
		CpuRtRuntime:      1_000,
		CPUIdle:           &idle,
		CpusetCpus:        "0",
		CpusetMems:        "0",
		Memory:            512 * megabyte,
		MemorySwap:        768 * megabyte,
		MemoryReservation: 256 * megabyte,
		MemorySwappiness:  &swappiness,
		OomKillDisable:    true,
		PidsLimit:         &pids,
		NetClsClassid:     0x100001,
		NetPrioIfpriomap:  []*cgroups.IfPrioMap{{Interface: "lo", Priority: 5}},
		Devices: deviceRules(
			devices.Rule{Type: 'c', Major: -1, Minor: -1, Permissions: "m"},
			devices.Rule{Type: 'b', Major: -1, Minor: -1, Permissions: "m"},
			devices.Rule{Type: 'c', Major: 1, Minor: 3, Permissions: "rwm"},
			devices.Rule{Type: 'c', Major: 1, Minor: 5, Permissions: "rwm"},
			devices.Rule{Type: 'c', Major: 5, Minor: 0, Permissions: "rwm"},
			devices.Rule{Type: 'c', Major: 136, Minor: -1, Permissions: "rwm"},
			devices.Rule{Type: 'c', Major: 10, Minor: 200, Permissions: "rw"}),
	}
	for i, size := range cgroups.HugePageSizes() {
		resources.HugetlbLimit = append(resources.HugetlbLimit,
			&cgroups.HugepageLimit{Pagesize: size, Limit: uint64(i+1) << 30})
	}
	return resources
}

// throttle limits a disk to more than it will see.
func throttle(resources *cgroups.Resources, disk disk) {
	limit := func(rate uint64) []*cgroups.ThrottleDevice {
		return []*cgroups.ThrottleDevice{cgroups.NewThrottleDevice(disk.major, disk.minor, rate)}
	}
	resources.BlkioWeight = 300
	resources.BlkioThrottleReadBpsDevice = limit(11 << 30)
	resources.BlkioThrottleWriteBpsDevice = limit(12 << 30)
	resources.BlkioThrottleReadIOPSDevice = limit(1_000_001)
	resources.BlkioThrottleWriteIOPSDevice = limit(1_000_002)
}

// newManager has the package find the hierarchies where the mount table shows
// them, and is told them where it does not.
func newManager(t *testing.T, name string) *fs.Manager {
	t.Helper()
	var paths map[string]string
	if root != standardRoot {
		cgroups.TestMode = true // else it refuses files of another filesystem
	}
	if root != standardRoot || !hasV1Mounts(t) {
		paths = map[string]string{}
		for _, hierarchy := range hierarchies {
			paths[strings.Replace(hierarchy, "systemd", "name=systemd", 1)] =
				filepath.Join(root, hierarchy, name)
		}
	}
	manager, err := fs.NewManager(&cgroups.Cgroup{Path: "/" + name, Resources: &cgroups.Resources{}},
		paths)
	must(t, "NewManager", err)
	record(t, "hierarchies found", slices.Sorted(maps.Keys(manager.GetPaths())))
	return manager
}

func TestOpencontainersManager(t *testing.T) {
	need(t)
	name := uniqueName(t, "oc")
	manager, worker := newManager(t, name), startWorker(t)

	checkEqual(t, "Exists before Apply", manager.Exists(), false)
	must(t, "Apply", manager.Apply(worker.pid()))
	checkEqual(t, "Exists", manager.Exists(), true)
	recordStored(t, name, "fresh")
	t.Run("membership", func(t *testing.T) { checkMembership(t, manager, worker) })
	t.Run("resources", func(t *testing.T) { checkResources(t, manager, name) })
	t.Run("cpu", func(t *testing.T) { checkCPU(t, manager, worker) })
	t.Run("memory", func(t *testing.T) { checkMemory(t, manager, worker) })
	t.Run("blkio", func(t *testing.T) { checkBlkio(t, manager, worker) })
	t.Run("other stats", func(t *testing.T) { checkOtherStats(t, manager, worker) })
	t.Run("freezer", func(t *testing.T) { checkFreezer(t, manager, worker) })
	t.Run("children", func(t *testing.T) { checkChildren(t, manager, worker) })
	t.Run("destroy", func(t *testing.T) { checkDestroy(t, manager, worker) })
}

func checkMembership(t *testing.T, manager *fs.Manager, worker *worker) {
	pids, err := manager.GetPids()
	must(t, "GetPids", err)
	checkNumbers(t, "GetPids", pids, []int{worker.pid()})
	for controller, path := range manager.GetPaths() {
		pids, err := cgroups.GetPids(path)
		must(t, controller, err)
		checkNumbers(t, controller, pids, []int{worker.pid()})
		var threads []int
		for line := range strings.Lines(content(t, filepath.Join(path, "tasks"))) {
			var thread int
			_, _ = fmt.Sscan(line, &thread)
			threads = append(threads, thread)
		}
		checkNumbers(t, controller+" tasks", threads, worker.threads())
	}
}

// checkResources sets all that the package knows, changes it, and takes it back.
func checkResources(t *testing.T, manager *fs.Manager, name string) {
	limited := limitedResources()
	if disk, err := diskOf(t.TempDir()); err == nil {
		throttle(limited, disk)
	}
	must(t, "Set", manager.Set(limited))
	recordStored(t, name, "limited")
	record(t, "weight", content(t, weightFile(manager)))
	must(t, "Set again", manager.Set(limited))
	recordStored(t, name, "limited twice")

	idle, pids := int64(1), int64(-1)
	for _, change := range []struct {
		name      string
		resources cgroups.Resources
	}{
		{"other devices", cgroups.Resources{Devices: deviceRules(
			devices.Rule{Type: 'c', Major: 1, Minor: -1, Permissions: "rw"},
			devices.Rule{Type: 'b', Major: 8, Minor: 0, Permissions: "r"})}},
		{"all devices", cgroups.Resources{Devices: []*devices.Rule{
			{Type: 'a', Major: -1, Minor: -1, Permissions: "rwm", Allow: true},
			{Type: 'c', Major: 4, Minor: 1, Permissions: "rw"}}}},
		{"more memory", cgroups.Resources{Memory: 1024 * megabyte, MemorySwap: 2048 * megabyte}},
		{"less memory", cgroups.Resources{Memory: 400 * megabyte, MemorySwap: 400 * megabyte}},
		{"unlimited memory", cgroups.Resources{Memory: -1}},
		{"swap below memory", cgroups.Resources{Memory: 800 * megabyte, MemorySwap: 400 * megabyte}},
		{"idle", cgroups.Resources{CPUIdle: &idle}},
		{"shares while idle", cgroups.Resources{CpuShares: 100}},
		{"a shorter period", cgroups.Resources{CpuPeriod: 1_000, CpuQuota: 20_000}},
		{"no quota", cgroups.Resources{CpuQuota: -1}},
		{"too few shares", cgroups.Resources{CpuShares: 1}},
		{"no pids limit", cgroups.Resources{PidsLimit: &pids}},
		{"no such CPU", cgroups.Resources{CpusetCpus: "100000"}},
		{"no such interface", cgroups.Resources{
			NetPrioIfpriomap: []*cgroups.IfPrioMap{{Interface: "fcg-none", Priority: 1}}}},
		{"no such disk", cgroups.Resources{BlkioThrottleReadBpsDevice: []*cgroups.ThrottleDevice{
			cgroups.NewThrottleDevice(250, 250, 1)}}},
		{"too much weight", cgroups.Resources{BlkioWeight: 5000}},
	} {
		change.resources.SkipDevices = change.resources.Devices == nil
		err := fmt.Sprint(manager.Set(&change.resources))
		err = strings.ReplaceAll(err, filepath.Base(weightFile(manager)), "WEIGHT")
		record(t, change.name, strings.ReplaceAll(err, name, "NAME"))
		recordStored(t, name, change.name)
	}

	idle = 0
	must(t, "not idle", manager.Set(&cgroups.Resources{CPUIdle: &idle, SkipDevices: true}))
}

// weightFile is the one that the package writes: the kernel's name for it has changed.
func weightFile(manager *fs.Manager) string {
	old := filepath.Join(manager.Path("blkio"), "blkio.weight")
	if cgroups.PathExists(old) {
		return old
	}
	return filepath.Join(manager.Path("blkio"), "blkio.bfq.weight")
}

func statsOf(t *testing.T, manager *fs.Manager) *cgroups.Stats {
	t.Helper()
	stats, err := manager.GetStats()
	must(t, "GetStats", err)
	return stats
}

// checkCPU compares what is counted with what the worker was charged.
func checkCPU(t *testing.T, manager *fs.Manager, worker *worker) {
	const burnt = 600 * uint64(time.Millisecond)
	before, started := statsOf(t, manager).CpuStats, worker.cpuTime()
	worker.ask("burn %d", burnt/uint64(time.Millisecond))
	after, used := before, worker.cpuTime()-started
	settle(func() bool {
		after = statsOf(t, manager).CpuStats
		return after.CpuUsage.TotalUsage-before.CpuUsage.TotalUsage >= burnt
	})

	total := after.CpuUsage.TotalUsage - before.CpuUsage.TotalUsage
	checkRange(t, "cpuacct.usage, ns", total, used-used/20, used+used/20)
	user := after.CpuUsage.UsageInUsermode - before.CpuUsage.UsageInUsermode
	system := after.CpuUsage.UsageInKernelmode - before.CpuUsage.UsageInKernelmode
	checkRange(t, "cpuacct.stat, ns", user+system, used-used/10, used+used/10)
	checkRange(t, "cpuacct.stat's user part, ns", user, burnt/3, used+used/10)
	record(t, "CPUs", []int{len(after.CpuUsage.PercpuUsage),
		len(after.CpuUsage.PercpuUsageInUsermode), len(after.CpuUsage.PercpuUsageInKernelmode)})
	checkRange(t, "sum of cpuacct.usage_percpu, ns", sum(after.CpuUsage.PercpuUsage),
		before.CpuUsage.TotalUsage+total*9/10, after.CpuUsage.TotalUsage+used/10)
	// The kernel counts these by its ticks.
	checkRange(t, "sum of cpuacct.usage_all, ns",
		sum(after.CpuUsage.PercpuUsageInUsermode)+sum(after.CpuUsage.PercpuUsageInKernelmode),
		after.CpuUsage.TotalUsage*7/10, after.CpuUsage.TotalUsage*13/10)
	checkShortProcesses(t, manager, worker)
	throttling := after.ThrottlingData
	checkRange(t, "cpu.stat nr_throttled", throttling.ThrottledPeriods, 0, throttling.Periods)
}

// checkShortProcesses is about what ends before anybody could look at it.
func checkShortProcesses(t *testing.T, manager *fs.Manager, worker *worker) {
	before, started := statsOf(t, manager).CpuStats.CpuUsage.TotalUsage, worker.cpuTime()
	worker.ask("short")
	used, counted := worker.cpuTime()-started, uint64(0)
	settle(func() bool {
		counted = statsOf(t, manager).CpuStats.CpuUsage.TotalUsage - before
		return counted >= used
	})
	checkRange(t, "cpuacct.usage of short processes, ns", counted, used*3/4, used*5/4)
}

func sum(values []uint64) (total uint64) {
	for _, value := range values {
		total += value
	}
	return total
}

func checkMemory(t *testing.T, manager *fs.Manager, worker *worker) {
	const mapped = 64 * megabyte
	must(t, "limit", manager.Set(&cgroups.Resources{Memory: 512 * megabyte, SkipDevices: true}))
	before := statsOf(t, manager).MemoryStats
	worker.ask("map %d", mapped/megabyte)
	after := before
	grown := func(key string) uint64 { return after.Stats[key] - before.Stats[key] }
	settle(func() bool {
		after = statsOf(t, manager).MemoryStats
		return grown("rss") >= mapped
	})

	record(t, "memory.stat", slices.Sorted(maps.Keys(after.Stats)))
	record(t, "limits", []uint64{after.Usage.Limit, after.SwapUsage.Limit, after.KernelTCPUsage.Limit,
		after.Stats["hierarchical_memory_limit"], after.Stats["hierarchical_memsw_limit"]})
	record(t, "hierarchical", after.UseHierarchy)
	for _, key := range []string{"rss", "total_rss"} {
		checkRange(t, "growth of "+key, grown(key), mapped*95/100, mapped*110/100)
	}
	checkRange(t, "growth of (in)active_anon", grown("inactive_anon")+grown("active_anon"),
		mapped*95/100, mapped*110/100)
	checkRange(t, "growth of usage", after.Usage.Usage-before.Usage.Usage,
		mapped*95/100, mapped*120/100)
	checkRange(t, "growth of pgfault", grown("pgfault"), mapped/4096*95/100, mapped/4096*120/100)
	checkRange(t, "peak", after.Usage.MaxUsage, after.Usage.Usage, after.Usage.Usage+mapped)
	checkRange(t, "usage with swap", after.SwapUsage.Usage, after.Usage.Usage,
		after.Usage.Usage+mapped)
	checkRange(t, "kernel memory", after.KernelUsage.Usage, 4096, 8*megabyte)
	checkRange(t, "rss + cache + kernel",
		after.Stats["rss"]+after.Stats["cache"]+after.KernelUsage.Usage,
		after.Usage.Usage-2*megabyte, after.Usage.Usage+2*megabyte)
	checkEqual(t, "cache", after.Cache, after.Stats["cache"])
	checkEqual(t, "failcnt", after.Usage.Failcnt, 0)

	numa := after.PageUsageByNUMA
	checkRange(t, "memory.numa_stat anon", numa.Anon.Total*4096, after.Stats["rss"]*95/100,
		after.Stats["rss"]*105/100+megabyte)
	checkEqual(t, "memory.numa_stat total", numa.Total.Total,
		numa.File.Total+numa.Anon.Total+numa.Unevictable.Total)
	checkEqual(t, "memory.numa_stat nodes", sum(slices.Collect(maps.Values(numa.Anon.Nodes))),
		numa.Anon.Total)
	checkEqual(t, "hierarchical anon", numa.Hierarchical.Anon.Total, numa.Anon.Total)
	killed, err := manager.OOMKillCount()
	must(t, "OOMKillCount", err)
	checkEqual(t, "OOMKillCount", killed, 0)
}

func checkBlkio(t *testing.T, manager *fs.Manager, worker *worker) {
	directory := t.TempDir()
	if _, err := diskOf(directory); err != nil {
		t.Skipf("no disk to write to: %v", err)
	}
	bytes := func(stats *cgroups.Stats, operation string) uint64 {
		return allDisks(stats.BlkioStats.IoServiceBytesRecursive, operation)
	}
	for _, way := range []string{"write", "dd"} {
		before, after := statsOf(t, manager), (*cgroups.Stats)(nil)
		worker.ask("%s %s", way, filepath.Join(directory, way))
		settle(func() bool {
			after = statsOf(t, manager)
			return bytes(after, "Write")-bytes(before, "Write") >= written
		})
		checkRange(t, way+": bytes written", bytes(after, "Write")-bytes(before, "Write"),
			written, written*11/10)
		checkRange(t, way+": all bytes", bytes(after, "Total")-bytes(before, "Total"),
			written, written+64*megabyte) // reads of its program, too
		requests := allDisks(after.BlkioStats.IoServicedRecursive, "Write") -
			allDisks(before.BlkioStats.IoServicedRecursive, "Write")
		checkRange(t, way+": write requests", requests, 1, written/512)
	}
}

// allDisks adds them up: which disk it was is a guess where /proc tells of processes' bytes only.
func allDisks(entries []cgroups.BlkioStatEntry, operation string) (total uint64) {
	for _, entry := range entries {
		if entry.Op == operation {
			total += entry.Value
		}
	}
	return total
}

func checkOtherStats(t *testing.T, manager *fs.Manager, worker *worker) {
	pids := int64(77)
	must(t, "limit", manager.Set(&cgroups.Resources{PidsLimit: &pids, SkipDevices: true}))
	stats := statsOf(t, manager)
	checkEqual(t, "pids.current", stats.PidsStats.Current, uint64(len(worker.threads())))
	checkEqual(t, "pids.max", stats.PidsStats.Limit, 77)
	record(t, "cpuset", fmt.Sprintf("%+v", stats.CPUSetStats))
	record(t, "hugetlb", fmt.Sprintf("%+v", stats.HugetlbStats))
}

// checkFreezer looks at what frozen processes do: nothing.
func checkFreezer(t *testing.T, manager *fs.Manager, worker *worker) {
	state := func() cgroups.FreezerState {
		state, err := manager.GetFreezerState()
		must(t, "GetFreezerState", err)
		return state
	}
	worker.ask("spin")
	checkEqual(t, "state at first", state(), cgroups.Thawed)
	must(t, "Freeze", manager.Freeze(cgroups.Frozen))
	checkEqual(t, "state when frozen", state(), cgroups.Frozen)
	frozen := ticks(t, worker.pid())
	time.Sleep(300 * time.Millisecond)
	checkEqual(t, "CPU time while frozen", ticks(t, worker.pid()), frozen)
	must(t, "Thaw", manager.Freeze(cgroups.Thawed))
	checkEqual(t, "state when thawed", state(), cgroups.Thawed)
	worker.ask("burn 100")
	if ticks(t, worker.pid()) < frozen+10 {
		t.Errorf("the worker did not go on")
	}
	worker.ask("rest")
}

// checkChildren follows a fork, and moves the child one down.
func checkChildren(t *testing.T, manager *fs.Manager, worker *worker) {
	child := worker.askNumber("child")
	pids, err := manager.GetPids()
	must(t, "GetPids", err)
	checkNumbers(t, "after a fork", pids, []int{worker.pid(), child})
	checkEqual(t, "pids.current after a fork", statsOf(t, manager).PidsStats.Current,
		uint64(len(worker.threads())+1))

	for _, path := range manager.GetPaths() {
		must(t, "a child cgroup", os.Mkdir(filepath.Join(path, "sub"), 0o755))
	}
	cpuset := manager.Path("cpuset")
	err = manager.AddPid("sub", child)
	text := strings.ReplaceAll(fmt.Sprint(err), fmt.Sprint(child), "PID")
	record(t, "into an unconfigured cpuset", strings.ReplaceAll(text, cpuset, "CPUSET"))
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		must(t, file, os.WriteFile(filepath.Join(cpuset, "sub", file),
			[]byte(content(t, filepath.Join(cpuset, file))), 0))
	}
	must(t, "AddPid", manager.AddPid("sub", child))
	for controller, path := range manager.GetPaths() {
		pids, err := cgroups.GetPids(filepath.Join(path, "sub"))
		must(t, controller, err)
		checkNumbers(t, controller+"'s child", pids, []int{child})
	}
	all, err := manager.GetAllPids()
	must(t, "GetAllPids", err)
	checkNumbers(t, "GetAllPids", all, []int{worker.pid(), child})
	checkEqual(t, "pids.current with a child", statsOf(t, manager).PidsStats.Current,
		uint64(len(worker.threads())+1))
}

func checkDestroy(t *testing.T, manager *fs.Manager, worker *worker) {
	paths := maps.Clone(manager.GetPaths())
	if err := cgroups.RemovePath(paths["memory"]); err == nil { // it tries for a second
		t.Error("a cgroup was removed that has processes")
	}
	checkEqual(t, "refused removal", cgroups.PathExists(paths["memory"]), true)
	worker.stop()
	must(t, "Destroy", manager.Destroy())
	checkEqual(t, "Exists after Destroy", manager.Exists(), false)
	for controller, path := range paths {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s: %s is left: %v", controller, path, err)
		}
	}
}
