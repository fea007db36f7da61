package script

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// clientID is what the script's requests carry.
const clientID = "wire"

// keyAPIVersions is the one key whose answers never have a tagged header.
const keyAPIVersions = 18

// Settings are lines of the configuration that the cases of groups count on: small limits, sessions that end while one
// looks, and no pause between two assignments.
var Settings = []string{
	"group.min.session.timeout.ms=100",
	"group.max.size=4",
	"group.consumer.max.size=4",
	"group.consumer.assignment.interval.ms=0",
	"group.consumer.min.session.timeout.ms=300",
	"group.consumer.min.heartbeat.interval.ms=100",
}

// Target is a running node to play the script against.
type Target struct {
	// Broker and Controller are the host:port of the two listeners. Without
	// Controller the cases of that listener are left out.
	Broker, Controller string
	// Dirs are the node's log directories, replaced in answers by "<dir>".
	Dirs []string
	// ClusterID is replaced in answers by "<cluster>".
	ClusterID string
	// NodeID is the node's id; answers show it as it is.
	NodeID int32
}

// Options choose part of the script.
type Options struct {
	// Only matches the names of the APIs to play (19_create_topics); nil plays all.
	Only *regexp.Regexp
	// Seed makes the random requests; 0 is the seed of the recording.
	Seed uint64
	// Progress, if set, is called with the name of each API before its cases.
	Progress func(api string)
}

// listener is where requests go.
type listener string

const (
	broker     listener = ""
	controller listener = "@controller"
)

// api is the cases of one API key on one listener.
type api struct {
	name string // as in Entry.API, without the listener
	key  int16
	// min and max are the versions to play.
	min, max int16
	where    listener
	// play runs the cases at r.version.
	play func(r *run)
	// sample gives an ordinary request without effect, to be spoilt in the
	// cases that every API shares; nil leaves those out.
	sample func(r *run) kmsg.Request
}

// Name is the API's name in transcripts.
func (a api) Name() string { return a.name + string(a.where) }

// Play runs the script and returns every outcome. An error means that the
// target could not be reached or prepared at all; a case that fails to prepare
// its topics is an entry instead.
func Play(ctx context.Context, t Target, o Options) (Transcript, error) {
	nonce := strconv.FormatInt(time.Now().UnixMilli()%1_000_000+1_000_000, 10)
	p := &player{nonce: nonce, seed: cmp.Or(o.Seed, randomSeed), numbers: map[string]int{}, ctx: ctx, target: t, topics: map[[16]byte]string{}, ids: map[string][16]byte{}}
	defer p.close()
	if err := p.prepare(); err != nil {
		return nil, fmt.Errorf("prepare %s: %w", t.Broker, err)
	}
	for i, a := range apis {
		p.numbers[a.Name()] = i
	}
	for _, a := range apis {
		if a.where == controller && t.Controller == "" || o.Only != nil && !o.Only.MatchString(a.Name()) {
			continue
		}
		if o.Progress != nil {
			o.Progress(a.Name())
		}
		if _, ok := groupAPIs[a.key]; ok && !p.coordinate(a) {
			continue
		}
		p.shared(a)
		for v := a.min; v <= a.max; v++ {
			if err := ctx.Err(); err != nil {
				return p.out, err
			}
			p.guard(a, v, a.play)
		}
	}
	return p.out, nil
}

// guard runs cases; what a run gives up on becomes an entry.
func (p *player) guard(a api, v int16, f func(*run)) {
	r := &run{player: p, api: a, version: v, members: map[string]string{}}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case givenUp:
			r.entry("given up", []string{"given up: " + r.clean(e.Error())})
		default:
			panic(e)
		}
	}()
	f(r)
}

// shared plays the cases that all APIs have in common: versions that nobody
// serves, and bodies that are no request.
func (p *player) shared(a api) {
	if a.sample == nil {
		return
	}
	if a.key != keyAPIVersions {
		for _, v := range slices.Compact([]int16{-1, a.min - 1, a.max + 1}) {
			p.guard(a, v, func(r *run) {
				req := a.sample(&run{player: p, api: a, version: a.max})
				req.SetVersion(a.max)
				r.raw("version not served", v, req.IsFlexible(), req.AppendTo(nil))
			})
		}
	}
	for v := a.min; v <= a.max; v++ {
		p.guard(a, v, func(r *run) {
			req := a.sample(r)
			req.SetVersion(v)
			body := req.AppendTo(nil)
			flex := req.IsFlexible()
			if len(body) > 0 {
				r.raw("body cut short", v, flex, body[:len(body)-1])
			}
			r.raw("body with a byte too many", v, flex, append(slices.Clone(body), 0))
			for name, claim := range claims(req) {
				r.raw(name, v, flex, claim)
			}
			if flex {
				tag := append(slices.Clone(body[:len(body)-1]), 1, 99, 2, 'h', 'i')
				r.raw("unknown tag", v, flex, tag)
				r.raw("tag that claims too much", v, flex, append(slices.Clone(body[:len(body)-1]), 1, 99, 0xff, 0xff, 0xff, 0x7f))
			}
		})
	}
}

// claims gives bodies whose first array claims a length that it has not.
func claims(req kmsg.Request) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		v := reflect.ValueOf(req).Elem()
		for i := range v.NumField() {
			f := v.Field(i)
			if f.Kind() != reflect.Slice || f.Type().Elem().Kind() == reflect.Uint8 {
				continue
			}
			kept := reflect.ValueOf(f.Interface())
			f.Set(reflect.MakeSlice(f.Type(), 0, 0))
			none := req.AppendTo(nil)
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
			one := req.AppendTo(nil)
			f.Set(kept)
			at := 0
			for at < len(none) && none[at] == one[at] {
				at++
			}
			if at == len(none) {
				continue // not in this version
			}
			long, negative := []byte{0xff, 0xff, 0xff, 0xff, 0x07}, []byte{0xff, 0xff, 0xff, 0xff, 0x0f}
			if !req.IsFlexible() {
				at -= 3
				long, negative = []byte{0x7f, 0xff, 0xff, 0xff}, []byte{0xff, 0xff, 0xff, 0xfb}
			}
			_ = yield("array that claims too much", slices.Concat(none[:at], long)) &&
				yield("array of negative length", slices.Concat(none[:at], negative))
			return
		}
	}
}

// player is the state of one play: connections and the topics made so far.
type player struct {
	ctx     context.Context
	target  Target
	seed    uint64         // of the random requests
	numbers map[string]int // of APIs, by name: several share a key
	nonce   string         // makes topics of this play distinct on a node that saw another
	conns   [2]*conn
	topics  map[[16]byte]string
	ids     map[string][16]byte
	marks   int
	// coordinates says that the broker has been asked to coordinate groups.
	coordinates bool
	silent      bool // the next requests are known to get no answer from Kafka
	out         Transcript
}

func (p *player) close() {
	for _, c := range p.conns {
		if c != nil {
			c.Close()
		}
	}
}

// conn gives the connection to a listener, dialled anew after a loss.
func (p *player) conn(l listener) (*conn, error) {
	i, addr := 0, p.target.Broker
	if l == controller {
		i, addr = 1, p.target.Controller
	}
	if p.conns[i] == nil {
		c, err := dial(addr)
		if err != nil {
			return nil, err
		}
		p.conns[i] = c
	}
	return p.conns[i], nil
}

// drop forgets a connection that closed or that owes an answer.
func (p *player) drop(l listener) {
	i := 0
	if l == controller {
		i = 1
	}
	if p.conns[i] != nil {
		p.conns[i].Close()
		p.conns[i] = nil
	}
}

// exchange sends one request and waits for its answer.
func (p *player) exchange(l listener, key, version int16, flexible bool, body []byte) ([]byte, error) {
	c, err := p.conn(l)
	if err != nil {
		return nil, err
	}
	id, err := c.send(key, version, flexible, body)
	if err != nil {
		p.drop(l)
		return nil, err
	}
	wait := answerWait
	if p.silent {
		wait = silenceWait
	}
	got, answer, err := c.receive(wait)
	if err != nil {
		p.drop(l)
		return nil, err
	}
	if got != id {
		p.drop(l)
		return nil, fmt.Errorf("answer has correlation id %d, not %d", got, id)
	}
	return answer, nil
}

// ask sends a request outside the transcript.
func (p *player) ask(l listener, req kmsg.Request) (kmsg.Response, error) {
	body, err := p.exchange(l, req.Key(), req.GetVersion(), req.IsFlexible(), req.AppendTo(nil))
	if err != nil {
		return nil, fmt.Errorf("%s v%d: %w", kmsg.NameForKey(req.Key()), req.GetVersion(), err)
	}
	resp := req.ResponseKind()
	_, err = decode(resp, req.GetVersion(), body)
	return resp, err
}
