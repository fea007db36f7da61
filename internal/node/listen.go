package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"

	"github.com/ottla/ottla/internal/config"
	"github.com/ottla/ottla/internal/transport"
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

// endpoint is a listener and what others call it.
type endpoint struct {
	listener   *transport.Listener
	config     config.Listener // with the port that was bound
	controller bool
}

// bind opens the listening sockets.
func (n *Node) bind() error {
	services := n.services()
	budget := transport.NewBudget(requestBytes)
	if most := n.cfg.Network.QueuedMaxBytes; most > 0 {
		budget = transport.NewBudget(most)
	}
	n.admitClients = transport.NewAdmission(n.opts.Now, n.clientLimits(n.image.Load()), listenerNames(n.cfg, false)...)
	controllers := transport.NewAdmission(n.opts.Now, connectionLimits(n.cfg.Sources), listenerNames(n.cfg, true)...)
	for _, l := range n.cfg.Listeners {
		nl, err := n.listen(l)
		if err != nil {
			return err
		}
		if tcp, ok := nl.Addr().(*net.TCPAddr); ok {
			l.Port = tcp.Port
		}
		handler, controller := services.BrokerHandler(), n.cfg.IsControllerListener(l.Name)
		options := n.transportOptions(l.Name, budget, n.admitClients)
		if controller {
			handler, options.Admission, options.Ended = services.ControllerHandler(), controllers, services.Ended
		}
		n.ends = append(n.ends, endpoint{listener: transport.NewListener(nl, options, handler), config: l, controller: controller})
	}
	return nil
}

func (n *Node) transportOptions(name string, budget *transport.Budget, admission *transport.Admission) transport.Options {
	net := n.cfg.Network
	return transport.Options{
		Name: name, MaxFrame: net.RequestMaxBytes, Admission: admission,
		MaxIdle: net.IdleTimeout, SendBuffer: net.SendBufferBytes, RecvBuffer: net.ReceiveBufferBytes,
		Budget: budget, Now: n.opts.Now, Log: n.logger("transport"),
	}
}

// serve starts the listeners of controllers, or those of clients.
func (n *Node) serve(controller bool) {
	for _, e := range n.ends {
		if e.controller == controller {
			n.run(e.listener.Serve)
		}
	}
}

// Listeners are the listeners of clients with the addresses that they are bound to; of a controller alone its own.
func (n *Node) Listeners() []config.Listener {
	var all []config.Listener
	for _, e := range n.ends {
		if !e.controller || !n.cfg.Broker {
			all = append(all, e.config)
		}
	}
	return all
}

func (n *Node) drain(ctx context.Context, controller bool) error {
	var errs []error
	for _, e := range n.ends {
		if e.controller == controller {
			if err := e.listener.Drain(ctx); err != nil && !errors.Is(err, ctx.Err()) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}
