package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ottla/ottla/test/compat/clients"
	"github.com/ottla/ottla/test/compat/peer"
)

// Foreign are the clients of others, which keep ours honest: a client in Go flatters a server in Go.
type Foreign struct {
	tools string // class path of Apache's tools
	perf  string // the program over librdkafka
}

// InstallTools fetches Apache's tools.
func InstallTools(ctx context.Context) (*Foreign, error) {
	jars, err := peer.ToolJars(ctx)
	return &Foreign{tools: jars}, err
}

// InstallLibrdkafka builds the program over confluent-kafka-go, whose library is librdkafka: its own rdkafka_performance is
// in no package.
func InstallLibrdkafka(ctx context.Context) (*Foreign, error) {
	i, err := clients.NewInstaller()
	if err == nil {
		err = clients.InstallGo(ctx, i)
	}
	if err != nil {
		return nil, err
	}
	cache, err := peer.CacheDir()
	return &Foreign{perf: filepath.Join(cache, "go", "perf")}, err
}

// guess is the most that a foreign client moves in a second; they end after records alone, not after time.
const guess = 300e6

func (l Limit) records(each int64) int64 {
	n := l.Bytes
	if l.Time > 0 {
		n = min(n, int64(l.Time.Seconds()*guess))
	}
	return max(1000, n/each)
}

// ran is what a program said, and used.
func ran(ctx context.Context, argv ...string) (string, time.Duration, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", 0, fmt.Errorf("%s: %w\n%s%s", filepath.Base(argv[0]), err, stdout.String(), stderr.String())
	}
	return stdout.String(), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

func (f *Foreign) tool(ctx context.Context, class string, args ...string) (string, time.Duration, error) {
	return ran(ctx, append([]string{"java", "-Xms512m", "-Xmx512m", "-XX:+UseG1GC", "-Dorg.apache.logging.log4j.level=OFF",
		"-cp", f.tools, "org.apache.kafka.tools." + class}, args...)...)
}

// produced is the last line of ProducerPerformance.
var produced = regexp.MustCompile(`(?m)^(\d+) records sent, ([\d.]+) records/sec`)

// JavaProduce runs Apache's ProducerPerformance: records of each bytes, acks=1, batches of 256 KiB, linger 5 ms. Its rate is its
// own, without the start of the JVM.
func (f *Foreign) JavaProduce(ctx context.Context, address, topic string, each int, l Limit) (Done, error) {
	n := l.records(int64(each))
	out, cpu, err := f.tool(ctx, "ProducerPerformance", "--bootstrap-server", address, "--topic", topic, "--num-records", strconv.FormatInt(n, 10),
		"--record-size", strconv.Itoa(each), "--throughput", "-1",
		"--command-property", "acks=1", "enable.idempotence=false", "batch.size=262144", "linger.ms=5", "buffer.memory=67108864")
	if err != nil {
		return Done{}, err
	}
	all := produced.FindAllStringSubmatch(out, -1)
	if all == nil {
		return Done{}, fmt.Errorf("ProducerPerformance said %q", out)
	}
	last := all[len(all)-1] // the lines before are of intervals
	sent, err1 := strconv.ParseInt(last[1], 10, 64)
	rate, err2 := strconv.ParseFloat(last[2], 64)
	if err1 != nil || err2 != nil || sent != n {
		return Done{}, fmt.Errorf("ProducerPerformance sent %s of %d records at %s/s", last[1], n, last[2])
	}
	return Done{Records: n, Bytes: n * int64(each), Took: seconds(float64(n) / rate), ClientCPU: cpu}, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// JavaConsume runs Apache's ConsumerPerformance over records that are there, once; its time is that of fetching, without the
// start of the JVM and the joining of the group.
func (f *Foreign) JavaConsume(ctx context.Context, address, topic string, records int64) (Done, error) {
	out, cpu, err := f.tool(ctx, "ConsumerPerformance", "--bootstrap-server", address, "--topic", topic, "--num-records", strconv.FormatInt(records, 10), "--hide-header")
	if err != nil {
		return Done{}, err
	}
	return consumed(out, cpu)
}

// consumed reads the line: start, end, MB (of 2^20 bytes), MB/s, records, records/s, ms of rebalance, ms of fetching, …
func consumed(out string, cpu time.Duration) (Done, error) {
	fields := strings.Split(strings.TrimSpace(out), ", ")
	if len(fields) < 8 {
		return Done{}, fmt.Errorf("ConsumerPerformance said %q", out)
	}
	mib, err1 := strconv.ParseFloat(fields[2], 64)
	n, err2 := strconv.ParseInt(fields[4], 10, 64)
	fetching, err3 := strconv.ParseFloat(fields[7], 64)
	if err1 != nil || err2 != nil || err3 != nil || fetching <= 0 {
		return Done{}, fmt.Errorf("ConsumerPerformance said %q", out)
	}
	return Done{Records: n, Bytes: int64(mib * (1 << 20)), Took: seconds(fetching / 1000), ClientCPU: cpu}, nil
}

// LibrdkafkaProduce sends records of each bytes with librdkafka: acks=1, batches of 64 KiB, linger 5 ms.
func (f *Foreign) LibrdkafkaProduce(ctx context.Context, address, topic string, each int, l Limit) (Done, error) {
	n := l.records(int64(each))
	if l.Time > 0 {
		n = min(n, int64(l.Time.Seconds()*500_000))
	}
	out, cpu, err := ran(ctx, f.perf, address, topic, strconv.FormatInt(n, 10), strconv.Itoa(each))
	if err != nil {
		return Done{}, err
	}
	var said struct {
		Records int64
		Seconds float64
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil {
		return Done{}, fmt.Errorf("the program over librdkafka said %q: %w", out, err)
	}
	if said.Seconds <= 0 {
		return Done{}, fmt.Errorf("the program over librdkafka took no time: %q", out)
	}
	return Done{Records: said.Records, Bytes: said.Records * int64(each), Took: seconds(said.Seconds), ClientCPU: cpu}, nil
}
