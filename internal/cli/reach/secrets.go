package reach

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// references are what a secret may begin with.
var references = []string{"env:", "file:", "cmd:"}

// IsReference reports whether a secret says only where it is.
func IsReference(text string) bool {
	for _, r := range references {
		if strings.HasPrefix(text, r) {
			return true
		}
	}
	return false
}

// reveal follows a reference; any other text is the secret itself.
func reveal(ctx context.Context, v Value, getenv func(string) string) (string, error) {
	kind, name, _ := strings.Cut(v.Text, ":")
	fail := func(err error) (string, error) {
		return "", fmt.Errorf("%s (%s): %s: %w", v.Key.Name, v.Where, v.Text, err)
	}
	var text []byte
	var err error
	switch kind {
	case "env":
		s := getenv(name)
		if s == "" {
			return fail(errors.New("the variable is not set"))
		}
		return s, nil
	case "file":
		text, err = os.ReadFile(name)
	case "cmd":
		cmd := exec.CommandContext(ctx, "sh", "-c", name)
		cmd.Stderr = os.Stderr // it may ask for something
		text, err = cmd.Output()
	default:
		return v.Text, nil
	}
	if err != nil {
		return fail(err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}
