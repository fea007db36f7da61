package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// patience bounds every wait for a node.
const patience = time.Minute

// node is a process that is measured.
type node struct {
	cmd     *exec.Cmd
	address string
	pid     int
}

func build(dir string) (string, error) {
	binary := filepath.Join(dir, "ottla")
	out, err := exec.Command("go", "build", "-o", binary, "github.com/ottla/ottla/cmd/ottla").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return binary, nil
}

// start runs a node on a directory of that name and returns when it says that it is ready.
func (b *bench) start(name string) error {
	cmd := exec.Command(b.binary, "dev", "--json", "--listen", "127.0.0.1:0", "--dir", filepath.Join(b.dir, name))
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return errors.Join(fmt.Errorf("the node does not start: %w: %s", err, log.String()), cmd.Wait())
	}
	go io.Copy(io.Discard, out)
	var ready struct{ Address string }
	if err := json.Unmarshal(line, &ready); err != nil {
		return err
	}
	b.node = &node{cmd: cmd, address: ready.Address, pid: cmd.Process.Pid}
	return nil
}

// running makes sure that there is a node.
func (b *bench) running() error {
	if b.node != nil {
		return nil
	}
	return b.start("main")
}

func (b *bench) end(sig os.Signal) error {
	if b.node == nil || b.node.cmd == nil {
		return nil
	}
	cmd := b.node.cmd
	b.node = nil
	if err := cmd.Process.Signal(sig); err != nil {
		return err
	}
	_ = cmd.Wait() // its exit code is not what is measured
	return nil
}

func (b *bench) stop() { _ = b.end(os.Interrupt) }

// cpu is what the node has used so far, user and system.
func (n *node) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n.pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+2:]))
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick, errors.Join(err1, err2)
}

// resident is its resident memory in bytes.
func (n *node) resident() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("no VmRSS in the kernel's account")
}

func loopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%s is not a loopback address: load is sent to this machine only", address)
	}
	return nil
}

// fillPageCache writes and reads a file about as large as the free memory, so that what is measured does not pay for
// memory that nobody has touched.
func fillPageCache(dir string) error {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return err
	}
	var free int64
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "MemFree:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				return err
			}
			free = kib << 10
		}
	}
	f, err := os.Create(filepath.Join(dir, "fill"))
	if err != nil {
		return err
	}
	defer f.Close()
	block := make([]byte, 1<<20)
	for written := int64(0); written < free-(1<<30); written += int64(len(block)) {
		if _, err := f.Write(block); err != nil {
			return err
		}
	}
	return nil
}
