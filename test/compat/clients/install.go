package clients

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/ottla/ottla/test/compat/peer"
)

// InstallGo builds the Go clients. Their module is apart, so that nothing of theirs enters the product's go.mod.
func InstallGo(ctx context.Context, i *Installer) error {
	return i.once("go", func() error {
		out := filepath.Join(i.cache, "go")
		if err := os.MkdirAll(out, 0o755); err != nil {
			return err
		}
		return run(ctx, filepath.Join(i.source, "golang"), "go", "build", "-o", out+string(filepath.Separator), "./...")
	})
}

// InstallJava compiles the Java client against Apache Kafka's jars.
func InstallJava(ctx context.Context, i *Installer) error {
	return i.once("java", func() error {
		var err error
		if i.ServerJars, err = peer.ServerJars(ctx); err != nil {
			return err
		}
		dir := filepath.Join(i.cache, "java")
		return stamped(dir, []string{filepath.Join(i.source, "java")}, func() error {
			sources, err := filepath.Glob(filepath.Join(i.source, "java", "*.java"))
			if err != nil {
				return err
			}
			return run(ctx, i.source, append([]string{"javac", "-d", dir, "-cp", i.ServerJars}, sources...)...)
		})
	})
}

// InstallTools fetches Apache's command-line tools, which a Python program drives.
func InstallTools(ctx context.Context, i *Installer) error {
	if err := InstallPython(ctx, i); err != nil {
		return err
	}
	return InstallDriver(ctx, i)
}

// InstallDriver fetches Apache's command-line tools, and compiles what runs them one after another in one JVM.
func InstallDriver(ctx context.Context, i *Installer) error {
	return i.once("tools", func() error {
		jars, err := peer.ToolJars(ctx)
		if err != nil {
			return err
		}
		dir, source := filepath.Join(i.cache, "tools"), filepath.Join(i.source, "tools")
		i.ToolJars = dir + ":" + jars
		return stamped(dir, []string{source}, func() error {
			return run(ctx, source, "javac", "-d", dir, "-cp", jars, "Driver.java")
		})
	})
}

// InstallKcat installs Debian's package; what drives it is a Python program.
func InstallKcat(ctx context.Context, i *Installer) error {
	if err := InstallPython(ctx, i); err != nil {
		return err
	}
	return i.once("kcat", func() error {
		if _, err := exec.LookPath("kcat"); err != nil {
			// The lists of a new machine are empty or old.
			if err := run(ctx, "", "apt-get", "update", "-qq"); err != nil {
				return err
			}
			if err := run(ctx, "", "apt-get", "install", "-y", "-qq", "--no-install-recommends", "kcat"); err != nil {
				return err
			}
		}
		out, err := exec.CommandContext(ctx, "kcat", "-V").CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("Version 1.7.1")) {
			return fmt.Errorf("kcat 1.7.1 is wanted: %w\n%s", err, out)
		}
		return nil
	})
}

// InstallPython makes a virtual environment with the pinned packages.
func InstallPython(ctx context.Context, i *Installer) error {
	return i.once("python", func() error {
		dir, pins := filepath.Join(i.cache, "python"), filepath.Join(i.source, "python", "requirements.txt")
		return stamped(dir, []string{pins}, func() error {
			if err := run(ctx, i.cache, "python3", "-m", "venv", "--clear", dir); err != nil {
				return err
			}
			return run(ctx, i.cache, filepath.Join(dir, "bin", "pip"), "install", "-q", "-r", pins)
		})
	})
}

// InstallNode installs the pinned packages, one of which is the Node that runs them, and puts the programs beside
// them: an import finds only the packages above its own file.
func InstallNode(ctx context.Context, i *Installer) error {
	return i.once("node", func() error {
		dir, source := filepath.Join(i.cache, "node"), filepath.Join(i.source, "node")
		pins := []string{filepath.Join(source, "package.json"), filepath.Join(source, "package-lock.json")}
		err := stamped(dir, pins, func() error {
			if err := copyFiles(dir, pins); err != nil {
				return err
			}
			return run(ctx, dir, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
		})
		if err != nil {
			return err
		}
		programs, err := filepath.Glob(filepath.Join(source, "*.mjs"))
		if err != nil {
			return err
		}
		return copyFiles(dir, programs)
	})
}

func copyFiles(dir string, files []string) error {
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(f)), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// stamped runs f on dir unless it was run before with the same inputs (files, or folders of files).
func stamped(dir string, inputs []string, f func() error) error {
	stamp := filepath.Join(dir, ".stamp")
	want, err := fingerprint(inputs)
	if err != nil {
		return err
	}
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	return os.WriteFile(stamp, []byte(want), 0o644)
}

// fingerprint is the text of the inputs itself: they are small.
func fingerprint(inputs []string) (string, error) {
	var all strings.Builder
	for _, in := range inputs {
		files := []string{in}
		if st, err := os.Stat(in); err != nil {
			return "", err
		} else if st.IsDir() {
			if files, err = filepath.Glob(filepath.Join(in, "*")); err != nil {
				return "", err
			}
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&all, "%s %d\n%s\n", filepath.Base(f), len(b), b)
		}
	}
	return all.String(), nil
}
