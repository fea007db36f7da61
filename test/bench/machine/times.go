package machine

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of CPU time in procfs: USER_HZ is 100 on every Linux.
const tick = 10 * time.Millisecond

// Times are CPU times of the whole machine since it started.
type Times struct {
	Busy   time.Duration // user, system and interrupts
	Steal  time.Duration // what the host gave to others while we wanted it
	Total  time.Duration // of all CPUs, idle time included
	Kernel time.Duration // kernel threads alone (part of Busy): writeback and the like work for everybody
}

// Sub returns what has passed since an earlier reading.
func (t Times) Sub(earlier Times) Times {
	return Times{Busy: t.Busy - earlier.Busy, Steal: t.Steal - earlier.Steal, Total: t.Total - earlier.Total, Kernel: t.Kernel - earlier.Kernel}
}

// ReadTimes reads /proc/stat, and adds up the kernel threads.
func ReadTimes() (Times, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return Times{}, err
	}
	t, err := parseTimes(string(text))
	if err != nil {
		return Times{}, err
	}
	t.Kernel, err = kernelThreads()
	return t, err
}

// parseTimes reads the first line of /proc/stat: user nice system idle iowait irq softirq steal (guest is in user).
func parseTimes(text string) (Times, error) {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return Times{}, fmt.Errorf("/proc/stat begins with %q", line)
	}
	var n [8]time.Duration
	var t Times
	for i := range n {
		ticks, err := strconv.ParseInt(fields[i+1], 10, 64)
		if err != nil {
			return Times{}, err
		}
		n[i] = time.Duration(ticks) * tick
		t.Total += n[i]
	}
	t.Steal = n[7]
	t.Busy = t.Total - n[3] - n[4] - n[7]
	return t, nil
}

// kernelThreads adds up the CPU time of kthreadd's children. A thread that ended takes its time along; few do.
func kernelThreads() (time.Duration, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		fields := statFields(text)
		if len(fields) < 13 || fields[1] != "2" {
			continue
		}
		cpu, err := statCPU(fields)
		if err != nil {
			return 0, err
		}
		sum += cpu
	}
	return sum, nil
}

// statFields are the fields of /proc/PID/stat behind the name: state, parent, …
func statFields(text []byte) []string {
	at := bytes.LastIndexByte(text, ')')
	if at < 0 || at+2 > len(text) {
		return nil
	}
	return strings.Fields(string(text[at+2:]))
}

func statCPU(fields []string) (time.Duration, error) {
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

// ProcessCPU is what a process has used so far, user and system.
func ProcessCPU(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := statFields(text)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	return statCPU(fields)
}

// SelfCPU is what this process has used so far, user and system.
func SelfCPU() (time.Duration, error) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err
}

// ChildrenCPU is what the children of this process had used that have ended.
func ChildrenCPU() (time.Duration, error) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err
}

// Resident is the resident memory of a process in bytes, exact.
func Resident(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	return parseKiB(string(text), "Rss:")
}

// ResidentAbout is the resident memory as the kernel keeps it by the way: cheap to ask, and a few hundred KiB off.
func ResidentAbout(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return parseKiB(string(text), "VmRSS:")
}

// Free is the memory of the machine that nobody has touched, not even the page cache; in bytes.
func Free() (int64, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	return parseKiB(string(text), "MemFree:")
}

// Memory is all memory of the machine in bytes.
func Memory() (int64, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	return parseKiB(string(text), "MemTotal:")
}

func parseKiB(text, key string) (int64, error) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("the kernel's account has no %s", key)
}

// Processor is the name of the CPU, for the report.
func Processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// Kernel is the kernel's release, for the report.
func Kernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}
