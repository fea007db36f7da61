package storage

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// Voter is a member of the first voter set of a dynamic quorum.
type Voter struct {
	ID        kafka.NodeID
	Directory kafka.UUID
	Host      string
	Port      int
}

// ParseVoters reads id@host:port:directory, separated by commas. The errors are Kafka's. The result is sorted by id.
func ParseVoters(s string) ([]Voter, error) {
	var all []Voter
	for _, e := range strings.Split(s, ",") {
		if e = strings.TrimSpace(e); e == "" {
			continue
		}
		v, err := parseVoter(e)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(o Voter) bool { return o.ID == v.ID }) {
			return nil, fmt.Errorf("Node id %d was specified more than once.", v.ID)
		}
		all = append(all, v)
	}
	if all == nil {
		return nil, errors.New("No voters given.")
	}
	slices.SortFunc(all, func(a, b Voter) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

func parseVoter(s string) (Voter, error) {
	fail := func(why string) (Voter, error) { return Voter{}, errors.New(why) }
	id, rest, ok := strings.Cut(s, "@")
	switch {
	case !ok:
		return fail("No @ found in dynamic voter string.")
	case id == "":
		return fail("Invalid @ at beginning of dynamic voter string.")
	}
	n, err := strconv.ParseInt(id, 10, 32)
	switch {
	case err != nil:
		return fail("Failed to parse node id in dynamic voter string.")
	case n < 0:
		return fail(fmt.Sprintf("Invalid negative node id %d in dynamic voter string.", n))
	case rest == "":
		return fail("No hostname found after node id.")
	}
	host, rest, why := cutHost(rest)
	if why != "" {
		return fail(why)
	}
	text, directory, ok := strings.Cut(rest, ":")
	if !ok {
		return fail("No colon following port could be found.")
	}
	port, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return fail("Failed to parse port in dynamic voter string.")
	case port < 0 || port > 65535:
		return fail(fmt.Sprintf("Invalid port %d in dynamic voter string.", port))
	}
	uuid, err := kafka.ParseUUID(directory)
	if err != nil {
		return fail("Failed to parse directory ID in dynamic voter string.")
	}
	return Voter{ID: kafka.NodeID(n), Directory: uuid, Host: host, Port: port}, nil
}

// cutHost cuts host, which may be in brackets, and the colon after it.
func cutHost(s string) (host, rest, why string) {
	if strings.HasPrefix(s, "[") {
		host, rest, ok := strings.Cut(s[1:], "]")
		if !ok {
			return "", "", "Hostname began with left bracket, but no right bracket was found."
		}
		if !strings.HasPrefix(rest, ":") {
			return "", "", "Port section must start with a colon."
		}
		return host, rest[1:], ""
	}
	host, rest, ok := strings.Cut(s, ":")
	if !ok {
		return "", "", "No colon following hostname could be found."
	}
	return host, rest, ""
}
