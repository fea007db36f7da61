package inspect

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/record"
	"github.com/ottla/ottla/internal/schema"
)

// Decoding says what the records of a log are taken for.
type Decoding int8

// What records are taken for.
const (
	PlainRecords Decoding = iota
	OffsetRecords
	TransactionRecords
	MetadataRecords
)

// Apache prints files in the words of Apache's kafka-dump-log. What it says of damage goes to Err and changes nothing else.
type Apache struct {
	Out *bufio.Writer
	Err io.Writer

	// Print prints what is in records, Deep their headers at least; NoHeads leaves those out.
	Print, Deep, NoHeads bool
	As                   Decoding
	// Key and Value make text of plain records.
	Key, Value func([]byte) (string, error)
	// MaxBytes bounds what is read of a log; math.MaxInt32 stands for all of it.
	MaxBytes int64
	// VerifyOnly prints no entries of indexes, SanityOnly checks their shape alone.
	VerifyOnly, SanityOnly bool

	complaints []string
}

var errNotParsed = errors.New("not a number")

// File prints a file of a folder. shown is what the user calls it.
func (a *Apache) File(folder fs.FS, name, shown string) error {
	fmt.Fprintf(a.Out, "Dumping %s\n", shown)
	i := strings.LastIndexByte(name, '.')
	suffix := ""
	if i >= 0 {
		suffix = name[i:]
	}
	print, known := map[string]func(fs.FS, string, string) error{
		".log": a.log, ".checkpoint": a.log, ".index": a.offsetIndex, ".timeindex": a.timeIndex,
		".snapshot": a.producers, ".txnindex": a.transactions,
	}[suffix]
	if !known {
		a.complain("Ignoring unknown file %s", shown)
		return nil
	}
	return print(folder, name, shown)
}

func (a *Apache) complain(format string, args ...any) {
	_ = a.Out.Flush()
	fmt.Fprintf(a.Err, format+"\n", args...)
}

// Close tells what was found wrong with the files.
func (a *Apache) Close() error {
	for _, c := range a.complaints {
		a.complain("%s", c)
	}
	return a.Out.Flush()
}

// note keeps a complaint for the end.
func (a *Apache) note(format string, args ...any) {
	if len(a.complaints) < 1000 {
		a.complaints = append(a.complaints, fmt.Sprintf(format, args...))
	}
}

// baseOf reads the offset that a name begins with.
func baseOf(name string) (int64, error) {
	digits, _, _ := strings.Cut(name, ".")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("For input string: %q: %w", digits, errNotParsed)
	}
	return n, nil
}

// heading is the line that a log or a snapshot begins with.
func (a *Apache) heading(name string) error {
	switch {
	case name == "bootstrap.checkpoint":
		fmt.Fprintln(a.Out, "KRaft bootstrap snapshot")
		return nil
	case strings.HasSuffix(name, ".checkpoint"):
		end, epoch, ok := strings.Cut(strings.TrimSuffix(name, ".checkpoint"), "-")
		o, oerr := strconv.ParseInt(end, 10, 64)
		e, eerr := strconv.ParseInt(epoch, 10, 32)
		if !ok || oerr != nil || eerr != nil {
			return fmt.Errorf("%s is not the name of a snapshot: %w", name, errNotParsed)
		}
		fmt.Fprintf(a.Out, "Snapshot end offset: %d, epoch: %d\n", o, e)
		return nil
	}
	base, err := baseOf(name)
	if err == nil {
		fmt.Fprintf(a.Out, "Log starting offset: %d\n", base)
	}
	return err
}

func (a *Apache) log(folder fs.FS, name, shown string) error {
	if err := a.heading(name); err != nil {
		return err
	}
	r, size, closeFile, err := openAt(folder, name)
	if err != nil {
		return err
	}
	defer closeFile()
	size = min(size, a.MaxBytes)
	d := &apacheLog{Apache: a, last: -1, shown: shown}
	defer d.w.Close()
	position, err := scan(r, size, func(at int64, b record.Batch) {
		if d.err == nil {
			d.err = d.batch(at, b)
		}
	})
	switch {
	case d.err != nil:
		return d.err
	case err != nil && !errors.Is(err, record.ErrShort):
		return err
	case position < size && a.MaxBytes == math.MaxInt32:
		fmt.Fprintf(a.Out, "Found %d invalid bytes at the end of %s\n", size-position, path.Base(name))
	}
	return nil
}

// apacheLog is a log being printed.
type apacheLog struct {
	*Apache
	shown string
	last  int64 // offset of the record before
	w     record.Walker
	err   error
}

// optionalLong is a number that may not be there, as Java shows it.
func optionalLong(n int64, there bool) string {
	if !there {
		return "OptionalLong.empty"
	}
	return fmt.Sprintf("OptionalLong[%d]", n)
}

func (d *apacheLog) batch(at int64, b record.Batch) error {
	valid := b.CheckCRC() == nil
	fmt.Fprintf(d.Out, "baseOffset: %d lastOffset: %d count: %d baseSequence: %d lastSequence: %d producerId: %d producerEpoch: %d "+
		"partitionLeaderEpoch: %d isTransactional: %t isControl: %t deleteHorizonMs: %s position: %d %s: %d size: %d magic: %d "+
		"compresscodec: %s crc: %d isvalid: %t\n",
		b.BaseOffset(), b.LastOffset(), b.Count(), b.BaseSequence(), lastSequence(b), b.ProducerID(), b.ProducerEpoch(),
		b.LeaderEpoch(), b.IsTransactional(), b.IsControl(), optionalLong(b.BaseTimestamp(), b.HasDeleteHorizon()), at,
		stampName(b.TimestampType()), b.MaxTimestamp(), b.Size(), b.Magic(), b.Codec(), b.CRC(), valid)
	if !d.Deep && !d.Print {
		return nil
	}
	d.w.Reset(b, unpackLimit)
	for i := int32(0); d.w.Next(); i++ {
		if err := d.record(b, &d.w.Record, i); err != nil {
			return err
		}
	}
	return d.w.Err()
}

// lastSequence is none where the first is none.
func lastSequence(b record.Batch) int32 {
	if b.BaseSequence() < 0 {
		return -1
	}
	return b.LastSequence()
}

func (d *apacheLog) record(b record.Batch, r *record.Record, i int32) error {
	offset := int64(b.BaseOffset()) + int64(r.OffsetDelta)
	if offset != d.last+1 {
		d.note("Non-consecutive offsets in %s\n  %d is followed by %d", d.shown, d.last, offset)
	}
	d.last = offset
	if !d.NoHeads {
		if err := d.recordHead(b, r, offset); err != nil {
			return err
		}
	}
	if d.Print && !b.IsControl() {
		prefix := " "
		if d.NoHeads {
			prefix = "| "
		}
		if err := d.contents(r, offset, prefix); err != nil {
			return err
		}
	}
	fmt.Fprintln(d.Out)
	return nil
}

func (d *apacheLog) recordHead(b record.Batch, r *record.Record, offset int64) error {
	sequence := int32(-1)
	if first := b.BaseSequence(); first >= 0 {
		sequence = int32((int64(first) + int64(r.OffsetDelta)) & math.MaxInt32)
	}
	fmt.Fprintf(d.Out, "| offset: %d %s: %d keySize: %d valueSize: %d sequence: %d headerKeys: [", offset, stampName(b.TimestampType()),
		r.Timestamp, r.KeySize, r.ValueSize, sequence)
	first := true
	for key := range r.Headers() {
		if !first {
			fmt.Fprint(d.Out, ",")
		}
		first = false
		fmt.Fprintf(d.Out, "%s", key)
	}
	fmt.Fprint(d.Out, "]")
	if !b.IsControl() {
		return nil
	}
	return d.control(r)
}

// quorumControls are the words before the JSON of the quorum's control records.
var quorumControls = map[record.ControlType]string{
	record.LeaderChange: "LeaderChange: ", record.SnapshotHeader: "SnapshotHeader ", record.SnapshotFooter: "SnapshotFooter ",
	record.KRaftVersion: "KRaftVersion ", record.Voters: "KRaftVoters ",
}

func (d *apacheLog) control(r *record.Record) error {
	t, err := record.ParseControlKey(r.Key)
	if err != nil {
		return err
	}
	words, quorum := quorumControls[t]
	if !quorum && t != record.Abort && t != record.Commit {
		fmt.Fprintf(d.Out, " controlType: UNKNOWN(%d)", t)
		return nil
	}
	body, err := controlBody(t, r.Value)
	if err != nil {
		return err
	}
	if quorum {
		fmt.Fprintf(d.Out, " %s%s", words, body)
		return nil
	}
	marker, epoch := "COMMIT", strings.TrimSuffix(strings.TrimPrefix(string(body), `{"coordinatorEpoch":`), "}")
	if t == record.Abort {
		marker = "ABORT"
	}
	fmt.Fprintf(d.Out, " endTxnMarker: %s coordinatorEpoch: %s", marker, epoch)
	return nil
}

// contents prints key and value of a record, each with its name.
func (d *apacheLog) contents(r *record.Record, offset int64, prefix string) error {
	key, value, err := d.decode(r, offset)
	if err != nil {
		return err
	}
	if key != nil {
		fmt.Fprintf(d.Out, "%skey: %s", prefix, *key)
		prefix = " "
	}
	if value != nil {
		fmt.Fprintf(d.Out, "%spayload: %s", prefix, *value)
	}
	return nil
}

func (d *apacheLog) decode(r *record.Record, offset int64) (key, value *string, _ error) {
	if d.As == MetadataRecords {
		text := ""
		rec, version, err := schema.ParseMetadata(r.Value)
		if err != nil {
			text = fmt.Sprintf("Error at %d, skipping. %v", offset, err)
		} else {
			text = string(schema.AppendMetadataJSON(nil, rec, version))
		}
		return nil, &text, nil
	}
	if d.As == PlainRecords {
		return d.plain(r)
	}
	if r.Key == nil {
		return nil, nil, fmt.Errorf("Failed to decode message at offset %d using the specified decoder (message had a missing key)", offset)
	}
	parse := groupTexts
	if d.As == TransactionRecords {
		parse = transactionTexts
	}
	k, v, err := parse(r)
	switch {
	case errors.Is(err, schema.ErrUnknownRecord):
		k = fmt.Sprintf("Unknown record type %d at offset %d, skipping.", int16(r.Key[0])<<8|int16(r.Key[1]), offset)
		return &k, nil, nil
	case err != nil:
		k = fmt.Sprintf("Error at offset %d, skipping. %v", offset, err)
		return &k, nil, nil
	}
	return &k, &v, nil
}

func (d *apacheLog) plain(r *record.Record) (key, value *string, _ error) {
	for _, field := range []struct {
		b    []byte
		text func([]byte) (string, error)
		to   **string
	}{{r.Key, d.Key, &key}, {r.Value, d.Value, &value}} {
		if field.b == nil {
			continue
		}
		s, err := field.text(field.b)
		if err != nil {
			return nil, nil, err
		}
		*field.to = &s
	}
	return key, value, nil
}

// deleted stands for the value of a tombstone.
const deleted = "<DELETE>"

// coordinatorJSON is how the keys and values of a coordinator's records are shown: type and version are texts.
func coordinatorJSON(name string, n int16, data []byte) string {
	return fmt.Sprintf(`{"%s":"%d","data":%s}`, name, n, data)
}

func groupTexts(r *record.Record) (key, value string, _ error) {
	k, err := schema.ParseGroupKey(r.Key)
	if err != nil {
		return "", "", err
	}
	key = coordinatorJSON("type", k.APIKey(), k.AppendJSON(nil, 0))
	if r.Value == nil {
		return key, deleted, nil
	}
	v, version, err := schema.ParseGroupValue(k.APIKey(), r.Value)
	if err != nil {
		return "", "", err
	}
	data := v.AppendJSON(nil, version)
	if g, ok := v.(*schema.GroupMetadataValue); ok && g.ProtocolType == "consumer" {
		data = withMembersDecoded(data, g)
	}
	return key, coordinatorJSON("version", version, data), nil
}

func transactionTexts(r *record.Record) (key, value string, _ error) {
	k, err := schema.ParseTransactionKey(r.Key)
	if err != nil {
		return "", "", err
	}
	key = coordinatorJSON("type", 0, k.AppendJSON(nil, 0))
	if r.Value == nil {
		return key, deleted, nil
	}
	v, version, err := schema.ParseTransactionValue(r.Value)
	if err != nil {
		return "", "", err
	}
	return key, coordinatorJSON("version", version, v.AppendJSON(nil, version)), nil
}
