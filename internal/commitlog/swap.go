package commitlog

import (
	"errors"
	"io/fs"
	"math"
	"path"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/segment"
)

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
