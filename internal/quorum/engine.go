package quorum

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/ottla/ottla/internal/commitlog"
	"github.com/ottla/ottla/internal/controller"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/segment"
	"github.com/ottla/ottla/internal/vfs"
)

// Errors of Submit.
var (
	// ErrNotController says that another node leads the quorum, or none does.
	ErrNotController = errors.New("this node is not the active controller")
	// ErrStopped says that the engine has stopped.
	ErrStopped = errors.New("the metadata quorum has stopped")
)

// Voter is a member of the quorum.
type Voter struct {
	ID kafka.NodeID
	// Directory is zero in a static quorum (kraft.version 0).
	Directory kafka.UUID
	Endpoints []metadata.Endpoint
}

// Config is what an engine is told at construction.
type Config struct {
	FS vfs.FS
	// Dir is the folder of __cluster_metadata-0 (with that name).
	Dir string
	// NodeID and Directory are this node's; Directory is from meta.properties.
	NodeID    kafka.NodeID
	Directory kafka.UUID
	// Voters are those of controller.quorum.voters, empty for a quorum whose members are in the log (kraft.version 1).
	Voters []Voter
	// Controller configures the controller. Its Voters and Bootstrap are filled in here.
	Controller controller.Config
	// Log is the configuration of the log; SnapshotBytes and SnapshotInterval are
	// metadata.log.max.record.bytes.between.snapshots (0: 20 MiB) and metadata.log.max.snapshot.interval.ms (0: 1 h).
	Log              commitlog.Config
	Cache            *segment.Cache
	SnapshotBytes    int64
	SnapshotInterval time.Duration
	// IdleInterval is metadata.max.idle.interval.ms if it was set; 0 writes no NoOp records.
	IdleInterval time.Duration
	// Clean and RecoveryPoint are as in commitlog.Options.
	Clean         bool
	RecoveryPoint kafka.Offset
	// Now is the clock. Nil stands for time.Now.
	Now func() time.Time
	// Logger gets what is worth a line. Nil discards.
	Logger *slog.Logger
}

// Engine is the metadata quorum at one node. Make it with Open, then Run it.
type Engine struct{}

// Open loads the newest snapshot and the log after it. It elects nobody: Run does.
func Open(cfg Config) (*Engine, error) { panic("soon") }

// Run works until ctx ends or the log fails, and closes the log. It returns nil at the end of ctx.
func (e *Engine) Run(ctx context.Context) error { panic("soon") }

// Submit has the active controller handle cmd and returns the response once its effect is committed and published.
// Errors wrap ErrNotController, ErrStopped, or are ctx's; after the latter the command may still take effect.
func (e *Engine) Submit(ctx context.Context, cmd controller.Command) (any, error) { panic("soon") }

// Do is Submit with the response's type.
func Do[R any](ctx context.Context, e *Engine, cmd controller.Command) (R, error) {
	var none R
	response, err := e.Submit(ctx, cmd)
	if err != nil {
		return none, err
	}
	typed, _ := response.(R)
	return typed, nil
}

// Image is the newest committed state. Never nil.
func (e *Engine) Image() *metadata.Image { panic("soon") }

// Subscribe calls f with each change from now on, in order, before any answer that depends on it leaves; the first
// call has an empty delta and the image of the moment. f runs on the loop: it must be quick, must not block, and
// must not call Submit.
func (e *Engine) Subscribe(f func(metadata.Change)) { panic("soon") }

// Wait returns when the image contains the record at offset.
func (e *Engine) Wait(ctx context.Context, offset kafka.Offset) error { panic("soon") }

// Leader returns the leader of the quorum and its epoch; kafka.NoNode while there is none.
func (e *Engine) Leader() (kafka.NodeID, kafka.LeaderEpoch) { panic("soon") }
