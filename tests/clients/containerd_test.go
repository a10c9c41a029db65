// SPDX-License-Identifier: MIT

package clients

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/cgroups/v3/cgroup1"
	v1 "github.com/containerd/cgroups/v3/cgroup1/stats"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// What containerd and its shim do with a container on cgroup v1.

// ourHierarchy is the package's own list, at the root of the test.
func ourHierarchy() ([]cgroup1.Subsystem, error) {
	hugetlb, err := cgroup1.NewHugetlb(root)
	return []cgroup1.Subsystem{
		cgroup1.NewNamed(root, "systemd"), cgroup1.NewFreezer(root), cgroup1.NewPids(root),
		cgroup1.NewNetCls(root), cgroup1.NewNetPrio(root), cgroup1.NewPerfEvent(root),
		cgroup1.NewCpuset(root), cgroup1.NewCpu(root), cgroup1.NewCpuacct(root),
		cgroup1.NewMemory(root), cgroup1.NewBlkio(root), cgroup1.NewDevices(root), hugetlb,
	}, err
}

func pointer[T any](value T) *T { return &value }

func containerResources() *specs.LinuxResources {
	resources := &specs.LinuxResources{
		CPU: &specs.LinuxCPU{
			Shares: pointer(uint64(256)), Period: pointer(uint64(100_000)),
			Quota: pointer(int64(150_000)), RealtimePeriod: pointer(uint64(1_000_000)),
			RealtimeRuntime: pointer(int64(2_000)), Cpus: "0", Mems: "0",
		},
		Memory: &specs.LinuxMemory{
			Limit: pointer(int64(300 * megabyte)), Reservation: pointer(int64(100 * megabyte)),
			Swap: pointer(int64(600 * megabyte)), Swappiness: pointer(uint64(30)),
			KernelTCP: pointer(int64(50 * megabyte)), DisableOOMKiller: pointer(false),
		},
		Pids: &specs.LinuxPids{Limit: pointer(int64(64))},
		Network: &specs.LinuxNetwork{ClassID: pointer(uint32(0x20003)),
			Priorities: []specs.LinuxInterfacePriority{{Name: "lo", Priority: 7}}},
		Devices: []specs.LinuxDeviceCgroup{
			{Allow: false, Access: "rwm"},
			{Allow: true, Type: "c", Major: pointer(int64(1)), Minor: pointer(int64(3)),
				Access: "rwm"},
			{Allow: true, Type: "c", Major: pointer(int64(5)), Access: "rw"},
		},
		HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 64 * megabyte}},
	}
	return resources
}

func throttleContainer(resources *specs.LinuxResources, disk disk) {
	limit := specs.LinuxThrottleDevice{Rate: 1 << 31}
	limit.Major, limit.Minor = disk.major, disk.minor
	resources.BlockIO = &specs.LinuxBlockIO{
		ThrottleReadBpsDevice:   []specs.LinuxThrottleDevice{limit},
		ThrottleWriteBpsDevice:  []specs.LinuxThrottleDevice{limit},
		ThrottleReadIOPSDevice:  []specs.LinuxThrottleDevice{limit},
		ThrottleWriteIOPSDevice: []specs.LinuxThrottleDevice{limit},
	}
}

func TestContainerd(t *testing.T) {
	need(t)
	name := uniqueName(t, "cd")
	worker := startWorker(t)
	resources := containerResources()
	if disk, err := diskOf(t.TempDir()); err == nil {
		throttleContainer(resources, disk)
	}

	container, err := cgroup1.New(cgroup1.StaticPath("/"+name), resources,
		cgroup1.WithHierarchy(ourHierarchy))
	must(t, "New", err)
	recordStored(t, name, "new")
	checkEqual(t, "State", container.State(), cgroup1.Thawed)
	must(t, "Add", container.Add(cgroup1.Process{Pid: worker.pid()}))
	t.Run("processes", func(t *testing.T) { checkProcesses(t, container, worker) })
	t.Run("update", func(t *testing.T) { checkUpdate(t, container, name) })
	t.Run("stat", func(t *testing.T) { checkStat(t, container, worker) })
	t.Run("disk", func(t *testing.T) { checkDisk(t, container, worker) })
	t.Run("events", func(t *testing.T) { checkEvents(t, container, worker) })
	t.Run("freeze", func(t *testing.T) { checkFreeze(t, container, worker) })
	t.Run("sub", func(t *testing.T) { checkSub(t, container, worker, name) })
	t.Run("delete", func(t *testing.T) { checkDelete(t, container, worker, name) })
}

func numbers(processes []cgroup1.Process) (pids []int) {
	for _, process := range processes {
		pids = append(pids, process.Pid)
	}
	return pids
}

func checkProcesses(t *testing.T, container cgroup1.Cgroup, worker *worker) {
	for _, subsystem := range container.Subsystems() {
		name := subsystem.Name()
		processes, err := container.Processes(name, false)
		must(t, string(name), err)
		checkNumbers(t, string(name)+" processes", numbers(processes), []int{worker.pid()})
		tasks, err := container.Tasks(name, true)
		must(t, string(name), err)
		checkNumbers(t, string(name)+" tasks", numbers(tasks), worker.threads())
	}
}

func checkUpdate(t *testing.T, container cgroup1.Cgroup, name string) {
	for _, update := range []struct {
		name      string
		resources specs.LinuxResources
	}{
		{"more memory", specs.LinuxResources{Memory: &specs.LinuxMemory{
			Limit: pointer(int64(700 * megabyte)), Swap: pointer(int64(900 * megabyte))}}},
		{"less memory", specs.LinuxResources{Memory: &specs.LinuxMemory{
			Limit: pointer(int64(400 * megabyte)), Swap: pointer(int64(500 * megabyte))}}},
		{"more than with swap", specs.LinuxResources{Memory: &specs.LinuxMemory{
			Limit: pointer(int64(800 * megabyte))}}},
		{"unlimited swap", specs.LinuxResources{Memory: &specs.LinuxMemory{
			Swap: pointer(int64(-1))}}},
		{"quota", specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: pointer(int64(50_000))}}},
		{"too little quota", specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: pointer(int64(1))}}},
		{"too much real time", specs.LinuxResources{CPU: &specs.LinuxCPU{
			RealtimeRuntime: pointer(int64(1_000_000_000))}}},
		{"devices", specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{
			{Allow: false, Type: "c", Major: pointer(int64(5)), Access: "w"},
			{Allow: true, Type: "b", Access: "m"}}}},
		{"pids", specs.LinuxResources{Pids: &specs.LinuxPids{Limit: pointer(int64(90))}}},
		{"too many pids", specs.LinuxResources{Pids: &specs.LinuxPids{
			Limit: pointer(int64(5_000_000))}}},
		{"too swappy", specs.LinuxResources{Memory: &specs.LinuxMemory{
			Swappiness: pointer(uint64(300))}}},
		{"no quota", specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: pointer(int64(-1))}}},
	} {
		err := container.Update(&update.resources)
		record(t, update.name, strings.ReplaceAll(fmt.Sprint(err), name, "NAME"))
		recordStored(t, name, update.name)
	}
}

func statOf(t *testing.T, container cgroup1.Cgroup) *v1.Metrics {
	t.Helper()
	metrics, err := container.Stat()
	must(t, "Stat", err)
	return metrics
}

func checkStat(t *testing.T, container cgroup1.Cgroup, worker *worker) {
	const mapped = 32 * megabyte
	before, started := statOf(t, container), worker.cpuTime()
	worker.ask("burn 300")
	worker.ask("map %d", mapped/megabyte)
	after, used := before, worker.cpuTime()-started
	settle(func() bool {
		after = statOf(t, container)
		return after.Memory.RSS-before.Memory.RSS >= mapped
	})

	checkRange(t, "CPU time, ns", after.CPU.Usage.Total-before.CPU.Usage.Total,
		used*95/100, used*105/100)
	checkRange(t, "user + kernel, ns", after.CPU.Usage.User+after.CPU.Usage.Kernel,
		after.CPU.Usage.Total*9/10-uint64(20*time.Millisecond),
		after.CPU.Usage.Total+uint64(20*time.Millisecond))
	record(t, "CPUs", len(after.CPU.Usage.PerCPU))

	checkRange(t, "growth of rss", after.Memory.RSS-before.Memory.RSS, mapped*95/100, mapped*110/100)
	checkRange(t, "growth of total_rss", after.Memory.TotalRSS-before.Memory.TotalRSS,
		mapped*95/100, mapped*110/100)
	checkRange(t, "growth of usage", after.Memory.Usage.Usage-before.Memory.Usage.Usage,
		mapped*95/100, mapped*120/100)
	checkRange(t, "peak", after.Memory.Usage.Max, after.Memory.Usage.Usage,
		after.Memory.Usage.Usage+mapped)
	record(t, "limits", []uint64{after.Memory.Usage.Limit, after.Memory.Swap.Limit,
		after.Memory.Kernel.Limit, after.Memory.KernelTCP.Limit,
		after.Memory.HierarchicalMemoryLimit, after.Memory.HierarchicalSwapLimit})
	record(t, "oom_control", after.MemoryOomControl.String())

	checkEqual(t, "pids", after.Pids.Current, uint64(len(worker.threads())))
	checkEqual(t, "pids limit", after.Pids.Limit, 90)
	record(t, "hugetlb", fmt.Sprint(after.Hugetlb))
}

func checkDisk(t *testing.T, container cgroup1.Cgroup, worker *worker) {
	directory := t.TempDir()
	if _, err := diskOf(directory); err != nil {
		t.Skipf("no disk to write to: %v", err)
	}
	bytes := func() (total uint64) {
		for _, entry := range statOf(t, container).Blkio.IoServiceBytesRecursive {
			if entry.Op == "Write" {
				total += entry.Value
			}
		}
		return total
	}
	before := bytes()
	worker.ask("write %s", filepath.Join(directory, "file"))
	settle(func() bool { return bytes()-before >= written })
	checkRange(t, "bytes written", bytes()-before, written, written*11/10)
}

// fires tells whether an event comes within that time.
func fires(t *testing.T, eventfd uintptr, limit time.Duration) bool {
	t.Helper()
	poll := []unix.PollFd{{Fd: int32(eventfd), Events: unix.POLLIN}}
	end := time.Now().Add(limit)
	for {
		count, err := unix.Poll(poll, int(max(time.Until(end).Milliseconds(), 0)))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		must(t, "poll", err)
		if count == 0 {
			return false
		}
		_, err = unix.Read(int(eventfd), make([]byte, 8))
		must(t, "read of the event", err)
		return true
	}
}

// checkEvents registers for memory that is about to be used.
func checkEvents(t *testing.T, container cgroup1.Cgroup, worker *worker) {
	usage := statOf(t, container).Memory.Usage.Usage
	threshold, err := container.RegisterMemoryEvent(
		cgroup1.MemoryThresholdEvent(usage+16*megabyte, false))
	must(t, "RegisterMemoryEvent", err)
	defer unix.Close(int(threshold))
	if fires(t, threshold, 2*time.Second) {
		t.Error("the threshold's event came before its memory was used")
	}
	worker.ask("map 24")
	if !fires(t, threshold, patience) {
		t.Error("no event came when the threshold was crossed")
	}
	pressure, err := container.RegisterMemoryEvent(
		cgroup1.MemoryPressureEvent(cgroup1.CriticalPressure, cgroup1.LocalMode))
	must(t, "pressure", err)
	unix.Close(int(pressure))
}

func checkFreeze(t *testing.T, container cgroup1.Cgroup, worker *worker) {
	worker.ask("spin")
	must(t, "Freeze", container.Freeze())
	checkEqual(t, "State", container.State(), cgroup1.Frozen)
	frozen := ticks(t, worker.pid())
	time.Sleep(200 * time.Millisecond)
	checkEqual(t, "CPU time while frozen", ticks(t, worker.pid()), frozen)
	must(t, "Thaw", container.Thaw())
	checkEqual(t, "State", container.State(), cgroup1.Thawed)
	worker.ask("rest")
}

// checkSub makes a cgroup below, moves one thread there, then all, and takes them back.
func checkSub(t *testing.T, container cgroup1.Cgroup, worker *worker, name string) {
	sub, err := container.New("sub", &specs.LinuxResources{
		Pids: &specs.LinuxPids{Limit: pointer(int64(50))}})
	must(t, "New", err)
	recordStored(t, filepath.Join(name, "sub"), "sub")
	threads := worker.threads()
	thread := threads[slices.IndexFunc(threads, func(tid int) bool { return tid != worker.pid() })]
	must(t, "AddTask", sub.AddTask(cgroup1.Process{Pid: thread}))
	for _, subsystem := range container.Subsystems() {
		tasks, err := sub.Tasks(subsystem.Name(), false)
		must(t, "Tasks", err)
		checkNumbers(t, string(subsystem.Name())+" tasks below", numbers(tasks), []int{thread})
		processes, err := sub.Processes(subsystem.Name(), false)
		must(t, "Processes", err)
		checkNumbers(t, string(subsystem.Name())+" processes below", numbers(processes),
			[]int{worker.pid()})
	}
	must(t, "MoveTo sub", container.MoveTo(sub))
	tasks, err := sub.Tasks(cgroup1.Memory, false)
	must(t, "Tasks", err)
	checkNumbers(t, "tasks after MoveTo", numbers(tasks), worker.threads())
	must(t, "MoveTo container", sub.MoveTo(container))
	tasks, err = sub.Tasks(cgroup1.Memory, false)
	must(t, "Tasks", err)
	checkNumbers(t, "tasks left", numbers(tasks), nil)
}

func checkDelete(t *testing.T, container cgroup1.Cgroup, worker *worker, name string) {
	err := container.Delete()
	if err == nil {
		t.Error("Delete removed cgroups that have processes")
	}
	// Which files it opens below is a matter of order; that it refuses is not.
	record(t, "refused", strings.Count(fmt.Sprint(err), "contains running processes"))
	oom, err := container.OOMEventFD()
	must(t, "OOMEventFD", err)
	defer unix.Close(int(oom))
	worker.stop()
	must(t, "Delete", container.Delete())
	if !fires(t, oom, patience) {
		t.Error("no event came when the cgroup was removed")
	}
	checkEqual(t, "State", container.State(), cgroup1.Deleted)
	for _, hierarchy := range hierarchies {
		if _, err := os.Stat(filepath.Join(root, hierarchy, name)); !os.IsNotExist(err) {
			t.Errorf("%s/%s is left: %v", hierarchy, name, err)
		}
	}
	_, err = cgroup1.Load(cgroup1.StaticPath("/"+name), cgroup1.WithHierarchy(ourHierarchy))
	checkEqual(t, "Load", err, cgroup1.ErrCgroupDeleted)
}
