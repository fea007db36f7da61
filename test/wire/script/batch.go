package script

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// epochTime is the timestamp of the script's first record, in ms.
const epochTime = 1_700_000_000_000

// Attribute bits of a batch.
const (
	attrLogAppendTime = 1 << 3
	attrTransactional = 1 << 4
	attrControl       = 1 << 5
)

// castagnoli is the polynomial of batch CRCs.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// records is how the script describes a batch; the zero value with a count is
// an ordinary one. set* fields overwrite what would follow from the others.
type records struct {
	count    int
	value    string // "v" unless given
	key      string // none unless given
	headers  int
	ts       int64 // of the first record; epochTime unless given; each next is 1 ms later
	codec    int8  // 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd
	attrs    int16
	pid      int64
	pepoch   int16
	seq      int32
	withPID  bool
	base     int64
	epoch    int32
	lastBy   int32             // added to the last offset delta
	countBy  int32             // added to the record count
	edit     func(b []byte)    // before the CRC
	spoil    func(b []byte)    // after the CRC
	magic    int8              // 2 unless given
	cut      int               // bytes cut off the end of the payload
	xerial   bool              // the framing that Java puts around snappy
	payload  []byte            // instead of encoded records
	perDelta func(i int) int   // offset delta of record i
	maxTS    func(int64) int64 // of the right maximum
}

// batch encodes the description.
func (d records) batch() []byte {
	if d.value == "" {
		d.value = "v"
	}
	if d.ts == 0 {
		d.ts = epochTime
	}
	if !d.withPID {
		d.pid, d.pepoch, d.seq = -1, -1, -1
	}
	payload := d.payload
	if payload == nil {
		for i := range d.count {
			payload = append(payload, d.record(i)...)
		}
	}
	payload = compress(payload, d.codec)
	payload = payload[:len(payload)-d.cut]
	if d.xerial {
		head := []byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1}
		payload = append(binary.BigEndian.AppendUint32(head, uint32(len(payload))), payload...)
	}
	b := kmsg.RecordBatch{
		FirstOffset: d.base, Length: int32(49 + len(payload)), PartitionLeaderEpoch: d.epoch, Magic: 2,
		Attributes: d.attrs | int16(d.codec), LastOffsetDelta: int32(d.count-1) + d.lastBy,
		FirstTimestamp: d.ts, MaxTimestamp: d.ts + max(0, int64(d.count-1)),
		ProducerID: d.pid, ProducerEpoch: d.pepoch, FirstSequence: d.seq,
		NumRecords: int32(d.count) + d.countBy, Records: payload,
	}
	if d.magic != 0 {
		b.Magic = d.magic
	}
	if d.maxTS != nil {
		b.MaxTimestamp = d.maxTS(b.MaxTimestamp)
	}
	out := b.AppendTo(nil)
	if d.edit != nil {
		d.edit(out)
	}
	binary.BigEndian.PutUint32(out[17:], crc32.Checksum(out[21:], castagnoli))
	if d.spoil != nil {
		d.spoil(out)
	}
	return out
}

func (d records) record(i int) []byte {
	delta := i
	if d.perDelta != nil {
		delta = d.perDelta(i)
	}
	r := kmsg.Record{OffsetDelta: int32(delta), TimestampDelta64: int64(i), Value: fmt.Appendf(nil, "%s%d", d.value, i)}
	if d.key != "" {
		r.Key = []byte(d.key)
	}
	for h := range d.headers {
		r.Headers = append(r.Headers, kmsg.Header{Key: fmt.Sprint("h", h), Value: []byte("x")})
	}
	body := r.AppendTo(nil)[1:] // the length 0 is one byte
	return append(binary.AppendVarint(nil, int64(len(body))), body...)
}

// oldMessage is one message of a format from before batches.
func oldMessage(magic byte) []byte {
	body := []byte{magic, 0}
	if magic == 1 {
		body = binary.BigEndian.AppendUint64(body, epochTime)
	}
	body = append(body, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 'v')
	out := make([]byte, 8, 64)
	out = binary.BigEndian.AppendUint32(out, uint32(4+len(body)))
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
	return append(out, body...)
}

func compress(b []byte, codec int8) []byte {
	codecs := []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()}
	if codec <= 0 || int(codec) >= len(codecs) {
		return b
	}
	c, err := kgo.DefaultCompressor(codecs[codec])
	if err != nil {
		panic(err) // a fixed list of codecs
	}
	out, _ := c.Compress(new(bytes.Buffer), b)
	return slices.Clone(out)
}

// batches renders the batches of a fetch answer, one line each; a torn or
// strange rest is one line too.
func (r *renderer) batches(b []byte) []string {
	var out []string
	for len(b) > 0 {
		if len(b) < 61 || int(int32(binary.BigEndian.Uint32(b[8:]))) < 49 || len(b) < 12+int(binary.BigEndian.Uint32(b[8:])) {
			return append(out, fmt.Sprintf("torn, %d bytes", len(b)))
		}
		n := 12 + int(binary.BigEndian.Uint32(b[8:]))
		out = append(out, r.batch(b[:n]))
		b = b[n:]
	}
	return out
}

func (r *renderer) batch(raw []byte) string {
	var b kmsg.RecordBatch
	if err := b.ReadFrom(raw); err != nil {
		return "undecodable: " + err.Error()
	}
	crc := "ok"
	if crc32.Checksum(raw[21:], castagnoli) != uint32(b.CRC) {
		crc = "bad"
	}
	first, last := fmt.Sprint(b.FirstTimestamp), fmt.Sprint(b.MaxTimestamp)
	if b.Attributes&attrLogAppendTime != 0 {
		last = nearNow(last)
	}
	// Compressed bytes are the encoder's business: compare what they hold.
	codec := kgo.CompressionCodecType(b.Attributes & 7)
	plain, err := kgo.DefaultDecompressor().Decompress(b.Records, codec)
	if err != nil {
		return "records do not decompress: " + err.Error()
	}
	sum := sha256.Sum256(plain)
	pid := r.number("ProducerID", symbol, b.ProducerID)
	return fmt.Sprintf("offset %d+%d epoch %d magic %d crc %s attributes %#x times %s..%s producer %s/%d/%d records %d in %d bytes sha %x",
		b.FirstOffset, b.LastOffsetDelta, b.PartitionLeaderEpoch, b.Magic, crc, b.Attributes, first, last,
		pid, b.ProducerEpoch, b.FirstSequence, b.NumRecords, len(plain), sum[:4])
}
