package kafkatools

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/inspect"
	"github.com/ottla/ottla/internal/kafkatools/java"
	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

// decoders are the classes of --key-decoder-class and --value-decoder-class, without their package.
var decoders = map[string]func([]byte) (string, error){
	"StringDecoder":  func(b []byte) (string, error) { return java.Text(b), nil },
	"DefaultDecoder": func([]byte) (string, error) { return "[B@0", nil },
	"IntegerDecoder": func(b []byte) (string, error) {
		if len(b) < 4 {
			return "", errors.New("too few bytes for an Integer")
		}
		return strconv.Itoa(int(int32(binary.BigEndian.Uint32(b)))), nil
	},
	"LongDecoder": func(b []byte) (string, error) {
		if len(b) < 8 {
			return "", errors.New("too few bytes for a Long")
		}
		return strconv.FormatInt(int64(binary.BigEndian.Uint64(b)), 10), nil
	},
}

// decoderPackage is the package of the decoders.
const decoderPackage = "org.apache.kafka.tools.api."

// dumpTool is kafka-dump-log.
type dumpTool struct {
	*jopt.Parser
	help, version                                          *jopt.Option
	print, verify, sanity, files, maxMessage, maxBytes     *jopt.Option
	deep, valueDecoder, keyDecoder                         *jopt.Option
	offsets, transactions, metadata, remote, share, noHead *jopt.Option
}

func newDumpTool() *dumpTool {
	p := jopt.NewParser()
	t := &dumpTool{Parser: p}
	t.help = p.Accepts("help", "Print usage information.").ForHelp()
	t.version = p.Accepts("version", "Display Kafka version.").ForHelp()
	t.print = p.Accepts("print-data-log", "Print what is in the records; a decoder does too.")
	t.verify = p.Accepts("verify-index-only", "Check indexes without printing them.")
	t.sanity = p.Accepts("index-sanity-check", "Check the shape of indexes alone.")
	t.files = p.Accepts("files", "REQUIRED: The files, with commas between them.").Arg("String: file1, file2, ...")
	t.maxMessage = p.Accepts("max-message-size", "Size of the largest batch in bytes.").Arg("Integer: size").Default("5242880")
	t.maxBytes = p.Accepts("max-bytes", "Read so many bytes of a log at most.").Arg("Integer: size").Default("2147483647")
	t.deep = p.Accepts("deep-iteration", "Print the records under their batches.")
	t.valueDecoder = p.Accepts("value-decoder-class", "The class that makes text of values.").MaybeArg("String").Default(decoderPackage + "StringDecoder")
	t.keyDecoder = p.Accepts("key-decoder-class", "The class that makes text of keys.").MaybeArg("String").Default(decoderPackage + "StringDecoder")
	t.offsets = p.Accepts("offsets-decoder", "Take records for those of __consumer_offsets.")
	t.transactions = p.Accepts("transaction-log-decoder", "Take records for those of __transaction_state.")
	t.metadata = p.Accepts("cluster-metadata-decoder", "Take records for those of __cluster_metadata.")
	t.remote = p.Accepts("remote-log-metadata-decoder", "Not there yet.")
	t.share = p.Accepts("share-group-state-decoder", "Not there yet.")
	t.noHead = p.Accepts("skip-record-metadata", "Leave out what stands before a record's content, and control records.")
	return t
}

func dumpLog(_ context.Context, w *World, args []string) int {
	t := newDumpTool()
	s, err := t.Parse(args)
	switch {
	case err != nil:
		w.errorln(err)
		return 1
	case len(args) == 0, s.Has(t.help):
		return w.usage(t.Parser, "Prints what is in the files of a log directory.")
	case s.Has(t.version):
		w.println(w.Compat)
		return 0
	}
	if err := s.CheckRequired(t.files); err != nil {
		return w.usage(t.Parser, err.Error())
	}
	if err := t.run(w, s); err != nil {
		w.errorln(err)
		return 1
	}
	return 0
}

func (t *dumpTool) run(w *World, s *jopt.Set) error {
	if s.Count(t.remote, t.share) > 0 {
		return errors.New("the decoders of tiered storage and of share groups are not there yet")
	}
	files, err := s.Value(t.files)
	if err != nil {
		return err
	}
	a := &inspect.Apache{
		Out: w.Out, Err: w.Err, NoHeads: s.Has(t.noHead), VerifyOnly: s.Has(t.verify), SanityOnly: s.Has(t.sanity),
		Print: s.Count(t.print, t.offsets, t.transactions, t.metadata, t.valueDecoder, t.keyDecoder) > 0,
	}
	a.Deep = a.Print || s.Has(t.deep)
	switch {
	case s.Has(t.offsets):
		a.As = inspect.OffsetRecords
	case s.Has(t.transactions):
		a.As = inspect.TransactionRecords
	case s.Has(t.metadata):
		a.As = inspect.MetadataRecords
	}
	var kerr, verr, berr error
	a.Key, kerr = decoderOf(s, t.keyDecoder)
	a.Value, verr = decoderOf(s, t.valueDecoder)
	a.MaxBytes, berr = s.Int(t.maxBytes, 32)
	if err := errors.Join(kerr, verr, berr); err != nil {
		return err
	}
	a.MaxBytes = max(min(a.MaxBytes, math.MaxInt32), 0)
	for shown := range strings.SplitSeq(files, ",") {
		shown = filepath.Clean(shown)
		err := a.File(os.DirFS(filepath.Dir(shown)), filepath.Base(shown), shown)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("java.nio.file.NoSuchFileException: %s", shown)
		}
		if err != nil {
			return err
		}
	}
	return a.Close()
}

func decoderOf(s *jopt.Set, o *jopt.Option) (func([]byte) (string, error), error) {
	class, err := s.Value(o)
	if err != nil {
		return nil, err
	}
	d, ok := decoders[strings.TrimPrefix(class, decoderPackage)]
	if !ok {
		return nil, fmt.Errorf("Failed to load decoder class: %s", class)
	}
	return d, nil
}
