package api

import (
	"strconv"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
)

// SourcesAt is a node's configuration: its file, and what image says is set dynamically.
func SourcesAt(n *config.Node, image *metadata.Image) config.Sources {
	cluster := metadata.ConfigResource{Type: metadata.BrokerResource}
	broker := metadata.ConfigResource{Type: metadata.BrokerResource, Name: strconv.Itoa(int(n.ID))}
	return n.Sources.WithDynamic(image.Configs.Of(cluster), image.Configs.Of(broker))
}

// receiver is the broker that a change of configurations came to, nil for a controller's listener.
func (c *call) receiver() *kafka.NodeID {
	if c.on == onController {
		return nil
	}
	return new(c.id())
}
