package kafkatools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/java"
	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

const deleteRecordsAbout = "This tool helps to delete records of the given partitions down to the specified offset."

func deleteRecordsMain(ctx context.Context, w *World, args []string) int {
	t := newJoptTool(nil, nil)
	file := t.Accepts("offset-json-file", `A JSON file: {"partitions": [{"topic": "foo", "partition": 1, "offset": 1}], "version": 1}; offset -1 stands for the high watermark.`).Arg("String: Offset json file path")
	s, err := t.Parse(args)
	if err != nil {
		w.errorln(err)
		return 1
	}
	if exit, done := t.asked(w, args, s, deleteRecordsAbout); done {
		return exit
	}
	all, err := t.wants(s, file)
	if err != nil {
		return w.usage(t.Parser, err.Error())
	}
	if err := deleteRecords(ctx, w, s, all, file); err != nil {
		w.errorln(err)
		return 1
	}
	return 0
}

// wants reads the settings of a tool that needs a server and the options.
func (t *joptTool) wants(s *jopt.Set, required ...*jopt.Option) (settings, error) {
	all, err := t.settings(s)
	if err != nil {
		return nil, err
	}
	if all[bootstrapServers] == "" {
		return nil, s.CheckRequired(t.server)
	}
	return all, s.CheckRequired(required...)
}

// offsetsFile is the file of kafka-delete-records.
type offsetsFile struct {
	Version    *int32 `json:"version"`
	Partitions *[]struct {
		Topic     *string `json:"topic"`
		Partition *int32  `json:"partition"`
		Offset    *int64  `json:"offset"`
	} `json:"partitions"`
}

// parseOffsetsFile returns the partitions in the order of Java's map of them.
func parseOffsetsFile(text []byte) ([]kafka.TopicPartition, map[kafka.TopicPartition]int64, error) {
	var f offsetsFile
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, nil, errors.New("The input string is not a valid JSON")
	}
	if f.Version != nil && *f.Version != 1 {
		return nil, nil, fmt.Errorf("Not supported version field value %d", *f.Version)
	}
	if f.Partitions == nil {
		return nil, nil, errors.New("Missing partitions field")
	}
	var order []kafka.TopicPartition
	var twice []string
	offsets := map[kafka.TopicPartition]int64{}
	for _, p := range *f.Partitions {
		if p.Topic == nil || p.Partition == nil || p.Offset == nil {
			return nil, nil, errors.New("each partition needs topic, partition and offset")
		}
		tp := kafka.TopicPartition{Topic: *p.Topic, Partition: *p.Partition}
		if _, known := offsets[tp]; known {
			twice = append(twice, tp.String())
			continue
		}
		order, offsets[tp] = append(order, tp), *p.Offset
	}
	if twice != nil {
		return nil, nil, errors.New("Offset json file contains duplicate topic partitions: " + strings.Join(twice, ","))
	}
	return java.HashOrder(order, hashPartition), offsets, nil
}

func deleteRecords(ctx context.Context, w *World, s *jopt.Set, all settings, file *jopt.Option) error {
	name, err := s.Value(file)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	order, offsets, err := parseOffsetsFile(text)
	if err != nil {
		return err
	}
	c, err := open(all)
	if err != nil {
		return err
	}
	defer c.Close()
	w.println("Executing records delete operation")
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = c.timeoutMillis()
	for _, tp := range order {
		p := kmsg.NewDeleteRecordsRequestTopicPartition()
		p.Partition, p.Offset = tp.Partition, offsets[tp]
		t := kmsg.NewDeleteRecordsRequestTopic()
		t.Topic, t.Partitions = tp.Topic, []kmsg.DeleteRecordsRequestTopicPartition{p}
		req.Topics = append(req.Topics, t)
	}
	marks, failed := c.deleteRecords(ctx, req)
	w.println("Records delete operation completed:")
	for _, tp := range order {
		if mark, ok := marks[tp]; ok {
			w.printf("partition: %s\tlow_watermark: %d\n", tp, mark)
			continue
		}
		err := failed[tp]
		if err == nil {
			err = javaCode(3, nil)
		}
		w.printf("partition: %s\terror: %s\n", tp, javaFull(err))
	}
	return nil
}

// deleteRecords gives the new start of each partition, or why it has none.
func (c *client) deleteRecords(ctx context.Context, req *kmsg.DeleteRecordsRequest) (map[kafka.TopicPartition]int64, map[kafka.TopicPartition]error) {
	ctx, cancel := context.WithTimeout(ctx, c.api)
	defer cancel()
	marks, failed := map[kafka.TopicPartition]int64{}, map[kafka.TopicPartition]error{}
	for _, shard := range c.RequestSharded(ctx, req) {
		if shard.Err != nil {
			for _, t := range shard.Req.(*kmsg.DeleteRecordsRequest).Topics {
				for _, p := range t.Partitions {
					failed[kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}] = c.failed("deleteRecords", req, shard.Err)
				}
			}
			continue
		}
		for _, t := range shard.Resp.(*kmsg.DeleteRecordsResponse).Topics {
			for _, p := range t.Partitions {
				tp := kafka.TopicPartition{Topic: t.Topic, Partition: p.Partition}
				if err := javaCode(p.ErrorCode, nil); err != nil {
					failed[tp] = err
				} else {
					marks[tp] = p.LowWatermark
				}
			}
		}
	}
	return marks, failed
}
