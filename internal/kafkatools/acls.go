package kafkatools

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafkatools/jopt"
)

const aclsAbout = "This tool helps to manage acls on kafka."

// The words of access control, by their numbers in the protocol.
var (
	aclResources  = []string{"UNKNOWN", "ANY", "TOPIC", "GROUP", "CLUSTER", "TRANSACTIONAL_ID", "DELEGATION_TOKEN", "USER"}
	aclPatterns   = []string{"UNKNOWN", "ANY", "MATCH", "LITERAL", "PREFIXED"}
	aclPermits    = []string{"UNKNOWN", "ANY", "DENY", "ALLOW"}
	aclOperations = []string{"Unknown", "Any", "All", "Read", "Write", "Create", "Delete", "Alter", "Describe", "ClusterAction", "DescribeConfigs",
		"AlterConfigs", "IdempotentWrite", "CreateTokens", "DescribeTokens", "TwoPhaseCommit"}
)

// aclSupported are the operations of each type of resource; All is one of every type.
var aclSupported = map[kmsg.ACLResourceType]string{
	aclTopic:         "Read Write Create Describe Delete Alter DescribeConfigs AlterConfigs",
	aclGroup:         "Read Describe Delete DescribeConfigs AlterConfigs",
	aclCluster:       "Create ClusterAction DescribeConfigs AlterConfigs IdempotentWrite Alter Describe",
	aclTransactional: "Describe Write TwoPhaseCommit",
	aclToken:         "Describe",
	aclUser:          "CreateTokens DescribeTokens",
}

const (
	aclTopic         = kmsg.ACLResourceType(2)
	aclGroup         = kmsg.ACLResourceType(3)
	aclCluster       = kmsg.ACLResourceType(4)
	aclTransactional = kmsg.ACLResourceType(5)
	aclToken         = kmsg.ACLResourceType(6)
	aclUser          = kmsg.ACLResourceType(7)

	aclAny     = 1
	aclLiteral = kmsg.ACLResourcePatternType(3)
	aclDeny    = kmsg.ACLPermissionType(2)
	aclAllow   = kmsg.ACLPermissionType(3)
)

// aclPattern is a resource that entries are about, or a filter of some.
type aclPattern struct {
	kind    kmsg.ACLResourceType
	name    string
	pattern kmsg.ACLResourcePatternType
}

// String is that of ResourcePattern in Java, without its name.
func (p aclPattern) String() string {
	return fmt.Sprintf("(resourceType=%s, name=%s, patternType=%s)", word(aclResources, int8(p.kind)), p.name, word(aclPatterns, int8(p.pattern)))
}

func word(words []string, n int8) string {
	if n < 0 || int(n) >= len(words) {
		return words[0]
	}
	return words[n]
}

// aclEntry is who may do what from where, or may not.
type aclEntry struct {
	principal, host string
	operation       kmsg.ACLOperation
	permission      kmsg.ACLPermissionType
}

// String is that of AccessControlEntry in Java.
func (e aclEntry) String() string {
	return fmt.Sprintf("(principal=%s, host=%s, operation=%s, permissionType=%s)", e.principal, e.host, javaConstant(word(aclOperations, int8(e.operation))), word(aclPermits, int8(e.permission)))
}

// aclSet are entries of one resource.
type aclSet struct {
	aclPattern
	entries []aclEntry
}

// aclsTool is kafka-acls.
type aclsTool struct {
	joptTool
	w   *World
	set *jopt.Set

	topic, cluster, group, transactional, token, user *jopt.Option
	pattern, add, remove, list, operation             *jopt.Option
	allow, deny, principal, allowHost, denyHost       *jopt.Option
	producer, consumer, idempotent, force             *jopt.Option
}

func newACLsTool(w *World) *aclsTool {
	t := &aclsTool{joptTool: newJoptTool(nil, nil), w: w}
	t.topic = t.Accepts("topic", "A topic; * stands for every one.").Arg("String: topic")
	t.cluster = t.Accepts("cluster", "The cluster itself.")
	t.group = t.Accepts("group", "A group; * stands for every one.").Arg("String: group")
	t.transactional = t.Accepts("transactional-id", "A transactional id; * stands for every one.").Arg("String: transactional-id")
	t.token = t.Accepts("delegation-token", "A delegation token; * stands for every one.").Arg("String: delegation-token")
	t.user = t.Accepts("user-principal", "A user, as what something is done to.").Arg("String: user-principal")
	t.pattern = t.Accepts("resource-pattern-type", "What a name stands for: literal, prefixed, or for --list and --remove also any or match.").Arg("ANY|MATCH|LITERAL|PREFIXED").Default("LITERAL")
	t.add = t.Accepts("add", "Add entries.")
	t.remove = t.Accepts("remove", "Remove entries.")
	t.list = t.Accepts("list", "List entries.")
	t.operation = t.Accepts("operation", "An operation: "+strings.Join(aclOperations[2:], ", ")+".").Arg("String").Default("All")
	t.allow = t.Accepts("allow-principal", "Who may, as TYPE:NAME; User:* is everybody.").Arg("String: allow-principal")
	t.deny = t.Accepts("deny-principal", "Who may not, as TYPE:NAME.").Arg("String: deny-principal")
	t.principal = t.Accepts("principal", "With --list: only entries of this principal.").MaybeArg("String: principal")
	t.allowHost = t.Accepts("allow-host", "From where who may; everywhere, if it is not given.").Arg("String: allow-host")
	t.denyHost = t.Accepts("deny-host", "From where who may not; everywhere, if it is not given.").Arg("String: deny-host")
	t.producer = t.Accepts("producer", "What a producer needs: Write, Describe and Create on the topic.")
	t.consumer = t.Accepts("consumer", "What a consumer needs: Read and Describe on the topic, and Read on the group.")
	t.idempotent = t.Accepts("idempotent", "With --producer: let it be idempotent.")
	t.force = t.Accepts("force", "Ask nothing.")
	return t
}

func aclsMain(ctx context.Context, w *World, args []string) int {
	t := newACLsTool(w)
	var err error
	if t.set, err = t.Parse(args); err != nil {
		return w.usage(t.Parser, err.Error())
	}
	if exit, done := t.asked(w, args, t.set, aclsAbout); done {
		return exit
	}
	err = t.run(ctx)
	var usage jopt.Error
	if errors.As(err, &usage) {
		return w.usage(t.Parser, err.Error())
	}
	if err != nil {
		w.println("Error while executing ACL command: " + javaFull(err))
		return 1
	}
	return 0
}

func (t *aclsTool) run(ctx context.Context) error {
	s, err := t.settings(t.set)
	if err != nil {
		return err
	}
	if err := t.check(s[bootstrapServers] != ""); err != nil {
		return err
	}
	c, err := open(s)
	if err != nil {
		return err
	}
	defer c.Close()
	switch {
	case t.set.Has(t.add):
		return t.addEntries(ctx, c)
	case t.set.Has(t.remove):
		return t.removeEntries(ctx, c)
	}
	return t.listEntries(ctx, c)
}

func (t *aclsTool) check(haveServer bool) error {
	s := t.set
	switch {
	case s.Count(t.server, t.controller) == 2:
		return jopt.Error("Only one of --bootstrap-server or --bootstrap-controller must be specified")
	case !haveServer:
		return jopt.Error("One of --bootstrap-server or --bootstrap-controller must be specified")
	case s.Count(t.add, t.remove, t.list) != 1:
		return jopt.Error("Command must include exactly one action: --list, --add, --remove. ")
	}
	for _, err := range []error{
		s.CheckInvalid(t.list, t.producer, t.consumer, t.allowHost, t.allow, t.denyHost, t.deny),
		s.CheckInvalid(t.producer, t.operation, t.deny, t.denyHost),
		s.CheckInvalid(t.consumer, t.operation, t.deny, t.denyHost),
	} {
		if err != nil {
			return err
		}
	}
	switch {
	case s.Has(t.principal) && !s.Has(t.list):
		return jopt.Error("The --principal option is only available if --list is set")
	case s.Has(t.producer) && !s.Has(t.topic):
		return jopt.Error("With --producer you must specify a --topic")
	case s.Has(t.idempotent) && !s.Has(t.producer):
		return jopt.Error("The --idempotent option is only available if --producer is set")
	case s.Has(t.consumer) && (!s.Has(t.topic) || !s.Has(t.group) || !s.Has(t.producer) && s.Count(t.cluster, t.transactional) > 0):
		return jopt.Error("With --consumer you must specify a --topic and a --group and no --cluster or --transactional-id option should be specified.")
	}
	return nil
}

// patterns are the resources of the command line.
func (t *aclsTool) patterns() ([]aclPattern, error) {
	kind, err := t.set.Value(t.pattern)
	if err != nil {
		return nil, err
	}
	n := slices.Index(aclPatterns, strings.ToUpper(kind))
	if n < 1 {
		return nil, jopt.Error("Unknown resource-pattern-type: " + kind)
	}
	pattern := kmsg.ACLResourcePatternType(n)
	var all []aclPattern
	add := func(o *jopt.Option, kind kmsg.ACLResourceType) {
		for _, name := range t.set.Values(o) {
			all = append(all, aclPattern{kind, strings.TrimSpace(name), pattern})
		}
	}
	add(t.topic, aclTopic)
	if pattern == aclLiteral && t.set.Count(t.cluster, t.idempotent) > 0 {
		all = append(all, aclPattern{aclCluster, "kafka-cluster", aclLiteral})
	}
	add(t.group, aclGroup)
	add(t.transactional, aclTransactional)
	add(t.token, aclToken)
	add(t.user, aclUser)
	return all, nil
}

// wanted are the entries of the command line for each resource.
func (t *aclsTool) wanted() ([]aclSet, error) {
	patterns, err := t.patterns()
	if err != nil {
		return nil, err
	}
	if len(patterns) == 0 {
		return nil, jopt.Error("You must provide at least one resource: --topic <topic> or --cluster or --group <group> or --delegation-token <Delegation Token ID>")
	}
	var all []aclSet
	for _, p := range patterns {
		operations, err := t.operations(p.kind)
		if err != nil {
			return nil, err
		}
		if operations == nil {
			continue
		}
		entries, err := t.entries(operations)
		if err != nil {
			return nil, err
		}
		all = append(all, aclSet{p, entries})
	}
	return all, nil
}

// operations are those that the command line is about for a type of resource; nil is a resource that it is not about.
func (t *aclsTool) operations(kind kmsg.ACLResourceType) ([]kmsg.ACLOperation, error) {
	words := t.set.Values(t.operation)
	if t.set.Count(t.producer, t.consumer) > 0 {
		words = nil
		if t.set.Has(t.producer) {
			words = append(words, strings.Fields(map[kmsg.ACLResourceType]string{
				aclTopic: "Write Describe Create", aclTransactional: "Write Describe", aclCluster: "IdempotentWrite",
			}[kind])...)
		}
		if t.set.Has(t.consumer) {
			words = append(words, strings.Fields(map[kmsg.ACLResourceType]string{aclTopic: "Read Describe", aclGroup: "Read"}[kind])...)
		}
	}
	var all []kmsg.ACLOperation
	for _, w := range words {
		w = strings.TrimSpace(w)
		n := slices.IndexFunc(aclOperations, func(o string) bool { return strings.EqualFold(o, w) })
		if entries := t.set.Count(t.allow, t.deny) > 0; entries && n != 2 && (n < 0 || !slices.Contains(strings.Fields(aclSupported[kind]), aclOperations[n])) {
			return nil, jopt.Error(fmt.Sprintf("ResourceType %s only supports operations %s", word(aclResources, int8(kind)), aclSupported[kind]))
		}
		all = append(all, kmsg.ACLOperation(max(n, 0)))
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// entries are who may and who may not do the operations.
func (t *aclsTool) entries(operations []kmsg.ACLOperation) ([]aclEntry, error) {
	var all []aclEntry
	for _, side := range []struct {
		who, where *jopt.Option
		permission kmsg.ACLPermissionType
	}{{t.allow, t.allowHost, aclAllow}, {t.deny, t.denyHost, aclDeny}} {
		hosts := t.set.Values(side.where)
		if len(hosts) == 0 {
			hosts = []string{"*"}
		}
		for _, who := range t.set.Values(side.who) {
			who = strings.TrimSpace(who)
			if kind, name, ok := strings.Cut(who, ":"); !ok || kind == "" || name == "" {
				return nil, errors.New("expected a string in format principalType:principalName but got " + who)
			}
			for _, o := range operations {
				for _, h := range hosts {
					all = append(all, aclEntry{who, strings.TrimSpace(h), o, side.permission})
				}
			}
		}
	}
	return all, nil
}

// acls are the entries of the resources that a filter takes, sorted by resource.
func (c *client) acls(ctx context.Context, filter *aclPattern) ([]aclSet, error) {
	req := kmsg.NewPtrDescribeACLsRequest()
	req.ResourceType, req.ResourcePatternType, req.Operation, req.PermissionType = aclAny, aclAny, aclAny, aclAny
	if filter != nil {
		req.ResourceType, req.ResourceName, req.ResourcePatternType = filter.kind, &filter.name, filter.pattern
	}
	resp, err := askAny[*kmsg.DescribeACLsResponse](ctx, c, "describeAcls", req)
	if err == nil {
		err = javaCode(resp.ErrorCode, resp.ErrorMessage)
	}
	if err != nil {
		return nil, err
	}
	var all []aclSet
	for _, r := range resp.Resources {
		s := aclSet{aclPattern: aclPattern{r.ResourceType, r.ResourceName, r.ResourcePatternType}}
		for _, a := range r.ACLs {
			s.entries = append(s.entries, aclEntry{a.Principal, a.Host, a.Operation, a.PermissionType})
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b aclSet) int { return cmp.Compare(a.String(), b.String()) })
	return all, nil
}

func (t *aclsTool) listEntries(ctx context.Context, c *client) error {
	patterns, err := t.patterns()
	if err != nil {
		return err
	}
	var all []aclSet
	if len(patterns) == 0 {
		if all, err = c.acls(ctx, nil); err != nil {
			return err
		}
	}
	for _, p := range patterns {
		found, err := c.acls(ctx, &p)
		if err != nil {
			return err
		}
		for _, f := range found {
			if !slices.ContainsFunc(all, func(s aclSet) bool { return s.aclPattern == f.aclPattern }) {
				all = append(all, f)
			}
		}
	}
	principals := t.set.Values(t.principal)
	if len(principals) == 0 {
		t.printSets(all, "")
	}
	for _, p := range principals {
		t.w.println("ACLs for principal `" + strings.TrimSpace(p) + "`")
		t.printSets(all, strings.TrimSpace(p))
	}
	return nil
}

// printSets prints the entries of a principal, or all with "".
func (t *aclsTool) printSets(all []aclSet, principal string) {
	for _, s := range all {
		var lines []string
		for _, e := range s.entries {
			if principal == "" || e.principal == principal {
				lines = append(lines, "\t"+e.String())
			}
		}
		if lines != nil {
			t.w.printf("Current ACLs for resource `ResourcePattern%s`:\n%s\n\n", s.aclPattern, strings.Join(lines, "\n"))
		}
	}
}

func (t *aclsTool) addEntries(ctx context.Context, c *client) error {
	sets, err := t.wanted()
	if err != nil {
		return err
	}
	for _, s := range sets {
		if s.pattern < aclLiteral {
			return jopt.Error("A '--resource-pattern-type' value of '" + word(aclPatterns, int8(s.pattern)) + "' is not valid when adding acls.")
		}
		if len(s.entries) == 0 {
			return jopt.Error("You must specify one of: --allow-principal, --deny-principal when trying to add ACLs.")
		}
	}
	for _, s := range sets {
		there, err := c.acls(ctx, &s.aclPattern)
		if err != nil {
			return err
		}
		var lines []string
		req := kmsg.NewPtrCreateACLsRequest()
		for _, e := range s.entries {
			if slices.ContainsFunc(there, func(o aclSet) bool { return o.aclPattern == s.aclPattern && slices.Contains(o.entries, e) }) {
				t.w.printf("Acl (pattern=ResourcePattern%s, entry=%s) already exists.\n", s.aclPattern, e)
				continue
			}
			lines = append(lines, "\t"+e.String())
			n := kmsg.NewCreateACLsRequestCreation()
			n.ResourceType, n.ResourceName, n.ResourcePatternType = s.kind, s.name, s.pattern
			n.Principal, n.Host, n.Operation, n.PermissionType = e.principal, e.host, e.operation, e.permission
			req.Creations = append(req.Creations, n)
		}
		if lines == nil {
			continue
		}
		t.w.printf("Adding ACLs for resource `ResourcePattern%s`: \n %s\n\n", s.aclPattern, strings.Join(lines, "\n"))
		resp, err := ask[*kmsg.CreateACLsResponse](ctx, c, "createAcls", req)
		if err != nil {
			return err
		}
		for _, r := range resp.Results {
			if err := javaCode(r.ErrorCode, r.ErrorMessage); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *aclsTool) removeEntries(ctx context.Context, c *client) error {
	sets, err := t.wanted()
	if err != nil {
		return err
	}
	answers := bufio.NewScanner(t.w.In)
	for _, s := range sets {
		entries := s.entries
		question := fmt.Sprintf("Are you sure you want to delete all ACLs for resource filter `ResourcePattern%s`? (y/n)", s.aclPattern)
		if len(entries) > 0 {
			var lines []string
			for _, e := range entries {
				lines = append(lines, "\t"+e.String())
			}
			question = fmt.Sprintf("Are you sure you want to remove ACLs: \n %s\n from resource filter `ResourcePattern%s`? (y/n)", strings.Join(lines, "\n"), s.aclPattern)
		}
		if !t.set.Has(t.force) {
			t.w.println(question)
			t.w.flush()
			if !answers.Scan() || !strings.EqualFold(answers.Text(), "y") {
				continue
			}
		}
		if err := c.deleteACLs(ctx, s.aclPattern, entries); err != nil {
			return err
		}
	}
	return nil
}

// deleteACLs removes entries of the resources that a filter takes, or all of their entries.
func (c *client) deleteACLs(ctx context.Context, of aclPattern, entries []aclEntry) error {
	req := kmsg.NewPtrDeleteACLsRequest()
	add := func(e *aclEntry) {
		f := kmsg.NewDeleteACLsRequestFilter()
		f.ResourceType, f.ResourceName, f.ResourcePatternType, f.Operation, f.PermissionType = of.kind, &of.name, of.pattern, aclAny, aclAny
		if e != nil {
			f.Principal, f.Host, f.Operation, f.PermissionType = &e.principal, &e.host, e.operation, e.permission
		}
		req.Filters = append(req.Filters, f)
	}
	if len(entries) == 0 {
		add(nil)
	}
	for i := range entries {
		add(&entries[i])
	}
	resp, err := ask[*kmsg.DeleteACLsResponse](ctx, c, "deleteAcls", req)
	if err != nil {
		return err
	}
	for _, r := range resp.Results {
		if err := javaCode(r.ErrorCode, r.ErrorMessage); err != nil {
			return err
		}
	}
	return nil
}
