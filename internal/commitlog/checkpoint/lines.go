package checkpoint

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// ErrMalformed says that a file is not in its format.
var ErrMalformed = errors.New("malformed file")

// Names of the files of a log directory.
const (
	RecoveryPoint   = "recovery-point-offset-checkpoint"
	LogStart        = "log-start-offset-checkpoint"
	Replication     = "replication-offset-checkpoint" // high watermarks
	Cleaner         = "cleaner-offset-checkpoint"
	MetaFile        = "meta.properties"
	CleanShutdown   = ".kafka_cleanshutdown"
	Lock            = ".lock"
	StartMarker     = "ottla.start"
	LeaderEpochs    = "leader-epoch-checkpoint" // of a partition's folder
	PartitionMarker = "partition.metadata"      // of a partition's folder
)

// version is that of offset checkpoints and leader epoch files.
const version = "0"

// formatLines writes the format of the checkpoint files: a version, a count, and one line for each entry.
func formatLines(n int, line func(dst []byte, i int) []byte) []byte {
	dst := append(make([]byte, 0, 16+32*n), version...)
	dst = append(dst, '\n')
	dst = append(strconv.AppendInt(dst, int64(n), 10), '\n')
	for i := range n {
		dst = append(line(dst, i), '\n')
	}
	return dst
}

// parseLines reads it. An empty file, and one that ends after the version, has no entries, as Kafka reads them.
func parseLines(b []byte, fields int, entry func(fields []string) error) error {
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	if len(b) == 0 {
		return nil
	}
	if n, err := strconv.ParseInt(lines[0], 10, 32); err != nil || n != 0 {
		return fmt.Errorf("%w: version %.20q, want %s", ErrMalformed, lines[0], version)
	}
	if len(lines) == 1 {
		return nil
	}
	count, err := strconv.ParseInt(lines[1], 10, 32)
	if err != nil || int(count) != len(lines)-2 {
		return fmt.Errorf("%w: %.20q entries announced, %d found", ErrMalformed, lines[1], len(lines)-2)
	}
	for _, line := range lines[2:] {
		words := strings.Fields(line)
		if len(words) != fields {
			return fmt.Errorf("%w: line %.80q", ErrMalformed, line)
		}
		if err := entry(words); err != nil {
			return fmt.Errorf("%w: line %.80q: %w", ErrMalformed, line, err)
		}
	}
	return nil
}

// Entry is a line of an offset checkpoint.
type Entry struct {
	kafka.TopicPartition
	Offset kafka.Offset
}

func (e *Entry) compare(topic []byte, partition int64) int {
	return cmp.Or(cmp.Compare(e.Topic, string(topic)), cmp.Compare(int64(e.Partition), partition))
}

// Sort puts the entries of an offset checkpoint in order: by topic, then by partition.
func Sort(entries []Entry) {
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
}

// Mentions reports whether the content of an offset checkpoint that is in order has an entry for a partition.
func Mentions(b []byte, id kafka.TopicPartition) bool {
	wanted := Entry{TopicPartition: id}
	for range 2 { // the version and the count
		b = b[bytes.IndexByte(b, '\n')+1:]
	}
	for len(b) > 0 {
		start := bytes.LastIndexByte(b[:len(b)/2], '\n') + 1
		end := start + bytes.IndexByte(b[start:], '\n') + 1
		topic, rest, _ := bytes.Cut(b[start:end], []byte{' '})
		number, _, _ := bytes.Cut(rest, []byte{' '})
		partition, err := strconv.ParseInt(string(number), 10, 32)
		if err != nil || end == start {
			return true // not what FormatOffsets writes: whoever asks has to look
		}
		switch c := wanted.compare(topic, partition); {
		case c == 0:
			return true
		case c < 0:
			b = b[:start]
		default:
			b = b[end:]
		}
	}
	return false
}

// FormatOffsets returns the content of an offset checkpoint, in the order of the entries.
func FormatOffsets(entries []Entry) []byte {
	return formatLines(len(entries), func(dst []byte, i int) []byte {
		e := &entries[i]
		dst = append(append(dst, e.Topic...), ' ')
		dst = append(strconv.AppendInt(dst, int64(e.Partition), 10), ' ')
		return strconv.AppendInt(dst, int64(e.Offset), 10)
	})
}

// ParseOffsets reads an offset checkpoint. The error wraps ErrMalformed.
func ParseOffsets(b []byte) ([]Entry, error) {
	var entries []Entry
	err := parseLines(b, 3, func(f []string) error {
		partition, err := strconv.ParseInt(f[1], 10, 32)
		if err != nil {
			return err
		}
		offset, err := strconv.ParseInt(f[2], 10, 64)
		if err != nil {
			return err
		}
		entries = append(entries, Entry{kafka.TopicPartition{Topic: f[0], Partition: int32(partition)}, kafka.Offset(offset)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return entries, nil
}

// WriteOffsets replaces an offset checkpoint of log directory dir.
func WriteOffsets(f vfs.FS, dir, name string, entries []Entry) error {
	return vfs.WriteFile(f, path.Join(dir, name), FormatOffsets(entries))
}

// ReadOffsets reads an offset checkpoint of log directory dir; without the file it is empty. The error may wrap ErrMalformed.
func ReadOffsets(f vfs.FS, dir, name string) ([]Entry, error) {
	b, err := readOptional(f, path.Join(dir, name))
	if err != nil {
		return nil, err
	}
	entries, err := ParseOffsets(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path.Join(dir, name), err)
	}
	return entries, nil
}

// Epoch is a line of a leader epoch file: the epoch's first record has offset Start, or will have.
type Epoch struct {
	Epoch kafka.LeaderEpoch
	Start kafka.Offset
}

// FormatEpochs returns the content of a leader epoch file.
func FormatEpochs(epochs []Epoch) []byte {
	return formatLines(len(epochs), func(dst []byte, i int) []byte {
		dst = append(strconv.AppendInt(dst, int64(epochs[i].Epoch), 10), ' ')
		return strconv.AppendInt(dst, int64(epochs[i].Start), 10)
	})
}

// ParseEpochs reads a leader epoch file, whose epochs and offsets must rise. The error wraps ErrMalformed.
func ParseEpochs(b []byte) ([]Epoch, error) {
	var epochs []Epoch
	err := parseLines(b, 2, func(f []string) error {
		epoch, err := strconv.ParseInt(f[0], 10, 32)
		if err != nil {
			return err
		}
		start, err := strconv.ParseInt(f[1], 10, 64)
		if err != nil {
			return err
		}
		e := Epoch{kafka.LeaderEpoch(epoch), kafka.Offset(start)}
		if e.Epoch < 0 || e.Start < 0 {
			return errors.New("negative number")
		}
		if n := len(epochs); n > 0 && (e.Epoch <= epochs[n-1].Epoch || e.Start <= epochs[n-1].Start) {
			return errors.New("epochs do not rise")
		}
		epochs = append(epochs, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return epochs, nil
}
