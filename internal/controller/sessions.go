package controller

import (
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// session is what the controller knows of a broker beside the log.
type session struct {
	lastContact time.Time
	// offset is the metadata offset that the broker has reached.
	offset kafka.Offset
	// shutdownAt is the offset that the others must reach before the broker may go, NoOffset while it does not want to.
	shutdownAt kafka.Offset
}

type sessions map[kafka.NodeID]*session

// Deadline returns when Expire has something to do, the zero time if never.
func (c *Controller) Deadline() time.Time { panic("soon") }

func (c *Controller) replaySessions(now time.Time, change metadata.Change) { panic("soon") }
