package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/test/compat/peer"
)

// dump has the other side's tool print every file that a server left.
func (t *turns) dump(ctx context.Context, dirs ...string) error {
	where := fmt.Sprintf("formatted by %s, stage %d, files of %s", t.plan, t.stage, t.kind)
	if t.kind == peer.Ottla {
		return t.s.dumpWithKafka(ctx, where, dirs)
	}
	return t.s.dumpWithOttla(ctx, where, dirs)
}

// decoders are the options of DumpLogSegments for the topics whose records it knows; others have none.
var decoders = map[string]string{
	"__cluster_metadata": "--cluster-metadata-decoder", "__consumer_offsets": "--offsets-decoder",
	"__transaction_state": "--transaction-log-decoder", "__share_group_state": "--share-group-state-decoder",
}

// dumpWithKafka runs DumpLogSegments once for each kind of topic.
func (s *suite) dumpWithKafka(ctx context.Context, where string, dirs []string) error {
	byDecoder := map[string][]string{}
	err := eachFile(dirs, func(path string) {
		if strings.Contains(path, "-delete/") || strings.HasSuffix(path, ".deleted") {
			return // Kafka leaves indexes there as they were mapped
		}
		if !slices.Contains([]string{".log", ".index", ".timeindex", ".txnindex", ".snapshot", ".checkpoint"}, filepath.Ext(path)) {
			return
		}
		folder := filepath.Base(filepath.Dir(path))
		d := decoders[folder[:max(0, strings.LastIndexByte(folder, '-'))]]
		byDecoder[d] = append(byDecoder[d], path)
	})
	if err != nil {
		return err
	}
	jars, err := peer.ToolJars(ctx)
	if err != nil {
		return err
	}
	for decoder, files := range byDecoder {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
		argv := []string{"-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dorg.apache.logging.log4j.level=OFF", "-cp", jars,
			"org.apache.kafka.tools.DumpLogSegments", "--print-data-log", "--files", strings.Join(files, ",")}
		if decoder != "" {
			argv = append(argv, decoder)
		}
		out, err := exec.CommandContext(ctx, "java", argv...).CombinedOutput()
		cancel()
		if err != nil {
			return fmt.Errorf("%s: DumpLogSegments: %w\n%.500s", where, err, out)
		}
		s.expect(fmt.Sprintf("%s, DumpLogSegments %s", where, decoder), complaints(out, len(files)))
	}
	return nil
}

// wrong are words of DumpLogSegments that say that something is.
var wrong = []string{"isvalid: false", "Mismatches in", "mismatch in", "out of order", "Could not", "Ignoring unknown", "corrupt", "Exception",
	"not larger than", "UNKNOWN"}

// complaints are the lines of DumpLogSegments that say that something is wrong, and whether it looked at all files.
func complaints(out []byte, files int) []string {
	var bad []string
	dumped, current, gaps := 0, "", ""
	for line := range bytes.Lines(out) {
		text := strings.TrimSpace(string(line))
		if strings.HasPrefix(text, "Dumping ") {
			dumped, current, gaps = dumped+1, text, ""
			continue
		}
		if file, ok := strings.CutPrefix(text, "Non-consecutive offsets in "); ok {
			gaps = file
			continue
		}
		if gaps != "" && strings.Contains(text, " is followed by ") {
			// It expects every segment to begin with offset 0, and knows nothing of compaction.
			if !strings.HasPrefix(text, "-1 is followed by ") && !compacted(gaps) {
				bad = append(bad, fmt.Sprintf("%s: offset %s", gaps, text))
			}
			continue
		}
		for _, word := range wrong {
			// What a record holds is not the tool's own word.
			if at := strings.Index(text, word); at >= 0 && !strings.Contains(text[:at], "payload:") {
				bad = append(bad, fmt.Sprintf("%s: %.300s", current, text))
				break
			}
		}
	}
	if dumped != files {
		bad = append(bad, fmt.Sprintf("%d files were dumped, want %d", dumped, files))
	}
	return bad
}

// compacted says whether a file is of a topic that is compacted.
func compacted(file string) bool {
	return strings.Contains(file, "/compacted-") || strings.Contains(file, "/__consumer_offsets-") || strings.Contains(file, "/__transaction_state-")
}

// dumpWithOttla prints and verifies everything.
func (s *suite) dumpWithOttla(ctx context.Context, where string, dirs []string) error {
	bin, err := peer.BuildOttla(ctx)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		out, err := exec.CommandContext(ctx, bin, "log", "verify", dir).CombinedOutput()
		var bad []string
		if err != nil {
			bad = append(bad, fmt.Sprintf("ottla log verify %s: %v: %.500s", dir, err, lastLines(string(out), 5)))
		}
		s.expect(where, bad)
	}
	var folders []string
	err = eachFile(dirs, func(path string) {
		if folder := filepath.Dir(path); !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
	})
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, bin, append([]string{"log", "dump", "-v"}, folders...)...).CombinedOutput()
	bad := undumped(string(out))
	if err != nil {
		bad = append(bad, fmt.Sprintf("ottla log dump: %v: %.500s", err, lastLines(string(out), 5)))
	}
	s.expect(where+", ottla log dump", bad)
	return nil
}

// undumped are the lines of ottla log dump that tell of damage or of a file that it does not know.
func undumped(out string) []string {
	var bad []string
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "skipped ") || strings.HasPrefix(line, "! damage") {
			bad = append(bad, strings.TrimSpace(line))
		}
	}
	return bad
}

// eachFile visits the files below some folders.
func eachFile(dirs []string, visit func(path string)) error {
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				visit(path)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
