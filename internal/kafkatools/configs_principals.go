package kafkatools

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ottla/ottla/internal/kafkatools/java"
)

// Quotas of clients and users, and of addresses.
var (
	clientQuotas = []string{"producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate"}
	ipQuotas     = []string{"connection_creation_rate"}
)

// quotaTypes are the types of entities as quotas name them, and in words.
var quotaTypes = []struct{ kind, entity, words string }{
	{typeUser, "user", "user-principal"},
	{typeClient, "client-id", "client-id"},
	{typeIP, "ip", "ip"},
}

func quotaType(kind string) string {
	for _, q := range quotaTypes {
		if q.kind == kind {
			return q.entity
		}
	}
	return ""
}

// Matches of a component of DescribeClientQuotas.
const (
	matchName    = 0
	matchDefault = 1
	matchAny     = 2
)

// quotas are the quotas that the entities of the command line have.
func (t *configsTool) quotas(ctx context.Context) ([]kmsg.DescribeClientQuotasResponseEntry, error) {
	if len(t.names) > len(t.types) {
		return nil, errors.New("More entity names specified than entity types")
	}
	req := kmsg.NewPtrDescribeClientQuotasRequest()
	req.Strict = true
	for i, kind := range t.types {
		c := kmsg.NewDescribeClientQuotasRequestComponent()
		c.EntityType = quotaType(kind)
		switch {
		case i >= len(t.names):
			c.MatchType = matchAny
		case t.names[i] == "":
			c.MatchType = matchDefault
		default:
			c.MatchType, c.Match = matchName, &t.names[i]
		}
		req.Components = append(req.Components, c)
	}
	resp, err := askAny[*kmsg.DescribeClientQuotasResponse](ctx, t.c, "describeClientQuotas", req)
	if err == nil {
		err = javaCode(resp.ErrorCode, resp.ErrorMessage)
	}
	if err != nil {
		return nil, err
	}
	return resp.Entries, nil
}

func (t *configsTool) describeQuotas(ctx context.Context) error {
	entries, err := t.quotas(ctx)
	if err != nil {
		return err
	}
	for _, e := range entries {
		var who, what []string
		for _, q := range quotaTypes {
			for _, part := range e.Entity {
				switch {
				case part.Type != q.entity:
				case part.Name == nil:
					who = append(who, "the default "+q.words)
				default:
					who = append(who, q.words+" '"+*part.Name+"'")
				}
			}
		}
		values := java.HashOrderSized(e.Values, len(e.Values), func(v kmsg.DescribeClientQuotasResponseEntryValue) int32 { return java.HashString(v.Key) })
		for _, v := range values {
			what = append(what, v.Key+"="+java.Double(v.Value))
		}
		t.w.printf("Quota configs for %s are %s\n", strings.Join(who, ", "), strings.Join(what, ", "))
	}
	return nil
}

// describeUsers prints quotas and, where only users were asked for, the SCRAM credentials.
func (t *configsTool) describeUsers(ctx context.Context) error {
	if err := t.describeQuotas(ctx); err != nil {
		return err
	}
	if t.is(typeClient) || slices.Contains(t.names, "") {
		return nil
	}
	req := kmsg.NewPtrDescribeUserSCRAMCredentialsRequest()
	for _, name := range t.names {
		u := kmsg.NewDescribeUserSCRAMCredentialsRequestUser()
		u.Name = name
		req.Users = append(req.Users, u)
	}
	resp, err := ask[*kmsg.DescribeUserSCRAMCredentialsResponse](ctx, t.c, "describeUserScramCredentials", req)
	if err == nil {
		err = javaCode(resp.ErrorCode, resp.ErrorMessage)
	}
	if err != nil {
		return err
	}
	for _, r := range resp.Results {
		if javaCode(r.ErrorCode, nil) != nil {
			continue // somebody without credentials is no user here
		}
		var infos []string
		for _, c := range r.CredentialInfos {
			infos = append(infos, fmt.Sprintf("%s=iterations=%d", mechanismName(c.Mechanism), c.Iterations))
		}
		t.w.printf("SCRAM credential configs for user-principal '%s' are %s\n", r.User, strings.Join(infos, ", "))
	}
	return nil
}

// Mechanisms of SCRAM, by the number that the protocol has for them less one.
var mechanisms = []struct {
	name    string
	hash    func() hash.Hash
	minimum int
}{{"SCRAM-SHA-256", sha256.New, 4096}, {"SCRAM-SHA-512", sha512.New, 4096}}

func mechanismName(n int8) string {
	if n < 1 || int(n) > len(mechanisms) {
		return "UNKNOWN"
	}
	return mechanisms[n-1].name
}

func mechanismNumber(name string) int8 {
	for i, m := range mechanisms {
		if m.name == name {
			return int8(i + 1)
		}
	}
	return 0
}

// alterPrincipals changes quotas of clients, users and addresses, or SCRAM credentials of a user.
func (t *configsTool) alterPrincipals(ctx context.Context, sets, deletes []alteration) error {
	quotas := clientQuotas
	if t.is(typeIP) {
		quotas = ipQuotas
	}
	var scram, quota bool
	var unknown []string
	for _, a := range slices.Concat(sets, deletes) {
		switch {
		case slices.Contains(quotas, a.key):
			quota = true
		case mechanismNumber(a.key) > 0 && t.is(typeUser) && !t.is(typeClient):
			scram = true
		default:
			unknown = append(unknown, a.key)
		}
	}
	switch {
	case unknown != nil && t.is(typeIP):
		return errors.New("Only connection quota configs can be added for 'ips' using --bootstrap-server. Unexpected config names: " + strings.Join(unknown, ","))
	case unknown != nil && t.is(typeClient):
		return errors.New("Only quota configs can be added for 'clients' using --bootstrap-server. Unexpected config names: " + strings.Join(unknown, ", "))
	case unknown != nil:
		return errors.New("Only quota and SCRAM credential configs can be added for 'users' using --bootstrap-server. Unexpected config names: " + strings.Join(unknown, ", "))
	case scram && slices.Contains(t.names, ""):
		return errors.New("The use of --entity-default or --user-defaults is not allowed with User SCRAM Credentials using --bootstrap-server.")
	case scram && quota:
		return errors.New("Cannot alter both quota and SCRAM credential configs simultaneously for 'users' using --bootstrap-server.")
	case scram:
		return t.alterCredentials(ctx, sets, deletes)
	}
	return t.alterQuotas(ctx, sets, deletes)
}

func (t *configsTool) alterQuotas(ctx context.Context, sets, deletes []alteration) error {
	old, err := t.quotas(ctx)
	if err != nil {
		return err
	}
	entry := kmsg.NewAlterClientQuotasRequestEntry()
	for i, kind := range t.types {
		e := kmsg.NewAlterClientQuotasRequestEntryEntity()
		e.Type = quotaType(kind)
		if t.names[i] != "" {
			e.Name = &t.names[i]
		}
		entry.Entity = append(entry.Entity, e)
	}
	var missing []string
	for _, d := range deletes {
		if len(old) == 0 || !slices.ContainsFunc(old[0].Values, func(v kmsg.DescribeClientQuotasResponseEntryValue) bool { return v.Key == d.key }) {
			missing = append(missing, d.key)
		}
		op := kmsg.NewAlterClientQuotasRequestEntryOp()
		op.Key, op.Remove = d.key, true
		entry.Ops = append(entry.Ops, op)
	}
	if missing != nil {
		return errors.New("Invalid config(s): " + strings.Join(missing, ","))
	}
	for _, s := range sets {
		op := kmsg.NewAlterClientQuotasRequestEntryOp()
		op.Key = s.key
		if op.Value, err = strconv.ParseFloat(*s.value, 64); err != nil {
			return fmt.Errorf("Cannot parse quota configuration value for %s: %s", s.key, *s.value)
		}
		entry.Ops = append(entry.Ops, op)
	}
	req := kmsg.NewPtrAlterClientQuotasRequest()
	req.Entries = append(req.Entries, entry)
	resp, err := ask[*kmsg.AlterClientQuotasResponse](ctx, t.c, "alterClientQuotas", req)
	if err != nil {
		return err
	}
	for _, e := range resp.Entries {
		if err := javaCode(e.ErrorCode, e.ErrorMessage); err != nil {
			return err
		}
	}
	return nil
}

var credentialProperty = regexp.MustCompile(`^(?:iterations=(-?[0-9]*),)?password=(.*)$`)

func (t *configsTool) alterCredentials(ctx context.Context, sets, deletes []alteration) error {
	req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	for _, d := range deletes {
		x := kmsg.NewAlterUserSCRAMCredentialsRequestDeletion()
		x.Name, x.Mechanism = t.names[0], mechanismNumber(d.key)
		req.Deletions = append(req.Deletions, x)
	}
	for _, s := range sets {
		u, err := upsertion(t.names[0], s.key, *s.value)
		if err != nil {
			return err
		}
		req.Upsertions = append(req.Upsertions, u)
	}
	resp, err := ask[*kmsg.AlterUserSCRAMCredentialsResponse](ctx, t.c, "alterUserScramCredentials", req)
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

// upsertion salts and hashes a password: the server never sees it.
func upsertion(user, mechanism, property string) (kmsg.AlterUserSCRAMCredentialsRequestUpsertion, error) {
	u := kmsg.NewAlterUserSCRAMCredentialsRequestUpsertion()
	match := credentialProperty.FindStringSubmatch(property)
	if match == nil {
		return u, fmt.Errorf("Invalid credential property %s=%s", mechanism, property)
	}
	u.Mechanism = mechanismNumber(mechanism)
	m := mechanisms[u.Mechanism-1]
	n := m.minimum
	if match[1] != "" && match[1] != "-1" {
		var err error
		if n, err = strconv.Atoi(match[1]); err != nil {
			return u, fmt.Errorf("For input string: %q", match[1])
		}
	}
	if n < m.minimum {
		return u, fmt.Errorf("Iterations %d is less than the minimum %d required for %s", n, m.minimum, mechanism)
	}
	u.Name, u.Iterations, u.Salt = user, int32(n), make([]byte, 24)
	if _, err := rand.Read(u.Salt); err != nil {
		return u, err
	}
	var err error
	u.SaltedPassword, err = pbkdf2.Key(m.hash, match[2], u.Salt, n, m.hash().Size())
	return u, err
}
