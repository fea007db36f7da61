package kafkatools

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

const configsAbout = "This tool helps to manipulate and describe entity config for a topic, client, user, broker, ip, client-metrics or group"

// Types of entities, as --entity-type names them.
const (
	typeTopic         = "topics"
	typeClient        = "clients"
	typeUser          = "users"
	typeBroker        = "brokers"
	typeBrokerLogger  = "broker-loggers"
	typeIP            = "ips"
	typeClientMetrics = "client-metrics"
	typeGroup         = "groups"
)

// entityTypes are all of them, in the order in which Apache's tool names them.
var entityTypes = []string{typeTopic, typeClient, typeUser, typeBroker, typeIP, typeClientMetrics, typeGroup, typeBrokerLogger}

// configsTool is kafka-configs.
type configsTool struct {
	joptTool
	w   *World
	set *jopt.Set
	c   *client

	alter, describe, all                  *jopt.Option
	entityType, entityName, entityDefault *jopt.Option
	addConfig, addFile, deleteConfig      *jopt.Option
	named, defaults                       []*jopt.Option // parallel to namedTypes and defaultTypes
	types, names                          []string
}

var (
	namedTypes   = []string{typeTopic, typeClient, typeUser, typeBroker, typeBrokerLogger, typeIP, typeClientMetrics, typeGroup}
	defaultTypes = []string{typeClient, typeUser, typeBroker, typeIP}
)

func newConfigsTool(w *World) *configsTool {
	t := &configsTool{joptTool: newJoptTool(nil, nil), w: w}
	t.alter = t.Accepts("alter", "Change configurations of the entity.")
	t.describe = t.Accepts("describe", "Show configurations of the entity.")
	t.all = t.Accepts("all", "Show all configurations, those from files and defaults too.")
	t.entityType = t.Accepts("entity-type", "The type: topics, clients, users, brokers, broker-loggers, ips, client-metrics or groups.").Arg("String")
	t.entityName = t.Accepts("entity-name", "The name: a topic, client id, user, id of a broker, address, resource of client metrics, or group.").Arg("String")
	t.entityDefault = t.Accepts("entity-default", "What counts for all clients, users, brokers or ips.")
	t.addConfig = t.Accepts("add-config", "Configurations to set: k1=v1,k2=[v1,v2,v3].").Arg("String")
	t.addFile = t.Accepts("add-config-file", "A properties file with configurations to set.").Arg("String")
	t.deleteConfig = t.Accepts("delete-config", "Configurations to take away: k1,k2.").Arg("String").SeparatedBy(",")
	t.Accepts("force", "Ask nothing.")
	for _, kind := range namedTypes {
		name := kind
		if kind != typeClientMetrics {
			name = strings.TrimSuffix(kind, "s")
		}
		t.named = append(t.named, t.Accepts(name, "The name of an entity of type "+kind+".").Arg("String"))
	}
	for _, kind := range defaultTypes {
		t.defaults = append(t.defaults, t.Accepts(strings.TrimSuffix(kind, "s")+"-defaults", "What counts for all "+kind+"."))
	}
	return t
}

func configsMain(ctx context.Context, w *World, args []string) int {
	t := newConfigsTool(w)
	var err error
	if t.set, err = t.Parse(args); err != nil {
		w.errorln(err)
		return 1
	}
	if exit, done := t.asked(w, args, t.set, configsAbout); done {
		return exit
	}
	err = t.run(ctx)
	var usage jopt.Error
	if errors.As(err, &usage) {
		return w.usage(t.Parser, err.Error())
	}
	if err != nil {
		w.errorln(err)
		return 1
	}
	return 0
}

func (t *configsTool) run(ctx context.Context) error {
	if err := t.entities(); err != nil {
		return err
	}
	all, err := t.settings(t.set)
	if err != nil {
		return err
	}
	if err := t.check(all[bootstrapServers] != ""); err != nil {
		return err
	}
	if t.set.Count(t.server, t.controller) == 2 {
		return jopt.Error("You cannot specify both --bootstrap-controller and --bootstrap-server.")
	}
	if t.c, err = open(all); err != nil {
		return err
	}
	defer t.c.Close()
	if t.set.Has(t.describe) {
		return t.describeEntities(ctx)
	}
	if len(t.types) != len(t.names) {
		return errors.New("An entity name must be specified for every entity type")
	}
	return t.alterEntity(ctx)
}

// entities collects the types and names of the command line; a default has the name "".
func (t *configsTool) entities() error {
	t.types = slices.Clone(t.set.Values(t.entityType))
	names := t.set.Values(t.entityName)
	for _, o := range t.set.Given {
		switch o {
		case t.entityName:
			t.names, names = append(t.names, names[0]), names[1:]
		case t.entityDefault:
			t.names = append(t.names, "")
		}
	}
	for i, o := range t.named {
		if t.set.Has(o) {
			name, err := t.set.Value(o)
			if err != nil {
				return err
			}
			t.types, t.names = append(t.types, namedTypes[i]), append(t.names, name)
		}
	}
	for i, o := range t.defaults {
		if t.set.Has(o) {
			t.types, t.names = append(t.types, defaultTypes[i]), append(t.names, "")
		}
	}
	return nil
}

// is reports whether one of the types is among kinds.
func (t *configsTool) is(kinds ...string) bool {
	return slices.ContainsFunc(t.types, func(k string) bool { return slices.Contains(kinds, k) })
}

func (t *configsTool) check(haveServer bool) error {
	if t.set.Count(t.alter, t.describe) != 1 {
		return jopt.Error("Command must include exactly one action: --describe, --alter")
	}
	if err := t.set.CheckInvalid(t.describe, t.addConfig, t.addFile, t.deleteConfig); err != nil {
		return err
	}
	for i, kind := range t.types {
		if slices.Contains(t.types[:i], kind) {
			return errors.New("Duplicate entity type(s) specified: " + kind)
		}
		if !slices.Contains(entityTypes, kind) {
			return fmt.Errorf("Invalid entity type %s, the entity type must be one of %s with a --bootstrap-server or --bootstrap-controller argument", kind, strings.Join(entityTypes, ", "))
		}
	}
	switch {
	case len(t.types) == 0:
		return errors.New("At least one entity type must be specified")
	case len(t.types) > 1 && !(len(t.types) == 2 && t.is(typeUser) && t.is(typeClient)):
		return errors.New("Only 'users' and 'clients' entity types may be specified together")
	case t.set.Count(t.entityName, t.entityType, t.entityDefault) > 0 && t.set.Count(slices.Concat(t.named, t.defaults)...) > 0:
		return errors.New("--entity-{type,name,default} should not be used in conjunction with specific entity flags")
	case !haveServer:
		return errors.New("One of the required --bootstrap-server or --bootstrap-controller arguments must be specified")
	}
	if err := t.checkNames(); err != nil {
		return err
	}
	if t.set.Has(t.describe) {
		return t.checkDescribe()
	}
	return t.checkAlter()
}

// checkNames wants ids of brokers to be numbers, and addresses to be some.
func (t *configsTool) checkNames() error {
	for _, name := range t.names {
		if name == "" {
			continue
		}
		if _, err := strconv.ParseInt(name, 10, 32); t.is(typeBroker, typeBrokerLogger) && err != nil {
			return fmt.Errorf("The entity name for %s must be a valid integer broker id, but it is: %s", t.types[0], name)
		}
		if t.is(typeIP) && net.ParseIP(name) == nil {
			if _, err := net.LookupHost(name); err != nil {
				return fmt.Errorf("The entity name for %s must be a valid IP or resolvable host, but it is: %s", t.types[0], name)
			}
		}
	}
	return nil
}

func (t *configsTool) hasName() bool {
	return slices.ContainsFunc(t.names, func(n string) bool { return n != "" })
}

func (t *configsTool) checkDescribe() error {
	if t.set.Has(t.entityDefault) && !t.is(typeUser, typeClient, typeBroker, typeIP) {
		return errors.New("--entity-default must not be specified with --describe of " + strings.Join(t.types, ","))
	}
	if t.is(typeBrokerLogger) && !t.hasName() {
		return errors.New("An entity name must be specified with --describe of " + strings.Join(t.types, ","))
	}
	return nil
}

func (t *configsTool) checkAlter() error {
	switch {
	case t.is(typeUser, typeClient, typeBroker, typeIP):
		if len(t.names) == 0 {
			return errors.New("An entity-name or default entity must be specified with --alter of users, clients, brokers or ips")
		}
	case !t.hasName():
		return errors.New("An entity name must be specified with --alter of " + strings.Join(t.types, ","))
	}
	if t.set.Has(t.addConfig) && t.set.Has(t.addFile) {
		return errors.New("Only one of --add-config or --add-config-file must be specified")
	}
	if t.set.Count(t.addConfig, t.addFile, t.deleteConfig) == 0 {
		return errors.New("At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter")
	}
	return nil
}

var (
	configKey = regexp.MustCompile(`^[$a-zA-Z0-9._-]*$`)
	brackets  = strings.NewReplacer("[", "", "]", "")
)

// added are the configurations to set, sorted by key.
func (t *configsTool) added() ([]alteration, error) {
	all := map[string]string{}
	file, err := t.set.Value(t.addFile)
	if err != nil {
		return nil, err
	}
	if t.set.Has(t.addFile) {
		if all, err = readSettings(file); err != nil {
			return nil, err
		}
	}
	words, err := t.set.Value(t.addConfig)
	if err != nil {
		return nil, err
	}
	if t.set.Has(t.addConfig) {
		for _, word := range splitOutside(words, ',') {
			pair := splitOutside(word, '=')
			if len(pair) != 2 {
				return nil, errors.New(`requirement failed: Invalid entity config: all configs to be added must be in the format "key=val" or  "key=[val1,val2]" to group values which contain commas.`)
			}
			all[strings.TrimSpace(pair[0])] = strings.TrimSpace(brackets.Replace(pair[1]))
		}
	}
	var sets []alteration
	for _, key := range sortedKeys(all) {
		if !configKey.MatchString(key) {
			return nil, errors.New("Invalid character found for config key: " + key)
		}
		value := all[key]
		sets = append(sets, alteration{key, &value})
	}
	return sets, nil
}

// splitOutside cuts a text at separators that stand outside of brackets: with no ] before the next [ or the end.
func splitOutside(s string, sep byte) []string {
	var parts []string
	from := 0
	for i := range len(s) {
		if s[i] != sep {
			continue
		}
		rest := s[i+1:]
		if end := strings.IndexAny(rest, "[]"); end >= 0 && rest[end] == ']' {
			continue
		}
		parts = append(parts, s[from:i])
		from = i + 1
	}
	return append(parts, s[from:])
}

// deleted are the keys to take away.
func (t *configsTool) deleted() []alteration {
	var all []alteration
	for _, key := range t.set.Values(t.deleteConfig) {
		all = append(all, alteration{key: strings.TrimSpace(key)})
	}
	return all
}
