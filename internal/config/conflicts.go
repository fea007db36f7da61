package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// conflicts checks values against each other; the messages are Kafka's.
func (n *Node) conflicts() []string {
	return slices.Concat(n.roleConflicts(), n.listenerConflicts(), n.Sources.valueConflicts())
}

func (n *Node) roleConflicts() []string {
	var bad []string
	require := func(ok bool, why string) {
		if !ok {
			bad = append(bad, why)
		}
	}
	listed := func(name string) bool { _, ok := n.ListenerFor(name); return ok }
	voter := slices.ContainsFunc(n.Voters, func(v Voter) bool { return v.ID == n.ID })
	require(len(n.Voters) > 0 || len(n.BootstrapServers) > 0, "If using process.roles, either controller.quorum.bootstrap.servers"+
		" must contain the set of bootstrap controllers or controller.quorum.voters must contain a parseable set of controllers.")
	if n.Controller {
		require(len(n.Voters) == 0 || voter, fmt.Sprintf("If process.roles contains the 'controller' role, the node id %d must be"+
			" included in the set of voters controller.quorum.voters=%s", n.ID, n.voterIDs()))
		require(slices.ContainsFunc(n.ControllerListeners, listed), "controller.listener.names must contain at least one value"+
			" appearing in the 'listeners' configuration when running the KRaft controller role")
		require(!slices.ContainsFunc(n.ControllerListeners, func(c string) bool { return !listed(c) }),
			"controller.listener.names must only contain values appearing in the 'listeners' configuration when running the KRaft controller role")
	} else {
		require(!voter, fmt.Sprintf("If process.roles contains just the 'broker' role, the node id %d must not be included"+
			" in the set of voters controller.quorum.voters=%s", n.ID, n.voterIDs()))
		require(!slices.ContainsFunc(n.ControllerListeners, listed), "controller.listener.names must not contain a value appearing"+
			" in the 'listeners' configuration when running KRaft with just the broker role")
		if len(n.ControllerListeners) > 1 {
			n.Warnings = append(n.Warnings, "controller.listener.names has multiple entries; only the first will be used since"+
				" process.roles=broker: "+strings.Join(n.ControllerListeners, ", "))
		}
	}
	if !n.Broker {
		require(!slices.ContainsFunc(n.Listeners, func(l Listener) bool { return !n.IsControllerListener(l.Name) }),
			"The listeners config must only contain KRaft controller listeners from controller.listener.names when process.roles=controller")
	}
	return bad
}

func (n *Node) voterIDs() string {
	var ids []string
	for _, v := range n.Voters {
		ids = append(ids, fmt.Sprint(v.ID))
	}
	return "Set(" + strings.Join(ids, ", ") + ")"
}

func (n *Node) listenerConflicts() []string {
	var bad []string
	for _, l := range slices.Concat(n.Advertised, n.ControllerAdvertised) {
		if l.Host == "0.0.0.0" {
			bad = append(bad, "advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.")
			break
		}
	}
	if !n.Broker {
		return bad
	}
	advertised, listening := listenerNames(n.Advertised), listenerNames(n.Listeners)
	if len(advertised) == 0 {
		return append(bad, "There must be at least one broker advertised listener. Perhaps all listeners appear in controller.listener.names?")
	}
	if !slices.Contains(advertised, n.InterBrokerListener) {
		bad = append(bad, "inter.broker.listener.name must be a listener name defined in advertised.listeners."+
			" The valid options based on currently configured listeners are "+strings.Join(advertised, ","))
	}
	if slices.ContainsFunc(advertised, func(a string) bool { return !slices.Contains(listening, a) }) {
		bad = append(bad, "advertised.listeners listener names must be equal to or a subset of the ones defined in listeners. Found "+
			strings.Join(advertised, ",")+". The valid options based on the current configuration are "+strings.Join(listening, ","))
	}
	return bad
}

func listenerNames(all []Listener) []string {
	var names []string
	for _, l := range all {
		names = append(names, l.Name)
	}
	return names
}

// valueConflicts checks plain values against each other, for the file and for dynamic changes alike.
func (s Sources) valueConflicts() []string {
	var bad []string
	require := func(ok bool, why string) {
		if !ok {
			bad = append(bad, why)
		}
	}
	topic := s.Topic(nil)
	require(topic.SegmentAge >= time.Millisecond, "log.roll.ms must be greater than or equal to 1")
	require(topic.SegmentJitter >= 0, "log.roll.jitter.ms must be greater than or equal to 0")
	require(topic.Retention < 0 || topic.Retention >= time.Millisecond,
		"log.retention.ms must be unlimited (-1) or, greater than or equal to 1")
	require(s.Int("replica.fetch.wait.max.ms") <= s.Int("replica.socket.timeout.ms"), "replica.socket.timeout.ms should always be"+
		" at least replica.fetch.wait.max.ms to prevent unnecessary socket timeouts")
	require(s.Int("replica.fetch.wait.max.ms") <= s.Int("replica.lag.time.max.ms"), "replica.fetch.wait.max.ms should always be"+
		" less than or equal to replica.lag.time.max.ms to prevent frequent changes in ISR")
	heartbeat, session := s.Int("broker.heartbeat.interval.ms"), s.Int("broker.session.timeout.ms")
	require(heartbeat <= session/2, fmt.Sprintf("broker.heartbeat.interval.ms (%d ms) must be less than or equal to half of the"+
		" broker.session.timeout.ms (%d ms). Increase broker.session.timeout.ms or decrease broker.heartbeat.interval.ms.", heartbeat, session))
	queued := s.Int("queued.max.request.bytes")
	require(queued <= 0 || queued >= s.Int("socket.request.max.bytes"),
		"queued.max.request.bytes must be larger or equal to socket.request.max.bytes")
	require(s.Int("max.connections.per.ip") != 0 || s.Text("max.connections.per.ip.overrides") != "",
		"max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.")
	for _, kind := range []string{"consumer", "share", "streams"} {
		for _, what := range []string{"session.timeout", "heartbeat.interval", "assignment.interval"} {
			prefix := "group." + kind + "."
			name, lo, hi := prefix+what+".ms", prefix+"min."+what+".ms", prefix+"max."+what+".ms"
			require(s.Int(hi) >= s.Int(lo), hi+" must be greater than or equal to "+lo)
			require(s.Int(name) >= s.Int(lo), name+" must be greater than or equal to "+lo)
			require(s.Int(name) <= s.Int(hi), name+" must be less than or equal to "+hi)
		}
	}
	return bad
}
