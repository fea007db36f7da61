package ottla

import (
	"cmp"
	"reflect" //nolint:depguard // an answer that refuses mirrors its request, of any of Kafka's kinds
	"slices"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Failure says which requests of clients fail, and how. Every field that is set narrows it.
type Failure struct {
	// Keys are the requests that fail, such as kmsg.Produce; none are all but ApiVersions, which nothing works without.
	Keys []kmsg.Key
	// Node is the id of the node where they do; 0 is every node.
	Node int32
	// Topic is one that the request names, Group a group likewise.
	Topic, Group string
	// Partitions are some of Topic's that fail alone, where the request names them: the node handles what it asks for beside. It is for requests that
	// list partitions below topics, such as those to produce, fetch and list offsets.
	Partitions []int32
	// When is asked about what is left. It must not block.
	When func(kmsg.Request) bool
	// Err is the error code of the answer; nil is UNKNOWN_SERVER_ERROR.
	Err *kerr.Error
	// Times is how many requests fail; 0 is one, and a negative number all until the Interception is removed.
	Times int
}

// Fail has requests answered by an error, in all that they ask for, instead of being handled.
func (c *Cluster) Fail(f Failure) *Interception {
	why := cmp.Or(f.Err, kerr.UnknownServerError)
	var left atomic.Int64
	left.Store(int64(max(f.Times, 1)))
	return c.Intercept(func(r *Request) (kmsg.Response, error) {
		part := r.Body
		if len(f.Partitions) > 0 {
			part = c.failing(r.Body, f)
		}
		switch {
		case part == nil,
			len(f.Keys) == 0 && kmsg.Key(r.Body.Key()) == kmsg.ApiVersions,
			f.Node != 0 && f.Node != r.Node,
			f.Topic != "" && !mentions(reflect.ValueOf(r.Body), f.Topic, "Topic", "Topics", "TopicNames") && !c.mentionsID(reflect.ValueOf(r.Body), f.Topic),
			f.Group != "" && !mentions(reflect.ValueOf(r.Body), f.Group, "Group", "Groups", "CoordinatorKey", "CoordinatorKeys"),
			f.When != nil && !f.When(r.Body),
			f.Times >= 0 && left.Add(-1) < 0:
			return nil, nil
		}
		if len(f.Partitions) > 0 {
			return c.failPart(r, f, part, why)
		}
		return Refusal(r.Body, why), nil
	}, f.Keys...)
}

// mentionsID is mentions of a topic by its id.
func (c *Cluster) mentionsID(v reflect.Value, topic string) bool {
	if i := c.image(); i != nil {
		if t := i.Topics.ByName(topic); t != nil {
			return mentions(v, [16]byte(t.ID), "TopicID", "TopicIDs")
		}
	}
	return false
}

// Refusal is the answer to a request in which everything that it asks for fails with an error.
func Refusal(req kmsg.Request, err *kerr.Error) kmsg.Response {
	resp := newEntry(reflect.TypeOf(req.ResponseKind()).Elem())
	refuse(resp, reflect.ValueOf(req).Elem(), err.Code)
	r := resp.Addr().Interface().(kmsg.Response) // it is of that type
	r.SetVersion(req.GetVersion())
	return r
}

// refuse gives a response an entry for each of the request's, and the code to those that take one: the innermost, but for groups. It reports
// whether there are any.
func refuse(resp, req reflect.Value, code int16) (refused bool) {
	for i := range resp.NumField() {
		to := resp.Field(i)
		if to.Kind() != reflect.Slice || to.Type().Elem().Kind() != reflect.Struct || resp.FieldByName("Group").IsValid() {
			continue
		}
		from := entries(req, resp.Type().Field(i).Name)
		for j := range from.Len() {
			entry := newEntry(to.Type().Elem())
			describe(entry, from.Index(j))
			if refuse(entry, from.Index(j), code) {
				to.Set(reflect.Append(to, entry))
				refused = true
			}
		}
	}
	if f := resp.FieldByName("ErrorCode"); !refused && f.IsValid() {
		f.SetInt(int64(code))
		refused = true
	}
	return refused
}

// entries are what of a request a list of the response answers: the list of the same name, or of one that it goes by.
func entries(req reflect.Value, name string) reflect.Value {
	if req.Kind() == reflect.Struct {
		for _, n := range append([]string{name}, also[name]...) {
			if f := req.FieldByName(n); f.IsValid() && f.Kind() == reflect.Slice && f.Len() > 0 {
				return f
			}
		}
	}
	return reflect.ValueOf([]struct{}{})
}

// also are the names that requests have for what their responses call otherwise.
var also = map[string][]string{
	"Topics":       {"TopicNames"},
	"Coordinators": {"CoordinatorKeys"},
}

// newEntry is an entry with the defaults of kmsg's constructors.
func newEntry(t reflect.Type) reflect.Value {
	p := reflect.New(t)
	if d, ok := p.Interface().(interface{ Default() }); ok {
		d.Default()
	}
	return p.Elem()
}

// describe copies to an entry of a response what the request says of it: fields of the same name and type, or the one value that it is.
func describe(entry, asked reflect.Value) {
	if asked.Kind() != reflect.Struct {
		for i := range entry.NumField() {
			if f := entry.Field(i); f.Type() == asked.Type() {
				f.Set(asked)
				return
			} else if f.Kind() == reflect.Pointer && f.Type().Elem() == asked.Type() {
				f.Set(reflect.New(asked.Type()))
				f.Elem().Set(asked)
				return
			}
		}
		return
	}
	for i := range entry.NumField() {
		to, from := entry.Field(i), asked.FieldByName(entry.Type().Field(i).Name)
		if from.IsValid() && from.Type() == to.Type() && to.Kind() != reflect.Slice {
			to.Set(from)
		}
	}
}

// mentions reports whether a request holds a value in a field of one of these names, alone or among others.
func mentions(v reflect.Value, value any, names ...string) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return !v.IsNil() && mentions(v.Elem(), value, names...)
	case reflect.Slice:
		for i := range v.Len() {
			if e := v.Index(i); e.Kind() == reflect.Struct && mentions(e, value, names...) {
				return true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Field(i)
			if slices.Contains(names, v.Type().Field(i).Name) && is(f, value) || mentions(f, value, names...) {
				return true
			}
		}
	}
	return false
}

// is reports whether a field is a value, points to it or lists it.
func is(f reflect.Value, value any) bool {
	switch f.Kind() {
	case reflect.Pointer:
		return !f.IsNil() && is(f.Elem(), value)
	case reflect.Slice:
		for i := range f.Len() {
			if is(f.Index(i), value) {
				return true
			}
		}
		return false
	}
	return f.CanInterface() && f.Interface() == value
}
