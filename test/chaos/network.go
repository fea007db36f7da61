package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/ottla/ottla/test/compat/peer"
)

// clients is where the load and the judge are: the place after those of the nodes.
const clients = nodes

// link is one direction between two places.
type link struct{ from, to int }

// network is what lies between the nodes, and between them and the clients.
type network interface {
	// place fills in the addresses of node i, and how its process gets to its place.
	place(i int, o peer.Options) (peer.Options, error)
	// cut loses in silence all that goes over links, and heal ends that.
	cut(ctx context.Context, links ...link) error
	heal(ctx context.Context) error
	// narrow makes the line of node i slow and lossy, or as it was.
	narrow(ctx context.Context, i int, on bool) error
	// disk makes a folder one of limited size, and resize changes that; 0 is what is in use. Free takes such away.
	disk(folder string) error
	resize(folder string, size uint64) error
	free(folders ...string) error
}

// run runs a program; its error has what the program said.
func run(ctx context.Context, name string, args ...string) error {
	return feed(ctx, "", name, args...)
}

// feed is run with an input.
func feed(ctx context.Context, input, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// has reports whether all programs are on this machine.
func has(programs ...string) bool {
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			return false
		}
	}
	return true
}

// within is set in a process that has namespaces of its own.
const within = "OTTLA_CHAOS_WITHIN"

func inside() bool { return os.Getenv(within) != "" }
