package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// record is one line of records.jsonl, which every client program sends as it stands. Byte slices are base64 in
// JSON; nil is null.
type record struct {
	Partition int      `json:"p"`
	Time      int64    `json:"t"` // ms since 1970
	Key       []byte   `json:"k"`
	Value     []byte   `json:"v"`
	Headers   [][2]any `json:"h"`    // name, value (base64 or null)
	Text      bool     `json:"text"` // key, value and headers are printable ASCII, neither empty nor null: for tools that read lines
}

// firstTime is the timestamp of the first record, 2023-11-14; later ones follow at 1 s.
const firstTime = 1_700_000_000_000

// dataset gives the same 48 records on every run, 16 in each of three partitions.
func dataset() []record {
	random := rand.New(rand.NewPCG(4, 4))
	bytes := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	var all []record
	for i := range 48 {
		r := record{Partition: i % 3, Time: firstTime + int64(i)*1000, Headers: [][2]any{}}
		r.Key = fmt.Appendf(nil, "key-%d", i%7)
		r.Value = fmt.Appendf(nil, "value %d: the quick brown fox jumps over the lazy dog", i)
		switch i / 3 { // one kind of record in each partition
		case 1:
			r.Headers = [][2]any{{"content-type", []byte("text/plain")}, {"trace", []byte("abc")}}
		case 2:
			r.Headers = [][2]any{{"same", []byte("1")}, {"same", []byte("2")}}
		case 3:
			r.Key = nil
		case 4:
			r.Value = nil
		case 5:
			r.Value = []byte{}
		case 6:
			r.Key = []byte{}
		case 7:
			r.Key, r.Value = nil, nil
		case 8:
			r.Key, r.Value = []byte("clé 🔑"), []byte("Zürich – 東京")
		case 9:
			r.Value = bytes(300)
		case 10:
			r.Headers = [][2]any{{"null", nil}, {"empty", []byte{}}, {"bytes", []byte{1, 2, 0xff}}}
		case 11:
			// Close to the default limit of a request (1 MiB) and not compressible below half of it.
			r.Value = []byte(hex.EncodeToString(bytes(450_000)))
		}
		r.Text = i/3 <= 2 || i/3 >= 12
		all = append(all, r)
	}
	return all
}

// writeDataset writes records.jsonl into the folder that a client program is given.
func writeDataset(dir string) error {
	f, err := os.Create(filepath.Join(dir, "records.jsonl"))
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	for _, r := range dataset() {
		b, err := json.Marshal(r)
		if err != nil {
			return err
		}
		w.Write(append(b, '\n'))
	}
	return w.Flush()
}
