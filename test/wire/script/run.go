package script

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// run is the cases of one API at one version.
type run struct {
	*player
	api     api
	version int16
	// names is the prefix, if it does not follow from api and version.
	names string
	// used counts the names of cases.
	used map[string]int
	// members are the symbols of what coordinators drew for members; nil draws none.
	members map[string]string
}

// givenUp is why a run could not go on.
type givenUp struct{ error }

func (r *run) fail(format string, args ...any) {
	panic(givenUp{fmt.Errorf(format, args...)})
}

// entry records an outcome; a name used again gets a number.
func (r *run) entry(name string, lines []string) {
	if r.used == nil {
		r.used = map[string]int{}
	}
	if r.used[name]++; r.used[name] > 1 {
		name = fmt.Sprintf("%s (%d)", name, r.used[name])
	}
	r.out = append(r.out, Entry{API: r.api.Name(), Case: name, Version: r.version, Lines: lines})
}

// prefix begins the names of all topics of one API, listener and version.
func (r *run) prefix() string {
	if r.names != "" {
		return r.names
	}
	l := "b"
	if r.api.where == controller {
		l = "c"
	}
	return fmt.Sprintf("x%s%s-%02dv%d-", l, r.nonce, r.numbers[r.api.Name()], r.version)
}

// name gives the full name of a topic of this run.
func (r *run) name(short string) string { return r.prefix() + short }

// clean replaces what differs between nodes and versions in a text.
func (r *run) clean(s string) string {
	s = strings.ReplaceAll(s, r.prefix(), "")
	for _, d := range r.target.Dirs {
		s = strings.ReplaceAll(s, d, "<dir>")
	}
	if r.target.ClusterID != "" {
		s = strings.ReplaceAll(s, r.target.ClusterID, "<cluster>")
	}
	for id, name := range r.topics {
		if strings.HasPrefix(name, r.prefix()) {
			s = strings.ReplaceAll(s, uuidText(id), "id("+strings.TrimPrefix(name, r.prefix())+")")
		}
	}
	s = drawnUUID.ReplaceAllStringFunc(s, r.drawn)
	for id, sym := range r.members {
		s = strings.ReplaceAll(s, id, sym)
	}
	s = times.ReplaceAllStringFunc(s, nearNow)
	for addr, sym := range map[string]string{r.target.Broker: "<broker>", r.target.Controller: "<controller>"} {
		_, port, _ := strings.Cut(addr, ":")
		if addr != "" {
			s = strings.ReplaceAll(s, addr, sym)
			s = strings.ReplaceAll(s, ":"+port, ":"+sym)
		}
	}
	return s
}

// times matches what may be a time in ms within a text.
var times = regexp.MustCompile(`-?\b[0-9]{13,19}\b`)

// nearNow replaces a time of about now, and one counted from the end of time.
func nearNow(s string) string {
	n, err := strconv.ParseInt(s, 10, 64)
	if now := time.Now().UnixMilli(); err == nil && (within(n, now) || within(n+math.MaxInt64, now)) {
		return "<time>"
	}
	return s
}

// within says whether two times are less than two hours apart.
func within(a, b int64) bool { return a-b < 7_200_000 && b-a < 7_200_000 }

func (r *run) renderer() *renderer {
	rr := &renderer{
		api: r.api.key, control: r.api.where == controller, clean: r.clean,
		ports: map[int64]string{}, topics: r.topics, symbols: map[string]map[string]string{},
		keep: func(topic string) bool {
			return !foreign.MatchString(topic) || strings.HasPrefix(topic, r.prefix())
		},
	}
	for addr, sym := range map[string]string{r.target.Broker: "<broker>", r.target.Controller: "<controller>"} {
		var n int64
		if _, port, ok := strings.Cut(addr, ":"); ok {
			fmt.Sscan(port, &n)
			rr.ports[n] = sym
		}
	}
	return rr
}

// do plays one case: sends req at the run's version and records the outcome.
// It returns the answer, or an answer of defaults where none came.
func do[R kmsg.Response](r *run, name string, req interface {
	kmsg.Request
	ResponseKind() kmsg.Response
}) R {
	req.SetVersion(r.version)
	body, err := r.exchange(r.api.where, req.Key(), req.GetVersion(), req.IsFlexible(), req.AppendTo(nil))
	resp := r.outcome(name, req.ResponseKind(), body, err)
	return resp.(R)
}

// unansweredByKafka is do for a case that leaves Kafka's client waiting.
func (r *run) unansweredByKafka(name string, req kmsg.Request) {
	r.silent = true
	defer func() { r.silent = false }()
	r.do(name, req)
}

// do is do for a case whose answer nobody needs.
func (r *run) do(name string, req kmsg.Request) { do[kmsg.Response](r, name, req) }

// outcome records what came of a request.
func (r *run) outcome(name string, resp kmsg.Response, body []byte, err error) kmsg.Response {
	note := ""
	resp.SetVersion(r.version)
	if err == nil {
		note, err = decode(resp, r.version, body)
	}
	if err != nil {
		r.entry(name, []string{err.Error()})
		fresh := reflectNew(resp)
		fresh.SetVersion(r.version)
		return fresh
	}
	r.learn(resp)
	lines := r.renderer().answer(resp)
	if note != "" {
		lines = append(lines, "encoding: "+note)
	}
	r.entry(name, lines)
	return resp
}

// at plays a request of another API than the run's, at a version of its own.
func (r *run) at(l listener, version int16, name string, req kmsg.Request) kmsg.Response {
	req.SetVersion(version)
	body, err := r.exchange(l, req.Key(), version, req.IsFlexible(), req.AppendTo(nil))
	return r.outcomeOf(l, name, req, body, err)
}

// outcomeOf records what came of a request that carries its version itself.
func (r *run) outcomeOf(l listener, name string, req kmsg.Request, body []byte, err error) kmsg.Response {
	other := *r
	other.api.key, other.api.where, other.version, other.names = req.Key(), l, req.GetVersion(), r.prefix()
	own := len(r.out)
	resp := other.outcome(name, req.ResponseKind(), body, err)
	for i := own; i < len(r.out); i++ {
		r.out[i].API, r.out[i].Version = r.api.Name(), r.version
	}
	r.used = other.used
	return resp
}

// raw plays a case whose body is given as bytes.
func (r *run) raw(name string, version int16, flexible bool, body []byte) {
	answer, err := r.exchange(r.api.where, r.api.key, version, flexible, body)
	r.outcome(name, kmsg.ResponseForKey(r.api.key), answer, err)
}

// unanswered plays a request that wants no answer, followed by one that does:
// the outcome is which of the two is answered first.
func (r *run) unanswered(name string, req kmsg.Request) {
	c, err := r.conn(r.api.where)
	if err != nil {
		r.entry(name, []string{err.Error()})
		return
	}
	_, err = c.send(req.Key(), req.GetVersion(), req.IsFlexible(), req.AppendTo(nil))
	var second, got int32
	if err == nil {
		v := kmsg.NewPtrApiVersionsRequest()
		second, err = c.send(keyAPIVersions, 0, false, v.AppendTo(nil))
	}
	if err == nil {
		got, _, err = c.receive(answerWait)
	}
	switch {
	case err != nil:
		r.drop(r.api.where)
		r.entry(name, []string{err.Error()})
	case got == second:
		r.entry(name, []string{"unanswered"})
	default:
		r.drop(r.api.where)
		r.entry(name, []string{"answered"})
	}
}

// settle gives a request that is on its way the time to arrive and begin to wait, which nobody else can see.
func (r *run) settle() {
	t := time.NewTimer(100 * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.ctx.Done():
	}
}

// meanwhile plays a request that waits on a connection of its own, does
// something, and records the answer that this brings about. The request's
// version is the run's if it is of the run's API.
func (r *run) meanwhile(l listener, name string, req kmsg.Request, something func()) {
	if req.Key() == r.api.key {
		req.SetVersion(r.version)
	}
	w := r.beginAt(l, req)
	if w.err == nil {
		something()
	}
	body, err := w.answer()
	r.outcomeOf(l, name, req, body, err)
}
