package diag

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// bundling holds the flags of `diag bundle`.
type bundling struct {
	file, admin, config, log string
}

// piece is a file of the bundle, or why it is missing.
type piece struct {
	Name string `json:"name"`
	Size int    `json:"bytes"`
	Note string `json:"note"` // what it is, or why it is missing
	text []byte
}

// result is what the command prints.
type result struct {
	File   string  `json:"file"`
	Pieces []piece `json:"pieces"`
}

func bundle(a *command.App) *cobra.Command {
	var b bundling
	cmd := &cobra.Command{
		Use: "bundle", Short: "Put all that helps to see what is wrong into one file, without secrets",
		Long: "Put all that helps somebody else to see what is wrong into one file: versions, settings, the way to the server step by\n" +
			"step, brokers, topics, groups, the brokers' configuration, and where they are named metrics and goroutines (--admin), the\n" +
			"server's configuration (--config) and the end of its log (--log). It lists what is in it. Secrets are left out; names of\n" +
			"topics, groups and hosts are not: look into it before you send it.",
		Example: "  ottla diag bundle --admin 127.0.0.1:9644 --config server.properties --log server.log",
		Args:    command.Args(0, 0, "no arguments"), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			pieces := b.collect(cmd.Context(), a)
			if b.file == "" {
				b.file = "ottla-diag-" + a.World.Now().UTC().Format("20060102-150405") + ".tar.gz"
			}
			if err := write(b.file, pieces, a.World.Now()); err != nil {
				e := &command.Error{What: "write the bundle", Err: err}
				if errors.Is(err, fs.ErrExist) {
					e.Hint = "--file names another"
				}
				return e
			}
			if a.Output.Value != "table" {
				return a.Object("Bundle", result{b.file, pieces})
			}
			if err := a.Table(command.TableOf(pieces, []command.Column[piece]{
				{Name: "FILE", Value: func(p piece) string { return p.Name }},
				{Name: "BYTES", Value: func(p piece) string { return command.OrDash(p.text != nil, int64(p.Size)) }, Number: true},
				{Name: "WHAT", Value: func(p piece) string { return p.Note }},
			})); err != nil {
				return err
			}
			a.Notice("wrote %s; it has names of topics, groups and hosts, and no secrets that were recognized: look into it before you send it", b.file)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&b.file, "file", "", "write to `FILE`, which must not be there (default ottla-diag-TIME.tar.gz)")
	f.StringVar(&b.admin, "admin", "", "`HOST:PORT` of the server's metrics and health (ottla.metrics.listener)")
	f.StringVar(&b.config, "config", "", "the server's configuration `FILE`, whose secrets are left out")
	f.StringVar(&b.log, "log", "", "the server's log `FILE`, whose end is taken")
	return a.Prints(cmd, command.ObjectOf[result]("Bundle"))
}

// collect gathers all that can be had. What can't is noted and stops nothing.
func (b *bundling) collect(ctx context.Context, a *command.App) []piece {
	var all []piece
	add := func(name, what string, get func() ([]byte, error)) {
		text, err := get()
		if err != nil {
			all = append(all, piece{Name: name, Note: "missing: " + command.OneLine(err)})
			return
		}
		all = append(all, piece{Name: name, Size: len(text), Note: what, text: text})
	}
	add("versions.json", "of this binary", func() ([]byte, error) { return indented(command.Versions()) })
	add("settings.json", "of the connection, and where each comes from", func() ([]byte, error) { return settingsText(a) })
	add("connection.json", "the way to the server, step by step", func() ([]byte, error) {
		steps, err := walk(ctx, a)
		if err != nil {
			return nil, err
		}
		return indented(steps)
	})
	for _, q := range questions {
		add(q.name, q.what, func() (text []byte, err error) {
			err = a.WithServer(ctx, func(ctx context.Context, s *command.Server) error {
				answer, err := q.ask(ctx, s)
				if err == nil {
					text, err = indented(answer)
				}
				return err
			})
			return text, err
		})
	}
	if b.admin != "" {
		for _, p := range pages {
			add(p.name, p.what, func() ([]byte, error) { return get(ctx, b.admin, p.path) })
		}
	}
	if b.config != "" {
		add("server.properties", "the server's configuration, without secrets", func() ([]byte, error) {
			text, err := os.ReadFile(b.config)
			return redactProperties(text), err
		})
	}
	if b.log != "" {
		add("server.log", "the end of the server's log", func() ([]byte, error) { return tail(b.log) })
	}
	return all
}

func indented(v any) ([]byte, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	return append(text, '\n'), err
}

func settingsText(a *command.App) ([]byte, error) {
	s, err := a.Settings()
	if err != nil {
		return nil, err
	}
	type row struct{ Name, Value, Source string }
	var rows []row
	for _, v := range s.All() {
		shown := v.Shown()
		if v.Key.Secret {
			shown = hidden // a reference may tell more than it should
		}
		rows = append(rows, row{v.Key.Name, shown, v.Where})
	}
	return indented(rows)
}

// questions are what is asked of the cluster.
var questions = []struct {
	name, what string
	ask        func(context.Context, *command.Server) (any, error)
}{
	{"cluster.json", "brokers, controller and features", func(ctx context.Context, s *command.Server) (any, error) {
		meta, err := brokers(ctx, s)
		if err != nil {
			return nil, err
		}
		versions, err := kmsg.NewPtrApiVersionsRequest().RequestWith(ctx, s.Client)
		return map[string]any{"metadata": meta, "apiVersions": versions}, err
	}},
	{"topics.json", "topics and partitions", func(ctx context.Context, s *command.Server) (any, error) { return s.Topics(ctx) }},
	{"groups.json", "groups of consumers", func(ctx context.Context, s *command.Server) (any, error) { return s.Admin.ListGroups(ctx) }},
	{"configs.json", "the brokers' configuration, as they tell it", brokerConfigs},
}

// brokerConfigs asks every broker for its configuration. Brokers send no passwords; ours are hidden again all the same.
func brokerConfigs(ctx context.Context, s *command.Server) (any, error) {
	meta, err := brokers(ctx, s)
	if err != nil {
		return nil, err
	}
	var ids []int32
	for _, b := range meta.Brokers {
		ids = append(ids, b.NodeID)
	}
	configs, err := s.Admin.DescribeBrokerConfigs(ctx, ids...)
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]string{}
	for _, r := range configs {
		if r.Err != nil {
			return nil, r.Err
		}
		all[r.Name] = map[string]string{}
		for _, c := range r.Configs {
			value := c.MaybeValue()
			if value != "" && (c.Sensitive || secretKey(c.Key)) {
				value = hidden
			}
			all[r.Name][c.Key] = value
		}
	}
	return all, nil
}

// pages are what the server tells over HTTP.
var pages = []struct{ name, path, what string }{
	{"metrics.txt", "/metrics", "metrics"},
	{"metrics-detail.txt", "/metrics/detail", "metrics of topics and partitions"},
	{"health.txt", "/readyz?verbose", "health, check by check"},
	{"goroutines.txt", "/debug/pprof/goroutine?debug=2", "what the server does at this moment (ottla.metrics.pprof.enable)"},
	{"heap.txt", "/debug/pprof/heap?debug=1", "what its memory holds"},
}

const (
	// mostPage bounds what is taken of one page, in bytes.
	mostPage = 32 << 20
	// mostLog bounds what is taken of a log, in bytes from its end.
	mostLog = 1 << 20
)

func get(ctx context.Context, address, path string) ([]byte, error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, err
	}
	ctx, cancel := bounded(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, mostPage))
	if err == nil && resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusServiceUnavailable { // health says no by that
		err = fmt.Errorf("the server answers %s", resp.Status)
	}
	return text, err
}

// tail is the end of a log, from the beginning of a line, without what looks like a secret.
func tail(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	from := max(st.Size()-mostLog, 0)
	text, err := io.ReadAll(io.NewSectionReader(f, from, mostLog))
	if _, rest, ok := bytes.Cut(text, []byte("\n")); from > 0 && ok {
		text = rest
	}
	return []byte(redactText(string(text))), err
}

// write makes the file, readable for its owner only. One that is there stays as it is.
func write(path string, pieces []piece, now time.Time) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	zipped := gzip.NewWriter(f)
	archive := tar.NewWriter(zipped)
	list := piece{Name: "CONTENTS.txt"}
	for _, p := range pieces {
		list.text = fmt.Appendf(list.text, "%-20s %8d  %s\n", p.Name, p.Size, p.Note)
	}
	for _, p := range append([]piece{list}, pieces...) {
		if p.text == nil {
			continue
		}
		head := &tar.Header{Name: "ottla-diag/" + p.Name, Mode: 0o600, Size: int64(len(p.text)), ModTime: now}
		if err = archive.WriteHeader(head); err == nil {
			_, err = archive.Write(p.text)
		}
		if err != nil {
			break
		}
	}
	return errors.Join(err, archive.Close(), zipped.Close(), f.Close())
}
