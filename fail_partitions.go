package ottla

import (
	"context"
	"reflect" //nolint:depguard // an answer that refuses mirrors its request, of any of Kafka's kinds
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// failing is the part of a request that is about the partitions which a failure names; nil where it names others, or is not split by them.
func (c *Cluster) failing(req kmsg.Request, f Failure) kmsg.Request {
	if p, ok := req.(*kmsg.ProduceRequest); ok && p.Acks == 0 {
		return nil // nobody hears the answer
	}
	part := cloned(req)
	if only(part, func(topic reflect.Value, partition int32) bool {
		return c.isOf(topic, f.Topic) && slices.Contains(f.Partitions, partition)
	}) == 0 {
		return nil
	}
	return part
}

// failPart has the node handle what a failure leaves of a request, and answers with both.
func (c *Cluster) failPart(r *Request, f Failure, part kmsg.Request, why *kerr.Error) (kmsg.Response, error) {
	refusal, rest := Refusal(part, why), cloned(r.Body)
	// A fetch that left a partition out would end it in the session of whoever asks: what is read of it is dropped.
	if _, fetch := rest.(*kmsg.FetchRequest); !fetch {
		if only(rest, func(topic reflect.Value, partition int32) bool {
			return !c.isOf(topic, f.Topic) || !slices.Contains(f.Partitions, partition)
		}) == 0 {
			return refusal, nil
		}
	}
	resp, err := c.forward(r.Context(), r, rest)
	if err != nil {
		return nil, err
	}
	merge(reflect.ValueOf(resp).Elem(), reflect.ValueOf(refusal).Elem())
	return resp, nil
}

// forward has the node that a request came to handle another one in its place.
func (c *Cluster) forward(ctx context.Context, r *Request, req kmsg.Request) (kmsg.Response, error) {
	n := c.find(r.Node)
	if n == nil {
		return nil, ErrDown
	}
	client := c.asker(n, r.ClientID)
	defer client.Close()
	return client.Do(ctx, req)
}

// cloned is a copy of a request.
func cloned(req kmsg.Request) kmsg.Request {
	copied := kmsg.RequestForKey(req.Key())
	copied.SetVersion(req.GetVersion())
	if err := copied.ReadFrom(req.AppendTo(nil)); err != nil {
		panic(err) // it was read from such bytes before
	}
	return copied
}

// isOf reports whether an entry of a request is about a topic.
func (c *Cluster) isOf(entry reflect.Value, topic string) bool {
	return mentions(entry, topic, "Topic") || c.mentionsID(entry, topic)
}

// only leaves of a request the partitions that are wanted, and the topics that have some; it returns how many are left.
func only(req kmsg.Request, wanted func(topic reflect.Value, partition int32) bool) (left int) {
	topics := reflect.ValueOf(req).Elem().FieldByName("Topics")
	if !topics.IsValid() || topics.Kind() != reflect.Slice || topics.Type().Elem().Kind() != reflect.Struct {
		return 0
	}
	kept := reflect.Zero(topics.Type())
	for i := range topics.Len() {
		topic := topics.Index(i)
		partitions := topic.FieldByName("Partitions")
		if !partitions.IsValid() || partitions.Kind() != reflect.Slice {
			continue
		}
		some := reflect.Zero(partitions.Type())
		for j := range partitions.Len() {
			if index, ok := number(partitions.Index(j)); ok && wanted(topic, index) {
				some = reflect.Append(some, partitions.Index(j))
			}
		}
		if some.Len() > 0 {
			partitions.Set(some)
			kept = reflect.Append(kept, topic)
			left += some.Len()
		}
	}
	topics.Set(kept)
	return left
}

// number is the partition that an entry is, or is about.
func number(entry reflect.Value) (index int32, ok bool) {
	if entry.Kind() == reflect.Struct {
		entry = entry.FieldByName("Partition")
	}
	if !entry.IsValid() || entry.Kind() != reflect.Int32 {
		return 0, false
	}
	return int32(entry.Int()), true
}

// merge puts the partitions of one response into another, in the place of those that it has.
func merge(to, from reflect.Value) {
	topics, more := to.FieldByName("Topics"), from.FieldByName("Topics")
	for i := range more.Len() {
		topic := more.Index(i)
		j := index(topics, func(t reflect.Value) bool { return same(t, topic, "Topic") && same(t, topic, "TopicID") })
		if j < 0 {
			topics.Set(reflect.Append(topics, topic))
			continue
		}
		partitions, others := topics.Index(j).FieldByName("Partitions"), topic.FieldByName("Partitions")
		for k := range others.Len() {
			at := index(partitions, func(p reflect.Value) bool { return same(p, others.Index(k), "Partition") })
			if at < 0 {
				partitions.Set(reflect.Append(partitions, others.Index(k)))
			} else {
				partitions.Index(at).Set(others.Index(k))
			}
		}
	}
}

// index is where in a list something is so; -1 is nowhere.
func index(list reflect.Value, is func(reflect.Value) bool) int {
	for i := range list.Len() {
		if is(list.Index(i)) {
			return i
		}
	}
	return -1
}

// same reports whether two entries have the same in a field, if they have such a field.
func same(a, b reflect.Value, field string) bool {
	f := a.FieldByName(field)
	return !f.IsValid() || f.Interface() == b.FieldByName(field).Interface()
}
