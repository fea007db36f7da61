package diag

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// listenerRow is what is known of the address of a broker.
type listenerRow struct {
	Broker     int32    `json:"broker"`
	Advertised string   `json:"advertised"`
	Resolves   []string `json:"resolves"`
	OK         bool     `json:"ok"`
	Finding    string   `json:"finding"`
	Fix        string   `json:"fix,omitempty"`
}

func listeners(a *command.App) *cobra.Command {
	cmd := &cobra.Command{
		Use: "listeners", Short: "Find out whether clients can go where the brokers send them (advertised.listeners)",
		Long: "A client asks one server where all brokers are, and goes there: to what each broker's advertised.listeners says.\n" +
			"If that is right for the broker's own network only, clients can ask but neither write nor read. This command goes to\n" +
			"each address as a client would, from here, and says what to change.",
		Args: command.Args(0, 0, "no arguments"), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var rows []listenerRow
			via, err := survey(cmd.Context(), a, func(f facts) {
				v := judge(f)
				rows = append(rows, listenerRow{f.node, f.address(), command.OrNone(f.ips), v.ok, v.problem, v.fix})
			})
			if err != nil {
				return err
			}
			a.Notice("asked %s", via)
			if err := command.List(a, "ListenerList", "listeners", rows, []command.Column[listenerRow]{
				{Name: "BROKER", Value: func(r listenerRow) string { return strconv.Itoa(int(r.Broker)) }, Number: true},
				{Name: "ADVERTISED", Value: func(r listenerRow) string { return r.Advertised }},
				{Name: "RESOLVES TO", Value: func(r listenerRow) string { return command.Dash(strings.Join(r.Resolves, ",")) }, Wide: true},
				{Name: "RESULT", Value: func(r listenerRow) string { return map[bool]string{true: "ok", false: "fails"}[r.OK] }},
				{Name: "FINDING", Value: func(r listenerRow) string { return r.Finding }},
			}); err != nil {
				return err
			}
			var failed command.Failures
			for _, r := range rows {
				if r.OK {
					failed.Done++
					continue
				}
				failed.Add(&command.Error{What: fmt.Sprintf("broker %d", r.Broker), Where: r.Advertised, Err: fmt.Errorf("%s", r.Finding), Hint: r.Fix, Exit: command.Unreachable})
			}
			return failed.Or()
		},
	}
	return a.Prints(cmd, command.ListOf[listenerRow]("ListenerList", "listeners"))
}

// survey asks a server where the brokers are, goes to each, and hands over what it found. It returns the address that it asked.
//
// The client asks only its seeds: it must not follow what may be wrong.
func survey(ctx context.Context, a *command.App, found func(facts)) (via string, err error) {
	given, err := a.Settings()
	if err != nil {
		return "", err
	}
	addresses, err := given.Addresses()
	if err != nil {
		return "", command.Usagef("%v", err)
	}
	var meta *kmsg.MetadataResponse
	for _, via = range addresses {
		if meta, err = askOne(ctx, a, via); err == nil {
			break
		}
	}
	if err != nil {
		return "", err
	}
	host, _, _ := net.SplitHostPort(via)
	viaIP := host
	if ips, err := resolve(ctx, host); err == nil && len(ips) > 0 {
		viaIP = ips[0]
	}
	for _, b := range meta.Brokers {
		f := facts{via: via, viaIP: viaIP, node: b.NodeID, host: b.Host, port: b.Port, brokers: len(meta.Brokers)}
		f.visit(ctx, a, clusterID(meta))
		found(f)
	}
	return via, nil
}

// askOne asks one server for the cluster's brokers.
func askOne(ctx context.Context, a *command.App, address string) (meta *kmsg.MetadataResponse, err error) {
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	s, err := a.Connect(ctx, kgo.SeedBrokers(address))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	meta, err = brokers(ctx, s)
	if err != nil {
		return nil, s.Failed("ask "+address+" for the brokers", err)
	}
	return meta, nil
}

// brokers asks a seed where the cluster's brokers are: never one of the addresses that an answer named, which may be wrong.
func brokers(ctx context.Context, s *command.Server) (*kmsg.MetadataResponse, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // none
	var failed []error
	for _, seed := range s.SeedBrokers() {
		resp, err := seed.Request(ctx, req)
		if err == nil {
			if meta := resp.(*kmsg.MetadataResponse); len(meta.Brokers) > 0 {
				return meta, nil
			}
			err = command.ErrNoBrokers
		}
		failed = append(failed, err)
	}
	return nil, errors.Join(failed...)
}

// clusterID is the cluster's id, "" of a server that has none.
func clusterID(meta *kmsg.MetadataResponse) string {
	if meta.ClusterID == nil {
		return ""
	}
	return *meta.ClusterID
}

// shortVisit bounds the visit of one address: what is near answers at once, and what does not is what is looked for.
const shortVisit = 3 * time.Second

// visit goes to the advertised address as a client would.
func (f *facts) visit(ctx context.Context, a *command.App, cluster string) {
	ctx, cancel := bounded(ctx, min(a.Timeout(), shortVisit))
	defer cancel()
	var err error
	if f.ips, err = resolve(ctx, f.host); err != nil {
		return
	}
	conn, err := dial(ctx, f.address())
	if f.failure = failureOf(err); f.failure != "" {
		return
	}
	conn.Close()
	if f.address() == f.via {
		return // it answered a moment ago
	}
	meta, err := askOne(ctx, a, f.address())
	switch {
	case err != nil:
		f.answer = command.OneLine(err)
	case clusterID(meta) != cluster:
		f.answer = fmt.Sprintf("it belongs to cluster %s, not %s", clusterID(meta), cluster)
	}
}
