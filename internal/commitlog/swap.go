package commitlog

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/segment"
)

// swap is a segment that was published in the place of others, and whose files are still to be moved into theirs.
type swap struct {
	fresh *segment.Segment
	old   []*segment.Segment
	due   time.Time // when the old ones are unlinked
}

// Swap puts the segment that is ready in the place of those that it was made of, for readers from now on; call FinishSwap then. ErrOvertaken says that they
// are not in the log any more. Writer.
func (l *Log) Swap(c *Compaction, now time.Time) error {
	if err := l.writable(); err != nil {
		return err
	}
	v := l.list.Load()
	group := c.groups[0]
	at := slices.Index(v.segments, group[0])
	if at < 0 || at+len(group) >= len(v.segments) || !slices.Equal(v.segments[at:at+len(group)], group) {
		return fmt.Errorf("clean %s: %w", l.partition, ErrOvertaken)
	}
	l.touched = true
	segments := slices.Concat(v.segments[:at], []*segment.Segment{c.fresh}, v.segments[at+len(group):])
	l.publish(segments, v.damage)
	for _, s := range group {
		s.Close()
	}
	l.mu.Lock()
	l.swaps = append(l.swaps, swap{fresh: c.fresh, old: group, due: now.Add(l.config.DeleteDelay)})
	l.mu.Unlock()
	c.groups, c.fresh, c.ready, c.at = c.groups[1:], nil, false, 0
	return nil
}

// FinishSwap moves the files of what Swap published into their place, durably. A crash before leaves the old segments, one within it is completed by the next
// start, to the new one. One at a time with Flush and Reap. After an error the log is fenced.
func (l *Log) FinishSwap() error {
	if err := l.rename(); err != nil {
		return l.writeError(err)
	}
	return nil
}

// moveSwaps does the renames of FinishSwap. Hold renaming.
func (l *Log) moveSwaps() error {
	l.mu.Lock()
	swaps := l.swaps
	l.swaps = nil
	l.mu.Unlock()
	for _, s := range swaps {
		if err := s.fresh.MoveToSwap(); err != nil {
			return err
		}
		if err := l.dir.FS.SyncDir(l.dir.Path); err != nil {
			return err
		}
		for _, old := range s.old {
			if err := old.Remove(); err != nil {
				return err
			}
		}
		if err := l.dir.FS.SyncDir(l.dir.Path); err != nil {
			return err
		}
		if err := s.fresh.MoveIntoPlace(); err != nil {
			return err
		}
		l.mu.Lock()
		for _, old := range s.old {
			l.doomed = append(l.doomed, doomed{due: s.due, segment: old, renamed: true})
		}
		l.mu.Unlock()
	}
	return nil
}

// completeSwap brings a compaction that a crash interrupted to one of its ends. Compaction writes .cleaned files, renames all of them to .swap, removes the segments
// that they replace, and takes .swap off their names. While there is a .cleaned file nothing was removed yet, so the .swap files at and above it go too; other
// .swap files are whole, and what they replace goes. It reports whether it changed the folder.
func (op *opening) completeSwap(names []string) (bool, error) {
	cleaned := kafka.Offset(math.MaxInt64)
	for _, name := range names {
		if base, ok := anyFileName(name, segment.CleanedSuffix); ok {
			cleaned = min(cleaned, base)
		}
	}
	var whole []string
	for _, name := range names {
		base, ok := anyFileName(name, segment.SwapSuffix)
		if !ok {
			continue
		}
		if base < cleaned {
			whole = append(whole, name)
		} else if err := op.remove(name); err != nil {
			return true, err
		}
	}
	if len(whole) == 0 {
		return cleaned < math.MaxInt64, nil
	}
	if err := op.removeReplaced(names, whole); err != nil {
		return true, err
	}
	for _, name := range whole {
		full := path.Join(op.l.dir.Path, name)
		if err := op.l.dir.FS.Rename(full, strings.TrimSuffix(full, segment.SwapSuffix)); err != nil {
			return true, err
		}
	}
	return true, op.l.dir.FS.SyncDir(op.l.dir.Path)
}

// removeReplaced removes the segments that whole .swap files replace.
func (op *opening) removeReplaced(names, whole []string) error {
	first, end := kafka.Offset(math.MaxInt64), kafka.Offset(0)
	for _, name := range whole {
		base, ok := segment.ParseFileName(strings.TrimSuffix(name, segment.SwapSuffix), segment.LogSuffix)
		if !ok {
			continue
		}
		next, err := op.swapEnd(base)
		if err != nil {
			return err
		}
		first, end = min(first, base), max(end, next)
	}
	for _, name := range names {
		for _, suffix := range []string{segment.LogSuffix, segment.IndexSuffix, segment.TimeIndexSuffix, segment.TxnIndexSuffix} {
			if base, ok := segment.ParseFileName(name, suffix); ok && base >= first && base < end {
				if err := op.remove(name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// swapEnd returns the offset after the last record of the .swap file at base.
func (op *opening) swapEnd(base kafka.Offset) (kafka.Offset, error) {
	next := base
	err := segment.WalkFile(op.l.dir.FS, path.Join(op.l.dir.Path, segment.FileName(base, segment.LogSuffix+segment.SwapSuffix)), func(h segment.Header) {
		next = h.Last + 1
	})
	return next, err
}

func (op *opening) remove(name string) error {
	err := op.l.dir.FS.Remove(path.Join(op.l.dir.Path, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// anyFileName returns the offset in the name of a segment's file that has suffix added.
func anyFileName(name, suffix string) (kafka.Offset, bool) {
	rest, ok := strings.CutSuffix(name, suffix)
	if !ok {
		return 0, false
	}
	base, ok := segment.ParseFileName(rest, path.Ext(rest))
	return base, ok
}
