package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/ottla/ottla/test/compat/peer"
)

// scenarios are in the order in which they run.
var scenarios = []struct {
	name string
	run  func(context.Context, *cluster) (verdict, error)
}{
	{"kafka-broker", kafkaBroker},
	{"ottla-broker", ottlaBroker},
}

func main() {
	only := flag.String("scenario", "", "one scenario alone")
	keep := flag.String("keep", "", "leave directories and logs of the nodes in this folder")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ran, failed := 0, 0
	for _, s := range scenarios {
		if *only != "" && *only != s.name {
			continue
		}
		ran++
		v, err := inFolder(*keep, s.name, func(dir string) (verdict, error) { return play(ctx, dir, s.run) })
		if err != nil {
			fmt.Printf("FAIL: %s: %v\n", s.name, err)
		} else {
			fmt.Println(v.line(s.name))
		}
		if err != nil || !v.ok() {
			failed++
		}
	}
	if ran == 0 {
		fmt.Fprintf(os.Stderr, "mixed: there is no scenario %q\n", *only)
	}
	if ran == 0 || failed > 0 {
		os.Exit(1)
	}
}

// inFolder gives f a folder that goes with it unless it is to be kept.
func inFolder(keep, name string, f func(dir string) (verdict, error)) (verdict, error) {
	if keep != "" {
		return f(filepath.Join(keep, name))
	}
	dir, err := os.MkdirTemp("", "ottla-mixed-")
	if err != nil {
		return verdict{}, err
	}
	defer os.RemoveAll(dir)
	return f(dir)
}

// play runs a scenario with a cluster that ends with it.
func play(ctx context.Context, dir string, run func(context.Context, *cluster) (verdict, error)) (verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	c := &cluster{Cluster: &peer.Cluster{}, dir: dir}
	defer c.close()
	return run(ctx, c)
}
