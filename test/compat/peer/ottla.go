package peer

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// BuildOttla builds ./cmd/ottla of the repository that the working directory lies in, and gives the binary's path.
func BuildOttla(ctx context.Context) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	bin := filepath.Join(cache, "bin", "ottla")
	return bin, BuildOttlaAs(ctx, bin)
}

// BuildOttlaAs is BuildOttla for those who need a binary that stays as it is while they run.
func BuildOttlaAs(ctx context.Context, bin string) error {
	root, err := RepositoryRoot()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", bin, "./cmd/ottla")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build ./cmd/ottla: %w\n%s", err, out)
	}
	return nil
}

// RepositoryRoot gives the folder of the main module that the working directory lies in.
func RepositoryRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(b), "module github.com/ottla/ottla\n") {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("run this inside Ottla's repository: no go.mod of it above the working directory")
		}
		dir = up
	}
}

// prepareOttla writes the properties file, formats an empty directory, and gives the command line.
func prepareOttla(ctx context.Context, o Options) ([]string, error) {
	bin := o.Binary
	if bin == "" {
		var err error
		if bin, err = BuildOttla(ctx); err != nil {
			return nil, err
		}
	}
	file, err := writeProperties(o)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(o.Dir, "meta.properties")); os.IsNotExist(err) {
		out, err := exec.CommandContext(ctx, bin, append([]string{"storage"}, o.format(file)...)...).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("format %s: %w\n%s", o.Dir, err, out)
		}
	}
	return []string{bin, "start", "--config", file}, nil
}
