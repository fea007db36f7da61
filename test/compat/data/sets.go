package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// set is one data set and how it travels.
type set struct {
	file  string
	codec string
	// keyed makes the first column the key of a record.
	keyed bool
	// back sends the set the other way too: written by kcat, read by ottla.
	back bool
}

// sets cover both forms of file, every codec, records with and without keys, and rows from a few bytes to some kilobytes.
var sets = []set{
	{file: "flights-200k.json", codec: "zstd"},
	{file: "airports.csv", codec: "none", keyed: true, back: true},
	{file: "github.csv", codec: "gzip"},
	{file: "sp500-2000.csv", codec: "snappy", keyed: true},
	{file: "zipcodes.csv", codec: "lz4"},
	{file: "movies.json", codec: "gzip"},
	{file: "us-employment.csv", codec: "zstd", keyed: true},
}

func find(file string) (set, bool) {
	for _, s := range sets {
		if s.file == file {
			return s, true
		}
	}
	return set{}, false
}

// topic is the name of the set's topic.
func (s set) topic() string { return "data-" + strings.ReplaceAll(s.file, ".", "-") }

// rows writes the rows of a data set to a file, a line each, and returns how many there are.
func (s set) rows(data, to string) (int, error) {
	in, err := os.Open(filepath.Join(data, s.file))
	if err != nil {
		return 0, err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return 0, err
	}
	defer out.Close()
	w := bufio.NewWriter(out)
	var n int
	switch filepath.Ext(s.file) {
	case ".csv":
		n, err = lines(in, w, s.keyed)
	case ".json":
		n, err = elements(in, w)
	default:
		err = fmt.Errorf("%s is neither CSV nor JSON", s.file)
	}
	if err != nil {
		return 0, err
	}
	return n, w.Flush()
}

// lines copies every line that is not empty; of keyed ones only those that have a second column.
func lines(r io.Reader, w *bufio.Writer, keyed bool) (int, error) {
	n := 0
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if len(s.Bytes()) == 0 || keyed && !bytes.ContainsRune(s.Bytes(), ',') {
			continue
		}
		n++
		if _, err := w.Write(append(s.Bytes(), '\n')); err != nil {
			return n, err
		}
	}
	return n, s.Err()
}

// elements writes each element of a JSON array in one line.
func elements(r io.Reader, w *bufio.Writer) (int, error) {
	d := json.NewDecoder(r)
	if _, err := d.Token(); err != nil {
		return 0, err
	}
	n := 0
	var line bytes.Buffer
	for d.More() {
		var row json.RawMessage
		if err := d.Decode(&row); err != nil {
			return n, err
		}
		line.Reset()
		if err := json.Compact(&line, row); err != nil {
			return n, err
		}
		line.WriteByte('\n')
		n++
		if _, err := w.Write(line.Bytes()); err != nil {
			return n, err
		}
	}
	return n, nil
}
