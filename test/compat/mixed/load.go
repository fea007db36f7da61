package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ottla/ottla/test/compat/peer"
	"github.com/ottla/ottla/test/numbered"
	"github.com/ottla/ottla/test/pause"
)

// The topics of the load, and how many partitions each has.
const (
	franzTopic = "franz"
	javaTopic  = "java"
	partitions = 4
)

// load is the clients that work throughout.
type load struct {
	cancel    context.CancelFunc // ends the producers of franz-go
	producers sync.WaitGroup
	consumer  chan struct{} // closed when the consumer of franz-go has ended
	java      *javaClient

	acks   *numbered.Acks
	mu     sync.Mutex // guards what follows
	read   [partitions]uint64
	ended  bool // nothing is written any more
	errors []string
}

// begin starts the clients.
func begin(ctx context.Context, c *cluster) (*load, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &load{cancel: cancel, consumer: make(chan struct{}), acks: numbered.NewAcks(partitions)}
	var err error
	if l.java, err = startJava(ctx, c); err != nil {
		cancel()
		return nil, err
	}
	// A node that is killed as soon as it has taken a connection looks like one that wants SASL: kgo tries again when it is told to.
	seeds := []kgo.Opt{kgo.SeedBrokers(c.Addrs()...), kgo.MetadataMinAge(20 * time.Millisecond), kgo.DialTimeout(time.Second), kgo.AlwaysRetryEOF()}
	for p := range partitions {
		client, err := kgo.NewClient(append(seeds, kgo.DefaultProduceTopic(franzTopic), kgo.RecordPartitioner(kgo.ManualPartitioner()),
			kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(0), kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }))...)
		if err != nil {
			cancel()
			return nil, err
		}
		l.producers.Go(func() {
			defer client.Close()
			l.produce(ctx, client, p)
		})
	}
	consumer, err := kgo.NewClient(append(seeds, kgo.ConsumerGroup(franzTopic), kgo.ConsumeTopics(franzTopic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		cancel()
		return nil, err
	}
	go l.consume(consumer)
	select {
	case <-l.java.out.writes:
		return l, nil
	case <-time.After(settles):
		cancel()
		return nil, fmt.Errorf("the Java client writes nothing (see %s)", l.java.log)
	}
}

// produce numbers the records of a partition from 1 on.
func (l *load) produce(ctx context.Context, client *kgo.Client, p int) {
	for n := uint64(1); ctx.Err() == nil; n++ {
		err := client.ProduceSync(context.WithoutCancel(ctx), &kgo.Record{Partition: int32(p), Value: binary.BigEndian.AppendUint64(nil, n)}).FirstErr()
		if err == nil {
			err = l.acks.Add(p, n)
		}
		if err != nil {
			l.fail("produce %d:%d: %v", p, n, err)
			return
		}
		_ = pause.For(ctx, 2*time.Millisecond) // it ends with ctx
	}
}

// consume reads along until all is read that was acknowledged.
func (l *load) consume(client *kgo.Client) {
	defer close(l.consumer)
	defer client.Close()
	var deadline time.Time
	for !l.caughtUp() {
		if deadline.IsZero() && l.over() {
			deadline = time.Now().Add(settles)
		}
		if !deadline.IsZero() && time.Now().After(deadline) {
			l.fail("the consumer does not come to the end")
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		fetches := client.PollFetches(ctx)
		cancel()
		fetches.EachRecord(l.took)
		if fetches.NumRecords() == 0 {
			continue
		}
		if err := client.CommitUncommittedOffsets(context.Background()); err != nil {
			l.fail("commit: %v", err)
		}
	}
}

// took wants the next number of a partition.
func (l *load) took(r *kgo.Record) {
	n := binary.BigEndian.Uint64(r.Value)
	l.mu.Lock()
	last := l.read[r.Partition]
	l.read[r.Partition] = n
	l.mu.Unlock()
	if n != last+1 {
		l.fail("read %d:%d after %d", r.Partition, n, last)
	}
}

func (l *load) caughtUp() bool {
	acked := l.acks.All()
	l.mu.Lock()
	defer l.mu.Unlock()
	for p, n := range acked {
		if l.read[p] < n {
			return false
		}
	}
	return l.ended
}

func (l *load) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}

func (l *load) fail(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errors = append(l.errors, "franz: "+fmt.Sprintf(format, args...))
}

// end lets the clients finish: the producers what they sent last, the consumers what was acknowledged.
func (l *load) end() (acked map[string][]uint64, errors []string, err error) {
	l.cancel()
	l.producers.Wait()
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	java, said, err := l.java.end()
	<-l.consumer
	return map[string][]uint64{franzTopic: l.acks.All(), javaTopic: java}, append(l.errors, said...), err
}

// javaClient is the running Load.java.
type javaClient struct {
	cmd   *exec.Cmd
	stdin io.Closer
	out   said
	log   string
}

// said is what the program prints.
type said struct {
	lines bytes.Buffer
	// writes is closed when each partition has a record of its. Before that nothing may be hurt: a leader that knows nothing of an idempotent producer
	// takes whichever of its batches comes first, Apache Kafka's too, and the first one could be refused by a leader that is about to be one.
	writes chan struct{}
}

// Write implements io.Writer.
func (s *said) Write(p []byte) (int, error) {
	if s.lines.Len() == 0 && bytes.HasPrefix(p, []byte("writes")) {
		close(s.writes)
	}
	return s.lines.Write(p)
}

func startJava(ctx context.Context, c *cluster) (*javaClient, error) {
	root, err := peer.RepositoryRoot()
	if err != nil {
		return nil, err
	}
	jars, err := peer.ServerJars(ctx)
	if err != nil {
		return nil, err
	}
	j := &javaClient{log: filepath.Join(c.dir, "java.err"), out: said{writes: make(chan struct{})}}
	stderr, err := os.Create(j.log)
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	j.cmd = exec.Command("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", jars,
		filepath.Join(root, "test", "compat", "mixed", "Load.java"), strings.Join(c.Addrs(), ","), javaTopic, fmt.Sprint(partitions))
	j.cmd.Stdout, j.cmd.Stderr = &j.out, stderr
	if j.stdin, err = j.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return j, j.cmd.Start()
}

// end closes the program's input, and takes what it says: errors, and in the last line what was acknowledged.
func (j *javaClient) end() (acked []uint64, errors []string, err error) {
	if err := j.stdin.Close(); err != nil {
		return nil, nil, err
	}
	if err := j.cmd.Wait(); err != nil {
		return nil, nil, fmt.Errorf("the Java client: %w (see %s)", err, j.log)
	}
	lines := strings.Split(strings.TrimSpace(j.out.lines.String()), "\n")
	for _, line := range lines[:len(lines)-1] {
		if line == "writes" {
			continue
		}
		errors = append(errors, "java: "+line)
	}
	err = json.Unmarshal([]byte(lines[len(lines)-1]), &acked)
	return acked, errors, err
}
