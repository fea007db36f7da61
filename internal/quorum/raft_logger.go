package quorum

import (
	"fmt"
	"log/slog"
)

// raftLogger carries Raft's words to ours; its chatter is of interest only when something is being debugged.
type raftLogger struct {
	to *slog.Logger
}

func (l raftLogger) Debug(v ...any)                 { l.to.Debug("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Debugf(format string, v ...any) { l.to.Debug("raft: " + fmt.Sprintf(format, v...)) }
func (l raftLogger) Info(v ...any)                  { l.to.Debug("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Infof(format string, v ...any)  { l.to.Debug("raft: " + fmt.Sprintf(format, v...)) }
func (l raftLogger) Warning(v ...any)               { l.to.Warn("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Warningf(format string, v ...any) {
	l.to.Warn("raft: " + fmt.Sprintf(format, v...))
}
func (l raftLogger) Error(v ...any)                 { l.to.Error("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Errorf(format string, v ...any) { l.to.Error("raft: " + fmt.Sprintf(format, v...)) }

// Raft calls the rest when going on would break its promises.
func (l raftLogger) Fatal(v ...any)                 { panic("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Fatalf(format string, v ...any) { panic("raft: " + fmt.Sprintf(format, v...)) }
func (l raftLogger) Panic(v ...any)                 { panic("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Panicf(format string, v ...any) { panic("raft: " + fmt.Sprintf(format, v...)) }
