package cli

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/testkit"
)

// clusterKey is where a script has its scriptValues.
type clusterKey struct{}

// scriptCluster starts nodes, which end with the script. The addresses of all are in OTTLA_BOOTSTRAP_SERVER.
func scriptCluster(t *testing.T, ts *testscript.TestScript, args []string) {
	c := testkit.StartCluster(t, number(ts, args[0]), testkit.Options{Set: args[1:]})
	ts.Defer(func() {
		for _, n := range c.Nodes {
			if n != nil {
				n.Stop()
			}
		}
	})
	ts.Value(clusterKey{}).(*scriptValues).cluster = c
	ts.Setenv("OTTLA_BOOTSTRAP_SERVER", strings.Join(c.Bootstrap(), ","))
}

// scriptValues are what the commands of a script leave to each other.
type scriptValues struct{ cluster *testkit.Cluster }

func clusterOf(ts *testscript.TestScript) *testkit.Cluster {
	c := ts.Value(clusterKey{}).(*scriptValues).cluster
	if c == nil {
		ts.Fatalf("there is no cluster yet")
	}
	return c
}

func number(ts *testscript.TestScript, arg string) int {
	n, err := strconv.Atoi(arg)
	ts.Check(err)
	return n
}

// scriptBegin asks for replicas, and waits for nothing.
func scriptBegin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: begin TOPIC PARTITION IDS")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(ts.Getenv("OTTLA_BOOTSTRAP_SERVER"), ",")...))
	ts.Check(err)
	defer client.Close()
	var ids []int32
	for id := range strings.SplitSeq(args[2], ",") {
		ids = append(ids, int32(number(ts, id)))
	}
	var req kadm.AlterPartitionAssignmentsReq
	req.Assign(args[0], int32(number(ts, args[1])), ids)
	answer, err := kadm.NewClient(client).AlterPartitionAssignments(ctx, req)
	ts.Check(err)
	ts.Check(answer.Error())
}

// scriptComes runs a program again and again, until a line that it prints is as wanted.
func scriptComes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: comes PATTERN PROGRAM ARGS...")
	}
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	late := time.After(time.Minute)
	for {
		_ = ts.Exec(args[1], args[2:]...) // it may have to say that something is not well
		if want.MatchString(ts.ReadFile("stdout")) {
			return
		}
		select {
		case <-late:
			ts.Fatalf("no line is like %s", args[0])
		default:
		}
	}
}

// scriptLower has a feature fall back to a lower level.
func scriptLower(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lower FEATURE LEVEL")
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(ts.Getenv("OTTLA_BOOTSTRAP_SERVER"), ",")...))
	ts.Check(err)
	defer client.Close()
	req := kmsg.NewPtrUpdateFeaturesRequest()
	u := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
	u.Feature, u.MaxVersionLevel, u.UpgradeType, u.AllowDowngrade = args[0], int16(number(ts, args[1])), 2, true
	req.FeatureUpdates = append(req.FeatureUpdates, u)
	resp, err := req.RequestWith(context.Background(), client)
	ts.Check(err)
	ts.Check(kerr.ErrorForCode(resp.ErrorCode))
}

// agedIt makes a cluster of three look half upgraded: broker 1 is one of 4.3, and all have agreed on what that can read.
func agedIt(c *kfake.Cluster) {
	c.ControlKey(18, func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if req.GetVersion() < 3 {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.ApiVersionsResponse)
		for key := range int16(kmsg.MaxKey) {
			if r := kmsg.RequestForKey(key); r != nil {
				k := kmsg.NewApiVersionsResponseApiKey()
				k.ApiKey, k.MaxVersion = key, r.MaxVersion()
				resp.ApiKeys = append(resp.ApiKeys, k)
			}
		}
		for _, f := range []struct {
			name          string
			old, new, has int16
		}{{"group.version", 1, 1, 1}, {"metadata.version", 30, 33, 30}, {"share.version", 0, 2, 0}} {
			s, has := kmsg.NewApiVersionsResponseSupportedFeature(), kmsg.NewApiVersionsResponseFinalizedFeature()
			if s.Name, s.MaxVersion = f.name, f.new; c.CurrentNode() == 1 {
				s.MaxVersion = f.old
			}
			has.Name, has.MaxVersionLevel = f.name, f.has
			resp.SupportedFeatures, resp.FinalizedFeatures = append(resp.SupportedFeatures, s), append(resp.FinalizedFeatures, has)
		}
		return resp, nil, true
	})
}
