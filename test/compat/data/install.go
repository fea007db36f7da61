package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/ottla/ottla/test/compat/peer"
)

// datasetsVersion pins the npm package vega-datasets.
const datasetsVersion = "3.2.1"

// tools are the programs and files that a run needs.
type tools struct {
	ottla    string // the binary
	toolJars string // class path of Apache's tools
	data     string // folder of the data sets
}

func install(ctx context.Context) (tools, error) {
	var t tools
	var err error
	if t.ottla, err = peer.BuildOttla(ctx); err != nil {
		return t, err
	}
	if t.toolJars, err = peer.ToolJars(ctx); err != nil {
		return t, err
	}
	if err := installKcat(ctx); err != nil {
		return t, err
	}
	t.data, err = installDatasets(ctx)
	return t, err
}

// installKcat installs Debian's package where there is none.
func installKcat(ctx context.Context) error {
	if _, err := exec.LookPath("kcat"); err == nil {
		return nil
	}
	// The lists of a new machine are empty or old.
	return errors.Join(command(ctx, "", "apt-get", "update", "-qq"),
		command(ctx, "", "apt-get", "install", "-y", "-qq", "--no-install-recommends", "kcat"))
}

// installDatasets installs the npm package into the cache.
func installDatasets(ctx context.Context) (string, error) {
	cache, err := peer.CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "vega-datasets-"+datasetsVersion)
	data := filepath.Join(dir, "node_modules", "vega-datasets", "data")
	if _, err := os.Stat(filepath.Join(dir, "done")); err == nil {
		return data, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	err = command(ctx, dir, "npm", "install", "--prefix", dir, "--no-audit", "--no-fund", "--ignore-scripts", "vega-datasets@"+datasetsVersion)
	if err != nil {
		return "", err
	}
	return data, os.WriteFile(filepath.Join(dir, "done"), nil, 0o644)
}

func command(ctx context.Context, dir, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w\n%s", name, args, err, out)
	}
	return nil
}
