// Package ports holds TCP ports of this machine for whoever is to listen there later, in this process or another one. A port that was merely looked for
// and left can be somebody else's before it is used.
//
// It knows nobody who listens.
package ports

import (
	"fmt"
	"net"
	"os"
	"strconv"
)

// Port is a port that is held: whoever asks the system for any port is given another one, and who connects is refused. Those who name it can listen there,
// and again when they have stopped. Where the system can't tell the two apart, as on other systems than Linux, it is only a port that was free.
type Port struct {
	Address string // host:port
	Number  int
	held    *os.File // nil where it is not
}

// Hold finds a port that is free at a host, by name or address. Close it when nobody is to listen there any more.
func Hold(host string) (*Port, error) {
	address, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	p := &Port{}
	if p.Number, p.held, err = hold(address); err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	p.Address = net.JoinHostPort(host, strconv.Itoa(p.Number))
	return p, nil
}

// Close gives the port back. Who listens there goes on.
func (p *Port) Close() error {
	if p.held == nil {
		return nil
	}
	return p.held.Close()
}
