package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// conflicts checks values against each other; the messages are Kafka's.
func (n *Node) conflicts() []string {
	heartbeat, session := n.Quorum.BrokerHeartbeat, n.Quorum.BrokerSession
	if heartbeat > session/2 {
		n.Warnings = append(n.Warnings, fmt.Sprintf("broker.heartbeat.interval.ms (%d ms) should be at most half of"+
			" broker.session.timeout.ms (%d ms), or a heartbeat that comes late costs the broker its session",
			heartbeat.Milliseconds(), session.Milliseconds()))
	}
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
		some := slices.ContainsFunc(n.ControllerListeners, listed)
		require(some, "controller.listener.names must contain at least one value appearing in the 'listeners' configuration"+
			" when running the KRaft controller role")
		require(!some || !slices.ContainsFunc(n.ControllerListeners, func(c string) bool { return !listed(c) }),
			"controller.listener.names must only contain values appearing in the 'listeners' configuration when running the KRaft controller role")
	} else {
		require(!n.Sources.Bool("controller.quorum.auto.join.enable"), "controller.quorum.auto.join.enable is only supported"+
			" when process.roles contains the 'controller' role.")
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
	for _, name := range n.Sources.List("early.start.listeners") {
		if name = strings.ToUpper(name); !slices.Contains(listenerNames(n.Listeners), name) && !n.IsControllerListener(name) {
			bad = append(bad, "early.start.listeners contains listener "+name+
				", but this is not contained in listeners or controller.listener.names")
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
	require(s.Int("log.cleaner.dedupe.buffer.size") > s.Int("log.cleaner.threads")<<20,
		"log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.")
	queued := s.Int("queued.max.request.bytes")
	require(queued <= 0 || queued >= s.Int("socket.request.max.bytes"),
		"queued.max.request.bytes must be larger or equal to socket.request.max.bytes")
	require(s.Int("max.connections.per.ip") != 0 || s.Text("max.connections.per.ip.overrides") != "",
		"max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.")
	delay, idle := s.Int("connection.failed.authentication.delay.ms"), s.Int("connections.max.idle.ms")
	require(idle < 0 || delay < idle, fmt.Sprintf("connection.failed.authentication.delay.ms=%d should always be less than"+
		" connections.max.idle.ms=%d to prevent failed authentication responses from timing out", delay, idle))
	require(slices.Contains(s.List("group.coordinator.rebalance.protocols"), "classic"),
		"Disabling the 'classic' protocol is not supported.")
	for _, r := range groupRanges {
		name := "group." + r.key
		switch {
		case r.min != "" && r.max != "" && s.Int(r.max) < s.Int(r.min):
			require(false, r.max+" must be greater than or equal to "+r.min)
		case r.min != "" && s.Int(name) < s.Int(r.min):
			require(false, name+" must be greater than or equal to "+r.min)
		case r.max != "" && s.Int(name) > s.Int(r.max):
			require(false, name+" must be less than or equal to "+r.max)
		}
	}
	for _, kind := range []string{"group.consumer", "group.share", "group.streams"} {
		session, heartbeat := kind+".session.timeout.ms", kind+".heartbeat.interval.ms"
		require(s.Int(heartbeat) < s.Int(session), heartbeat+" must be less than "+session)
	}
	if why := s.cordonConflict(); why != "" {
		bad = append(bad, why)
	}
	return bad
}

// cordonConflict checks that cordoned.log.dirs names log directories, or all by *.
func (s Sources) cordonConflict() string {
	cordoned, dirs := s.List("cordoned.log.dirs"), s.logDirs()
	if slices.Equal(cordoned, []string{"*"}) {
		return ""
	}
	if slices.Contains(cordoned, "*") {
		return "When cordoned.log.dirs is set to *, it must not contain other values"
	}
	var missing []string
	for _, d := range cordoned {
		if !slices.Contains(dirs, d) {
			missing = append(missing, d)
		}
	}
	if missing == nil {
		return ""
	}
	return "All entries in cordoned.log.dirs must be present in log.dirs or log.dir. Missing entries : " + strings.Join(missing, ", ")
}

// logDirs are the directories of log.dirs, or of log.dir, each once.
func (s Sources) logDirs() []string {
	dirs := s.List("log.dirs")
	if len(dirs) == 0 {
		dirs = s.List("log.dir")
	}
	return compact(dirs)
}
