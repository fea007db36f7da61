package api_test

import (
	"encoding/binary"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/testkit"
)

// wrap is a request of a client as a broker of Kafka's forwards it, with a correlation id of 7.
func wrap(req kmsg.Request, version int16) *kmsg.EnvelopeRequest {
	e := kmsg.NewPtrEnvelopeRequest()
	e.RequestData = testkit.Frame(req, version, 7)[4:]
	e.RequestPrincipal = []byte("\x00\x00\x05User\x0aANONYMOUS\x00\x00")
	e.ClientHostAddress = []byte{127, 0, 0, 1}
	return e
}

func createRequest(topic string) *kmsg.CreateTopicsRequest {
	req := kmsg.NewPtrCreateTopicsRequest()
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = topic, 3, 1
	req.Topics = append(req.Topics, t)
	return req
}

// What comes in an envelope is done by the active controller, and its answer is in the envelope that comes back. Where another node
// leads the envelope says so, and nothing else.
func TestEnvelope(t *testing.T) {
	c := testkit.StartCluster(t, 3, testkit.Options{})
	done := 0
	for _, n := range c.Nodes {
		answer := testkit.Ask[*kmsg.EnvelopeResponse](n.DialController(), wrap(createRequest("a"), 7), 0)
		if answer.ErrorCode == kerr.NotController.Code && len(answer.ResponseData) == 0 {
			continue
		}
		if answer.ErrorCode != 0 || len(answer.ResponseData) < 5 || binary.BigEndian.Uint32(answer.ResponseData) != 7 {
			t.Fatalf("%s, %x", testkit.Code(answer.ErrorCode), answer.ResponseData)
		}
		resp := kmsg.NewPtrCreateTopicsResponse()
		resp.SetVersion(7)
		if err := resp.ReadFrom(answer.ResponseData[5:]); err != nil || len(resp.Topics) != 1 || resp.Topics[0].ErrorCode != 0 {
			t.Fatalf("%+v, %v", resp, err)
		}
		done++
	}
	if done != 1 {
		t.Errorf("%d nodes did it", done)
	}
	testkit.Eventually(t, "the topic is there", func() bool { return len(c.Nodes[0].Dial().Topics()) == 1 })
}
