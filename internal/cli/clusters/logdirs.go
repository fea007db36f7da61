package clusters

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// logDir is a log directory of a broker.
type logDir struct {
	Broker int32  `json:"broker"`
	Dir    string `json:"dir"`
	// Bytes are those of all partitions in it; Total and Usable those of its volume, null where the server does not tell.
	Bytes      int64     `json:"bytes"`
	Total      *int64    `json:"totalBytes"`
	Usable     *int64    `json:"usableBytes"`
	Partitions int       `json:"partitions"`
	Moving     int       `json:"moving"` // replicas that are on their way into it
	Topics     []portion `json:"topics"` // the largest first
	Error      string    `json:"error,omitempty"`
}

// portion is what a topic takes of a directory.
type portion struct {
	Topic      string `json:"topic"`
	Partitions int    `json:"partitions"`
	Bytes      int64  `json:"bytes"`
}

func clusterLogDirs(a *command.App) *cobra.Command {
	var brokers []int32
	var largest int
	cmd := &cobra.Command{
		Use:   "logdirs",
		Short: "Show each log directory of each broker: bytes, partitions, the largest topics",
		Args:  command.Args(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if largest < 0 {
				return command.Usagef("--largest must not be negative")
			}
			return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
				rows, err := logDirs(ctx, s, largest)
				if err != nil {
					return err
				}
				f := &command.Failures{}
				if len(brokers) > 0 {
					rows, f = ofBrokers(s, rows, brokers)
				}
				if len(rows) > 0 || len(f.Errs) == 0 {
					if err := command.List(a, "LogDirList", "logDirs", rows, logDirColumns); err != nil {
						return err
					}
				}
				return f.Or()
			})
		},
	}
	cmd.Flags().Int32SliceVar(&brokers, "broker", nil, "only these brokers, `ID,...`")
	cmd.Flags().IntVar(&largest, "largest", 3, "how many topics to name of each directory")
	command.CompleteFlag(cmd, "broker", a.CompleteBrokers)
	return a.Prints(cmd, command.ListOf[logDir]("LogDirList", "logDirs"))
}

func ofBrokers(s *command.Server, rows []logDir, brokers []int32) ([]logDir, *command.Failures) {
	f := &command.Failures{}
	for _, id := range brokers {
		if slices.ContainsFunc(rows, func(d logDir) bool { return d.Broker == id }) {
			f.Done++
			continue
		}
		f.Add(&command.Error{What: "log directories", Where: s.Where, Exit: command.NotFound, Err: fmt.Errorf("there is no broker %d", id),
			Hint: "`ottla cluster brokers` shows what there is"})
	}
	return slices.DeleteFunc(rows, func(d logDir) bool { return !slices.Contains(brokers, d.Broker) }), f
}

// logDirs asks all brokers. One that does not answer fails it all: a sum without it would be wrong.
func logDirs(ctx context.Context, s *command.Server, largest int) ([]logDir, error) {
	brokers, err := s.Admin.ListBrokers(ctx)
	if err != nil {
		return nil, s.Failed("log directories", err)
	}
	var rows []logDir
	for _, b := range brokers {
		req := kmsg.NewPtrDescribeLogDirsRequest()
		answer, err := s.Broker(int(b.NodeID)).RetriableRequest(ctx, req)
		if err != nil {
			return nil, s.Failed(fmt.Sprintf("log directories of broker %d", b.NodeID), err)
		}
		for _, d := range answer.(*kmsg.DescribeLogDirsResponse).Dirs {
			rows = append(rows, toLogDir(b, d, largest))
		}
	}
	slices.SortFunc(rows, func(x, y logDir) int { return cmp.Or(cmp.Compare(x.Broker, y.Broker), strings.Compare(x.Dir, y.Dir)) })
	return rows, nil
}

func toLogDir(b kadm.BrokerDetail, d kmsg.DescribeLogDirsResponseDir, largest int) logDir {
	row := logDir{Broker: b.NodeID, Dir: d.Dir, Topics: []portion{}, Error: command.CodeName(d.ErrorCode)}
	if d.TotalBytes >= 0 {
		row.Total = &d.TotalBytes
	}
	if d.UsableBytes >= 0 {
		row.Usable = &d.UsableBytes
	}
	for _, t := range d.Topics {
		one := portion{Topic: t.Topic}
		for _, p := range t.Partitions {
			one.Bytes += p.Size
			if p.IsFuture {
				row.Moving++
				continue
			}
			one.Partitions++
		}
		row.Bytes += one.Bytes
		row.Partitions += one.Partitions
		row.Topics = append(row.Topics, one)
	}
	slices.SortFunc(row.Topics, func(x, y portion) int {
		return cmp.Or(cmp.Compare(y.Bytes, x.Bytes), strings.Compare(x.Topic, y.Topic))
	})
	row.Topics = row.Topics[:min(largest, len(row.Topics))]
	return row
}

var logDirColumns = []command.Column[logDir]{
	{Name: "BROKER", Value: func(d logDir) string { return strconv.Itoa(int(d.Broker)) }, Number: true},
	{Name: "DIRECTORY", Value: func(d logDir) string { return d.Dir }},
	{Name: "PARTITIONS", Value: func(d logDir) string { return strconv.Itoa(d.Partitions) }, Number: true},
	{Name: "MOVING", Value: func(d logDir) string { return strconv.Itoa(d.Moving) }, Number: true, Wide: true},
	{Name: "SIZE", Value: func(d logDir) string { return command.Size(d.Bytes) }, Number: true},
	{Name: "USABLE", Value: func(d logDir) string { return command.SizeOrDash(d.Usable) }, Number: true},
	{Name: "OF", Value: func(d logDir) string { return command.SizeOrDash(d.Total) }, Number: true},
	{Name: "LARGEST", Value: func(d logDir) string {
		var all []string
		for _, t := range d.Topics {
			all = append(all, fmt.Sprintf("%s (%s)", t.Topic, command.Size(t.Bytes)))
		}
		return strings.Join(all, ", ")
	}},
	{Name: "ERROR", Value: func(d logDir) string { return d.Error }},
}
