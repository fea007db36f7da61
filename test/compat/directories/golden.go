package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/ottla/ottla/test/compat/peer"
)

// goldenDir is where the hermetic tests find what Kafka left.
const goldenDir = "test/compat/directories/testdata"

// record has servers of Kafka leave small directories, in the states that a node takes over or refuses, and packs them for the hermetic
// tests. What is in those that can be taken over is told by Kafka itself, in a file beside.
func (s *suite) record(ctx context.Context) error {
	for _, g := range []struct {
		name string
		make func(context.Context, string) error
	}{
		{"kafka-4.4", s.recordCurrent}, {"kafka-3.9", s.recordKRaft39}, {"kafka-4.5", s.recordNewer}, {"kafka-3.3-IV0", s.recordOldest},
		{"kafka-4.4-tiered", s.recordTiered}, {"kafka-3.9-zookeeper", s.recordZooKeeper},
	} {
		if err := g.make(ctx, filepath.Join(s.dir, g.name, "data")); err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
	}
	return nil
}

// small keeps the topics of Kafka's own small.
var small = map[string]string{"offsets.topic.num.partitions": "1", "transaction.state.log.num.partitions": "1", "log.cleaner.backoff.ms": "50",
	"log.index.size.max.bytes": "4096", "offsets.topic.segment.bytes": "1048576"}

// recordCurrent makes a directory of the current release, in order, and another that the death of the server left.
func (s *suite) recordCurrent(ctx context.Context, dir string) error {
	return s.recordServer(ctx, peer.Options{Dir: dir, Properties: small}, func(t *turns) error {
		if err := errors.Join(t.writeSmall("gzip", "snappy", "lz4", "zstd", "none"), t.create("txn", 2, nil), t.create("gzip", 3, nil), t.transact(), t.commit()); err != nil {
			return err
		}
		return errors.Join(t.set("quota", "alice", "producer_byte_rate", "1000"), t.set("scram", "alice", "", "secret"),
			t.set("broker", "", "log.retention.ms", "7770000001"), t.set("group", "g", "consumer.session.timeout.ms", "50001"))
	})
}

func (s *suite) recordKRaft39(ctx context.Context, dir string) error {
	return s.recordServer(ctx, peer.Options{Dir: dir, Properties: small, Version: peer.OldVersion}, func(t *turns) error {
		return t.writeSmall("gzip", "none")
	})
}

// writeSmall writes a few records with each codec into one topic, some into a compacted one, and deletes some.
func (t *turns) writeSmall(codecs ...string) error {
	errs := []error{t.create("none", 3, nil), t.create("codecs", 1, nil), t.create("deleted", 1, nil),
		t.create("compacted", 1, map[string]string{"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01"})}
	for i, c := range codecs {
		var all, keyed []record
		for j := range 4 {
			r := record{Time: firstTime + int64(1000*i+j), Headers: []header{{"codec", []byte(c)}}, Key: fmt.Appendf(nil, "key-%d", j),
				Value: fmt.Appendf(nil, "%s: %d", c, t.random.Uint64())}
			keyed = append(keyed, r)
			if j == 2 {
				r.Key, r.Value = nil, nil
			}
			all = append(all, r)
		}
		p := order{"producer": c, "codec": c}
		errs = append(errs, t.produce("codecs", all, p), t.produce("compacted", keyed, p), t.produce("deleted", all, p), t.produce("none", keyed, p),
			t.judge.ask(order{"do": "close", "producer": c}, nil))
	}
	t.model.deleted("deleted", 0, 5)
	return errors.Join(append(errs, t.judge.ask(order{"do": "deleteRecords", "topic": "deleted", "partition": 0, "before": 5}, nil))...)
}

// recordServer runs a server, has something written, tells what can be read, and packs the directory after a stop, and once more after
// a kill.
func (s *suite) recordServer(ctx context.Context, o peer.Options, write func(*turns) error) error {
	at, err := peer.Reserve(o)
	if err != nil {
		return err
	}
	at.Short = true
	t := &turns{s: s, model: newModel(), random: rand.New(rand.NewPCG(s.o.seed, 2)), kind: peer.Kafka, brief: true}
	if t.judge, err = startJudge(ctx, at.Listen, s.dir); err != nil {
		return err
	}
	defer t.judge.end()
	name := filepath.Base(filepath.Dir(o.Dir))
	for _, killed := range []bool{false, true} {
		server, err := peer.Start(ctx, peer.Kafka, at)
		if err != nil {
			return err
		}
		defer server.Kill()
		if !killed {
			err = write(t)
		} else { // what no checkpoint knows
			err = errors.Join(t.judge.ask(order{"do": "settle"}, nil), t.produce("codecs", makeRecords(t.random, 1, 3, 1), order{"producer": "last", "codec": "zstd"}))
		}
		if err == nil {
			err = t.tell(filepath.Join(s.root, goldenDir, name+suffix(killed)+".json"))
		}
		if err != nil {
			return err
		}
		if killed {
			err = server.Kill()
		} else {
			err = server.Stop(ctx)
		}
		if err == nil {
			err = pack(o.Dir, filepath.Join(s.root, goldenDir, name+suffix(killed)+".tar.zst"))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func suffix(killed bool) string {
	if killed {
		return "-killed"
	}
	return ""
}

// told is what Kafka says of a directory: for each topic what any reader sees, and one of what is committed; and the commits of groups as
// "offset epoch metadata", by /GROUP/PARTITION.
type told struct {
	Offsets   map[string]string          `json:"offsets"`
	All       map[string]json.RawMessage `json:"all"`
	Committed map[string]json.RawMessage `json:"committed"`
}

func (t *turns) tell(file string) error {
	var state map[string]struct { // what an old release does not serve has none
		Is any `json:"is"`
	}
	if err := t.judge.ask(order{"do": "state"}, &state); err != nil {
		return err
	}
	out := told{map[string]string{}, map[string]json.RawMessage{}, map[string]json.RawMessage{}}
	flatten(out.Offsets, "", state["offsets"].Is)
	for _, name := range slices.Sorted(maps.Keys(t.model.topics)) {
		var all, committed json.RawMessage
		err := errors.Join(t.judge.ask(order{"do": "read", "topic": name}, &all),
			t.judge.ask(order{"do": "read", "topic": name, "isolation": "read_committed"}, &committed))
		if err != nil {
			return err
		}
		out.All[name], out.Committed[name] = all, committed
	}
	b, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

// recordNewer formats for a release that is not out.
func (s *suite) recordNewer(ctx context.Context, dir string) error {
	jars, err := peer.ServerJars(ctx)
	if err != nil {
		return err
	}
	return s.recordFormat(ctx, jars, dir, "--feature", "metadata.version=34")
}

// recordOldest formats for a level below those that are read.
func (s *suite) recordOldest(ctx context.Context, dir string) error {
	jars, err := peer.OldJars(ctx)
	if err != nil {
		return err
	}
	return s.recordFormat(ctx, jars, dir, "--release-version", "3.3-IV0")
}

func (s *suite) recordFormat(ctx context.Context, jars, dir string, more ...string) error {
	file := dir + ".properties"
	text := "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:9093\ncontroller.listener.names=CONTROLLER\n" +
		"listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093\nunstable.feature.versions.enable=true\nlog.dirs=" + dir + "\n"
	if err := errors.Join(os.MkdirAll(filepath.Dir(dir), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
		return err
	}
	argv := append([]string{"-Dorg.apache.logging.log4j.level=OFF", "-cp", jars, "kafka.tools.StorageTool", "format", "-t", peer.ClusterID, "-c", file}, more...)
	if out, err := exec.CommandContext(ctx, "java", argv...).CombinedOutput(); err != nil {
		return fmt.Errorf("format: %w\n%s", err, out)
	}
	return pack(dir, filepath.Join(s.root, goldenDir, filepath.Base(filepath.Dir(dir))+".tar.zst"))
}

// recordTiered makes a directory with a topic in tiered storage.
func (s *suite) recordTiered(ctx context.Context, dir string) error {
	at, err := peer.Reserve(peer.Options{Dir: dir, Short: true, ClassPath: filepath.Join(s.dir, "judge"), Properties: map[string]string{
		"remote.log.storage.system.enable": "true", "remote.log.storage.manager.class.name": "NoRemote", "remote.log.metadata.manager.listener.name": "PLAINTEXT",
		"rlmm.config.remote.log.metadata.topic.replication.factor": "1", "rlmm.config.remote.log.metadata.topic.num.partitions": "1"}})
	if err != nil {
		return err
	}
	t := &turns{s: s, model: newModel(), kind: peer.Kafka}
	if t.judge, err = startJudge(ctx, at.Listen, s.dir); err != nil {
		return err
	}
	defer t.judge.end()
	server, err := peer.Start(ctx, peer.Kafka, at)
	if err != nil {
		return err
	}
	defer server.Kill()
	err = errors.Join(t.create("cold", 1, map[string]string{"remote.storage.enable": "true"}), server.Stop(ctx))
	if err != nil {
		return err
	}
	return pack(dir, filepath.Join(s.root, goldenDir, filepath.Base(filepath.Dir(dir))+".tar.zst"))
}

// recordZooKeeper makes a directory of a broker under ZooKeeper, and one of a controller that waits for its migration.
func (s *suite) recordZooKeeper(ctx context.Context, dir string) error {
	at, err := peer.Reserve(peer.Options{Dir: dir})
	if err != nil {
		return err
	}
	jars, err := peer.OldJars(ctx)
	if err != nil {
		return err
	}
	work := filepath.Dir(dir)
	_, port, _ := strings.Cut(at.Controller, ":")
	stopKeeper, err := launch(ctx, jars, filepath.Join(work, "zoo.cfg"), "org.apache.zookeeper.server.quorum.QuorumPeerMain",
		"clientPort="+port+"\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\ndataDir="+filepath.Join(work, "zk")+"\n")
	if err != nil {
		return err
	}
	defer stopKeeper()
	keeper := "zookeeper.connect=" + at.Controller + "\nzookeeper.connection.timeout.ms=30000\nzookeeper.metadata.migration.enable=true\n" +
		"listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\ncontroller.listener.names=CONTROLLER\n"
	stopBroker, err := launch(ctx, jars, filepath.Join(work, "broker.properties"), "kafka.Kafka", keeper+"broker.id=1\nlog.dirs="+dir+
		"\nlisteners=PLAINTEXT://"+at.Listen+"\ninter.broker.listener.name=PLAINTEXT\ncontroller.quorum.voters=2@"+at.Listen+"\n")
	if err != nil {
		return err
	}
	err = await(ctx, filepath.Join(dir, "meta.properties"))
	stopBroker()
	if err == nil {
		err = pack(dir, filepath.Join(s.root, goldenDir, "kafka-3.9-zookeeper.tar.zst"))
	}
	if err != nil {
		return err
	}
	return s.recordMigrating(ctx, jars, filepath.Join(work, "migrating"), keeper+
		"process.roles=controller\nnode.id=1\nlisteners=CONTROLLER://"+at.Listen+"\ncontroller.quorum.voters=1@"+at.Listen+"\n")
}

func (s *suite) recordMigrating(ctx context.Context, jars, dir, properties string) error {
	file := dir + ".properties"
	properties += "log.dirs=" + dir + "\n"
	if err := os.WriteFile(file, []byte(properties), 0o644); err != nil {
		return err
	}
	argv := []string{"-cp", jars, "kafka.tools.StorageTool", "format", "-t", peer.ClusterID, "-c", file}
	if out, err := exec.CommandContext(ctx, "java", argv...).CombinedOutput(); err != nil {
		return fmt.Errorf("format: %w\n%s", err, out)
	}
	stop, err := launch(ctx, jars, file, "kafka.Kafka", properties)
	if err != nil {
		return err
	}
	err = await(ctx, filepath.Join(dir, "__cluster_metadata-0", "00000000000000000000.log"))
	stop()
	if err != nil {
		return err
	}
	return pack(dir, filepath.Join(s.root, goldenDir, "kafka-3.9-migrating.tar.zst"))
}

// launch writes a properties file and starts a server on it, whose stop it gives.
func launch(ctx context.Context, jars, file, class, properties string) (stop func(), err error) {
	if err := os.WriteFile(file, []byte(properties), 0o644); err != nil {
		return nil, err
	}
	log, err := os.Create(file + ".log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, "java", "-Xmx256m", "-cp", jars, class, file)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // a JVM tells of the signal
	}, nil
}

// await waits until a file is there and has grown for the last time in a while.
func await(ctx context.Context, file string) error {
	deadline := time.Now().Add(time.Minute)
	for grown := time.Now(); time.Since(grown) < 5*time.Second; {
		st, err := os.Stat(file)
		if err != nil || st.Size() == 0 {
			grown = time.Now()
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("%s does not come", file)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil
}

// pack writes the files of a directory, but for its lock, into an archive.
func pack(dir, file string) error {
	var packed bytes.Buffer
	z, err := zstd.NewWriter(&packed, zstd.WithEncoderLevel(zstd.SpeedBestCompression)) // there are 10 MiB of zeros in an index
	if err != nil {
		return err
	}
	w := tar.NewWriter(z)
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == ".lock" {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: filepath.ToSlash(name), Mode: 0o644, Size: int64(len(b))}); err != nil {
			return err
		}
		_, err = w.Write(b)
		return err
	})
	if err := errors.Join(err, w.Close(), z.Close()); err != nil {
		return err
	}
	fmt.Printf("  %s: %d bytes\n", filepath.Base(file), packed.Len())
	return os.WriteFile(file, packed.Bytes(), 0o644)
}
