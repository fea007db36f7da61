package clusters

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// featureRow is a feature: what the server that was asked can do, and what the cluster has agreed on.
type featureRow struct {
	Name string `json:"name"`
	// Min and Max are the levels that the server supports.
	Min int16 `json:"supportedMin"`
	Max int16 `json:"supportedMax"`
	// Level is what is finalized, null where nothing is.
	Level *int16 `json:"level"`
}

func clusterFeatures(a *command.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "features",
		Short: "List the features that the cluster has agreed on, and what a server supports",
		Args:  command.Args(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.WithServer(cmd.Context(), func(ctx context.Context, s *command.Server) error {
				req := kmsg.NewPtrApiVersionsRequest()
				req.ClientSoftwareName, req.ClientSoftwareVersion = "ottla", command.SoftwareVersion()
				resp, err := req.RequestWith(ctx, s.Client)
				if err != nil {
					return s.Failed("cluster features", err)
				}
				return command.List(a, "FeatureList", "features", featureRows(resp), featureColumns)
			})
		},
	}
	return a.Prints(cmd, command.ListOf[featureRow]("FeatureList", "features"))
}

func featureRows(resp *kmsg.ApiVersionsResponse) []featureRow {
	var rows []featureRow
	at := func(name string) *featureRow {
		i := slices.IndexFunc(rows, func(r featureRow) bool { return r.Name == name })
		if i < 0 {
			rows = append(rows, featureRow{Name: name})
			i = len(rows) - 1
		}
		return &rows[i]
	}
	for _, f := range resp.SupportedFeatures {
		r := at(f.Name)
		r.Min, r.Max = f.MinVersion, f.MaxVersion
	}
	for _, f := range resp.FinalizedFeatures {
		at(f.Name).Level = &f.MaxVersionLevel
	}
	slices.SortFunc(rows, func(x, y featureRow) int { return cmp.Compare(x.Name, y.Name) })
	return rows
}

var featureColumns = []command.Column[featureRow]{
	{Name: "FEATURE", Value: func(f featureRow) string { return f.Name }},
	{Name: "LEVEL", Value: func(f featureRow) string { return command.OrDash(f.Level != nil, level(f.Level)) }, Number: true},
	{Name: "SUPPORTED", Value: func(f featureRow) string {
		if f.Min == f.Max {
			return strconv.Itoa(int(f.Max))
		}
		return fmt.Sprintf("%d-%d", f.Min, f.Max)
	}},
}

func level(n *int16) int64 {
	if n == nil {
		return 0
	}
	return int64(*n)
}
