package bare

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"sync"

	"github.com/ottla/ottla/internal/record"
)

// logs are all partitions of a server.
type logs struct {
	dir   string
	store bool

	mu     sync.RWMutex // guards topics
	topics map[string][]*log
}

func newLogs(dir string, store bool) *logs {
	return &logs{dir: dir, store: store, topics: map[string][]*log{}}
}

// log is one partition: a file, and where each batch begins.
type log struct {
	mu      sync.Mutex // guards all below
	file    *os.File   // nil where nothing is stored
	size    int64
	next    int64         // offset of the next record
	offsets []int64       // of the first record of each batch
	starts  []int64       // of each batch in the file
	grown   chan struct{} // closed by the next append
}

func (s *logs) create(topic string, partitions int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.topics[topic] != nil {
		return
	}
	for i := range partitions {
		l := &log{grown: make(chan struct{})}
		if s.store {
			f, err := os.Create(filepath.Join(s.dir, logName(topic, i)+".log"))
			if err != nil {
				return // the client finds no topic
			}
			l.file = f
		}
		s.topics[topic] = append(s.topics[topic], l)
	}
}

func (s *logs) remove(topic string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.topics[topic] {
		if l.file != nil {
			_ = os.Remove(l.file.Name()) // its descriptor stays until the process ends
			_ = l.file.Truncate(0)
		}
	}
	delete(s.topics, topic)
}

func (s *logs) names() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []string
	for name := range s.topics {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func (s *logs) partitions(topic string) int32 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return int32(len(s.topics[topic]))
}

func (s *logs) find(topic string, partition int32) *log {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if all := s.topics[topic]; partition >= 0 && int(partition) < len(all) {
		return all[partition]
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (s *logs) append(topic string, partition int32, batch []byte) (int64, error) {
	l := s.find(topic, partition)
	if l == nil || len(batch) < record.HeaderSize {
		return 0, fmt.Errorf("no partition %s, or no batch", logName(topic, partition))
	}
	b := record.Batch(batch)
	if s.store && crc32.Checksum(batch[21:], castagnoli) != b.CRC() {
		return 0, fmt.Errorf("%s: the checksum is wrong", logName(topic, partition))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	base := l.next
	l.next += int64(b.Count())
	if !s.store {
		return base, nil
	}
	binary.BigEndian.PutUint64(batch, uint64(base))
	if _, err := l.file.WriteAt(batch, l.size); err != nil {
		return 0, err
	}
	l.offsets, l.starts = append(l.offsets, base), append(l.starts, l.size)
	l.size += int64(len(batch))
	close(l.grown)
	l.grown = make(chan struct{})
	return base, nil
}

func (l *log) end() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next
}

// from finds the bytes from an offset on, of most at the most; where there are none, grown says when there will be.
func (l *log) from(offset, most int64) (start, n, next int64, grown <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if offset >= l.next || l.file == nil {
		return 0, 0, l.next, l.grown
	}
	i := max(0, sort.Search(len(l.offsets), func(i int) bool { return l.offsets[i] > offset })-1)
	return l.starts[i], min(l.size-l.starts[i], most), l.next, nil
}
