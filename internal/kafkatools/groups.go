package kafkatools

import (
	"context"
)

// groupsList is kafka-groups.
func groupsList(ctx context.Context, w *World, args []string) int {
	t := newJoptTool(nil, nil)
	list := t.Accepts("list", "List the groups.")
	groupType := t.Accepts("group-type", "Only groups of a type: classic, consumer, share or streams.").Arg("String: type")
	protocol := t.Accepts("protocol", "Only groups of a protocol.").Arg("String: protocol")
	consumer := t.Accepts("consumer", "Only groups of consumers: those of that type, and classic ones of that protocol or of none.")
	share := t.Accepts("share", "Only share groups.")
	streams := t.Accepts("streams", "Only streams groups.")
	s, err := t.Parse(args)
	if err != nil {
		return w.usage(t.Parser, err.Error())
	}
	if exit, done := t.asked(w, args, s, "Lists groups of all types."); done {
		return exit
	}
	all, err := t.settings(s)
	if err != nil {
		return w.usage(t.Parser, err.Error())
	}
	if all[bootstrapServers] == "" {
		return w.usage(t.Parser, "Missing required option(s) "+t.server.String())
	}
	wanted, terr := s.Value(groupType)
	proto, perr := s.Value(protocol)
	for _, err := range []error{
		terr, perr,
		s.CheckRequired(list),
		s.CheckInvalid(consumer, groupType, protocol, share, streams),
		s.CheckInvalid(share, consumer, groupType, protocol, streams),
		s.CheckInvalid(streams, consumer, groupType, protocol, share),
	} {
		if err != nil {
			return w.usage(t.Parser, err.Error())
		}
	}
	wanted = groupTypeName(wanted)
	if s.Has(groupType) && wanted == groupUnknown {
		w.errorln("--group-type must be a valid group type.")
		return 1
	}
	listed, err := listAllGroups(ctx, all)
	if err != nil {
		w.println("Error while executing groups command : " + err.Error())
		return 1
	}
	printGroups(w, listed, func(g groupListing) bool {
		switch {
		case s.Has(groupType):
			return g.groupType == wanted && (!s.Has(protocol) || g.protocol == proto)
		case s.Has(protocol):
			return g.protocol == proto
		case s.Has(consumer):
			return g.protocol == "consumer" || g.protocol == "" || g.groupType == "Consumer"
		case s.Has(share):
			return g.groupType == "Share"
		case s.Has(streams):
			return g.groupType == "Streams"
		}
		return true
	})
	return 0
}

func listAllGroups(ctx context.Context, s settings) ([]groupListing, error) {
	c, err := open(s)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.listGroups(ctx, nil, nil)
}

func printGroups(w *World, all []groupListing, wanted func(groupListing) bool) {
	width := column{width: 20}
	var shown []groupListing
	for _, g := range all {
		if wanted(g) {
			shown = append(shown, g)
			width.fit(g.id)
			width.fit(g.groupType)
			width.fit(g.protocol)
		}
	}
	columns := []column{width, width, width}
	w.println(rowOf(columns, []string{"GROUP", "TYPE", "PROTOCOL"}))
	for _, g := range shown {
		w.println(rowOf(columns, []string{g.id, g.groupType, g.protocol}) + " ")
	}
}
