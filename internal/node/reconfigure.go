package node

import (
	"math"
	"net"

	"github.com/ottla/ottla/internal/api"
	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/transport"
)

// ofBroker reports whether a change of configuration concerns brokers.
func ofBroker(c metadata.ConfigChange) bool { return c.Resource.Type == metadata.BrokerResource }

// reconfigure has the dynamic configuration of an image act where it is not a topic's.
func (n *Node) reconfigure(image *metadata.Image) {
	s := api.SourcesAt(n.cfg, image)
	rate := int64(math.MaxInt64)
	if _, set := s.Lookup("replica.alter.log.dirs.io.max.bytes.per.second"); set {
		rate = s.Int("replica.alter.log.dirs.io.max.bytes.per.second")
	}
	n.partitions.SetMoveRate(rate)
	n.partitions.SetReplicationRates(rateOf(s, "leader.replication.throttled.rate"), rateOf(s, "follower.replication.throttled.rate"))
	n.partitions.SetDeleteDelay(s.Millis("log.segment.delete.delay.ms"))
	n.commonTimes.Store(new(timesOf(s, nil)))
	n.admitClients.SetLimits(n.clientLimits(image))
}

// rateOf is a key's bytes a second, negative where it is not set.
func rateOf(s config.Sources, key string) float64 {
	if _, set := s.Lookup(key); !set {
		return -1
	}
	return float64(s.Int(key))
}

// clientLimits are the limits of the broker's connections. A listener's own are keys with its prefix.
func (n *Node) clientLimits(image *metadata.Image) transport.Limits {
	s := api.SourcesAt(n.cfg, image)
	l := connectionLimits(s)
	if d := n.opts.Descriptors; d > 0 { // who comes beyond waits, and no log directory fails for want of a descriptor
		l.Total = min(l.Total, max(d-n.openFiles()-spareFiles, 1))
	}
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
