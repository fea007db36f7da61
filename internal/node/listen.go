package node

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"

	"github.com/ottla/ottla/internal/config"
)

// ListenError says that a listener can't be opened.
type ListenError struct {
	Listener config.Listener
	Err      error
}

// Error returns what is wrong and, in the words of a configuration file, what to do.
func (e *ListenError) Error() string { return e.What() + ": " + e.Advice("listeners") }

// Unwrap returns Err.
func (e *ListenError) Unwrap() error { return e.Err }

// What returns what is wrong alone.
func (e *ListenError) What() string {
	cause := e.Err
	var op *net.OpError // it would say the address again
	if errors.As(cause, &op) {
		cause = op.Err
	}
	return fmt.Sprintf("can't listen on %s:%d (listener %s): %v", e.Listener.Host, e.Listener.Port, e.Listener.Name, cause)
}

// Advice returns what to do; setting is what the address was given by.
func (e *ListenError) Advice(setting string) string {
	var unknown *net.DNSError
	switch {
	case errors.Is(e.Err, syscall.EADDRNOTAVAIL), errors.As(e.Err, &unknown):
		return "give an address of this machine by " + setting
	case errors.Is(e.Err, fs.ErrPermission):
		return "give a port from 1024 on by " + setting + ", or the process the right to lower ones"
	}
	return "stop the other process, or give another address by " + setting
}

// probe opens the listeners and closes them again, so that a port in use is known before anything is done to the disk.
// They are not kept open: whoever connects is to find a node that serves, not one that recovers its logs.
func (n *Node) probe() error {
	for _, l := range n.cfg.Listeners {
		nl, err := n.listen(l)
		if err != nil {
			return err
		}
		if err := nl.Close(); err != nil {
			return &ListenError{l, err}
		}
	}
	return nil
}

func (n *Node) listen(l config.Listener) (net.Listener, error) {
	nl, err := n.opts.Listen("tcp", net.JoinHostPort(l.Host, fmt.Sprint(l.Port)))
	if err != nil {
		return nil, &ListenError{l, err}
	}
	return nl, nil
}
