package launch

import (
	"fmt"
	"net"
	"strconv"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/config"
)

// devConfig is the configuration of a lone node for trying things out: it listens where it was told, on loopback unless
// told otherwise.
func devConfig(dir, listen string, overrides []string) (*config.Node, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, command.Usagef("--listen %s: want HOST:PORT, such as 127.0.0.1:9092", listen)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return nil, command.Usagef("--listen %s: the port must be a number from 0 to 65535", listen)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	text := fmt.Sprintf(`process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://%[1]s,CONTROLLER://127.0.0.1:0
advertised.listeners=PLAINTEXT://%[1]s
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:0
inter.broker.listener.name=PLAINTEXT
offsets.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
log.dirs=%[2]s
`, net.JoinHostPort(host, port), escape(dir))
	cfg, err := config.Load("the configuration of ottla dev", []byte(text), overrides)
	if err != nil {
		return nil, &command.Error{Err: err, Exit: command.Usage}
	}
	return cfg, nil
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
