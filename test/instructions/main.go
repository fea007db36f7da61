// Command instructions counts the machine instructions of the data path's pure parts under callgrind, which noise can't blur, and
// compares them with the counts that are committed.
//
//	go run ./test/instructions            # fails when a count is more than 2 % above or below its line in counts.txt
//	go run ./test/instructions -rewrite   # writes counts.txt
//
// The counts are those of one compiler and one kind of processor: on others, and where valgrind is not there, it says so and
// compares nothing.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// tolerance is how far a count may be from the committed one. Callgrind repeats within half of it.
const tolerance = 0.02

func main() {
	rewrite := flag.Bool("rewrite", false, "write the counts down")
	file := flag.String("counts", "test/instructions/counts.txt", "the committed counts")
	work := flag.String("work", "", "do this work, for callgrind to watch")
	times := flag.Int("times", 0, "how often")
	flag.Parse()
	if *work != "" {
		do(*work, *times)
		return
	}
	if err := run(*file, *rewrite); err != nil {
		fmt.Fprintln(os.Stderr, "instructions:", err)
		os.Exit(1)
	}
}

func do(name string, times int) {
	for _, w := range works {
		if w.name == name {
			f := w.prepare()
			for range times {
				f()
			}
		}
	}
}

func run(file string, rewrite bool) error {
	valgrind, err := exec.LookPath("valgrind")
	if err != nil {
		fmt.Println("instructions: there is no valgrind here, so nothing was counted")
		return nil
	}
	toolchain := runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	old, err := os.ReadFile(file)
	if err != nil && !(rewrite && errors.Is(err, fs.ErrNotExist)) {
		return err
	}
	first, rest, _ := strings.Cut(string(old), "\n")
	if first != toolchain && !rewrite {
		fmt.Printf("instructions: the counts are of %s, this is %s: nothing was compared\n", first, toolchain)
		return nil
	}
	dir, err := os.MkdirTemp("", "ottla-instructions-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "instructions") // not go run's own, which may be gone
	if out, err := exec.Command("go", "build", "-o", binary, "github.com/ottla/ottla/test/instructions").CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w: %s", err, out)
	}
	var text bytes.Buffer
	fmt.Fprintln(&text, toolchain)
	var bad []error
	for _, w := range works {
		n, err := w.count(valgrind, binary)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		line := fmt.Sprintf("%-24s %8d  %s\n", w.name, n, w.what)
		fmt.Print(line)
		text.WriteString(line)
		if !rewrite {
			bad = append(bad, compare(rest, w.name, n))
		}
	}
	if rewrite {
		return os.WriteFile(file, text.Bytes(), 0o644)
	}
	return errors.Join(bad...)
}

// compare looks a count up in the committed ones.
func compare(committed, name string, n int64) error {
	for line := range strings.Lines(committed) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name {
			want, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				return err
			}
			if off := float64(n)/float64(want) - 1; off > tolerance || off < -tolerance {
				return fmt.Errorf("%s: %d instructions, %+.1f %% of the committed %d: if that is meant, -rewrite", name, n, 100*off, want)
			}
			return nil
		}
	}
	return fmt.Errorf("%s has no committed count: -rewrite", name)
}

var collected = regexp.MustCompile(`Collected : (\d+)`)

// count is the difference that more work makes, a piece: what the start of a program costs falls out.
func (w *work) count(valgrind, binary string) (int64, error) {
	const few = 100
	var at [2]int64
	for i, times := range []int{few, few + w.times} {
		cmd := exec.Command(valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", binary, "-work", w.name, "-times", strconv.Itoa(times))
		cmd.Env = append(os.Environ(), "GOGC=off", "GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			return 0, fmt.Errorf("callgrind: %w: %s", err, out)
		}
		m := collected.FindSubmatch(out)
		if m == nil {
			return 0, fmt.Errorf("callgrind does not say what it counted: %s", out)
		}
		if at[i], err = strconv.ParseInt(string(m[1]), 10, 64); err != nil {
			return 0, err
		}
	}
	return (at[1] - at[0]) / int64(w.times), nil
}
