// SPDX-License-Identifier: MIT

package clients

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A worker is a process that uses what it is told to: this program, run again.
type worker struct {
	t       *testing.T
	process *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Reader
}

const workerVariable = "FCG_WORKER"

func startWorker(t *testing.T) *worker {
	t.Helper()
	command := exec.Command("/proc/self/exe")
	command.Env = append(os.Environ(), workerVariable+"=1")
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	must(t, "pipe", err)
	output, err := command.StdoutPipe()
	must(t, "pipe", err)
	must(t, "start a worker", command.Start())
	w := &worker{t, command, input, bufio.NewReader(output)}
	t.Cleanup(w.stop)
	w.ask("hello")
	return w
}

func (w *worker) pid() int {
	return w.process.Process.Pid
}

// stop ends it and its children; the second time it does nothing.
func (w *worker) stop() {
	_ = w.input.Close()
	_ = w.process.Process.Kill()
	_ = w.process.Wait()
}

// ask has the worker do one thing, and returns its answer.
func (w *worker) ask(format string, arguments ...any) string {
	w.t.Helper()
	if _, err := fmt.Fprintf(w.input, format+"\n", arguments...); err != nil {
		w.t.Fatalf("worker: %v", err)
	}
	answer, err := w.output.ReadString('\n')
	if err != nil {
		w.t.Fatalf("worker: %s: %v", fmt.Sprintf(format, arguments...), err)
	}
	if complaint, bad := strings.CutPrefix(answer, "error: "); bad {
		w.t.Fatalf("worker: %s", complaint)
	}
	return strings.TrimSpace(answer)
}

func (w *worker) askNumber(format string, arguments ...any) int {
	w.t.Helper()
	number, err := strconv.Atoi(w.ask(format, arguments...))
	must(w.t, "worker's answer", err)
	return number
}

// cpuTime is what the kernel counts for its threads and for children that ended, in ns.
func (w *worker) cpuTime() uint64 {
	w.t.Helper()
	return uint64(w.askNumber("usage"))
}

// threads are the numbers of its threads.
func (w *worker) threads() []int {
	w.t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", w.pid()))
	must(w.t, "threads", err)
	var threads []int
	for _, entry := range entries {
		thread, _ := strconv.Atoi(entry.Name())
		threads = append(threads, thread)
	}
	return threads
}

// ticks is the CPU time of a process, that need not answer.
func ticks(t *testing.T, pid int) int {
	t.Helper()
	text := content(t, fmt.Sprintf("/proc/%d/stat", pid))
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return user + system
}

// --- in the worker ---

func work() {
	_ = unix.Prctl(unix.PR_SET_THP_DISABLE, 1, 0, 0, 0) // one page, one fault
	_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		words := strings.Fields(input.Text())
		answer, err := obey(words[0], words[1:])
		if err != nil {
			answer = "error: " + strings.Join(words, " ") + ": " + err.Error()
		}
		fmt.Println(answer)
	}
}

func obey(order string, arguments []string) (string, error) {
	switch order {
	case "hello":
		return "hello", nil
	case "usage":
		return usage()
	case "burn":
		milliseconds, err := strconv.Atoi(arguments[0])
		burn(time.Duration(milliseconds) * time.Millisecond)
		return "burnt", err
	case "spin": // until it is told to stop
		stop := make(chan struct{})
		go spin(stop)
		spinning = append(spinning, stop)
		return "spinning", nil
	case "rest":
		for _, stop := range spinning {
			close(stop)
		}
		spinning = nil
		return "resting", nil
	case "map":
		megabytes, err := strconv.Atoi(arguments[0])
		if err != nil {
			return "", err
		}
		return "mapped", mapMemory(megabytes << 20)
	case "write":
		return "written", writeDirectly(arguments[0])
	case "dd": // the same, by a process that ends
		return "written", exec.Command("dd", "if=/dev/zero", "of="+arguments[0], "bs=1M",
			"count="+strconv.Itoa(written>>20), "oflag=direct").Run()
	case "short": // many that end at once
		for range 100 {
			if err := exec.Command("true").Run(); err != nil {
				return "", err
			}
		}
		return "ended", nil
	case "child":
		return startChild()
	}
	return "", fmt.Errorf("unknown order")
}

var spinning []chan struct{}

func usage() (string, error) {
	var total int64
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var usage unix.Rusage
		if err := unix.Getrusage(who, &usage); err != nil {
			return "", err
		}
		total += usage.Utime.Nano() + usage.Stime.Nano()
	}
	return strconv.FormatInt(total, 10), nil
}

// burn uses that much CPU time, of user and system.
func burn(wanted time.Duration) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var start, now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &start)
	for now.Nano()-start.Nano() < int64(wanted) || now.Nano() == 0 {
		for range 20 {
			_ = unix.Getppid()
		}
		for i := range 100_000 {
			sink += i
		}
		_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now)
	}
}

var sink int

func spin(stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
	}
}

func mapMemory(size int) error {
	memory, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	for i := 0; i < len(memory); i += os.Getpagesize() {
		memory[i] = 1
	}
	return err
}

const written = 8 << 20

// writeDirectly writes to the disk what `written` says, not to the page cache.
func writeDirectly(path string) error {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_DIRECT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	const block = 1 << 20
	memory, err := unix.Mmap(-1, 0, block, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return err
	}
	defer unix.Munmap(memory)
	for range written / block {
		if _, err := unix.Write(fd, memory); err != nil {
			return err
		}
	}
	return nil
}

// startChild starts one that does nothing, has one thread, and ends with us.
func startChild() (string, error) {
	command := exec.Command("sleep", "600")
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // its parent's death is this thread's
	if err := command.Start(); err != nil {
		return "", err
	}
	go command.Wait()
	return strconv.Itoa(command.Process.Pid), nil
}
