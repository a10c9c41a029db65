// SPDX-License-Identifier: MIT

// What storm.c does by a timer, by Go itself: its scheduler sends signals to threads that have run for long,
// and its collector of garbage to all. With a third argument children end all the while, of which the kernel
// tells the process as a whole. Usage: storm CGROUP SECONDS [children]
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const workers = 4

var (
	rounds atomic.Int64
	lock   sync.Mutex
	wrong  = map[string]int{}
)

func check(operation string, err error) {
	if err == nil {
		return
	}
	lock.Lock()
	defer lock.Unlock()
	var message = err.Error()
	wrong[operation+message[strings.LastIndex(message, ":"):]]++
}

func attach(cgroup string, member int) {
	check("attach", os.WriteFile(filepath.Join(cgroup, "cgroup.procs"), []byte(strconv.Itoa(member)), 0))
}

func play(top string, worker int, member int) {
	outer := filepath.Join(top, fmt.Sprint("storm", worker))
	inner := filepath.Join(outer, "inner")
	check("mkdir", os.Mkdir(outer, 0755))
	check("mkdirall", os.MkdirAll(inner, 0755))
	attach(inner, member)
	content, err := os.ReadFile(filepath.Join(inner, "cgroup.procs"))
	check("read", err)
	if err == nil && strings.TrimSpace(string(content)) != strconv.Itoa(member) {
		check("read", fmt.Errorf(": member lost"))
	}
	_, err = os.ReadDir(outer)
	check("readdir", err)
	attach(top, member)
	check("remove", os.Remove(inner))
	check("remove", os.Remove(outer))
	if _, err = os.Stat(outer); err == nil {
		check("remove", fmt.Errorf(": removal lost"))
		os.Remove(inner)
		os.Remove(outer)
	}
	rounds.Add(1)
}

// Keeps the collector and the scheduler busy.
func burn(end time.Time) {
	var kept [][]byte
	for time.Now().Before(end) {
		kept = append(kept, make([]byte, 1<<16))
		if len(kept) > 64 {
			kept = nil
			runtime.GC()
		}
	}
}

func work(top string, worker int, end time.Time) {
	member := exec.Command("sleep", "3600")
	if err := member.Start(); err != nil {
		panic(err)
	}
	for time.Now().Before(end) {
		play(top, worker, member.Process.Pid)
	}
	member.Process.Kill()
	member.Wait()
}

func beget(end time.Time) {
	for time.Now().Before(end) {
		check("child", exec.Command("true").Run())
	}
}

func main() {
	seconds, _ := strconv.Atoi(os.Args[2])
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	var group sync.WaitGroup
	group.Add(workers + 2)
	for i := 0; i < workers; i++ {
		go func(worker int) { work(os.Args[1], worker, end); group.Done() }(i)
	}
	for i := 0; i < 2; i++ {
		go func() { burn(end); group.Done() }()
	}
	for i := 0; i < 2 && len(os.Args) > 3; i++ {
		group.Add(1)
		go func() { beget(end); group.Done() }()
	}
	group.Wait()
	fmt.Println(rounds.Load(), "rounds")
	var lines []string
	for what, count := range wrong {
		lines = append(lines, fmt.Sprintf("%s: %d", what, count))
	}
	sort.Strings(lines)
	for _, line := range lines {
		fmt.Println(line)
	}
	if len(lines) > 0 || rounds.Load() == 0 {
		os.Exit(1)
	}
}
