package commitlog

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/vfs"
)

// scenario runs the commands of testdata/scenarios on a log on a disk that can crash and fail.
type scenario struct {
	t     *testing.T
	disk  *vfs.Mem
	fs    *vfs.Faulty
	log   *Log
	cfg   Config
	now   time.Time
	fault vfs.Hook
	trace []string
}

// TestScenarios prints what happens: -rewrite replaces the outcome in the files.
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata/scenarios", func(t *testing.T, name string) {
		s := &scenario{t: t, disk: vfs.NewCrash(), cfg: small(), now: testStart}
		must(t, vfs.MkdirAll(s.disk, "/d"))
		datadriven.RunTest(t, name, s.run)
	})
}

func (s *scenario) run(t *testing.T, d *datadriven.TestData) string {
	s.trace = nil
	out, err := s.command(d)
	if d.HasArg("trace") {
		out += strings.Join(s.trace, "\n") + "\n"
	}
	if err != nil {
		out += "error: " + err.Error() + "\n"
	}
	if out == "" {
		out = "ok\n"
	}
	return out
}

func (s *scenario) hook(o vfs.Op) error {
	if o.Kind != vfs.OpRead {
		s.trace = append(s.trace, o.String())
	}
	if s.fault != nil {
		return s.fault(o)
	}
	return nil
}

func (s *scenario) number(d *datadriven.TestData, name string, otherwise int64) int64 {
	d.MaybeScanArgs(s.t, name, &otherwise)
	return otherwise
}

func (s *scenario) command(d *datadriven.TestData) (string, error) {
	switch d.Cmd {
	case "open":
		return s.open(d)
	case "close":
		return "", s.log.Close(s.now)
	case "append":
		return s.append(d)
	case "read":
		return s.read(d)
	case "flush":
		point, err := s.log.Flush()
		return fmt.Sprintf("recovery point %d\n", point), err
	case "roll":
		return "", s.log.Roll(s.now)
	case "roll-aged":
		rolled, err := s.log.RollAged(s.now)
		return fmt.Sprintf("rolled %v\n", rolled), err
	case "truncate":
		err := s.log.TruncateTo(kafka.Offset(s.number(d, "to", 0)), s.now)
		return s.describe(), err
	case "describe":
		return s.describe(), nil
	case "start":
		return "", s.log.SetLogStartOffset(kafka.Offset(s.number(d, "at", 0)))
	case "assign-epoch":
		s.log.AssignEpoch(kafka.LeaderEpoch(s.number(d, "epoch", 0)), s.log.LogEndOffset())
		return "", nil
	case "retract-epochs":
		s.log.RetractEpochs()
		return s.describe(), nil
	case "epoch-end":
		e, end := s.log.EpochEndOffset(kafka.LeaderEpoch(s.number(d, "epoch", 0)))
		return fmt.Sprintf("epoch %d ends at %d\n", e, end), nil
	case "time":
		return s.time(d)
	case "retain":
		n, err := s.log.Retain(s.now, kafka.Offset(s.number(d, "hw", int64(s.log.LogEndOffset()))))
		return fmt.Sprintf("removed %d\n%s", n, s.describe()), err
	case "reap":
		next, err := s.log.Reap(s.now)
		if next.IsZero() {
			return "nothing left\n", err
		}
		return fmt.Sprintf("next in %s\n", next.Sub(s.now)), err
	case "advance":
		s.now = s.now.Add(time.Duration(s.number(d, "ms", 0)) * time.Millisecond)
		s.disk.SetTime(s.now)
		return "", nil
	case "config":
		s.configure(d)
		return "", nil
	case "crash":
		s.disk = s.disk.CrashClone(rand.New(rand.NewPCG(1, 1)), int(s.number(d, "keep", 0)))
		return "", nil
	case "fail":
		return "", s.fail(d)
	case "flip":
		return "", s.flip(d)
	case "checkpointed":
		return "", s.log.Checkpointed(kafka.Offset(s.number(d, "point", 0)))
	case "cut":
		return "", s.cut(d)
	case "write":
		return "", vfs.WriteFile(s.disk, path.Join("/d/t-0", d.CmdArgs[0].Key), []byte(d.Input+"\n"))
	case "ls":
		return s.ls()
	case "cat":
		b, err := vfs.ReadFile(s.disk, path.Join("/d/t-0", d.CmdArgs[0].Key))
		return string(b), err
	default:
		return "", fmt.Errorf("unknown command %s", d.Cmd)
	}
}

func (s *scenario) open(d *datadriven.TestData) (string, error) {
	s.fs = vfs.NewFaulty(s.disk, s.hook)
	o := options(s.cfg)
	o.Now, o.Clean, o.Written = s.now, d.HasArg("clean"), d.HasArg("written")
	o.RecoveryPoint = kafka.Offset(s.number(d, "point", 0))
	o.LogStartOffset = kafka.Offset(s.number(d, "start", 0))
	l, report, err := Open(s.fs, "/d/t-0", o)
	if err != nil {
		return "", err
	}
	s.log = l
	out := fmt.Sprintf("offsets %d to %d, recovery point %d", l.LogStartOffset(), l.LogEndOffset(), l.RecoveryPoint())
	if report.Created {
		out += ", created"
	}
	if report.ScannedBytes > 0 {
		out += fmt.Sprintf(", scanned %d bytes", report.ScannedBytes)
	}
	out += "\n"
	if report.LostBytes > 0 {
		out += fmt.Sprintf("lost %d bytes: %v\n", report.LostBytes, report.Cut)
	}
	if report.Odd != nil {
		out += fmt.Sprintf("headers were not enough: %v\n", report.Odd)
	}
	for _, damage := range report.Damage {
		out += fmt.Sprintf("damage: %s\n", damage)
	}
	return out, nil
}

// append appends n batches of records records each.
func (s *scenario) append(d *datadriven.TestData) (string, error) {
	epoch := kafka.LeaderEpoch(s.number(d, "epoch", int64(max(0, s.log.LatestEpoch()))))
	for range s.number(d, "n", 1) {
		b := batchOf(s.t, s.log.LogEndOffset(), int(s.number(d, "records", 1)), epoch, s.number(d, "time", s.now.UnixMilli()))
		if _, err := s.log.Append(b, s.now); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("end %d\n", s.log.LogEndOffset()), nil
}

func (s *scenario) read(d *datadriven.TestData) (string, error) {
	from := kafka.Offset(s.number(d, "from", int64(s.log.LogStartOffset())))
	upTo := kafka.Offset(s.number(d, "to", int64(s.log.LogEndOffset())))
	span, err := s.log.Read(from, int(s.number(d, "max", 1<<20)), upTo, true)
	if err != nil {
		return "", err
	}
	defer span.Release()
	b := make([]byte, span.Len())
	if _, err := span.ReadAt(b, 0); err != nil {
		return "", err
	}
	out := fmt.Sprintf("segment %d, %d bytes at %d\n", span.Segment(), span.Len(), span.Position())
	for len(b) > 0 {
		batch, rest, err := record.Next(b)
		if err != nil {
			return out + fmt.Sprintf("  and %d bytes of a batch\n", len(b)), nil
		}
		out += fmt.Sprintf("  %d-%d\n", batch.BaseOffset(), batch.LastOffset())
		b = rest
	}
	return out, nil
}

func (s *scenario) describe() string {
	out := fmt.Sprintf("offsets %d to %d, recovery point %d, epochs %v\n", s.log.LogStartOffset(), s.log.LogEndOffset(), s.log.RecoveryPoint(), *s.log.epochs.Load())
	for _, g := range s.log.list.Load().segments {
		out += fmt.Sprintf("  segment %d: %d bytes\n", g.Base(), g.Size())
	}
	for _, damage := range s.log.Damage() {
		out += fmt.Sprintf("  damage: %s\n", damage)
	}
	return out
}

func (s *scenario) time(d *datadriven.TestData) (string, error) {
	lookup := s.log.MaxTimestampOffset
	if d.HasArg("at") {
		lookup = func() (TimestampOffset, bool, error) {
			return s.log.OffsetForTimestamp(testStart.UnixMilli() + s.number(d, "at", 0))
		}
	}
	at, ok, err := lookup()
	if !ok || err != nil {
		return "none\n", err
	}
	return fmt.Sprintf("offset %d at %d, epoch %d\n", at.Offset, at.Timestamp-testStart.UnixMilli(), at.Epoch), nil
}

func (s *scenario) configure(d *datadriven.TestData) {
	s.cfg.RetentionAge = time.Duration(s.number(d, "retention-ms", s.cfg.RetentionAge.Milliseconds())) * time.Millisecond
	s.cfg.RetentionBytes = s.number(d, "retention-bytes", s.cfg.RetentionBytes)
	s.cfg.SegmentBytes = int(s.number(d, "segment-bytes", int64(s.cfg.SegmentBytes)))
	s.cfg.SegmentAge = time.Duration(s.number(d, "segment-ms", s.cfg.SegmentAge.Milliseconds())) * time.Millisecond
	s.cfg.DeleteOld = !d.HasArg("compact")
	if s.log != nil {
		c := s.cfg
		s.log.SetConfig(&c)
	}
}

var errInjected = errors.New("input/output error")

func (s *scenario) fail(d *datadriven.TestData) error {
	var kind, part string
	d.ScanArgs(s.t, "op", &kind)
	d.MaybeScanArgs(s.t, "name", &part)
	err := errInjected
	if d.HasArg("full") {
		err = vfs.ErrNoSpace
	}
	if n := s.number(d, "short", -1); n >= 0 {
		err = &vfs.ShortWrite{Written: int(n), Err: err}
	}
	s.fault = vfs.FailNth(vfs.OpKind(kind), part, int(s.number(d, "nth", 1)), d.HasArg("forever"), err)
	if kind == "nothing" {
		s.fault = nil
	}
	return nil
}

// flip changes one byte of a file of the partition's folder, as a disk may.
func (s *scenario) flip(d *datadriven.TestData) error {
	f, err := s.disk.OpenWrite(path.Join("/d/t-0", d.CmdArgs[0].Key))
	if err != nil {
		return err
	}
	defer f.Close()
	at := s.number(d, "at", 0)
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		return err
	}
	b[0] ^= 0x10
	if _, err = f.WriteAt(b, at); err != nil {
		return err
	}
	return f.Sync()
}

// cut makes a file shorter, as a broken file system may.
func (s *scenario) cut(d *datadriven.TestData) error {
	f, err := s.disk.OpenWrite(path.Join("/d/t-0", d.CmdArgs[0].Key))
	if err != nil {
		return err
	}
	defer f.Close()
	return errors.Join(f.Truncate(s.number(d, "to", 0)), f.Sync())
}

func (s *scenario) ls() (string, error) {
	entries, err := s.disk.ReadDir("/d/t-0")
	var out string
	for _, e := range entries {
		out += fmt.Sprintf("%s %d\n", e.Name, e.Size)
	}
	return out, err
}
