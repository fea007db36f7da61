package peer

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

// ottlaCommands builds the node beside its configuration, from any
// working directory within the module.
func ottlaCommands(ctx context.Context, config string) (format, start *exec.Cmd, err error) {
	binary := filepath.Join(filepath.Dir(config), "ottla")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/ottla/ottla/cmd/ottla")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("build ottla: %w: %s", err, out)
	}
	format = exec.CommandContext(ctx, binary, "storage", "format", "-t", ClusterID, "-c", config)
	start = exec.Command(binary, "start", "--config", config)
	return format, start, nil
}
