package clusters

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/cli/command"
)

// upgradeOnly is the upgrade type of UpdateFeatures that lowers nothing (KIP-778).
const upgradeOnly = 1

// upgrade is what `cluster upgrade` tells.
type upgrade struct {
	Brokers  []able  `json:"brokers"`
	Features []raise `json:"features"`
}

func clusterUpgrade(a *command.App) *cobra.Command {
	d := command.Danger{Does: "raises feature levels, which can't be taken back"}
	var wanted []string
	cmd := &cobra.Command{
		Use:   "upgrade",
		Short: "Raise the feature levels to what every broker can read, when all run the new release",
		Long: "Show what each broker supports and what the cluster has agreed on, and raise the levels of features to the highest that every\n" +
			"broker can read. Do it when all brokers run the new release: with a higher level they write what older ones can't read, and an\n" +
			"older one can't come back.\n\n" +
			"The command shows what it will do and asks. A level that an older broker holds back is named, with that broker, and the exit\n" +
			"code is not 0. The active controller has the last word: it knows the nodes that are down, and those that are only controllers.\n" +
			"kraft.version is the quorum's own: it is raised when it is named, after the others, and takes the voters from the configuration\n" +
			"into the metadata log.",
		Example: "  ottla cluster upgrade --dry-run\n  ottla cluster upgrade --yes\n  ottla cluster upgrade --feature metadata.version=30",
		Args:    command.Args(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			only, err := parseLevels(wanted)
			if err == nil {
				err = a.MayAsk(d)
			}
			if err != nil {
				return err
			}
			return raiseAll(cmd.Context(), a, only, d)
		},
	}
	d.Flags(cmd.Flags())
	cmd.Flags().StringSliceVar(&wanted, "feature", nil, "only these features, `NAME[=LEVEL],...`")
	cmd.Flags().BoolVarP(&a.Quiet, "quiet", "q", false, "no summary on standard error")
	return a.Prints(cmd, command.ObjectOf[upgrade]("ClusterUpgrade"))
}

// parseLevels reads NAME or NAME=LEVEL; a level that is not given is noLevel.
func parseLevels(words []string) (map[string]int16, error) {
	only := map[string]int16{}
	for _, word := range words {
		name, text, given := strings.Cut(word, "=")
		only[name] = noLevel
		if !given {
			continue
		}
		level, err := strconv.ParseInt(text, 10, 16)
		if err != nil || level < 0 {
			return nil, command.Usagef("--feature %s: %q is not a level", word, text)
		}
		only[name] = int16(level)
	}
	return only, nil
}

func raiseAll(ctx context.Context, a *command.App, only map[string]int16, d command.Danger) error {
	s, err := a.Connect(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	u, err := bounded(ctx, a, func(ctx context.Context) (*upgrade, error) { return planned(ctx, s, only) })
	if err != nil {
		return err
	}
	f := &command.Failures{}
	var lines []string
	for _, r := range u.Features {
		switch {
		case r.To > r.Level:
			lines = append(lines, fmt.Sprintf("raise %s from %d to %d", r.Name, r.Level, r.To))
		case r.To < r.Level: // asked for by name
			return command.Usagef("%s is at %d already, and upgrade lowers nothing", r.Name, r.Level)
		}
		if why := r.heldBack(u.Brokers); why != "" {
			f.Add(&command.Error{What: "raise " + r.Name, Where: s.Where, Err: fmt.Errorf("%s", why), Hint: "upgrade these brokers first"})
		}
	}
	if len(lines) > 0 { // the controller may know of more that stands against it
		if err := u.submit(ctx, a, s, true); err != nil {
			return err
		}
	}
	f.Done = len(lines)
	if len(lines) > 0 && !d.DryRun {
		if err := u.agree(ctx, a, s, d, lines); err != nil {
			return err
		}
	}
	if err := u.print(a); err != nil {
		return err
	}
	u.explain(a)
	switch {
	case d.DryRun && a.Output.Value == "table":
		for _, line := range lines {
			fmt.Fprintln(a.Out, "would "+line)
		}
	case len(lines) == 0 && len(f.Errs) == 0:
		a.Notice("every feature that was to be raised is at the highest level that all brokers can read")
	}
	return f.Or()
}

// explain says why a feature stays as it is that could be raised.
func (u *upgrade) explain(a *command.App) {
	for _, r := range u.Features {
		if r.ByName {
			a.Notice("%s stays at %d: with %d the voters are in the metadata log; raise it by --feature %s", r.Name, r.Level, r.Newest, r.Name)
		}
	}
}

// planned asks every broker what it supports, and works out what to raise.
func planned(ctx context.Context, s *command.Server, only map[string]int16) (*upgrade, error) {
	const what = "cluster upgrade"
	brokers, err := s.Admin.ListBrokers(ctx)
	if err != nil {
		return nil, s.Failed(what, err)
	}
	var all []able
	finalized := map[string]int16{}
	for _, b := range brokers {
		answer, err := featuresOf(ctx, s, b.NodeID)
		if err != nil {
			return nil, s.Failed(fmt.Sprintf("ask broker %d what it supports", b.NodeID), err)
		}
		all = append(all, toAble(b.NodeID, answer))
		for _, f := range answer.FinalizedFeatures {
			finalized[f.Name] = f.MaxVersionLevel
		}
	}
	u := plan(all, finalized, only)
	if known := len(u.Features); len(only) > 0 && known < len(only) {
		return nil, &command.Error{What: what, Where: s.Where, Exit: command.NotFound, Err: fmt.Errorf("no broker knows of %s", u.missing(only)),
			Hint: "`ottla cluster features` shows what there is"}
	}
	return u, nil
}

func featuresOf(ctx context.Context, s *command.Server, id int32) (*kmsg.ApiVersionsResponse, error) {
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "ottla", command.SoftwareVersion()
	answer, err := s.Broker(int(id)).RetriableRequest(ctx, req)
	if err != nil {
		return nil, err
	}
	return answer.(*kmsg.ApiVersionsResponse), nil
}

// submit asks the controller for the levels, or whether it would accept them.
func (u *upgrade) submit(ctx context.Context, a *command.App, s *command.Server, only bool) error {
	var cluster, quorum []kmsg.UpdateFeaturesRequestFeatureUpdate
	for _, r := range u.Features {
		if r.To == r.Level {
			continue
		}
		f := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
		f.Feature, f.MaxVersionLevel, f.UpgradeType = r.Name, r.To, upgradeOnly
		if r.Name == kraftVersion {
			quorum = append(quorum, f)
		} else {
			cluster = append(cluster, f)
		}
	}
	for _, updates := range [][]kmsg.UpdateFeaturesRequestFeatureUpdate{cluster, quorum} {
		if len(updates) == 0 {
			continue
		}
		if err := update(ctx, a, s, updates, only); err != nil {
			return err
		}
	}
	return nil
}

func update(ctx context.Context, a *command.App, s *command.Server, updates []kmsg.UpdateFeaturesRequestFeatureUpdate, only bool) error {
	ctx, cancel := a.Bounded(ctx)
	defer cancel()
	req := kmsg.NewPtrUpdateFeaturesRequest()
	req.TimeoutMillis, req.ValidateOnly, req.FeatureUpdates = int32(a.Timeout().Milliseconds()), only, updates
	resp, err := req.RequestWith(ctx, s.Client)
	if err == nil {
		err = command.Answered(kerr.ErrorForCode(resp.ErrorCode), command.OrEmpty(resp.ErrorMessage))
	}
	if err != nil {
		return s.Failed("cluster upgrade", err)
	}
	return nil
}

// agree asks whether to go on, has the levels raised, and waits until every broker knows it.
func (u *upgrade) agree(ctx context.Context, a *command.App, s *command.Server, d command.Danger, lines []string) error {
	if err := a.Confirm(d, lines); err != nil {
		return err
	}
	if err := u.submit(ctx, a, s, false); err != nil {
		return err
	}
	late := int32(-1)
	err := command.Until(ctx, firstLook, staleFor, func(ctx context.Context) (bool, error) {
		for _, b := range u.Brokers {
			answer, err := featuresOf(ctx, s, b.Broker)
			if err != nil {
				return false, err
			}
			if late = b.Broker; !u.done(answer) {
				return false, nil
			}
		}
		late = -1
		return true, nil
	})
	if err == nil && late >= 0 {
		err = fmt.Errorf("broker %d has not heard of it yet", late)
	}
	if err != nil {
		return s.Failed("look at the feature levels", err)
	}
	for i, r := range u.Features {
		u.Features[i].Level = max(r.Level, r.To)
	}
	a.Notice("raised %s", command.Count(int64(len(lines)), "feature"))
	return nil
}

// done reports whether a broker has all levels.
func (u *upgrade) done(answer *kmsg.ApiVersionsResponse) bool {
	has := map[string]int16{}
	for _, f := range answer.FinalizedFeatures {
		has[f.Name] = f.MaxVersionLevel
	}
	for _, r := range u.Features {
		if has[r.Name] < r.To {
			return false
		}
	}
	return true
}
