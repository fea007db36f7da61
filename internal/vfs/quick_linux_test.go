package vfs

import (
	"bytes"
	"io"
	"math"
	"path/filepath"
	"testing"
)

func TestQuickCallsAndTheirStandIns(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	file, err := OS{}.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fd := file.(Descriptor).Descriptor()
	small, large := bytes.Repeat([]byte("s"), quickBytes), bytes.Repeat([]byte("l"), quickBytes+1)
	if n := quickWrite(fd, small, 0); n != len(small) {
		t.Errorf("a quick write of %d bytes wrote %d", len(small), n)
	}
	if n := quickWrite(fd, large, 0); n != 0 {
		t.Errorf("a write of %d bytes is quick", len(large))
	}
	if got := make([]byte, len(small)); quickRead(fd, got, 0) != len(got) || !bytes.Equal(got, small) {
		t.Error("a quick read does not give what a quick write wrote")
	}
	quick.distrusted.Store(math.MaxInt64)
	quick.waitingOnly.Store(true)
	defer func() {
		quick.distrusted.Store(0)
		quick.waitingOnly.Store(false)
	}()
	if quickWrite(fd, small, 0) != 0 || quickRead(fd, make([]byte, 1), 0) != 0 {
		t.Error("quick calls are made though the disk is not trusted and reads may wait")
	}
	at := int64(len(small))
	if _, err := file.WriteAt([]byte("behind"), at); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 10)
	if n, err := file.ReadAt(got, at); n != 6 || err != io.EOF || string(got[:n]) != "behind" {
		t.Errorf("read %q, %v behind the quick part", got[:n], err)
	}
}

func TestQuickReadAtTheEnd(t *testing.T) {
	file, err := OS{}.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt([]byte("short"), 0); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 10)
	if n, err := file.ReadAt(got, 2); n != 3 || err != io.EOF || string(got[:n]) != "ort" {
		t.Errorf("read %q, %v", got[:n], err)
	}
	if n, err := file.ReadAt(got, 5); n != 0 || err != io.EOF {
		t.Errorf("read %d bytes, %v at the end", n, err)
	}
	if _, err := file.ReadAt(got, -1); err == nil {
		t.Error("a read before the file succeeds")
	}
}
