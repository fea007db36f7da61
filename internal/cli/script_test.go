package cli

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
	"github.com/ottla/ottla/internal/ports"
	"github.com/ottla/ottla/internal/testkit"
	"github.com/ottla/ottla/internal/vfs"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"ottla": func() {
			w := command.Stdio()
			w.Proof = prove
			os.Exit(Run(context.Background(), w, os.Args[1:]))
		},
	})
}

// TestScripts runs testdata/script: each file is a session at a shell, with what it must print.
//
// Besides testscript's own commands there are
//
//	server [acl|autocreate|three|lonely|hurt|aged|advertises=HOST:PORT]...   start a server, its address in
//	                                   OTTLA_BOOTSTRAP_SERVER;
//	                                   a lonely one never has enough replicas for a record,
//	                                   a hurt one has no leader of t-0 and one in-sync replica of the others,
//	                                   of an aged one broker 1 is a release behind
//	node                               start a node of Ottla itself, for what the other does not do; its data is in $DATA
//	cluster N [KEY=VALUE]...           start N nodes of Ottla, with ids from 1 on and files in memory
//	end ID, restart ID                 end a node of that cluster in order, and start it again
//	lower FEATURE LEVEL                have a feature of the cluster fall back
//	begin TOPIC PARTITION IDS          have the replicas of a partition become others, also on brokers that are down
//	speaks VARIABLE TEXT               listen, and answer every connection with a text; the address is in the variable
//	member GROUP TOPIC [PROTOCOL]      keep a consumer in a group, classic or consumer, until the script ends
//	exits CODE PROGRAM ARGS...         run a program that must end with this exit code
//	comes PATTERN PROGRAM ARGS...      run a program until a line that it prints is as wanted
//	silent                             listen at $SILENT without ever answering
//	hangup                             listen at $HANGUP and close every connection at once
//
// and $FREE, an address at which nothing listens.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("FREE", free(t))
			env.Values[clusterKey{}] = &scriptValues{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"server": scriptServer,
			"member": scriptMember,
			"node": func(ts *testscript.TestScript, _ bool, _ []string) {
				data := ts.MkAbs("data")
				ts.Check(os.Mkdir(data, 0o755))
				n, err := testkit.TryStart(t, testkit.Options{FS: vfs.OS{}, Dirs: []string{data}})
				ts.Check(err)
				ts.Defer(n.Stop) // before its directory goes
				ts.Setenv("OTTLA_BOOTSTRAP_SERVER", n.Addr)
				ts.Setenv("DATA", data)
			},
			"cluster": func(ts *testscript.TestScript, _ bool, args []string) { scriptCluster(t, ts, args) },
			"end":     func(ts *testscript.TestScript, _ bool, args []string) { clusterOf(ts).Stop(number(ts, args[0])) },
			"restart": func(ts *testscript.TestScript, _ bool, args []string) { clusterOf(ts).Restart(number(ts, args[0])) },
			"begin":   scriptBegin,
			"comes":   scriptComes,
			"lower":   scriptLower,
			"exits":   scriptExits,
			"speaks": func(ts *testscript.TestScript, _ bool, args []string) {
				listen(ts, args[0], func(c net.Conn) { _, _ = c.Write([]byte(args[1])) }) // the client may not wait for it
			},
			"silent": func(ts *testscript.TestScript, _ bool, _ []string) { listen(ts, "SILENT", func(net.Conn) {}) },
			"hangup": func(ts *testscript.TestScript, _ bool, _ []string) {
				listen(ts, "HANGUP", func(c net.Conn) { c.Close() })
			},
		},
	})
}

// scriptServer starts a hermetic broker, in the process of the test.
func scriptServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("server can't be negated")
	}
	opts := []kfake.Opt{kfake.ClusterID("test-cluster"), kfake.DefaultNumPartitions(1)}
	brokers, lonely, hurt, aged, advertised := 1, false, false, false, ""
	for _, arg := range args {
		switch arg {
		case "acl":
			opts = append(opts, kfake.EnableACLs())
		case "autocreate":
			opts = append(opts, kfake.AllowAutoTopicCreation())
		case "lonely":
			lonely = true
		case "hurt":
			hurt = true
		case "aged":
			aged = true
		case "three":
			brokers = 3
		default:
			if address, ok := strings.CutPrefix(arg, "advertises="); ok {
				advertised = address
				continue
			}
			ts.Fatalf("server: unknown %q", arg)
		}
	}
	c, err := kfake.NewCluster(append(opts, kfake.NumBrokers(brokers))...)
	ts.Check(err)
	ts.Defer(c.Close)
	if advertised != "" {
		host, port, err := net.SplitHostPort(advertised)
		ts.Check(err)
		n, err := strconv.Atoi(port)
		ts.Check(err)
		c.ControlKey(3, func(req kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			resp := req.ResponseKind().(*kmsg.MetadataResponse)
			resp.ClusterID = kmsg.StringPtr("test-cluster")
			resp.Brokers = []kmsg.MetadataResponseBroker{{NodeID: 0, Host: host, Port: int32(n)}}
			return resp, nil, true
		})
	}
	if lonely {
		c.ControlKey(0, func(req kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			return notEnoughReplicas(req.(*kmsg.ProduceRequest)), nil, true
		})
	}
	if hurt {
		hurtIt(c)
	}
	if aged {
		agedIt(c)
	}
	ts.Setenv("OTTLA_BOOTSTRAP_SERVER", strings.Join(c.ListenAddrs(), ","))
}

func notEnoughReplicas(req *kmsg.ProduceRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition, rp.ErrorCode = p.Partition, kerr.NotEnoughReplicas.Code
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

// scriptMember joins a group and waits until it has partitions.
func scriptMember(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: member GROUP TOPIC [PROTOCOL]")
	}
	assigned := make(chan struct{}, 1)
	opts := []kgo.Opt{
		kgo.SeedBrokers(strings.Split(ts.Getenv("OTTLA_BOOTSTRAP_SERVER"), ",")...),
		kgo.ConsumerGroup(args[0]), kgo.ConsumeTopics(args[1]), kgo.ClientID("member"), kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, added map[string][]int32) {
			if len(added) > 0 {
				assigned <- struct{}{}
			}
		}),
	}
	if len(args) > 2 && args[2] == "consumer" {
		opts = append(opts, kgo.ServerSideBalancer())
	}
	client, err := kgo.NewClient(opts...)
	ts.Check(err)
	ts.Defer(client.CloseAllowingRebalance)
	<-assigned
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	got := 0
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// listen accepts connections until the script ends and hands each to serve.
func listen(ts *testscript.TestScript, variable string, serve func(net.Conn)) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(variable, l.Addr().String())
	go func() {
		var open []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				break
			}
			open = append(open, c)
			serve(c)
		}
		for _, c := range open {
			c.Close()
		}
	}()
	ts.Defer(func() { l.Close() })
}

// free returns an address at which nothing listens until the test ends.
func free(t *testing.T) string {
	p, err := ports.Hold("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() }) // nobody ever listened
	return p.Address
}
