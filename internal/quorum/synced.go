package quorum

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metalog"
	"github.com/ottla/ottla/internal/vfs"
)

// syncedEvery is how many records may be synced beyond what metalog.SyncedFile says: damage among them looks like a torn tail after a crash.
const syncedEvery = 1024

// readSynced returns what was synced of the log, exclusive; 0 if nobody knows.
func readSynced(f vfs.FS, dir string) (kafka.Offset, error) {
	b, err := vfs.ReadFile(f, path.Join(dir, metalog.SyncedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", metalog.SyncedFile, err)
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(string(b), "\n"), 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%w: %s holds %.40q, want an offset", ErrDamaged, path.Join(dir, metalog.SyncedFile), b)
	}
	return kafka.Offset(n), nil
}

// noteSynced writes down what the log was synced to: below it nothing is torn, and what can't be read is damage.
func (e *Engine) noteSynced() error {
	point := e.log.RecoveryPoint()
	if err := e.writeSynced(point); err != nil {
		return err
	}
	return e.log.Checkpointed(point)
}

func (e *Engine) writeSynced(point kafka.Offset) error {
	if point == e.synced {
		return nil
	}
	if err := vfs.WriteFile(e.cfg.FS, path.Join(e.cfg.Dir, metalog.SyncedFile), fmt.Appendf(nil, "%d\n", int64(point))); err != nil {
		return fmt.Errorf("note what was synced of the metadata log: %w", err)
	}
	e.synced = point
	return nil
}

// beginAt gives up the log for a snapshot that ends at end. Nothing beyond is synced any more before it goes: after a crash in between, a log that
// is not there is no damage.
func (e *Engine) beginAt(end kafka.Offset, now time.Time) error {
	if err := e.writeSynced(min(e.synced, end)); err != nil {
		return err
	}
	if err := e.log.TruncateFullyAndStartAt(end, now); err != nil {
		return fmt.Errorf("begin the metadata log anew at %d: %w", end, err)
	}
	return nil
}

// markOurs leaves the file with the first start, before there is anything to sync: a folder of several voters without it is Kafka's (checkStatic).
func (e *Engine) markOurs() error {
	name := path.Join(e.cfg.Dir, metalog.SyncedFile)
	ours, err := vfs.Exists(e.cfg.FS, name)
	if err == nil && !ours {
		err = vfs.WriteFile(e.cfg.FS, name, []byte("0\n"))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// checkDamage returns what the report says of records that were synced and are in no snapshot, as an error.
func (e *Engine) checkDamage(report commitlog.Report) error {
	snap := e.storage.snap.EndOffset
	for _, d := range report.Damage {
		if d.End > snap {
			return fmt.Errorf("%w: %v of %s were synced and can't be read", ErrDamaged, d, e.cfg.Dir)
		}
	}
	if report.Created && e.synced > snap {
		return fmt.Errorf("%w: %s has no log, which was synced up to offset %d", ErrDamaged, e.cfg.Dir, e.synced)
	}
	return nil
}
