package api

import (
	"cmp"
	"errors"
	"iter"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ottla/ottla/internal/fetchsession"
	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/transport"
	"github.com/ottla/ottla/internal/wire"
)

// answer lets the session choose what to name, and encodes it.
func (f *reads) answer() transport.Response {
	id, named, err := f.Sessions.finish(f.Now(), &f.session, f.outcome())
	if err != nil {
		f.release()
		return f.refused(err)
	}
	return f.encode(wire.FetchHead{SessionID: id}, f.session.Partitions, named)
}

// broken is the answer to a request that makes no sense: every partition fails, or from version 13 on just the request.
func (f *reads) broken(asked []fetchsession.Partition) transport.Response {
	if wire.TopicsByID(f.hdr.Version) {
		return f.refused(kerr.UnknownServerError)
	}
	f.found = f.found[:0]
	for i := range asked {
		out := wire.NewFetched(asked[i].Partition)
		out.ErrorCode, out.Aborted = kerr.UnknownServerError.Code, []wire.AbortedTransaction{}
		f.found = append(f.found, found{out: out})
	}
	return f.encode(wire.FetchHead{ErrorCode: kerr.UnknownServerError.Code}, asked, nil)
}

// encode writes the partitions that are named; nil names all.
func (f *reads) encode(head wire.FetchHead, asked []fetchsession.Partition, named []bool) transport.Response {
	asked, named = f.ranked(asked, named)
	buf := transport.NewReply(128 + 96*len(f.found))
	var out wire.FetchWriter
	var nodes leaders
	topics := 0
	for range byTopic(asked, named) {
		topics++
	}
	out.Begin(buf.B, f.hdr, head, topics)
	for first, g := range byTopic(asked, named) {
		out.Topic(asked[first].Topic, asked[first].ID, g.count)
		for i := first; i < g.end; i++ {
			if named != nil && !named[i] {
				continue
			}
			r := &f.found[i]
			if f.replica < 0 {
				nodes.add(r.out.CurrentLeader)
			}
			at := out.Partition(&r.out, r.size)
			if r.span != nil {
				f.Counters.BytesOut.Add(int64(r.size))
				if f.replica >= 0 {
					r.partition.Sent(f.replica, r.size, f.Now())
				}
				buf.Holes = append(buf.Holes, transport.Hole{At: at, Range: r.span})
			}
		}
	}
	buf.B = out.End(nodes.endpoints(f.call))
	return transport.Response{Buf: buf, Holes: buf.Holes}
}

// rank is where Kafka puts a partition in its answer: after all others come those of unknown topic ids, then those that
// are not known here.
func (r *found) rank() int {
	switch {
	case errors.Is(r.err, kerr.UnknownTopicID):
		return 1
	case errors.Is(r.err, kerr.UnknownTopicOrPartition):
		return 2
	}
	return 0
}

// ranked brings what was found into the order of the answer, and what was asked and is named with it.
func (f *reads) ranked(asked []fetchsession.Partition, named []bool) ([]fetchsession.Partition, []bool) {
	if !slices.ContainsFunc(f.found, func(r found) bool { return r.err != nil }) {
		return asked, named
	}
	order := make([]int, len(f.found))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(f.found[a].rank(), f.found[b].rank()) })
	all := slices.Clone(f.found)
	sorted := make([]fetchsession.Partition, len(asked))
	which := make([]bool, len(asked))
	for to, from := range order {
		f.found[to], sorted[to], which[to] = all[from], asked[from], named == nil || named[from]
	}
	return sorted, which
}

// outcome is what the session is to know of the reads.
func (f *reads) outcome() []fetchsession.Result {
	f.results = f.results[:0]
	for i := range f.found {
		r := &f.found[i]
		f.results = append(f.results, fetchsession.Result{
			ErrorCode: r.out.ErrorCode, HighWatermark: r.out.HighWatermark, LogStartOffset: r.out.LogStartOffset,
			Bytes: r.size, Noteworthy: r.out.Diverging != wire.NoEpochEnd || r.out.PreferredReplica != kafka.NoNode,
		})
	}
	return f.results
}

// stretch is the partitions of one topic in an answer: count of them, at places below end.
type stretch struct{ end, count int }

// byTopic joins the partitions that the answer names: those of a topic that follow each other, as Kafka does. It
// yields each stretch's first place.
func byTopic(asked []fetchsession.Partition, named []bool) iter.Seq2[int, stretch] {
	return func(yield func(int, stretch) bool) {
		first, g := 0, stretch{}
		for i := range asked {
			if named != nil && !named[i] {
				continue
			}
			if g.count > 0 && (asked[i].Topic != asked[first].Topic || asked[i].ID != asked[first].ID) {
				if !yield(first, g) {
					return
				}
				g = stretch{}
			}
			if g.count == 0 {
				first = i
			}
			g.end, g.count = i+1, g.count+1
		}
		if g.count > 0 {
			yield(first, g)
		}
	}
}

// refused is the answer to a fetch whose session is in error.
func (f *reads) refused(err error) transport.Response {
	buf := transport.NewReply(64)
	var out wire.FetchWriter
	out.Begin(buf.B, f.hdr, wire.FetchHead{ErrorCode: code(err)}, 0)
	buf.B = out.End(nil)
	return transport.Response{Buf: buf}
}
