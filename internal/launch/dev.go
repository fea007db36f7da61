package launch

import (
	"cmp"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/config"
)

// devConfig is the configuration of a lone node for trying things out: it listens where it was told, on loopback unless
// told otherwise.
func devConfig(dir, listen string, overrides []string) (*config.Node, error) {
	host, port, err := splitListen(listen)
	if err != nil {
		return nil, err
	}
	text := devProperties(devNode{
		id: 1, listen: net.JoinHostPort(host, strconv.Itoa(port)), peer: "127.0.0.1:0", quorum: "controller.quorum.bootstrap.servers=127.0.0.1:0",
		replicas: 1, dir: dir,
	})
	cfg, err := config.Load("the configuration of ottla dev", []byte(text), overrides)
	if err != nil {
		e := &command.Error{Err: err, Exit: command.Usage, Hint: explainKeys}
		if strings.Contains(err.Error(), "advertised.listeners") {
			e.Hint = cmp.Or(everywhere(host, port), e.Hint)
		}
		return nil, e
	}
	return cfg, nil
}

// everywhere says what a node needs that listens at all addresses of the machine, and so has none to tell its clients; "" for others.
func everywhere(host string, port int) string {
	if ip := net.ParseIP(host); ip == nil || !ip.IsUnspecified() {
		return ""
	}
	to := "PORT"
	if port != 0 {
		to = strconv.Itoa(port)
	}
	return fmt.Sprintf("clients must be told a HOST that they can reach: --override advertised.listeners=PLAINTEXT://HOST:%s", to)
}

// splitListen reads --listen; no host stands for loopback.
func splitListen(listen string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(listen)
	if err != nil {
		return "", 0, command.Usagef("--listen %s: want HOST:PORT, such as 127.0.0.1:9092", listen)
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 0 || port > maxPort {
		return "", 0, command.Usagef("--listen %s: the port must be a number from 0 to %d", listen, maxPort)
	}
	if host == "" {
		host = loopback
	}
	return host, port, nil
}

// devNode is what differs between nodes for trying things out.
type devNode struct {
	id           int
	listen, peer string // addresses for clients, and for other nodes
	quorum       string // the property that says who is in it
	replicas     int    // of the offsets of groups
	dir          string
}

func devProperties(n devNode) string {
	return fmt.Sprintf(`process.roles=broker,controller
node.id=%[1]d
listeners=PLAINTEXT://%[2]s,CONTROLLER://%[3]s
advertised.listeners=PLAINTEXT://%[2]s
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
%[4]s
inter.broker.listener.name=PLAINTEXT
offsets.topic.replication.factor=%[5]d
group.initial.rebalance.delay.ms=0
log.dirs=%[6]s
`, n.id, n.listen, n.peer, n.quorum, n.replicas, escape(n.dir))
}

// escape writes a path so that a properties file gives it back.
func escape(path string) string {
	var b []byte
	for i := range len(path) {
		if path[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, path[i])
	}
	return string(b)
}
