package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Brokers cuts the bootstrap address: a library wants a list.
func Brokers(bootstrap string) []string { return strings.Split(bootstrap, ",") }

// How a topic is written.
type How struct {
	Codec      string // none, gzip, snappy, lz4, zstd
	Acks       int    // 0, 1, -1
	Idempotent bool
}

// Partition is what describing a topic tells of one partition.
type Partition struct {
	ID       int32 `json:"partition"`
	Leader   int32 `json:"leader"`
	Replicas int   `json:"replicas"`
	ISR      int   `json:"isr"`
}

// Client is what a Go client implements. Each method may return Unsupported.
type Client interface {
	Brokers() (int, error)
	CreateTopic(name string, partitions int32, replication int16, configs map[string]string) error
	DeleteTopic(name string) error
	Topics() ([]string, error)
	Describe(topic string) ([]Partition, error)
	CreatePartitions(topic string, total int32) error
	// Config gives one key's value and its source, as the library names it ("" when it does not tell).
	Config(topic, key string) (value, source string, err error)
	SetConfig(topic, key, value string) error
	// DeleteRecords gives the new start of the log.
	DeleteRecords(topic string, partition int32, before int64) (int64, error)
	Bounds(topic string, partition int32) (start, end int64, err error)
	// OffsetAt gives the first offset at or after the time, or -1.
	OffsetAt(topic string, partition int32, ms int64) (int64, error)
	Produce(topic string, records []Record, how How) error
	// Consume reads from offset until end (exclusive); an offset that the partition does not have is an error.
	Consume(topic string, partition int32, from, end int64) ([]Record, error)
	// Code gives the protocol's error code that an error carries.
	Code(err error) (int, bool)
	Close()
}

// Unsupported makes a step count as skipped, for a reason that is printed.
type Unsupported string

func (u Unsupported) Error() string { return string(u) }

// Codecs are those of the protocol.
var Codecs = []string{"none", "gzip", "snappy", "lz4", "zstd"}

// scenario is one run of one client.
type scenario struct {
	c       Client
	env     environment
	name    string
	dir     string
	records []Record
}

// Main runs the scenario that the command line names.
func Main(name string, connect func(bootstrap string) (Client, error), join Join) {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: PROGRAM BOOTSTRAP SCENARIO DIR")
		os.Exit(2)
	}
	bootstrap, which, dir := os.Args[1], os.Args[2], os.Args[3]
	if which == "member" {
		memberMain(bootstrap, join)
		return
	}
	s := &scenario{name: name, dir: dir, env: surroundings()}
	var err error
	if s.records, err = load(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if s.c, err = connect(bootstrap); err != nil {
		s.step("connect", func() (any, error) { return nil, err })
		os.Exit(1)
	}
	defer s.c.Close()
	switch which {
	case "full":
		s.full()
	case "read":
		s.read()
	case "load":
		s.load(bootstrap)
	default:
		fmt.Fprintln(os.Stderr, "unknown scenario", which)
		os.Exit(2)
	}
}

// step runs f and prints its line. An expected error is not an error of the step: see refused.
func (s *scenario) step(name string, f func() (any, error)) {
	line := map[string]any{"step": name}
	result, tries, err := s.env.try(name, f)
	if tries > 1 {
		line["tries"] = tries
	}
	var skip Unsupported
	switch {
	case errors.As(err, &skip):
		line["skip"] = string(skip)
	case err != nil:
		line["error"] = err.Error()
		if code, ok := s.code(err); ok {
			line["code"] = code
		}
	default:
		line["result"] = result
	}
	b, err := json.Marshal(line)
	if err != nil {
		panic(err) // only maps, strings and numbers go in
	}
	fmt.Printf("%s\n", b)
}

func (s *scenario) code(err error) (int, bool) {
	if s.c == nil {
		return 0, false
	}
	return s.c.Code(err)
}

// refused turns an expected refusal into a result: the error's code.
func (s *scenario) refused(err error) (any, error) {
	var skip Unsupported
	if errors.As(err, &skip) {
		return nil, err
	}
	if err == nil {
		return nil, errors.New("accepted")
	}
	if code, ok := s.code(err); ok {
		return map[string]any{"code": code}, nil
	}
	return nil, fmt.Errorf("no error code in: %w", err)
}

func (s *scenario) topic(suffix string) string { return s.name + "." + suffix }

// mine gives the topics of this client, without the prefix.
func (s *scenario) mine() ([]string, error) {
	all, err := s.c.Topics()
	var names []string
	for _, t := range all {
		if rest, ok := strings.CutPrefix(t, s.name+"."); ok {
			names = append(names, rest)
		}
	}
	slices.Sort(names)
	return names, err
}

// eventually repeats f until it gives want or 30 s are over: metadata takes some milliseconds to become visible.
func eventually(want func(any) bool, f func() (any, error)) (any, error) {
	deadline := time.Now().Add(30 * time.Second)
	for {
		got, err := f()
		var skip Unsupported
		if errors.As(err, &skip) || (err == nil && want(got)) || time.Now().After(deadline) {
			return got, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// all reads a partition from its start to its end.
func (s *scenario) all(topic string, partition int32) ([]Record, error) {
	start, end, err := s.c.Bounds(topic, partition)
	if err != nil || start == end {
		return nil, err
	}
	return s.c.Consume(topic, partition, start, end)
}

// digest reads three partitions whole.
func (s *scenario) digest(topic string) (any, error) {
	var records []Record
	for p := int32(0); p < 3; p++ {
		some, err := s.all(topic, p)
		if err != nil {
			return nil, err
		}
		records = append(records, some...)
	}
	return Sum(records), nil
}

// read prints the digest of each topic named in DIR/read.txt.
func (s *scenario) read() {
	b, err := os.ReadFile(filepath.Join(s.dir, "read.txt"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, t := range strings.Fields(string(b)) {
		s.step("read/"+t, func() (any, error) { return s.digest(t) })
	}
}
