package kafkatools

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

const clientMetricsAbout = "This tool helps to manipulate and describe client metrics configurations."

// clientMetricsTool is kafka-client-metrics.
type clientMetricsTool struct {
	joptTool
	w   *World
	set *jopt.Set
	c   *client

	alter, remove, describe, list            *jopt.Option
	name, generate, interval, match, metrics *jopt.Option
}

func clientMetricsMain(ctx context.Context, w *World, args []string) int {
	t := &clientMetricsTool{joptTool: newJoptTool(nil, nil), w: w}
	t.alter = t.Accepts("alter", "Change a resource of client metrics.")
	t.remove = t.Accepts("delete", "Take away the configurations of a resource.")
	t.describe = t.Accepts("describe", "Show the configurations of a resource, or of all.")
	t.list = t.Accepts("list", "List the resources.")
	t.name = t.Accepts("name", "The name of the resource.").Arg("String: name")
	t.generate = t.Accepts("generate-name", "Make up a name.")
	t.interval = t.Accepts("interval", "How often clients push, in milliseconds; an empty one is the default.").Arg("String: push interval")
	t.match = t.Accepts("match", "Which clients: k1=v1,k2=v2 with client_id, client_instance_id, client_software_name, client_software_version, client_source_address or client_source_port.").Arg("String: k1=v1,k2=v2").SeparatedBy(",")
	t.metrics = t.Accepts("metrics", "Prefixes of names of metrics.").Arg("String: m1,m2").SeparatedBy(",")
	var err error
	if t.set, err = t.Parse(args); err != nil {
		return w.usage(t.Parser, err.Error())
	}
	if exit, done := t.asked(w, args, t.set, clientMetricsAbout); done {
		return exit
	}
	err = t.open()
	var usage jopt.Error
	if errors.As(err, &usage) {
		return w.usage(t.Parser, err.Error())
	}
	if err != nil {
		w.errorln(err)
		return 1
	}
	defer t.c.Close()
	if err := t.act(ctx); err != nil {
		w.println("Error while executing client metrics command : " + err.Error())
		return 1
	}
	return 0
}

// open checks the command line and makes the client.
func (t *clientMetricsTool) open() error {
	s := t.set
	if s.Count(t.alter, t.remove, t.describe, t.list) != 1 {
		return jopt.Error("Command must include exactly one action: --alter, --delete, --describe or --list.")
	}
	all, err := t.settings(s)
	if err == nil && all[bootstrapServers] == "" {
		err = errors.New("--bootstrap-server must be specified.")
	}
	if err == nil {
		err = t.check()
	}
	if err != nil {
		return err
	}
	t.c, err = open(all)
	return err
}

func (t *clientMetricsTool) act(ctx context.Context) error {
	s := t.set
	name, err := s.Value(t.name)
	if err != nil {
		return err
	}
	switch {
	case s.Has(t.alter):
		return t.alterResource(ctx, name)
	case s.Has(t.remove):
		return t.removeResource(ctx, name)
	case s.Has(t.describe):
		return t.describeResources(ctx, name)
	}
	names, err := t.c.configResources(ctx, kmsg.ConfigResourceTypeClientMetrics)
	if err == nil {
		t.w.println(strings.Join(names, "\n"))
	}
	return err
}

func (t *clientMetricsTool) check() error {
	s := t.set
	if err := s.CheckInvalid(t.remove, t.generate, t.interval, t.match, t.metrics); err != nil {
		return err
	}
	if err := s.CheckInvalid(t.describe, t.generate, t.interval, t.match, t.metrics); err != nil {
		return err
	}
	if err := s.CheckInvalid(t.list, t.name, t.generate, t.interval, t.match, t.metrics); err != nil {
		return err
	}
	if s.Has(t.remove) && !s.Has(t.name) {
		return errors.New("A client metrics resource name must be specified with --delete.")
	}
	if !s.Has(t.alter) {
		return nil
	}
	if s.Count(t.name, t.generate) != 1 {
		return errors.New("One of --name or --generate-name must be specified with --alter.")
	}
	interval, err := s.Value(t.interval)
	if err != nil || interval == "" {
		return err
	}
	if _, err := strconv.ParseInt(interval, 10, 32); err != nil {
		return errors.New("Invalid interval value. Enter an integer, or leave empty to reset.")
	}
	return nil
}

func (t *clientMetricsTool) alterResource(ctx context.Context, name string) error {
	if t.set.Has(t.generate) {
		id, err := kafka.NewUUID(rand.Reader)
		if err != nil {
			return err
		}
		name = id.String()
	}
	var all []alteration
	for _, c := range []struct {
		key string
		o   *jopt.Option
	}{{"interval.ms", t.interval}, {"metrics", t.metrics}, {"match", t.match}} {
		if !t.set.Has(c.o) {
			continue
		}
		a := alteration{key: c.key}
		if value := strings.Join(t.set.Values(c.o), ","); value != "" {
			a.value = &value
		}
		all = append(all, a)
	}
	if err := t.c.alterConfigs(ctx, altered{resource{kmsg.ConfigResourceTypeClientMetrics, name}, all}); err != nil {
		return err
	}
	t.w.println("Altered client metrics config for " + name + ".")
	return nil
}

func (t *clientMetricsTool) removeResource(ctx context.Context, name string) error {
	r := resource{kmsg.ConfigResourceTypeClientMetrics, name}
	found, err := t.c.configs(ctx, false, r)
	if err != nil {
		return err
	}
	var all []alteration
	for _, e := range found[r] {
		all = append(all, alteration{key: e.name})
	}
	if err := t.c.alterConfigs(ctx, altered{r, all}); err != nil {
		return err
	}
	t.w.println("Deleted client metrics config for " + name + ".")
	return nil
}

func (t *clientMetricsTool) describeResources(ctx context.Context, name string) error {
	names, err := t.c.configResources(ctx, kmsg.ConfigResourceTypeClientMetrics)
	if err != nil {
		return err
	}
	if t.set.Has(t.name) {
		if !slices.Contains(names, name) {
			t.w.println("The client metric resource " + name + " doesn't exist and doesn't have dynamic config.")
			return nil
		}
		names = []string{name}
	}
	for _, n := range names {
		r := resource{kmsg.ConfigResourceTypeClientMetrics, n}
		found, err := t.c.configs(ctx, false, r)
		if err != nil {
			return err
		}
		t.w.println("Client metrics configs for " + n + " are:")
		for _, e := range found[r] {
			t.w.printf("  %s=%s\n", e.name, e.text())
		}
	}
	return nil
}
