package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/ottla/ottla/test/compat/peer"
)

const (
	// brokerPort and controllerPort are those of every node: each has addresses of its own.
	brokerPort, controllerPort = 9092, 9093
	// nobody is the hardware address of nobody: what is sent there is lost.
	nobody = "02:00:00:00:00:ff"
	// room is how large a node's disk is, in bytes: memory, of what is used.
	room = 4 << 30
	// line is a narrow line: what does not get through in time is dropped.
	line = "tbf rate 1mbit burst 4k limit 16k"
)

// exitUnable is how a process within ends where no networks can be made.
const exitUnable = 3

// isolated runs this program anew with a network and mounts of its own: whatever it makes of both goes with it. It returns the exit code.
func isolated(ctx context.Context, binary string) (int, error) {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), within+"="+binary)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if uid := os.Geteuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	err := cmd.Run()
	var status *exec.ExitError
	switch {
	case errors.As(err, &status) && status.Exited():
		return status.ExitCode(), nil
	case err != nil && cmd.ProcessState == nil: // it never started
		return exitUnable, nil // the caller goes on without
	}
	return 0, err
}

// namespaces is a network namespace for each node, and a bridge between them. The clients are at the bridge itself. Hardware addresses are told, never
// asked for: a link is cut by telling the sender a wrong one, which loses all packets in silence.
type namespaces struct{}

// newNamespaces makes the network.
func newNamespaces(ctx context.Context) (network, error) {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return nil, fmt.Errorf("keep mounts to this process: %w", err)
	}
	if err := syscall.Mount("tmpfs", "/run", "tmpfs", 0, ""); err != nil {
		return nil, fmt.Errorf("mount a folder for network namespaces: %w", err)
	}
	hub := fmt.Sprintf("link set lo up\nlink add hub type bridge\nlink set hub address %s up\naddr add %s/24 dev hub\n", hardware(clients), host(clients))
	for i := range nodes {
		hub += fmt.Sprintf("netns add %s\nlink add %s type veth peer name eth0 address %s netns %[1]s\nlink set %[2]s master hub up\n", space(i), port(i), hardware(i))
	}
	if err := feed(ctx, hub, "ip", "-batch", "-"); err != nil {
		return nil, err
	}
	for i := range nodes {
		if err := feed(ctx, fmt.Sprintf("link set lo up\naddr add %s/24 dev eth0\nlink set eth0 up\n", host(i)), "ip", "-n", space(i), "-batch", "-"); err != nil {
			return nil, err
		}
	}
	return namespaces{}, namespaces{}.heal(ctx)
}

func space(i int) string    { return fmt.Sprint("node-", i+1) }
func port(i int) string     { return fmt.Sprint("to-node-", i+1) }
func host(i int) string     { return fmt.Sprint("10.83.0.", i+1) }
func hardware(i int) string { return fmt.Sprintf("02:00:00:00:00:%02x", i+1) }

// place implements network.
func (namespaces) place(i int, o peer.Options) (peer.Options, error) {
	o.Listen, o.Controller = fmt.Sprintf("%s:%d", host(i), brokerPort), fmt.Sprintf("%s:%d", host(i), controllerPort)
	o.Before = []string{"nsenter", "--net=/run/netns/" + space(i), "--"}
	return peer.Reserve(o)
}

// cut implements network.
func (namespaces) cut(ctx context.Context, links ...link) error {
	return tell(ctx, func(int) string { return nobody }, links)
}

// heal implements network.
func (namespaces) heal(ctx context.Context) error {
	var all []link
	for from := range clients + 1 {
		for to := range clients + 1 {
			if from != to {
				all = append(all, link{from, to})
			}
		}
	}
	return tell(ctx, hardware, all)
}

// tell has the senders of links take what address says for the hardware address of the receivers.
func tell(ctx context.Context, address func(int) string, links []link) error {
	var by [clients + 1]strings.Builder
	for _, l := range links {
		device := "eth0"
		if l.from == clients {
			device = "hub"
		}
		fmt.Fprintf(&by[l.from], "neigh replace %s lladdr %s nud permanent dev %s\n", host(l.to), address(l.to), device)
	}
	for from := range by {
		if by[from].Len() == 0 {
			continue
		}
		var args []string
		if from != clients {
			args = []string{"-n", space(from)}
		}
		if err := feed(ctx, by[from].String(), "ip", append(args, "-batch", "-")...); err != nil {
			return err
		}
	}
	return nil
}

// narrow implements network.
func (namespaces) narrow(ctx context.Context, i int, on bool) error {
	verb, what := "del", ""
	if on {
		verb, what = "add", line
	}
	if err := run(ctx, "tc", strings.Fields("qdisc "+verb+" dev "+port(i)+" root "+what)...); err != nil {
		return err
	}
	return run(ctx, "tc", strings.Fields("-n "+space(i)+" qdisc "+verb+" dev eth0 root "+what)...)
}

// disk implements network.
func (namespaces) disk(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return syscall.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprint("size=", room))
}

// resize implements network.
func (namespaces) resize(folder string, size uint64) error {
	if size == 0 {
		var s syscall.Statfs_t
		if err := syscall.Statfs(folder, &s); err != nil {
			return err
		}
		size = (s.Blocks - s.Bfree) * uint64(s.Bsize)
	}
	return syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_REMOUNT, fmt.Sprint("size=", size))
}

// free implements network.
func (namespaces) free(folders ...string) error {
	var errs []error
	for _, f := range folders {
		errs = append(errs, syscall.Unmount(f, 0))
	}
	return errors.Join(errs...)
}
