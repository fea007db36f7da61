package diag

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/cli/command"
)

// facts are what was found out about the address that a broker gives to clients.
type facts struct {
	via     string // the address by which the cluster answered us, HOST:PORT
	viaIP   string // what its host is
	node    int32
	host    string // the advertised one
	port    int32
	brokers int // of the cluster

	ips     []string // what host is; none: it can't be resolved
	failure string   // of reaching it: "" none, "refused", "timeout", else the words of the system
	answer  string   // of whoever is there: "" as it should be, else what is wrong with it
}

func (f facts) address() string { return net.JoinHostPort(f.host, strconv.Itoa(int(f.port))) }

// verdict is what facts mean.
type verdict struct {
	ok      bool
	problem string // what is wrong, or worth knowing
	fix     string // what to do, "" when nothing is wrong
}

// containerID is what Docker calls a host unless it is told otherwise.
var containerID = regexp.MustCompile(`^[0-9a-f]{12}$`)

// judge says whether clients like this one can use the broker, and if not, why and what to change.
func judge(f facts) verdict {
	viaHost, viaPort, _ := net.SplitHostPort(f.via)
	near := command.Loopback(viaHost) || command.Loopback(f.viaIP)
	away := func(problem string, more ...string) verdict {
		return verdict{problem: problem, fix: f.fix(viaHost, viaPort) + strings.Join(more, "")}
	}
	switch {
	case unspecified(f.host):
		return away(fmt.Sprintf("it tells clients to go to %s, which is no address that one can go to", f.host))
	case len(f.ips) == 0:
		kind := "the name is not known here"
		if containerID.MatchString(f.host) {
			kind = "that is the id of a container, which only its own network knows"
		} else if !strings.Contains(f.host, ".") {
			kind = "a name without a dot is known in its own network only, such as that of Docker Compose or Kubernetes"
		}
		return away(fmt.Sprintf("it tells clients to go to %s, which does not resolve from here: %s", f.host, kind))
	case !near && loopbackAll(f.host, f.ips):
		return away(fmt.Sprintf("it tells clients to go to %s, which is each client's own machine, and it was reached at %s", f.address(), f.via))
	case f.failure == "refused":
		problem := fmt.Sprintf("it tells clients to go to %s, where nothing listens", f.address())
		if strconv.Itoa(int(f.port)) != viaPort && sameHost(f, viaHost) {
			problem += fmt.Sprintf(": the port by which it was reached is %s", viaPort)
		}
		return away(problem)
	case f.failure == "timeout":
		problem := fmt.Sprintf("it tells clients to go to %s, which does not answer", f.address())
		if private(f.ips) && !near && !private([]string{f.viaIP}) {
			problem += ": that is an address of a private network, and it was reached by a public one"
		}
		return away(problem, "; if the address is right, a firewall is in between")
	case f.failure != "":
		return away(fmt.Sprintf("it tells clients to go to %s, and that fails: %s", f.address(), f.failure))
	case f.answer != "":
		return away(fmt.Sprintf("it tells clients to go to %s, and there is another: %s", f.address(), f.answer))
	case near && loopbackAll(f.host, f.ips):
		return verdict{ok: true, problem: "clients on this machine reach it; those on others would be sent to themselves"}
	}
	return verdict{ok: true, problem: "clients reach it"}
}

// fix names the line of the configuration that would be right, as far as it can be known from here.
func (f facts) fix(viaHost, viaPort string) string {
	host, port := viaHost, viaPort
	if f.brokers > 1 { // which of them it was that answered, nobody knows
		host, port = "HOST", strconv.Itoa(int(f.port))
	}
	text := fmt.Sprintf("set advertised.listeners=PLAINTEXT://%s on broker %d and restart it", net.JoinHostPort(host, port), f.node)
	if f.brokers > 1 {
		text += ", HOST being the name by which clients reach that broker"
	}
	return text + " (the name before :// is that of its listener); listeners= says where it listens and may stay as it is"
}

func unspecified(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

func loopbackAll(host string, ips []string) bool {
	for _, ip := range ips {
		if !command.Loopback(ip) {
			return false
		}
	}
	return command.Loopback(host) || len(ips) > 0
}

func private(ips []string) bool {
	for _, s := range ips {
		if ip, err := netip.ParseAddr(s); err == nil && ip.IsPrivate() {
			return true
		}
	}
	return false
}

// sameHost reports whether the advertised host is the one that answered.
func sameHost(f facts, viaHost string) bool {
	if f.host == viaHost {
		return true
	}
	for _, ip := range f.ips {
		if ip == f.viaIP {
			return true
		}
	}
	return false
}
