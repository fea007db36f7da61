package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// patience bounds one program's run: none of them needs a tenth of it.
const patience = 3 * time.Minute

// passage is one set's way through the server and back.
type passage struct {
	set   set
	tools tools
	addr  string
	dir   string
}

// outcome is what became of one way.
type outcome struct {
	way   string
	rows  int
	bytes int64
	took  time.Duration
	err   error
}

// run sends the set and reads it back in every way. The error is of the preparation; those of the ways are in the outcomes.
func (p passage) run(ctx context.Context) ([]outcome, error) {
	rows := filepath.Join(p.dir, p.set.file+".rows")
	n, err := p.set.rows(p.tools.data, rows)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, fmt.Errorf("no rows")
	}
	want, size, err := digestFile(rows)
	if err != nil {
		return nil, err
	}
	var all []outcome
	try := func(way string, f func(context.Context) error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		began := time.Now()
		err := f(ctx)
		all = append(all, outcome{way, n, size, time.Since(began), err})
	}
	topic := p.set.topic()
	if err := p.create(ctx, topic); err != nil {
		return nil, err
	}
	defer p.drop(ctx, topic)
	try("ottla produce, "+p.set.codec, func(ctx context.Context) error { return p.call(ctx, p.produce(topic, rows)) })
	try("kcat", func(ctx context.Context) error { return p.compare(ctx, p.kcat(topic), want) })
	try("Apache's console consumer", func(ctx context.Context) error { return p.compare(ctx, p.java(topic, n), want) })
	try("ottla consume", func(ctx context.Context) error { return p.compare(ctx, p.consume(topic), want) })
	if p.set.back {
		topic += "-back"
		if err := p.create(ctx, topic); err != nil {
			return nil, err
		}
		defer p.drop(ctx, topic)
		try("kcat to ottla consume", func(ctx context.Context) error {
			if err := p.call(ctx, p.kcatProduce(topic, rows)); err != nil {
				return err
			}
			return p.compare(ctx, p.consume(topic), want)
		})
	}
	return all, nil
}

func (p passage) create(ctx context.Context, topic string) error {
	return p.call(ctx, []string{p.tools.ottla, "topic", "create", topic, "-b", p.addr, "-p", "1", "-r", "1"})
}

// drop removes the topic of a server that is not ours; a failure of it is none of the run's.
func (p passage) drop(ctx context.Context, topic string) {
	_ = p.call(ctx, []string{p.tools.ottla, "topic", "delete", topic, "-b", p.addr, "--yes", "--if-exists"})
}

func (p passage) produce(topic, rows string) []string {
	argv := []string{p.tools.ottla, "produce", topic, "-b", p.addr, "--file", rows, "--compression", p.set.codec}
	if p.set.keyed {
		argv = append(argv, "-K", ",")
	}
	return argv
}

func (p passage) consume(topic string) []string {
	argv := []string{p.tools.ottla, "consume", topic, "-b", p.addr, "-q"}
	if p.set.keyed {
		argv = append(argv, "-f", `%k,%v\n`)
	}
	return argv
}

func (p passage) kcat(topic string) []string {
	format := `%s\n`
	if p.set.keyed {
		format = `%k,%s\n`
	}
	return []string{"kcat", "-C", "-b", p.addr, "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q", "-f", format}
}

func (p passage) kcatProduce(topic, rows string) []string {
	argv := []string{"kcat", "-P", "-b", p.addr, "-t", topic, "-p", "0", "-l"}
	if p.set.keyed {
		argv = append(argv, "-K", ",")
	}
	return append(argv, rows)
}

func (p passage) java(topic string, n int) []string {
	argv := []string{"java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dorg.apache.logging.log4j.level=OFF", "-cp", p.tools.toolJars,
		"org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", p.addr, "--topic", topic,
		"--partition", "0", "--offset", "earliest", "--max-messages", fmt.Sprint(n), "--timeout-ms", "30000"}
	if p.set.keyed {
		argv = append(argv, "--formatter-property", "print.key=true", "--formatter-property", "key.separator=,")
	}
	return argv
}

func (p passage) call(ctx context.Context, argv []string) error {
	return command(ctx, "", argv[0], argv[1:]...)
}

// compare runs a program and compares the digest of what it prints.
func (p passage) compare(ctx context.Context, argv []string, want [sha256.Size]byte) error {
	var problems bytes.Buffer
	digest := sha256.New()
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Stdout, c.Stderr = digest, &problems
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", argv[0], err, problems.Bytes())
	}
	if got := [sha256.Size]byte(digest.Sum(nil)); got != want {
		return fmt.Errorf("what came back has digest %x, what was sent %x\n%s", got[:8], want[:8], problems.Bytes())
	}
	return nil
}

func digestFile(name string) ([sha256.Size]byte, int64, error) {
	f, err := os.Open(name)
	if err != nil {
		return [sha256.Size]byte{}, 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return [sha256.Size]byte(h.Sum(nil)), n, err
}
