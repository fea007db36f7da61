package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// Listener is one address that a node listens on, or tells others.
type Listener struct {
	// Name is the listener's name, upper case: PLAINTEXT, CONTROLLER.
	Name string
	// Protocol is the security protocol behind the name; PLAINTEXT is the only one so far.
	Protocol string
	// Host is a name or address without brackets; "" listens on all interfaces, and advertises the host's own name.
	Host string
	// Port is 0 to let the system choose, which is then also the port to advertise.
	Port int
}

// String returns NAME://host:port.
func (l Listener) String() string {
	host := l.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return l.Name + "://" + host + ":" + strconv.Itoa(l.Port)
}

// Voter is one entry of controller.quorum.voters.
type Voter struct {
	ID   kafka.NodeID
	Host string
	Port int
}

var endpoint = regexp.MustCompile(`^(.*)://\[?([0-9a-zA-Z\-%._:]*)\]?:(-?[0-9]+)$`)

// parseListeners reads a list of NAME://host:port; protocols gives each name its protocol. What is advertised may have
// the same port twice.
func parseListeners(value string, protocols map[string]string, samePort bool) ([]Listener, error) {
	var all []Listener
	shown := "[" + strings.Join(SplitList(value), ", ") + "]"
	fail := func(why string) ([]Listener, error) {
		return nil, fmt.Errorf("Error creating broker listeners from '%s': %s", shown, why)
	}
	for _, e := range SplitList(value) {
		m := endpoint.FindStringSubmatch(e)
		if m == nil {
			return fail("Unable to parse " + e + " to a broker endpoint")
		}
		port, err := strconv.Atoi(m[3])
		if err != nil || port > 65535 || port < 0 {
			return fail("port " + m[3] + " is not between 0 and 65535")
		}
		l := Listener{Name: strings.ToUpper(m[1]), Host: m[2], Port: port}
		if l.Protocol = protocols[l.Name]; l.Protocol == "" {
			return fail("No security protocol defined for listener " + l.Name)
		}
		all = append(all, l)
	}
	if why := distinct(shown, all, samePort); why != "" {
		return fail(why)
	}
	return all, nil
}

// distinct says what is wrong when two listeners share a name or a port; an IPv4 and an IPv6 address may share one.
func distinct(value string, all []Listener, samePort bool) string {
	for i, a := range all {
		for _, b := range all[:i] {
			if a.Name == b.Name {
				return "Each listener must have a different name, listeners: " + value
			}
			if !samePort && a.Port == b.Port && a.Port != 0 && !ipPair(a.Host, b.Host) {
				return "Each listener must have a different port, listeners: " + value
			}
		}
	}
	return ""
}

func ipPair(a, b string) bool {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	return errX == nil && errY == nil && x.Is4() != y.Is4()
}

// securityProtocols are Kafka's.
var securityProtocols = []string{"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"}

// protocolMap reads listener.security.protocol.map. When the file doesn't set it and no listener is named after a
// secure protocol, the controllers' listeners are PLAINTEXT.
func (s Sources) protocolMap() (map[string]string, error) {
	const key = "listener.security.protocol.map"
	protocols := map[string]string{}
	for _, e := range SplitList(s.Text(key)) {
		i := strings.LastIndexByte(e, ':')
		if i < 0 {
			return nil, fmt.Errorf("Error parsing configuration property '%s': %q is not NAME:PROTOCOL", key, e)
		}
		name, protocol := strings.ToUpper(e[:i]), strings.ToUpper(strings.TrimSpace(e[i+1:]))
		if !slices.Contains(securityProtocols, protocol) {
			return nil, complaint(fmt.Sprintf("Invalid security protocol `%s` defined in %s", protocol, key))
		}
		protocols[name] = protocol
	}
	if _, ok := s.set(key); ok {
		return protocols, nil
	}
	for _, e := range SplitList(s.Text("listeners")) {
		name, _, _ := strings.Cut(strings.ToUpper(e), "://")
		if name != "PLAINTEXT" && slices.Contains(securityProtocols, name) {
			return protocols, nil
		}
	}
	for _, name := range s.List("controller.listener.names") {
		if name = strings.ToUpper(name); protocols[name] == "" {
			protocols[name] = "PLAINTEXT"
		}
	}
	return protocols, nil
}

// parseVoters reads a list of id@host:port; 0.0.0.0:0 stands for an address that is not known yet.
func parseVoters(value string) ([]Voter, error) {
	const form = "Each entry should be in the form `{id}@{host}:{port}`."
	var all []Voter
	for _, e := range SplitList(value) {
		id, address, ok := strings.Cut(e, "@")
		if !ok || strings.Contains(address, "@") {
			return nil, complaint("Invalid configuration value for controller.quorum.voters. " + form)
		}
		n, err := strconv.ParseInt(id, 10, 32)
		if err != nil {
			return nil, complaint("Failed to parse voter ID as an integer from " + id)
		}
		host, port, err := splitAddress(address)
		if err != nil || host == "" {
			return nil, complaint("Failed to parse host name from entry " + e +
				" for the configuration controller.quorum.voters. " + form)
		}
		all = append(all, Voter{ID: kafka.NodeID(n), Host: host, Port: port})
	}
	return all, nil
}

var address = regexp.MustCompile(`^(?:[a-zA-Z0-9+.\-]*://)?\[?([0-9a-zA-Z\-%._:]*)\]?:([0-9]+)$`)

// splitAddress reads host:port.
func splitAddress(s string) (host string, port int, err error) {
	m := address.FindStringSubmatch(s)
	if m == nil {
		return "", 0, fmt.Errorf("%q is not host:port", s)
	}
	port, err = strconv.Atoi(m[2])
	if err != nil || port > 65535 {
		return "", 0, fmt.Errorf("%q: the port is not between 0 and 65535", s)
	}
	return m[1], port, nil
}
