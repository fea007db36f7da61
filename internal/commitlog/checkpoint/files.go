package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/vfs"
)

// readOptional returns nil for a file that does not exist.
func readOptional(f vfs.FS, name string) ([]byte, error) {
	b, err := vfs.ReadFile(f, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// FormatPartition returns the content of partition.metadata.
func FormatPartition(id kafka.TopicID) []byte { return []byte("version: 0\ntopic_id: " + id.String()) }

// ParsePartition reads partition.metadata. The error wraps ErrMalformed.
func ParsePartition(b []byte) (kafka.TopicID, error) {
	var id kafka.TopicID
	seen := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || seen[key] {
			return id, fmt.Errorf("%w: line %.40q", ErrMalformed, line)
		}
		seen[key] = true
		switch key {
		case "version":
			if value != "0" {
				return id, fmt.Errorf("%w: version %.20q, want 0", ErrMalformed, value)
			}
		case "topic_id":
			var err error
			if id, err = kafka.ParseUUID(value); err != nil {
				return id, fmt.Errorf("%w: %w", ErrMalformed, err)
			}
			if id.IsZero() {
				return id, fmt.Errorf("%w: the topic id is zero", ErrMalformed)
			}
		}
	}
	if !seen["version"] || !seen["topic_id"] {
		return id, fmt.Errorf("%w: version or topic_id is missing", ErrMalformed)
	}
	return id, nil
}

// WritePartition replaces partition.metadata of a partition's folder.
func WritePartition(f vfs.FS, dir string, id kafka.TopicID) error {
	return vfs.WriteFile(f, path.Join(dir, PartitionMarker), FormatPartition(id))
}

// ReadPartition reads partition.metadata of a partition's folder, and false if there is none.
func ReadPartition(f vfs.FS, dir string) (kafka.TopicID, bool, error) {
	b, err := readOptional(f, path.Join(dir, PartitionMarker))
	if b == nil || err != nil {
		return kafka.TopicID{}, false, err
	}
	id, err := ParsePartition(b)
	return id, err == nil, err
}

// WriteClean leaves the mark of a clean shutdown in log directory dir. All else must be synced before.
func WriteClean(f vfs.FS, dir string, epoch kafka.BrokerEpoch) error {
	content := fmt.Sprintf(`{"version":0,"brokerEpoch":%d}`, int64(epoch))
	return vfs.WriteFile(f, path.Join(dir, CleanShutdown), []byte(content))
}

// TakeClean removes the mark of a clean shutdown, durably, and reports whether there was one and the broker epoch in it
// (kafka.NoBrokerEpoch if it has none that can be read, as Kafka does).
func TakeClean(f vfs.FS, dir string) (clean bool, epoch kafka.BrokerEpoch, err error) {
	name := path.Join(dir, CleanShutdown)
	b, err := vfs.ReadFile(f, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, kafka.NoBrokerEpoch, nil
	}
	if err != nil {
		return false, kafka.NoBrokerEpoch, err
	}
	if err := f.Remove(name); err != nil {
		return false, kafka.NoBrokerEpoch, err
	}
	if err := f.SyncDir(dir); err != nil {
		return false, kafka.NoBrokerEpoch, err
	}
	return true, parseClean(b), nil
}

func parseClean(b []byte) kafka.BrokerEpoch {
	var content struct {
		BrokerEpoch *int64 `json:"brokerEpoch"`
	}
	if json.Unmarshal(b, &content) != nil || content.BrokerEpoch == nil {
		return kafka.NoBrokerEpoch
	}
	return kafka.BrokerEpoch(*content.BrokerEpoch)
}

// Meta is the content of meta.properties: which node's log directory this is. Version 1 is KRaft's; version 0 has broker.id for node.id.
type Meta struct {
	Version     int
	ClusterID   string
	NodeID      kafka.NodeID
	DirectoryID kafka.UUID // zero if the file has none, as before 3.7
}

// FormatMeta returns the content of meta.properties, with the time of writing as Java's properties have it.
func FormatMeta(m Meta, now time.Time) []byte {
	var b strings.Builder
	b.WriteString("#\n#" + now.UTC().Format("Mon Jan 02 15:04:05 UTC 2006") + "\n")
	fmt.Fprintf(&b, "cluster.id=%s\n", m.ClusterID)
	if !m.DirectoryID.IsZero() {
		fmt.Fprintf(&b, "directory.id=%s\n", m.DirectoryID)
	}
	fmt.Fprintf(&b, "node.id=%d\nversion=1\n", m.NodeID)
	return []byte(b.String())
}

// ParseMeta reads meta.properties. The error wraps ErrMalformed.
func ParseMeta(b []byte) (Meta, error) {
	p := properties(string(b))
	m := Meta{ClusterID: p["cluster.id"], NodeID: kafka.NoNode}
	var err error
	if m.Version, err = strconv.Atoi(p["version"]); err != nil || m.Version < 0 || m.Version > 1 {
		return m, fmt.Errorf("%w: version %.20q, want 0 or 1", ErrMalformed, p["version"])
	}
	key := []string{"broker.id", "node.id"}[m.Version]
	id, ok := p[key]
	if ok {
		n, err := strconv.ParseInt(id, 10, 32)
		if err != nil {
			return m, fmt.Errorf("%w: %s %.20q", ErrMalformed, key, id)
		}
		m.NodeID = kafka.NodeID(n)
	}
	if m.Version == 1 && (m.ClusterID == "" || !ok) {
		return m, fmt.Errorf("%w: cluster.id or node.id is missing", ErrMalformed)
	}
	if id := p["directory.id"]; id != "" {
		if m.DirectoryID, err = kafka.ParseUUID(id); err != nil {
			return m, fmt.Errorf("%w: directory.id: %w", ErrMalformed, err)
		}
		if m.DirectoryID.Reserved() {
			return m, fmt.Errorf("%w: directory.id %s is reserved", ErrMalformed, id)
		}
	}
	return m, nil
}

// properties reads key=value lines as java.util.Properties does, as far as these files go: no line continues in the next.
func properties(s string) map[string]string {
	p := map[string]string{}
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		line = strings.NewReplacer(`\:`, ":", `\=`, "=", `\\`, `\`).Replace(line)
		i := strings.IndexAny(line, "=:")
		if i < 0 {
			i = len(line)
		}
		p[strings.TrimSpace(line[:i])] = strings.TrimSpace(strings.TrimLeft(line[i:], "=:"))
	}
	return p
}

// WriteMeta replaces meta.properties of log directory dir.
func WriteMeta(f vfs.FS, dir string, m Meta, now time.Time) error {
	return vfs.WriteFile(f, path.Join(dir, MetaFile), FormatMeta(m, now))
}

// ReadMeta reads meta.properties of log directory dir, and false if the directory is not formatted.
func ReadMeta(f vfs.FS, dir string) (Meta, bool, error) {
	b, err := readOptional(f, path.Join(dir, MetaFile))
	if b == nil || err != nil {
		return Meta{}, false, err
	}
	m, err := ParseMeta(b)
	if err != nil {
		return Meta{}, false, fmt.Errorf("%s: %w", path.Join(dir, MetaFile), err)
	}
	return m, true, nil
}

// Start tells under which circumstances a process found all of a log directory whole. If the next one finds it without a clean shutdown, but with
// its own boot and mount, then only the process died: what was written and not synced is still there. Without a boot it tells nothing.
type Start struct {
	Boot        string            // the kernel's boot id
	Mount       string            // identity of the directory: vfs.FS.Identity
	Incarnation kafka.UUID        // of the process
	Epoch       kafka.BrokerEpoch // with which it is registered; kafka.NoBrokerEpoch before
}

// SameMachineLife reports whether the page cache of s's process is still there for one that finds itself at now.
func (s Start) SameMachineLife(now Start) bool {
	return s.Boot != "" && s.Boot == now.Boot && s.Mount == now.Mount
}

// FormatStart returns the content of ottla.start.
func FormatStart(s Start) []byte {
	return fmt.Appendf(nil, "version=0\nboot=%s\nmount=%s\nincarnation=%s\nepoch=%d\n", s.Boot, s.Mount, s.Incarnation, s.Epoch)
}

// ParseStart reads ottla.start. The error wraps ErrMalformed.
func ParseStart(b []byte) (Start, error) {
	p := properties(string(b))
	if p["version"] != "0" {
		return Start{}, fmt.Errorf("%w: version %.20q, want 0", ErrMalformed, p["version"])
	}
	id, err := kafka.ParseUUID(p["incarnation"])
	if err != nil {
		return Start{}, fmt.Errorf("%w: incarnation: %w", ErrMalformed, err)
	}
	s := Start{Boot: p["boot"], Mount: p["mount"], Incarnation: id, Epoch: kafka.NoBrokerEpoch}
	if p["epoch"] != "" { // which earlier releases did not write
		epoch, err := strconv.ParseInt(p["epoch"], 10, 64)
		if err != nil {
			return Start{}, fmt.Errorf("%w: epoch: %w", ErrMalformed, err)
		}
		s.Epoch = kafka.BrokerEpoch(epoch)
	}
	return s, nil
}

// WriteStart replaces ottla.start of log directory dir.
func WriteStart(f vfs.FS, dir string, s Start) error {
	return vfs.WriteFile(f, path.Join(dir, StartMarker), FormatStart(s))
}

// ReadStart reads ottla.start of log directory dir, and false if there is none that can be read: then the circumstances are unknown.
func ReadStart(f vfs.FS, dir string) (Start, bool, error) {
	b, err := readOptional(f, path.Join(dir, StartMarker))
	if b == nil || err != nil {
		return Start{}, false, err
	}
	s, err := ParseStart(b)
	return s, err == nil, nil
}
