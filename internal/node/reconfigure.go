package node

import (
	"math"
	"net"
	"slices"

	"github.com/ottla/ottla/internal/api"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/transport"
)

// configure has the dynamic configuration of an image act where it is not a topic's. It is called on the quorum's loop.
func (n *Node) configure(c metadata.Change) {
	if !slices.ContainsFunc(c.Delta.Configs(), func(c metadata.ConfigChange) bool { return c.Resource.Type == metadata.BrokerResource }) {
		return
	}
	n.reconfigure(c.Image)
}

func (n *Node) reconfigure(image *metadata.Image) {
	s := api.SourcesAt(n.cfg, image)
	rate := int64(math.MaxInt64)
	if _, set := s.Lookup("replica.alter.log.dirs.io.max.bytes.per.second"); set {
		rate = s.Int("replica.alter.log.dirs.io.max.bytes.per.second")
	}
	n.partitions.SetMoveRate(rate)
	n.partitions.SetDeleteDelay(s.Millis("log.segment.delete.delay.ms"))
	n.commonTimes.Store(new(timesOf(s, nil)))
	n.admitClients.SetLimits(n.clientLimits(image))
}

// clientLimits are the limits of the broker's connections. A listener's own are keys with its prefix.
func (n *Node) clientLimits(image *metadata.Image) transport.Limits {
	s := api.SourcesAt(n.cfg, image)
	l := connectionLimits(s)
	l.Protected = n.cfg.InterBrokerListener
	l.Listener = make(map[string]transport.ListenerLimits)
	for _, name := range listenerNames(n.cfg, false) {
		own := s.OfListener(name)
		l.Listener[name] = transport.ListenerLimits{Total: own.MaxConnections, Rate: own.MaxConnectionRate}
	}
	return l
}

// connectionLimits are those of all listeners together.
func connectionLimits(s config.Sources) transport.Limits {
	c := s.Connections()
	l := transport.Limits{Total: c.MaxConnections, Rate: c.MaxConnectionRate, PerIP: c.MaxConnectionsPerIP, ByIP: make(map[string]int)}
	for host, most := range c.MaxConnectionsByIP {
		l.ByIP[host] = most
		if ip := net.ParseIP(host); ip != nil {
			l.ByIP[ip.String()] = most
		} else if host == "localhost" {
			l.ByIP["127.0.0.1"], l.ByIP["::1"] = most, most
		}
	}
	return l
}

// listenerNames are the names of the broker's listeners, or of the controllers'.
func listenerNames(cfg *config.Node, controller bool) []string {
	var names []string
	for _, l := range cfg.Listeners {
		if cfg.IsControllerListener(l.Name) == controller {
			names = append(names, l.Name)
		}
	}
	return names
}
