package quorum

import (
	"fmt"
	"log/slog"
	"regexp"
	"slices"

	"go.etcd.io/raft/v3"
)

// raftLogger carries Raft's words to ours; its chatter is of interest only when something is being debugged.
type raftLogger struct {
	to *slog.Logger
}

func (l raftLogger) Debug(v ...any)                 { l.to.Debug("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Debugf(format string, v ...any) { l.to.Debug("raft: " + named(format, v)) }
func (l raftLogger) Info(v ...any)                  { l.to.Debug("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Infof(format string, v ...any)  { l.to.Debug("raft: " + named(format, v)) }
func (l raftLogger) Warning(v ...any)               { l.to.Warn("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Warningf(format string, v ...any) {
	l.to.Warn("raft: " + named(format, v))
}
func (l raftLogger) Error(v ...any)                 { l.to.Error("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Errorf(format string, v ...any) { l.to.Error("raft: " + named(format, v)) }

// Raft calls the rest when going on would break its promises.
func (l raftLogger) Fatal(v ...any)                 { panic("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Fatalf(format string, v ...any) { panic("raft: " + named(format, v)) }
func (l raftLogger) Panic(v ...any)                 { panic("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Panicf(format string, v ...any) { panic("raft: " + named(format, v)) }

var verbs = regexp.MustCompile(`%[-+# 0-9.]*[a-zA-Z%]`)

// named is a line of Raft's with the ids of nodes in the place of Raft's own, which are one more. It writes them in hexadecimal, and nothing else.
func named(format string, v []any) string {
	v = slices.Clone(v)
	next := 0
	format = verbs.ReplaceAllStringFunc(format, func(verb string) string {
		if verb == "%%" {
			return verb
		}
		if next < len(v) && verb == "%x" {
			if id, ok := v[next].(uint64); ok {
				v[next], verb = nameOf(id), "%s"
			}
		}
		next++
		return verb
	})
	return fmt.Sprintf(format, v...)
}

func nameOf(id uint64) string {
	switch {
	case id == raft.None:
		return "nobody"
	case id == stranger:
		return "a voter with another disk"
	case id&unvoting != 0:
		return fmt.Sprintf("node %d without a vote", nodeID(id&^unvoting))
	}
	return fmt.Sprint("node ", nodeID(id))
}
