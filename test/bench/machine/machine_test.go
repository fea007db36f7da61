package machine

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestTimes(t *testing.T) {
	// user nice system idle iowait irq softirq steal guest guest_nice
	got, err := parseTimes("cpu  100 1 50 1000 30 2 3 40 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
	if err != nil || got.Busy != 1560*time.Millisecond || got.Steal != 400*time.Millisecond || got.Total != 12260*time.Millisecond {
		t.Errorf("%+v, %v", got, err)
	}
	for _, text := range []string{"", "cpu 1 2", "cpu a b c d e f g h", "intr 1 2 3 4 5 6 7 8 9"} {
		if _, err := parseTimes(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// A command may have spaces and brackets in its name.
func TestStatFields(t *testing.T) {
	f := statFields([]byte("7 (a) b (c) S 2 7 0 0 -1 0 0 0 0 0 11 22 0 0"))
	if len(f) < 13 || f[1] != "2" {
		t.Fatalf("%q", f)
	}
	if cpu, err := statCPU(f); err != nil || cpu != 330*time.Millisecond {
		t.Errorf("%v, %v", cpu, err)
	}
	if statFields([]byte("7 nothing")) != nil {
		t.Error("a line without a name")
	}
}

func TestParseKiB(t *testing.T) {
	if n, err := parseKiB("MemTotal: 1 kB\nMemFree:   17 kB\n", "MemFree:"); n != 17<<10 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := parseKiB("", "MemFree:"); err == nil {
		t.Error("a key that is not there")
	}
}

func TestParseGroups(t *testing.T) {
	paths := parseGroups("4:memory:/a/b\n2:cpu,cpuacct:/c\n0::/d\nnonsense\n")
	for key, want := range map[string]string{"memory": "/a/b", "cpuacct": "/c", "cpu": "/c", "": "/d"} {
		if paths[key] != want {
			t.Errorf("%q is at %q", key, paths[key])
		}
	}
}

// The accounts of this process and machine can be read, and move on.
func TestAccountsOfThisProcess(t *testing.T) {
	before, err := ReadTimes()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := Resident(os.Getpid()); err != nil || n < 1<<20 {
		t.Errorf("resident %d, %v", n, err)
	}
	about, err := ResidentAbout(os.Getpid())
	if err != nil || about < 1<<20 {
		t.Errorf("about %d, %v", about, err)
	}
	if _, err := ProcessCPU(os.Getpid()); err != nil {
		t.Error(err)
	}
	if _, err := Resident(-1); err == nil {
		t.Error("a process that is not there")
	}
	after, err := ReadTimes()
	if passed := after.Sub(before); err != nil || passed.Total < 0 || passed.Busy > passed.Total {
		t.Errorf("%+v, %v", passed, err)
	}
}

func TestSizeAndForget(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x"), make([]byte, 100_000), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Forget(dir); err != nil {
		t.Error(err)
	}
	if n, err := Size(dir); err != nil || n < 100_000 {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := Size(filepath.Join(dir, "gone")); n != 0 || err != nil {
		t.Errorf("%d of nothing, %v", n, err)
	}
	if n, err := Space(dir); err != nil || n <= 0 {
		t.Errorf("%d left, %v", n, err)
	}
}

func TestFillStopsAtItsSize(t *testing.T) {
	fill, err := NewFill(t.Context(), filepath.Join(t.TempDir(), "fill"), 1<<20, 8<<20)
	if err != nil {
		t.Fatal(err)
	}
	if fill.Size() > 8<<20 {
		t.Errorf("%d bytes", fill.Size())
	}
	// What a run was given is taken back after it.
	for range 2 {
		if err := fill.Give(); err != nil {
			t.Error(err)
		}
		if err := fill.Top(); err != nil {
			t.Error(err)
		}
	}
	if err := fill.Close(); err != nil {
		t.Error(err)
	}
	var none *Fill
	if err := none.Top(); err != nil || none.Give() != nil || none.Close() != nil {
		t.Error("a lab without a fill is refused")
	}
}
