package bare

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Listen runs the server of that kind on an address.
func Listen(kind, address, dir string) error {
	nl, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return Serve(nl, kind, dir)
}

// Serve runs the server of that kind (echo, null or bare) until the listener fails.
func Serve(nl net.Listener, kind, dir string) error {
	s := &server{address: nl.Addr().(*net.TCPAddr), logs: newLogs(dir, kind == "bare")}
	handle := s.serve
	switch kind {
	case "echo":
		handle = func(nc net.Conn) error {
			_, err := io.CopyBuffer(struct{ io.Writer }{nc}, struct{ io.Reader }{nc}, make([]byte, 64<<10))
			return err
		}
	case "null", "bare":
	default:
		return fmt.Errorf("there is no bare server %q", kind)
	}
	for {
		nc, err := nl.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer nc.Close()
			_ = handle(nc) // a client that goes away is no error, and others show in what the benchmark gets
		}()
	}
}

type server struct {
	address *net.TCPAddr
	logs    *logs
}

// serve answers the frames of a connection one after another.
func (s *server) serve(nc net.Conn) error {
	var in, out []byte
	var size [4]byte
	for {
		if _, err := io.ReadFull(nc, size[:]); err != nil {
			return err
		}
		n := int(binary.BigEndian.Uint32(size[:]))
		if n > cap(in) {
			in = make([]byte, n)
		}
		if _, err := io.ReadFull(nc, in[:n]); err != nil {
			return err
		}
		key, req, id, err := decode(in[:n])
		if err != nil {
			return err
		}
		if key == kmsg.Fetch {
			if out, err = s.fetch(nc, out, id, req.(*kmsg.FetchRequest)); err != nil {
				return err
			}
			continue
		}
		resp, err := s.answer(req)
		if err != nil {
			return err
		}
		out = append(out[:0], 0, 0, 0, 0)
		out = binary.BigEndian.AppendUint32(out, id)
		if resp.IsFlexible() && key != kmsg.ApiVersions {
			out = append(out, 0)
		}
		out = resp.AppendTo(out)
		binary.BigEndian.PutUint32(out, uint32(len(out)-4))
		if _, err := nc.Write(out); err != nil {
			return err
		}
	}
}

// decode reads header and body. The body's records are part of the frame.
func decode(frame []byte) (kmsg.Key, kmsg.Request, uint32, error) {
	if len(frame) < 10 {
		return 0, nil, 0, errors.New("a frame without a header")
	}
	key := kmsg.Key(binary.BigEndian.Uint16(frame))
	version := int16(binary.BigEndian.Uint16(frame[2:]))
	req := kmsg.RequestForKey(key.Int16())
	if req == nil {
		return 0, nil, 0, fmt.Errorf("unknown key %d", key)
	}
	req.SetVersion(version)
	id := binary.BigEndian.Uint32(frame[4:])
	at := 10
	if client := int16(binary.BigEndian.Uint16(frame[8:])); client > 0 {
		at += int(client)
	}
	if req.IsFlexible() {
		at++ // no tags
	}
	if at > len(frame) {
		return 0, nil, 0, errors.New("a header that is cut short")
	}
	if key == kmsg.ApiVersions && version > maxVersions[key] {
		req.SetVersion(0) // what a client that is too new is answered in
		req.(*kmsg.ApiVersionsRequest).ClientSoftwareName = tooNew
		return key, req, id, nil
	}
	return key, req, id, req.ReadFrom(frame[at:])
}

// maxVersions are those without topic ids; minVersions those with batches of today.
var (
	maxVersions = map[kmsg.Key]int16{kmsg.Produce: 9, kmsg.Fetch: 12, kmsg.ListOffsets: 5, kmsg.Metadata: 9, kmsg.ApiVersions: 3,
		kmsg.CreateTopics: 7, kmsg.DeleteTopics: 5}
	minVersions = map[kmsg.Key]int16{kmsg.Produce: 3, kmsg.Fetch: 12, kmsg.ListOffsets: 1, kmsg.CreateTopics: 2, kmsg.DeleteTopics: 1}
)

// tooNew marks a request for a version that is not known.
const tooNew = "\x00too new"

func (s *server) answer(req kmsg.Request) (kmsg.Response, error) {
	resp := req.ResponseKind()
	switch req := req.(type) {
	case *kmsg.ProduceRequest:
		return resp, s.produce(req, resp.(*kmsg.ProduceResponse))
	case *kmsg.ApiVersionsRequest:
		s.versions(resp.(*kmsg.ApiVersionsResponse))
		if req.ClientSoftwareName == tooNew {
			resp.(*kmsg.ApiVersionsResponse).ErrorCode = kerr.UnsupportedVersion.Code
		}
	case *kmsg.MetadataRequest:
		s.metadata(req, resp.(*kmsg.MetadataResponse))
	case *kmsg.ListOffsetsRequest:
		s.offsets(req, resp.(*kmsg.ListOffsetsResponse))
	case *kmsg.CreateTopicsRequest:
		for _, t := range req.Topics {
			s.logs.create(t.Topic, t.NumPartitions)
			made := kmsg.NewCreateTopicsResponseTopic()
			made.Topic = t.Topic
			resp.(*kmsg.CreateTopicsResponse).Topics = append(resp.(*kmsg.CreateTopicsResponse).Topics, made)
		}
	case *kmsg.DeleteTopicsRequest:
		for _, name := range req.TopicNames {
			s.logs.remove(name)
			gone := kmsg.NewDeleteTopicsResponseTopic()
			gone.Topic = &name
			resp.(*kmsg.DeleteTopicsResponse).Topics = append(resp.(*kmsg.DeleteTopicsResponse).Topics, gone)
		}
	default:
		return nil, fmt.Errorf("no answer to key %d", req.Key())
	}
	return resp, nil
}

func (s *server) produce(req *kmsg.ProduceRequest, resp *kmsg.ProduceResponse) error {
	resp.Topics = make([]kmsg.ProduceResponseTopic, len(req.Topics))
	for i, t := range req.Topics {
		answer := &resp.Topics[i]
		answer.Topic, answer.Partitions = t.Topic, make([]kmsg.ProduceResponseTopicPartition, len(t.Partitions))
		for j, p := range t.Partitions {
			base, err := s.logs.append(t.Topic, p.Partition, p.Records)
			if err != nil {
				return err
			}
			answer.Partitions[j].Partition, answer.Partitions[j].BaseOffset, answer.Partitions[j].LogAppendTime = p.Partition, base, -1
		}
	}
	return nil
}

func (s *server) versions(resp *kmsg.ApiVersionsResponse) {
	for key := kmsg.Key(0); key < 30; key++ {
		if most, ok := maxVersions[key]; ok {
			k := kmsg.NewApiVersionsResponseApiKey()
			k.ApiKey, k.MinVersion, k.MaxVersion = key.Int16(), minVersions[key], most
			resp.ApiKeys = append(resp.ApiKeys, k)
		}
	}
}

func (s *server) metadata(req *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
	b := kmsg.NewMetadataResponseBroker()
	b.NodeID, b.Host, b.Port = 1, s.address.IP.String(), int32(s.address.Port)
	resp.Brokers, resp.ControllerID = append(resp.Brokers, b), 1
	names := s.logs.names()
	if req.Topics != nil {
		names = names[:0]
		for _, t := range req.Topics {
			names = append(names, *t.Topic)
		}
	}
	for _, name := range names {
		t := kmsg.NewMetadataResponseTopic()
		t.Topic = &name
		count := s.logs.partitions(name)
		if count == 0 {
			t.ErrorCode = kerr.UnknownTopicOrPartition.Code
		}
		for i := range count {
			p := kmsg.NewMetadataResponseTopicPartition()
			p.Partition, p.Leader, p.Replicas, p.ISR = i, 1, []int32{1}, []int32{1}
			t.Partitions = append(t.Partitions, p)
		}
		resp.Topics = append(resp.Topics, t)
	}
}

func (s *server) offsets(req *kmsg.ListOffsetsRequest, resp *kmsg.ListOffsetsResponse) {
	for _, t := range req.Topics {
		answer := kmsg.NewListOffsetsResponseTopic()
		answer.Topic = t.Topic
		for _, p := range t.Partitions {
			a := kmsg.NewListOffsetsResponseTopicPartition()
			a.Partition, a.Timestamp, a.LeaderEpoch = p.Partition, -1, -1
			switch l := s.logs.find(t.Topic, p.Partition); {
			case l == nil:
				a.ErrorCode = kerr.UnknownTopicOrPartition.Code
			case p.Timestamp == -2:
				a.Offset = 0
			default:
				a.Offset = l.end()
			}
			answer.Partitions = append(answer.Partitions, a)
		}
		resp.Topics = append(resp.Topics, answer)
	}
}

func logName(topic string, partition int32) string { return topic + "-" + strconv.Itoa(int(partition)) }
