package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/ottla/ottla/test/compat/peer"
)

// errNoDisk says what can't be done to nodes that share the machine's disk.
var errNoDisk = errors.New("the nodes' disks are the machine's own")

// proxies are loopback with a proxy before each listener: whoever connects names itself in its first request, and what is said over links that are cut waits there.
type proxies struct {
	mu    sync.Mutex // a leaf: guards what follows
	lost  map[link]bool
	slow  [nodes]bool
	moved chan struct{} // closed when lost changes
}

func newProxies() *proxies { return &proxies{lost: map[link]bool{}, moved: make(chan struct{})} }

// place implements network.
func (n *proxies) place(i int, o peer.Options) (peer.Options, error) {
	o, err := peer.Reserve(o)
	if err != nil {
		return o, err
	}
	behind, err := peer.Reserve(peer.Options{Dir: o.Dir})
	if err != nil {
		return o, err
	}
	o.Properties = map[string]string{
		"listeners":            "PLAINTEXT://" + behind.Listen + ",CONTROLLER://" + behind.Controller,
		"advertised.listeners": "PLAINTEXT://" + o.Listen + ",CONTROLLER://" + o.Controller,
	}
	go n.serve(i, o.Listen, behind.Listen)
	go n.serve(i, o.Controller, behind.Controller)
	return o, nil
}

// cut implements network.
func (n *proxies) cut(_ context.Context, links ...link) error {
	n.change(func() {
		for _, l := range links {
			n.lost[l] = true
		}
	})
	return nil
}

// heal implements network.
func (n *proxies) heal(context.Context) error {
	n.change(func() { clear(n.lost) })
	return nil
}

// narrow implements network.
func (n *proxies) narrow(_ context.Context, i int, on bool) error {
	n.change(func() { n.slow[i] = on })
	return nil
}

func (n *proxies) change(do func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	do()
	close(n.moved)
	n.moved = make(chan struct{})
}

func (*proxies) disk(string) error           { return nil }
func (*proxies) resize(string, uint64) error { return errNoDisk }
func (*proxies) free(...string) error        { return nil }

// serve listens for node i while its process does: whoever is gone must refuse. It ends with this process.
func (n *proxies) serve(i int, at, behind string) {
	for {
		back, err := net.Dial("tcp", behind)
		if err != nil {
			time.Sleep(retry)
			continue
		}
		_ = back.Close() // it was opened for nothing else
		l, err := net.Listen("tcp", at)
		if err != nil {
			continue
		}
		for {
			front, err := l.Accept()
			if err != nil {
				break
			}
			if back, err = net.Dial("tcp", behind); err != nil {
				_ = errors.Join(front.Close(), l.Close()) // the node is gone
				break
			}
			go n.join(i, front, back, l)
		}
	}
}

// join carries what is said on a connection to node i. When it ends, that may be because the node has: then nobody may connect any more.
func (n *proxies) join(i int, front, back net.Conn, l net.Listener) {
	first, from := greeting(front)
	var both sync.WaitGroup
	both.Go(func() { n.carry(link{from, i}, back, io.MultiReader(bytes.NewReader(first), front)) })
	both.Go(func() { n.carry(link{i, from}, front, back) })
	both.Wait()
	again, err := net.Dial("tcp", back.RemoteAddr().String())
	if err != nil {
		_ = l.Close()
		return
	}
	_ = again.Close() // it was opened for nothing else
}

// carry copies in one direction until the connection ends, and ends it.
func (n *proxies) carry(way link, to net.Conn, from io.Reader) {
	buf := make([]byte, 16<<10)
	for {
		k, err := from.Read(buf)
		n.pass(way, k)
		if _, wrong := to.Write(buf[:k]); err != nil || wrong != nil {
			break
		}
	}
	_ = to.Close() // the other direction sees it, and ends too
	if c, ok := from.(net.Conn); ok {
		_ = c.Close()
	}
}

// pass waits while a link is cut, and a little if it is narrow.
func (n *proxies) pass(way link, size int) {
	for {
		n.mu.Lock()
		lost, moved := n.lost[way], n.moved
		slow := way.to < nodes && n.slow[way.to] || way.from < nodes && n.slow[way.from]
		n.mu.Unlock()
		if lost {
			<-moved
			continue
		}
		if slow {
			time.Sleep(retry + time.Duration(size)*time.Second/(128<<10))
		}
		return
	}
}

// greeting reads the first request of a connection as far as it names the client, and tells where that is: nodes are called raft-1, replica-1 and node-1.
func greeting(c net.Conn) (read []byte, from int) {
	head := make([]byte, 14) // size, key, version, correlation id, length of the name
	k, err := io.ReadFull(c, head)
	if err != nil {
		return head[:k], clients
	}
	name := make([]byte, max(0, int16(binary.BigEndian.Uint16(head[12:]))))
	k, _ = io.ReadFull(c, name) // an error comes again when the rest is read
	head = append(head, name[:k]...)
	for i := range nodes {
		for _, kind := range []string{"raft", "replica", "node"} {
			if string(name) == fmt.Sprintf("%s-%d", kind, i+1) {
				return head, i
			}
		}
	}
	return head, clients
}
