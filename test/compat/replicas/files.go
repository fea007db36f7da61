package replicas

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Compare says where the bytes of a partition's log differ between two log directories, "" if nowhere, and how many it compared; there are none of a
// partition that nothing was ever written to. Folder is the partition's. Segments may begin at other offsets: one replica was perhaps copied later.
func Compare(one, other, folder string) (size int64, difference string, err error) {
	a, closeA, err := segments(filepath.Join(one, folder))
	if err != nil {
		return 0, "", err
	}
	defer closeA()
	b, closeB, err := segments(filepath.Join(other, folder))
	if err != nil {
		return 0, "", err
	}
	defer closeB()
	var bufA, bufB [1 << 16]byte
	for {
		n, errA := io.ReadFull(a, bufA[:])
		m, errB := io.ReadFull(b, bufB[:])
		if !bytes.Equal(bufA[:n], bufB[:m]) {
			return size, fmt.Sprintf("differs in the %d bytes after %d", max(n, m), size), nil
		}
		size += int64(n)
		if errA != nil || errB != nil {
			return size, "", errors.Join(failure(errA), failure(errB))
		}
	}
}

// failure is an error that is not the end.
func failure(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// segments are the bytes of a log.
func segments(folder string) (io.Reader, func(), error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.log"))
	if err != nil {
		return nil, nil, err
	}
	slices.Sort(names)
	var files []io.Reader
	done := func() {
		for _, f := range files {
			_ = f.(*os.File).Close() // it was only read
		}
	}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			done()
			return nil, nil, err
		}
		files = append(files, f)
	}
	return io.MultiReader(files...), done, nil
}
