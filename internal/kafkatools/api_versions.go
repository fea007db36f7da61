package kafkatools

import (
	"context"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafkatools/java"
)

const apiVersionsAbout = "This tool helps to retrieve broker version information."

// apiVersionsMain is kafka-broker-api-versions.
func apiVersionsMain(ctx context.Context, w *World, args []string) int {
	t := newJoptTool(nil, nil)
	s, err := t.Parse(args)
	if err != nil {
		w.errorln(err)
		return 1
	}
	if exit, done := t.asked(w, args, s, apiVersionsAbout); done {
		return exit
	}
	all, err := t.wants(s)
	if err != nil {
		return w.usage(t.Parser, err.Error())
	}
	c, err := open(all)
	if err == nil {
		defer c.Close()
		err = printAPIVersions(ctx, w, c)
	}
	if err != nil {
		w.errorln(err)
		return 1
	}
	return 0
}

func printAPIVersions(ctx context.Context, w *World, c *client) error {
	nodes, err := c.nodes(ctx)
	if err != nil {
		return err
	}
	for _, n := range java.HashOrder(nodes, clusterNode.hash) {
		resp, err := askNode[*kmsg.ApiVersionsResponse](ctx, c, n.id, "apiVersions", apiVersionsRequest())
		if err == nil {
			err = javaCode(resp.ErrorCode, nil)
		}
		if err != nil {
			w.printf("%s -> ERROR: %s\n", n, javaFull(err))
			continue
		}
		w.printf("%s -> (\n\t%s\n)\n", n, strings.Join(apiLines(resp, w.Compat), ",\n\t"))
	}
	return nil
}

// hash is Node.hashCode of Java.
func (n clusterNode) hash() int32 {
	h := 31 + java.HashString(n.host)
	h = 31*h + n.id
	h = 31*h + n.port
	h *= 31
	if n.rack != nil {
		h += java.HashString(*n.rack)
	}
	h *= 31
	if n.fenced {
		return h + 1231
	}
	return h + 1237
}

// apiLines are the APIs of an answer in the order of their keys, and those for clients that it lacks.
func apiLines(resp *kmsg.ApiVersionsResponse, r Release) []string {
	served := map[int]kmsg.ApiVersionsResponseApiKey{}
	last := len(apiKeys) - 1
	for _, k := range resp.ApiKeys {
		served[int(k.ApiKey)] = k
		last = max(last, int(k.ApiKey))
	}
	var lines []string
	for key := range last + 1 {
		k, ok := served[key]
		known := key < len(apiKeys) && apiKeys[key].latest(r) >= -1
		switch {
		case ok:
			lines = append(lines, apiLine(key, k.MinVersion, k.MaxVersion, known, r))
		case known && apiKeys[key].forClients:
			lines = append(lines, fmt.Sprintf("%s(%d): UNSUPPORTED", apiKeys[key].name, key))
		}
	}
	return lines
}

func apiLine(key int, low, high int16, known bool, r Release) string {
	name := "UNKNOWN"
	if known {
		name = apiKeys[key].name
	}
	line := fmt.Sprintf("%s(%d): %d", name, key, low)
	if low != high {
		line += fmt.Sprintf(" to %d", high)
	}
	if !known {
		return line
	}
	switch latest := apiKeys[key].latest(r); {
	case latest < low:
		line += " [unusable: node too new]"
	case high < apiKeys[key].oldest:
		line += " [unusable: node too old]"
	default:
		line += fmt.Sprintf(" [usable: %d]", min(latest, high))
	}
	return line
}

// apiVersionsRequest asks for the APIs and features of a server, which wants to know who asks.
func apiVersionsRequest() *kmsg.ApiVersionsRequest {
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "ottla", softwareVersion
	return req
}
