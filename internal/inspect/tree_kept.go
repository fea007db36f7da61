package inspect

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
)

// quotaName is the name of the folder of an entity: clientId(c)_user(u).
func quotaName(entity []schema.QuotaEntity) string {
	escape := strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`)
	byType := map[string]string{}
	for _, e := range entity {
		name := ""
		if e.EntityName != nil {
			name = *e.EntityName
		}
		byType[e.EntityType] = name
	}
	var words []string
	for _, t := range []struct{ entity, word string }{{"client-id", "clientId"}, {"ip", "ip"}, {"user", "user"}} {
		if name, ok := byType[t.entity]; ok {
			words = append(words, t.word+"("+escape.Replace(name)+")")
		}
	}
	return strings.Join(words, "_")
}

// quotas are the quotas of clients. double is the text of a number.
func quotas(i *metadata.Image, double func(float64) string) *Node {
	return folder("clientQuotas", func() []*Node {
		var nodes []*Node
		byName := map[string][]*Node{}
		for _, r := range records[*schema.ClientQuotaRecord](i) {
			name := quotaName(r.Entity)
			if byName[name] == nil {
				nodes = append(nodes, folder(name, func() []*Node { return byName[name] }))
			}
			byName[name] = append(byName[name], leaf(r.Key, double(r.Value)))
		}
		return nodes
	})
}

// The words for the numbers of the wire in an ACL.
var (
	aclResources  = []string{"UNKNOWN", "ANY", "TOPIC", "GROUP", "CLUSTER", "TRANSACTIONAL_ID", "DELEGATION_TOKEN", "USER"}
	aclPatterns   = []string{"UNKNOWN", "ANY", "MATCH", "LITERAL", "PREFIXED"}
	aclOperations = []string{"UNKNOWN", "ANY", "ALL", "READ", "WRITE", "CREATE", "DELETE", "ALTER", "DESCRIBE", "CLUSTER_ACTION", "DESCRIBE_CONFIGS",
		"ALTER_CONFIGS", "IDEMPOTENT_WRITE", "CREATE_TOKENS", "DESCRIBE_TOKENS", "TWO_PHASE_COMMIT"}
	aclPermissions = []string{"UNKNOWN", "ANY", "DENY", "ALLOW"}
)

func wordOf(words []string, n int8) string {
	if n < 0 || int(n) >= len(words) {
		return words[0]
	}
	return words[n]
}

func acls(i *metadata.Image) *Node {
	return fixed("acls", folder("byId", func() []*Node {
		var nodes []*Node
		for _, r := range records[*schema.AccessControlEntryRecord](i) {
			nodes = append(nodes, leaf(r.ID.String(), fmt.Sprintf("StandardAcl[resourceType=%s, resourceName=%s, patternType=%s, principal=%s, host=%s, "+
				"operation=%s, permissionType=%s]", wordOf(aclResources, r.ResourceType), r.ResourceName, wordOf(aclPatterns, r.PatternType), r.Principal,
				r.Host, wordOf(aclOperations, r.Operation), wordOf(aclPermissions, r.PermissionType))))
		}
		return nodes
	}))
}

func scram(i *metadata.Image) *Node {
	of := func(mechanism int8) func() []*Node {
		return func() []*Node {
			var nodes []*Node
			for _, r := range records[*schema.UserScramCredentialRecord](i) {
				if r.Mechanism == mechanism {
					nodes = append(nodes, leaf(r.Name, fmt.Sprintf("ScramCredentialData(salt=%s, storedKey=%s, serverKey=%s, iterations=%d)",
						hex.EncodeToString(r.Salt), hex.EncodeToString(r.StoredKey), hex.EncodeToString(r.ServerKey), r.Iterations)))
				}
			}
			return nodes
		}
	}
	return fixed("scram", folder("SCRAM-SHA-256", of(1)), folder("SCRAM-SHA-512", of(2)))
}

func tokens(i *metadata.Image) *Node {
	return folder("delegationToken", func() []*Node {
		var nodes []*Node
		for _, r := range records[*schema.DelegationTokenRecord](i) {
			nodes = append(nodes, leaf(r.TokenID, "DelegationTokenDatatokenId="+r.TokenID+"(owner="+r.Owner+"(tokenRequester="+r.Requester+
				"(renewers="+strings.Join(r.Renewers, " ")+", issueTimestamp="+strconv.FormatInt(r.IssueTimestamp, 10)+
				", maxTimestamp="+strconv.FormatInt(r.MaxTimestamp, 10)+")"))
		}
		return nodes
	})
}
