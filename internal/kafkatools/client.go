package kafkatools

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Java's defaults of request.timeout.ms and default.api.timeout.ms.
const (
	requestTimeout = 30 * time.Second
	apiTimeout     = 60 * time.Second
)

// softwareVersion is what servers are told of the program beside its name.
const softwareVersion = "kafka-tools"

// client is a Kafka client that has not connected yet: the first request does.
type client struct {
	*kgo.Client
	// request and api bound one request, and one call with all its retries.
	request, api time.Duration
}

// open makes a client. opts come behind those of the settings.
func open(s settings, opts ...kgo.Opt) (*client, error) {
	servers, err := s.servers()
	if err != nil {
		return nil, err
	}
	c := &client{}
	if c.request, err = s.millis("request.timeout.ms", requestTimeout); err != nil {
		return nil, err
	}
	if c.api, err = s.millis("default.api.timeout.ms", apiTimeout); err != nil {
		return nil, err
	}
	id := s["client.id"]
	if id == "" {
		id = "ottla"
	}
	all := []kgo.Opt{
		kgo.SeedBrokers(servers...), kgo.ClientID(id), kgo.SoftwareNameAndVersion("ottla", softwareVersion),
		kgo.DialTimeout(min(c.request, 10*time.Second)), kgo.RetryTimeout(c.api), kgo.RequestRetries(1 << 20),
		kgo.RequestTimeoutOverhead(min(max(c.request, 100*time.Millisecond), 15*time.Minute)),
		kgo.MetadataMinAge(10 * time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 100 * time.Millisecond }),
	}
	secure, err := s.security()
	if err != nil {
		return nil, err
	}
	c.Client, err = kgo.NewClient(append(append(all, secure...), opts...)...)
	return c, err
}

// unreached says of each server once that it can't be reached, as Java's client does: a wrong address would look like an empty topic.
type unreached struct {
	w *World

	mu   sync.Mutex // a leaf; guards said
	said map[string]bool
}

func sayUnreached(w *World) kgo.Opt {
	return kgo.WithHooks(&unreached{w: w, said: make(map[string]bool)})
}

// OnBrokerConnect implements kgo.HookBrokerConnect.
func (u *unreached) OnBrokerConnect(b kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	address := net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
	u.mu.Lock()
	said := u.said[address]
	u.said[address] = true
	u.mu.Unlock()
	if !said {
		u.w.warn(fmt.Sprintf("WARN Connection to node %d (%s) could not be established. Node may not be available.", max(b.NodeID, -1), address))
	}
}

// timeoutMillis is what requests say of how long the server may take.
func (c *client) timeoutMillis() int32 { return int32(min(c.request.Milliseconds(), 1<<31-1)) }

// errTimeout is what Java's admin client says of a call that no server answered in time.
func errTimeout(call string) error {
	return &javaError{class: "TimeoutException", message: "Timed out waiting for a node assignment. Call: " + call, code: 7}
}

// ask sends a request and returns its answer; call is what Java's admin client names it when nobody answers.
func ask[R kmsg.Response](ctx context.Context, c *client, call string, req kmsg.Request) (R, error) {
	var none R
	ctx, cancel := context.WithTimeout(ctx, c.api)
	defer cancel()
	resp, err := c.Request(ctx, req)
	if isController(err) {
		return askAny[R](ctx, c, call, req)
	}
	if err != nil {
		return none, c.failed(call, req, err)
	}
	return resp.(R), nil
}

// askNode is [ask] for one broker.
func askNode[R kmsg.Response](ctx context.Context, c *client, node int32, call string, req kmsg.Request) (R, error) {
	var none R
	ctx, cancel := context.WithTimeout(ctx, c.api)
	defer cancel()
	resp, err := c.Broker(int(node)).RetriableRequest(ctx, req)
	if isController(err) {
		return askAny[R](ctx, c, call, req)
	}
	if err != nil {
		return none, c.failed(call, req, err)
	}
	return resp.(R), nil
}

// errNoSuchAPI is a request that the server does not know.
var errNoSuchAPI = errors.New("the server has no such API")

// noSuchAPI is errNoSuchAPI in the words of Java's client.
type noSuchAPI struct{ key string }

// Error names the API.
func (e noSuchAPI) Error() string { return "The node does not support " + e.key }

// Is makes it an errNoSuchAPI.
func (noSuchAPI) Is(target error) bool { return target == errNoSuchAPI }

// failed words an error of the client in the way of Java's.
func (c *client) failed(call string, req kmsg.Request, err error) error {
	var op *net.OpError
	switch text := err.Error(); {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &op), strings.Contains(text, "unknown broker"):
		return errTimeout(call)
	case strings.Contains(text, "request key is unknown"), strings.Contains(text, "broker is too old"):
		return noSuchAPI{javaKey(req.Key())}
	}
	return err
}

// javaKey is the name of an API as Java's enumeration of them has it.
func javaKey(key int16) string {
	if int(key) >= len(apiKeys) {
		return kmsg.NameForKey(key)
	}
	return javaConstant(apiKeys[key].name)
}

// javaConstant is a name such as ListGroups as a constant of Java: LIST_GROUPS.
func javaConstant(name string) string {
	var out strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) {
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToUpper(r))
	}
	return out.String()
}

// isController recognizes the end of a connection to a controller: it closes on Metadata, by which the client wants to learn
// of the cluster. What is asked of controllers is then asked without.
func isController(err error) bool {
	var first *kgo.ErrFirstReadEOF
	return errors.As(err, &first)
}

// askAny is [ask] for whichever of the servers that were named answers first; no request is made to learn of others.
func askAny[R kmsg.Response](ctx context.Context, c *client, call string, req kmsg.Request) (R, error) {
	var none R
	ctx, cancel := context.WithTimeout(ctx, c.api)
	defer cancel()
	var err error
	for _, seed := range c.SeedBrokers() {
		var resp kmsg.Response
		if resp, err = seed.RetriableRequest(ctx, req); err == nil {
			return resp.(R), nil
		}
		if isController(err) && !serves(ctx, seed, req.Key()) {
			return none, noSuchAPI{javaKey(req.Key())}
		}
	}
	return none, c.failed(call, req, err)
}

// serves reports whether a server that closed its connection names the API. The client library takes it that a server
// without Produce, such as a controller, has not told its APIs, and sends it whatever it is asked to.
func serves(ctx context.Context, seed *kgo.Broker, key int16) bool {
	resp, err := seed.RetriableRequest(ctx, apiVersionsRequest())
	if err != nil {
		return true
	}
	return slices.ContainsFunc(resp.(*kmsg.ApiVersionsResponse).ApiKeys, func(k kmsg.ApiVersionsResponseApiKey) bool { return k.ApiKey == key })
}

// servers are the addresses to start from, without those whose name means nothing.
func (s settings) servers() ([]string, error) {
	var all []string
	for word := range strings.SplitSeq(s[bootstrapServers], ",") {
		word = strings.TrimSpace(word)
		if word == "" {
			continue
		}
		host, port, err := net.SplitHostPort(word)
		n, perr := strconv.ParseUint(port, 10, 16)
		if err != nil || perr != nil || n == 0 || host == "" {
			return nil, fmt.Errorf("Invalid url in bootstrap.servers: %s", word)
		}
		if net.ParseIP(host) == nil {
			if _, err := net.LookupHost(host); err != nil {
				continue
			}
		}
		all = append(all, word)
	}
	if all == nil {
		return nil, errors.New("No resolvable bootstrap urls given in bootstrap.servers")
	}
	return all, nil
}

// millis is a number of milliseconds.
func (s settings) millis(key string, fallback time.Duration) (time.Duration, error) {
	v, ok := s[key]
	if !ok {
		return fallback, nil
	}
	n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("Invalid value %s for configuration %s: want milliseconds", v, key)
	}
	return time.Duration(n) * time.Millisecond, nil
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
