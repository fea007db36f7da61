package metadata

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/schema"
)

// keptKind orders the kept records as Kafka orders them in a snapshot.
type keptKind int8

const (
	quotaKey keptKind = iota
	aclKey
	scramKey
	tokenKey
)

// keptID is the identity of a kept record: a later record of the same identity replaces it.
type keptID struct {
	kind keptKind
	text string
}

// Kept are the records that nothing here interprets yet, by their identity: client quotas, ACLs, SCRAM
// credentials, delegation tokens. They are kept so that a snapshot of ours loses nothing of Kafka's.
type Kept struct {
	records map[keptID]Record
}

func (k *Kept) write(w *writer, kind keptKind) {
	var ids []keptID
	for id := range k.records {
		if id.kind == kind {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b keptID) int { return cmp.Compare(a.text, b.text) })
	for _, id := range ids {
		r := k.records[id]
		w.put(r.Body, r.Version)
	}
}

// keptDelta holds the records that changed; a nil body says that the identity is gone.
type keptDelta struct {
	changed map[keptID]Record
}

func (d *Delta) keep(id keptID, r Record) {
	if d.kept == nil {
		d.kept = &keptDelta{changed: make(map[keptID]Record)}
	}
	d.kept.changed[id] = r
}

func (d *Delta) replayQuota(r *schema.ClientQuotaRecord) {
	var parts []string
	for _, e := range r.Entity {
		name := "-"
		if e.EntityName != nil {
			name = fmt.Sprintf("%q", *e.EntityName)
		}
		parts = append(parts, e.EntityType+"="+name)
	}
	slices.Sort(parts)
	id := keptID{quotaKey, strings.Join(append(parts, r.Key), "\x00")}
	if r.Remove {
		d.keep(id, Record{})
		return
	}
	d.keep(id, Record{Body: r})
}

func aclID(id kafka.UUID) keptID { return keptID{aclKey, id.String()} }

func tokenID(id string) keptID { return keptID{tokenKey, id} }

func scramID(user string, mechanism int8) keptID {
	return keptID{scramKey, fmt.Sprintf("%s\x00%d", user, mechanism)}
}

func (d *keptDelta) apply(k *Kept) *Kept {
	if d == nil {
		return k
	}
	next := &Kept{records: make(map[keptID]Record, len(k.records)+len(d.changed))}
	for id, r := range k.records {
		next.records[id] = r
	}
	for id, r := range d.changed {
		if r.Body == nil {
			delete(next.records, id)
		} else {
			next.records[id] = r
		}
	}
	return next
}
