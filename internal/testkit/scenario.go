package testkit

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
)

// Scenario is a node and a conversation with it, as the files of a test's testdata write it down:
//
//	ask API version=N          a request as JSON with kmsg's names; topic ids as "id(topic)". Prints what the answer has
//	                           beside the defaults
//	create topic [partitions=N] [key=value…]   make a topic
//	await topic                                wait until the topic is there
//	produce topic[-partition] value…           write a batch, its records one millisecond apart from time 1000 on
//	read topic[-partition] [from=N]            print the records
//	restart                                    stop the node and start it again on its disk
type Scenario struct {
	t     *testing.T
	n     *Node
	c     *Conn
	names map[kafka.UUID]string // what stands for ids
}

// RunScenario runs the file at path against a node of its own.
func RunScenario(t *testing.T, path string, o Options) {
	s := &Scenario{t: t, n: Start(t, o), names: map[kafka.UUID]string{}}
	s.connect()
	datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
		s.t, s.c.t, s.n.t = t, t, t
		return s.do(d)
	})
	s.n.t = t
}

func (s *Scenario) connect() { s.c = s.n.Dial() }

func (s *Scenario) do(d *datadriven.TestData) string {
	switch d.Cmd {
	case "ask":
		return s.ask(d)
	case "create":
		return s.create(d)
	case "await":
		Eventually(s.t, d.CmdArgs[0].Key+" is there", func() bool { return !s.c.Topics()[d.CmdArgs[0].Key].IsZero() })
		return ""
	case "produce":
		topic, partition := s.place(d)
		var values []string
		for _, a := range d.CmdArgs[1:] {
			values = append(values, a.Key)
		}
		p := s.c.Produce(topic, partition, BatchOf(1000, values...))
		return fmt.Sprintf("%s at %d\n", Code(p.ErrorCode), p.BaseOffset)
	case "read":
		topic, partition := s.place(d)
		var from int
		d.MaybeScanArgs(s.t, "from", &from)
		p := s.c.Fetch(topic, partition, int64(from))
		if p.ErrorCode != 0 {
			return Code(p.ErrorCode) + "\n"
		}
		values, err := Values(p.RecordBatches)
		if err != nil {
			return err.Error() + "\n"
		}
		return strings.Join(values, " ") + "\n"
	case "restart":
		s.n.Stop()
		*s.n = *Start(s.t, Options{FS: s.n.FS})
		s.connect()
		return ""
	}
	s.t.Fatalf("%s: no such command: %s", d.Pos, d.Cmd)
	return ""
}

// place reads topic-partition from the first argument.
func (s *Scenario) place(d *datadriven.TestData) (topic string, partition int32) {
	topic = d.CmdArgs[0].Key
	if i := strings.LastIndexByte(topic, '-'); i >= 0 {
		if n, err := strconv.Atoi(topic[i+1:]); err == nil {
			return topic[:i], int32(n)
		}
	}
	return topic, 0
}

func (s *Scenario) create(d *datadriven.TestData) string {
	partitions := 1
	var entries []string
	for _, a := range d.CmdArgs[1:] {
		if a.Key == "partitions" {
			d.ScanArgs(s.t, "partitions", &partitions)
			continue
		}
		entries = append(entries, a.Key, a.Vals[0])
	}
	name := d.CmdArgs[0].Key
	s.names[s.c.Create(name, int32(partitions), entries...)] = name
	return ""
}

func (s *Scenario) ask(d *datadriven.TestData) string {
	req := requestNamed(d.CmdArgs[0].Key)
	if req == nil {
		s.t.Fatalf("%s: no API is called %s", d.Pos, d.CmdArgs[0].Key)
	}
	var version int
	d.ScanArgs(s.t, "version", &version)
	if body := strings.TrimSpace(d.Input); body != "" {
		if err := json.Unmarshal([]byte(s.withIDs(body)), req); err != nil {
			s.t.Fatalf("%s: %v", d.Pos, err)
		}
	}
	c := s.c
	if d.HasArg("controller") {
		c = s.n.DialController()
	}
	c.Send(req, int16(version))
	resp, _, open := c.TryReceive(req)
	if !open {
		s.connect()
		return "closed\n"
	}
	s.learn(resp)
	lines := s.describe(nil, "", reflect.ValueOf(resp).Elem(), fresh(reflect.TypeOf(resp).Elem()))
	if len(lines) == 0 {
		return "nothing but defaults\n"
	}
	return strings.Join(lines, "\n") + "\n"
}

// requestNamed is a new request of an API, nil if there is none of that name.
func requestNamed(name string) kmsg.Request {
	for key := range int16(kmsg.MaxKey + 1) {
		if strings.EqualFold(kmsg.NameForKey(key), name) {
			req := kmsg.RequestForKey(key)
			if d, ok := req.(interface{ Default() }); ok {
				d.Default()
			}
			return req
		}
	}
	return nil
}

// withIDs replaces "id(topic)" by the id as JSON has it.
func (s *Scenario) withIDs(body string) string {
	for id, name := range s.names {
		numbers := make([]string, len(id))
		for i, b := range id {
			numbers[i] = strconv.Itoa(int(b))
		}
		body = strings.ReplaceAll(body, `"id(`+name+`)"`, "["+strings.Join(numbers, ",")+"]")
	}
	return body
}

// learn notes the ids of new topics.
func (s *Scenario) learn(resp kmsg.Response) {
	if created, ok := resp.(*kmsg.CreateTopicsResponse); ok {
		for _, t := range created.Topics {
			if t.TopicID != (kafka.UUID{}) {
				s.names[t.TopicID] = t.Topic
			}
		}
	}
}

// fresh is a value of kmsg's type t with its defaults.
func fresh(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	if d, ok := v.Interface().(interface{ Default() }); ok {
		d.Default()
	}
	return v.Elem()
}

// describe appends a line for each field that is not as in defaults.
func (s *Scenario) describe(lines []string, path string, v, defaults reflect.Value) []string {
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if name == "Version" || name == "UnknownTags" {
			continue
		}
		at, f := path+name, v.Field(i)
		if f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct {
			for j := range f.Len() {
				before := len(lines)
				lines = s.describe(lines, fmt.Sprintf("%s[%d].", at, j), f.Index(j), fresh(f.Type().Elem()))
				if len(lines) == before {
					lines = append(lines, fmt.Sprintf("%s[%d]: nothing but defaults", at, j))
				}
			}
			continue
		}
		if f.Kind() == reflect.Struct {
			lines = s.describe(lines, at+".", f, fresh(f.Type()))
			continue
		}
		if !reflect.DeepEqual(f.Interface(), defaults.Field(i).Interface()) {
			lines = append(lines, at+": "+s.value(name, f))
		}
	}
	return lines
}

func (s *Scenario) value(name string, f reflect.Value) string {
	if f.Kind() == reflect.Pointer {
		if f.IsNil() {
			return "null"
		}
		if f.Type().Elem().Kind() == reflect.Struct {
			return fmt.Sprintf("{%s}", strings.Join(s.describe(nil, "", f.Elem(), fresh(f.Type().Elem())), ", "))
		}
		f = f.Elem()
	}
	switch x := f.Interface().(type) {
	case int16:
		if strings.HasSuffix(name, "ErrorCode") {
			return Code(x)
		}
	case int32:
		switch {
		case x != 0 && slices.Contains(s.ports(), int(x)):
			return "<port>"
		}
	case [16]byte:
		if topic, ok := s.names[x]; ok {
			return "id(" + topic + ")"
		}
		return "<id>"
	case string:
		return s.quote(x)
	case []byte:
		return fmt.Sprintf("%d bytes", len(x))
	}
	return fmt.Sprint(f.Interface())
}

func (s *Scenario) ports() []int {
	var ports []int
	for _, a := range []string{s.n.Addr, s.n.ControllerAddr} {
		_, port, _ := strings.Cut(a, ":")
		n, _ := strconv.Atoi(port) // it was bound
		ports = append(ports, n)
	}
	return ports
}

// quote writes a string with what differs from run to run replaced.
func (s *Scenario) quote(x string) string {
	x = strings.ReplaceAll(x, s.n.ClusterID(), "<cluster>")
	for id, name := range s.names {
		x = strings.ReplaceAll(x, id.String(), "id("+name+")")
	}
	if strings.ContainsFunc(x, func(r rune) bool { return !unicode.IsPrint(r) }) || x == "" {
		return strconv.Quote(x)
	}
	return x
}
