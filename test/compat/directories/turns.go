package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/test/compat/peer"
)

// plan says who formats, and how long both take turns.
type plan struct {
	first  peer.Kind
	stages int
	// release is that of the format, "" for the latest: an old one has one log directory and none of the newer records.
	release string
}

func (p plan) String() string {
	if p.release != "" {
		return string(p.first) + "-" + p.release
	}
	return string(p.first)
}

// turns is one directory that changes hands.
type turns struct {
	s      *suite
	plan   plan
	judge  *judge
	model  *model
	random *rand.Rand
	server *peer.Peer
	kind   peer.Kind
	stage  int
	last   *view // what the next server must show
	brief  bool  // transactions have short records
	// open is the transaction that was left open.
	open bool
}

var codecs = []string{"none", "gzip", "snappy", "lz4", "zstd"}

// times are looked up in each partition: before all records, among them, and behind.
var lookups = []int64{firstTime - 1, firstTime + 5_001, firstTime + 999_000, firstTime + 1_000_500, firstTime + 2_003_500, firstTime + 900_000_000}

// turns formats with one kind of server and then lets both take turns.
func (s *suite) turns(ctx context.Context, p plan) error {
	t := &turns{s: s, plan: p, model: newModel(), random: rand.New(rand.NewPCG(s.o.seed, 1))}
	dir := filepath.Join(s.dir, "turns-"+p.String())
	dirs := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}
	if p.release != "" {
		dirs = dirs[:1]
	}
	at, err := peer.Reserve(peer.Options{Dir: dirs[0], Standalone: p.first == peer.Kafka && p.release == "", Short: true, Release: p.release})
	if err != nil {
		return err
	}
	if t.judge, err = startJudge(ctx, at.Listen, s.dir); err != nil {
		return err
	}
	defer t.judge.end()
	order := []peer.Kind{peer.Ottla, peer.Kafka}
	if p.first == peer.Kafka {
		slices.Reverse(order)
	}
	defer func() {
		if t.server != nil {
			_ = t.server.Kill()
		}
	}()
	for ; t.stage < p.stages; t.stage++ {
		t.kind = order[t.stage%2]
		began := time.Now()
		at.Properties = properties(t.kind, dirs)
		if t.server, err = peer.Start(ctx, t.kind, at); err != nil {
			return fmt.Errorf("%s, stage %d: %w", p, t.stage, err)
		}
		if err := t.turn(ctx); err != nil {
			return fmt.Errorf("%s, stage %d, %s: %w", p, t.stage, t.kind, err)
		}
		if err := t.dump(ctx, dirs...); err != nil {
			return err
		}
		fmt.Printf("formatted by %s, stage %d: %s took over, wrote, and stopped in %s\n", p, t.stage, t.kind, time.Since(began).Round(100*time.Millisecond))
	}
	return nil
}

// properties of both kinds: a cleaner in haste, and an authorizer for Kafka, which keeps no ACLs without.
func properties(kind peer.Kind, dirs []string) map[string]string {
	p := map[string]string{
		"log.dirs":               strings.Join(dirs, ","),
		"log.cleaner.backoff.ms": "100",
		// A producer that has written to a topic asks for it for minutes: none shall come back.
		"auto.create.topics.enable": "false",
		// Static members stay in their groups while the servers change.
		"group.consumer.session.timeout.ms":     "600000",
		"group.consumer.max.session.timeout.ms": "600000",
		"offsets.topic.num.partitions":          "3",
		"transaction.state.log.num.partitions":  "3",
	}
	if kind == peer.Kafka {
		p["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
		p["super.users"] = "User:ANONYMOUS"
		p["allow.everyone.if.no.acl.found"] = "true"
	}
	return p
}

// turn has a server that has just taken over looked at, written to, looked at again, and stopped.
func (t *turns) turn(ctx context.Context) error {
	where := fmt.Sprintf("formatted by %s, stage %d, %s", t.plan, t.stage, t.kind)
	if err := t.judge.ask(order{"do": "settle"}, nil); err != nil {
		return err
	}
	if t.last != nil {
		v, err := t.look(ctx, where+" took over")
		if err != nil {
			return err
		}
		t.takenOver(where+" took over", v)
	}
	if err := t.write(); err != nil {
		return err
	}
	v, err := t.look(ctx, where+" wrote")
	if err != nil {
		return err
	}
	t.keep(v)
	stop, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err = t.server.Stop(stop)
	t.server = nil
	return err
}

// produce sends records and takes them into the model.
func (t *turns) produce(name string, records []record, with order) error {
	o := order{"do": "produce", "topic": name, "records": records}
	for k, v := range with {
		o[k] = v
	}
	var offsets []int64
	if err := t.judge.ask(o, &offsets); err != nil {
		return err
	}
	txn := ""
	if with["transactional"] != nil {
		txn = with["producer"].(string)
	}
	return t.model.acknowledged(name, records, offsets, txn)
}

func (t *turns) create(name string, partitions int, configs map[string]string) error {
	all := map[string]string{"retention.ms": "-1"}
	for k, v := range configs {
		all[k] = v
	}
	t.model.create(name, partitions, all["cleanup.policy"] == "compact")
	return t.judge.ask(order{"do": "create", "topic": name, "partitions": partitions, "configs": all}, nil)
}

// write does what a stage does.
func (t *turns) write() error {
	steps := []func() error{t.writeCodecs, t.writeSteadily, t.writeCompacted, t.deleteRecords, t.changeTopics, t.configure}
	if t.stage == 0 {
		steps = append([]func() error{t.createTopics}, steps...)
	}
	if t.serves("transactions") {
		steps = append(steps, t.transact)
	}
	if t.serves("offsets") {
		steps = append(steps, t.commit)
	}
	if t.kind == peer.Kafka {
		steps = append(steps, t.secure)
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (t *turns) createTopics() error {
	var errs []error
	for _, c := range codecs {
		errs = append(errs, t.create(c, 3, map[string]string{"segment.ms": "500000"})) // a segment each stage, by the records' times
	}
	return errors.Join(append(errs,
		t.create("steady", 1, nil), t.create("deleted", 2, map[string]string{"segment.ms": "500000"}), t.create("recompressed", 2, map[string]string{"compression.type": "zstd"}),
		t.create("txn", 2, nil),
		t.create("compacted", 1, map[string]string{"cleanup.policy": "compact", "segment.ms": "100000", "min.cleanable.dirty.ratio": "0.01"}))...)
}

func (t *turns) writeCodecs() error {
	for _, c := range codecs {
		p := order{"producer": c, "codec": c}
		err := errors.Join(t.produce(c, makeRecords(t.random, t.stage, 60, 3), p), t.judge.ask(order{"do": "close", "producer": c}, nil))
		if err != nil {
			return err
		}
	}
	return errors.Join(t.produce("recompressed", makeRecords(t.random, t.stage, 20, 2), order{"producer": "lz4", "codec": "lz4"}),
		t.judge.ask(order{"do": "close", "producer": "lz4"}, nil))
}

// writeSteadily lets an idempotent producer go on that has lived since the first stage.
func (t *turns) writeSteadily() error {
	for range 3 {
		all := makeRecords(t.random, t.stage, 5, 1)
		for i := range all {
			all[i].Time = time.Now().UnixMilli() // a producer is forgotten a day after its last record's time
		}
		if err := t.produce("steady", all, order{"producer": "steady", "idempotent": true}); err != nil {
			return err
		}
	}
	return nil
}

func (t *turns) writeCompacted() error {
	for range 3 {
		var all []record
		for i := range 30 {
			r := record{Time: firstTime + int64(t.stage)*1_000_000 + int64(i), Headers: []header{}, Key: fmt.Appendf(nil, "%d", t.random.IntN(20)),
				Value: fmt.Appendf(nil, "%d %x", t.stage, t.random.Uint64())}
			if t.random.IntN(10) == 0 {
				r.Value = nil
			}
			all = append(all, r)
		}
		if err := t.produce("compacted", all, order{"producer": "compacted", "codec": "snappy"}); err != nil {
			return err
		}
	}
	return t.judge.ask(order{"do": "close", "producer": "compacted"}, nil)
}

// deleteRecords writes some and takes a part away: in one partition up to the middle of a segment, in the other all.
func (t *turns) deleteRecords() error {
	err := t.produce("deleted", makeRecords(t.random, t.stage, 20, 2), order{"producer": "deleted"})
	if err != nil {
		return err
	}
	for p, before := range []int64{int64(t.stage*10 + 7), int64(t.stage*10 + 10)} {
		var low int64
		err := t.judge.ask(order{"do": "deleteRecords", "topic": "deleted", "partition": p, "before": before}, &low)
		if err != nil {
			return err
		}
		if low != before {
			return fmt.Errorf("deleteRecords before %d answers %d", before, low)
		}
		t.model.deleted("deleted", p, before)
	}
	return t.judge.ask(order{"do": "close", "producer": "deleted"}, nil)
}

// changeTopics makes a topic that stays and one that the next stage removes.
func (t *turns) changeTopics() error {
	if t.stage > 0 {
		gone := fmt.Sprintf("gone-%d", t.stage-1)
		delete(t.model.topics, gone)
		if err := t.judge.ask(order{"do": "deleteTopic", "topic": gone}, nil); err != nil {
			return err
		}
	}
	stays, goes := fmt.Sprintf("stage-%d", t.stage), fmt.Sprintf("gone-%d", t.stage)
	return errors.Join(t.create(stays, 1, map[string]string{"max.message.bytes": "77777", "message.timestamp.type": "CreateTime"}), t.create(goes, 1, nil),
		t.produce(stays, makeRecords(t.random, t.stage, 3, 1), order{"producer": "topics"}), t.produce(goes, makeRecords(t.random, t.stage, 3, 1), order{"producer": "topics"}),
		t.judge.ask(order{"do": "close", "producer": "topics"}, nil))
}

func (t *turns) set(what, name, key, value string) error {
	return t.judge.ask(order{"do": "set", "what": what, "name": name, "key": key, "value": value}, nil)
}

// configure changes one configuration of each kind.
func (t *turns) configure() error {
	n := fmt.Sprint(t.stage)
	err := errors.Join(
		t.set("topic", "none", "retention.bytes", "99000"+n), t.set("topic", "stage-"+n, "max.message.bytes", "8888"+n),
		t.set("broker", "", "log.retention.ms", "777000000"+n), t.set("broker", "1", "log.cleaner.io.buffer.load.factor", "0."+n+"5"))
	if t.plan.release != "" {
		return err
	}
	return errors.Join(err, t.set("group", "some-group", "consumer.session.timeout.ms", "5000"+n), t.set("clientMetrics", "metrics-"+n, "interval.ms", "100"+n))
}

// transact commits one transaction, aborts one, ends the one that an earlier stage left open, and leaves one open.
func (t *turns) transact() error {
	end := func(producer, how string, f fate) error {
		if err := t.judge.ask(order{"do": how, "producer": producer, "topic": "txn", "partitions": len(t.model.topics["txn"].partitions)}, nil); err != nil {
			return err
		}
		t.model.decide(producer, f)
		return nil
	}
	if t.open {
		if err := end("open", "commit", settled); err != nil {
			return err
		}
	}
	for _, one := range []struct {
		producer, end string
		fate          fate
	}{{"committing", "commit", settled}, {"aborting", "abort", aborted}, {"open", "", undecided}} {
		with := order{"producer": one.producer, "transactional": one.producer}
		err := t.judge.ask(order{"do": "begin", "producer": one.producer, "transactional": one.producer}, nil)
		if err == nil {
			all := makeRecords(t.random, t.stage, 8, 2)
			for i := range all {
				if t.brief {
					all[i].Value = all[i].Value[:min(20, len(all[i].Value))]
				}
			}
			err = t.produce("txn", all, with)
		}
		if err == nil && one.end != "" {
			err = end(one.producer, one.end, one.fate)
		}
		if err != nil {
			return err
		}
	}
	t.open = true
	return nil
}

// commit has a member of each kind of group commit, and an administrator for a group without members.
func (t *turns) commit() error {
	offsets := map[string]int{"0": t.stage + 1, "1": t.stage + 2, "2": t.stage + 3}
	protocols := []string{"classic", "consumer"}
	if t.plan.release != "" {
		protocols = protocols[:1]
	}
	for _, protocol := range protocols {
		join := order{"do": "join", "member": protocol, "group": protocol + "-group", "protocol": protocol, "topic": "none", "partitions": 3}
		if t.stage%4 < 2 { // a static member stays in its group when it leaves
			join["instance"], join["group"] = "static-"+protocol, "static-"+protocol+"-group"
		}
		err := errors.Join(t.judge.ask(join, nil),
			t.judge.ask(order{"do": "commitOffsets", "member": protocol, "topic": "none", "offsets": offsets, "metadata": "by a member"}, nil),
			t.judge.ask(order{"do": "leave", "member": protocol}, nil))
		if err != nil {
			return err
		}
	}
	return t.judge.ask(order{"do": "commitOffsets", "group": "simple-group", "topic": "gzip", "offsets": offsets, "metadata": "Zürich"}, nil)
}

// secure writes the records of security and quotas, which only Kafka does so far.
func (t *turns) secure() error {
	n := fmt.Sprint(t.stage)
	err := errors.Join(t.set("quota", "user-"+n, "producer_byte_rate", "10000"+n), t.set("acl", "prefix-"+n, "", "alice"))
	if t.plan.release != "" {
		return err // SCRAM came with 3.5
	}
	return errors.Join(err, t.set("scram", "user-"+n, "", "secret-"+n))
}
