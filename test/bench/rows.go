package main

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const partitions = 12

// firstAck starts a node on a directory that has a topic and returns the time to the first acknowledged produce.
func firstAck(b *bench, name string) (time.Duration, error) {
	records, err := batch(100, 100)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := b.start(name); err != nil {
		return 0, err
	}
	c, err := dial(b.node.address)
	if err != nil {
		return 0, err
	}
	defer c.nc.Close()
	if _, err := c.nc.Write(c.frame(produceRequest("first", 0, records))); err != nil {
		return 0, err
	}
	body, err := c.answer()
	if err != nil {
		return 0, err
	}
	return time.Since(began), checkProduced(body)
}

// withTopic makes a directory with a topic and ends the node by a signal.
func withTopic(b *bench, name string, load time.Duration, sig syscall.Signal) error {
	if err := b.start(name); err != nil {
		return err
	}
	c, err := dial(b.node.address)
	if err != nil {
		return err
	}
	defer c.nc.Close()
	if err := c.createTopic([]string{"first"}, partitions); err != nil {
		return err
	}
	if load > 0 {
		if _, err := produceLoad(b.node.address, "first", 16<<10, 4, load); err != nil {
			return err
		}
	}
	return b.end(sig)
}

func startClean(b *bench) (string, error) { return startRow(b, "start", 0, syscall.SIGTERM) }

func startAfterKill(b *bench) (string, error) {
	return startRow(b, "crash", 2*time.Second, syscall.SIGKILL)
}

func startRow(b *bench, name string, load time.Duration, sig syscall.Signal) (string, error) {
	b.stop()
	var took []time.Duration
	for i := range 5 {
		dir := fmt.Sprintf("%s-%d", name, i)
		if err := withTopic(b, dir, load, sig); err != nil {
			return "", err
		}
		d, err := firstAck(b, dir)
		if err != nil {
			return "", err
		}
		took = append(took, d)
		b.stop()
	}
	slices.Sort(took)
	return fmt.Sprintf("median %v (%v to %v)", took[2].Round(time.Millisecond), took[0].Round(time.Millisecond), took[4].Round(time.Millisecond)), nil
}

func idle(b *bench) (string, error) {
	if err := b.running(); err != nil {
		return "", err
	}
	time.Sleep(2 * time.Second) // let the start settle
	before, err := b.node.cpu()
	if err != nil {
		return "", err
	}
	length := max(b.seconds, 20*time.Second)
	time.Sleep(length)
	after, err := b.node.cpu()
	if err != nil {
		return "", err
	}
	rss, err := b.node.resident()
	return fmt.Sprintf("%.1f MiB, %.2f %% of a core", mib(rss), 100*(after-before).Seconds()/length.Seconds()), err
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }

func thousandTopics(b *bench) (string, error) {
	b.stop()
	if err := b.start("topics"); err != nil {
		return "", err
	}
	defer b.stop()
	c, err := dial(b.node.address)
	if err != nil {
		return "", err
	}
	defer c.nc.Close()
	began := time.Now()
	for i := range 1000 {
		if err := c.createTopic([]string{fmt.Sprintf("topic-%04d", i)}, 1); err != nil {
			return "", err
		}
	}
	took := time.Since(began)
	rss, err := b.node.resident()
	return fmt.Sprintf("%.1f MiB; created one by one in %v", mib(rss), took.Round(time.Millisecond)), err
}

// produceLoad sends batches of size bytes to the partitions of a topic over conns connections, four in flight on each,
// and returns the bytes acknowledged.
func produceLoad(address, topic string, size, conns int, length time.Duration) (int64, error) {
	records, err := batch(size, 1000)
	if err != nil {
		return 0, err
	}
	return load(address, conns, 4, length, func(c *conn, i int) []byte {
		return c.frame(produceRequest(topic, int32(i%partitions), records))
	}, func(body []byte) (int64, error) { return int64(len(records)), checkProduced(body) })
}

// load keeps depth requests in flight on each connection until the time is up, and adds up what answers are worth.
func load(address string, conns, depth int, length time.Duration, frame func(*conn, int) []byte, worth func([]byte) (int64, error)) (int64, error) {
	var total atomic.Int64
	errs := make([]error, conns)
	end := time.Now().Add(length)
	var all sync.WaitGroup
	for i := range conns {
		all.Go(func() {
			c, err := dial(address)
			if err != nil {
				errs[i] = err
				return
			}
			defer c.nc.Close()
			out := frame(c, i)
			for range depth {
				if _, errs[i] = c.nc.Write(out); errs[i] != nil {
					return
				}
			}
			for inFlight := depth; inFlight > 0; {
				body, err := c.answer()
				if err != nil {
					errs[i] = err
					return
				}
				n, err := worth(body)
				if err != nil {
					errs[i] = err
					return
				}
				total.Add(n)
				inFlight--
				if time.Now().Before(end) {
					if _, errs[i] = c.nc.Write(out); errs[i] != nil {
						return
					}
					inFlight++
				}
			}
		})
	}
	all.Wait()
	return total.Load(), errors.Join(errs...)
}

// measured runs a load and returns what it was worth and the CPU that the node spent.
func (b *bench) measured(f func() (int64, error)) (worth int64, cpu time.Duration, err error) {
	before, err := b.node.cpu()
	if err != nil {
		return 0, 0, err
	}
	if worth, err = f(); err != nil {
		return 0, 0, err
	}
	after, err := b.node.cpu()
	return worth, after - before, err
}

func produceRow(b *bench, size int) (string, error) {
	if err := b.prepare("load"); err != nil {
		return "", err
	}
	produce := func(length time.Duration) func() (int64, error) {
		return func() (int64, error) { return produceLoad(b.node.address, "load", size, 6, length) }
	}
	if _, err := produce(time.Second)(); err != nil { // warm up
		return "", err
	}
	n, cpu, err := b.measured(produce(b.seconds))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%.3f CPU-s/GiB, %.0f MiB/s", cpu.Seconds()/(float64(n)/(1<<30)), mib(n)/b.seconds.Seconds()), nil
}

func (b *bench) prepare(topic string) error {
	if err := b.running(); err != nil {
		return err
	}
	c, err := dial(b.node.address)
	if err != nil {
		return err
	}
	defer c.nc.Close()
	if err := c.createTopic([]string{topic}, partitions); err != nil {
		return err
	}
	return awaitLeaders(c, topic, partitions)
}

// awaitLeaders returns when every partition can be written to: Apache Kafka answers CreateTopics some time before.
func awaitLeaders(c *conn, topic string, partitions int32) error {
	deadline := time.Now().Add(patience)
	for p := int32(0); p < partitions; {
		_, err := endOffset(c, topic, p)
		if err == nil {
			p++
			continue
		}
		if time.Now().After(deadline) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

func fetchRow(b *bench) (string, error) {
	if err := b.prepare("hot"); err != nil {
		return "", err
	}
	if _, err := produceLoad(b.node.address, "hot", 256<<10, 12, time.Second); err != nil {
		return "", err
	}
	n, cpu, err := b.measured(func() (int64, error) {
		return load(b.node.address, 4, 1, b.seconds, func(c *conn, i int) []byte {
			return c.frame(fetchRequest("hot", int32(i%partitions), 0, 1<<20))
		}, func(body []byte) (int64, error) { return int64(len(body)), nil })
	})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%.3f CPU-s/GiB, %.0f MiB/s", cpu.Seconds()/(float64(n)/(1<<30)), mib(n)/b.seconds.Seconds()), nil
}

func oneRecord(b *bench) (string, error) {
	if err := b.prepare("small"); err != nil {
		return "", err
	}
	records, err := batch(100, 100)
	if err != nil {
		return "", err
	}
	n, cpu, err := b.measured(func() (int64, error) {
		return load(b.node.address, 200, 1, b.seconds, func(c *conn, i int) []byte {
			return c.frame(produceRequest("small", int32(i%partitions), records))
		}, func(body []byte) (int64, error) { return 1, checkProduced(body) })
	})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%.1f CPU-us each, %.0f/s", float64(cpu.Microseconds())/float64(n), float64(n)/b.seconds.Seconds()), nil
}
