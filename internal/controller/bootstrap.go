package controller

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/ottla/ottla/internal/kafka"
	"github.com/ottla/ottla/internal/metadata"
	"github.com/ottla/ottla/internal/schema"
)

// DefaultSupported are the feature levels of a 4.4 node.
func DefaultSupported() map[string]metadata.LevelRange {
	return map[string]metadata.LevelRange{
		metadata.MetadataVersionFeature: {Min: metadata.MinMetadataVersion, Max: metadata.LatestMetadataVersion},
		metadata.KRaftVersionFeature:    {Min: 0, Max: metadata.LatestKRaftVersion},
		metadata.TransactionFeature:     {Min: 0, Max: 2},
		metadata.GroupFeature:           {Min: 0, Max: 1},
		metadata.ELRFeature:             {Min: 0, Max: 1},
		metadata.ShareFeature:           {Min: 0, Max: 2},
		metadata.StreamsFeature:         {Min: 0, Max: 1},
	}
}

// DefaultBootstrap are the feature levels that format gives a new 4.4 cluster, in the order of the file.
func DefaultBootstrap() []schema.MetadataRecord {
	level := func(name string, l metadata.Level) schema.MetadataRecord {
		return &schema.FeatureLevelRecord{Name: name, FeatureLevel: int16(l)}
	}
	return []schema.MetadataRecord{
		level(metadata.MetadataVersionFeature, metadata.LatestMetadataVersion),
		level(metadata.ELRFeature, 1),
		level(metadata.GroupFeature, 1),
		level(metadata.ShareFeature, 2),
		level(metadata.StreamsFeature, 1),
		level(metadata.TransactionFeature, 2),
	}
}

func (cfg Config) withDefaults() Config {
	if cfg.Supported == nil {
		cfg.Supported = DefaultSupported()
	}
	if cfg.Bootstrap == nil {
		cfg.Bootstrap = DefaultBootstrap()
	}
	if cfg.DefaultPartitions == 0 {
		cfg.DefaultPartitions = 1
	}
	if cfg.DefaultReplication == 0 {
		cfg.DefaultReplication = 1
	}
	if cfg.MinInSyncReplicas == 0 {
		cfg.MinInSyncReplicas = 1
	}
	if cfg.SessionTimeout == 0 {
		cfg.SessionTimeout = 9 * time.Second
	}
	if cfg.NewID == nil {
		cfg.NewID = func() kafka.UUID { return drawID(cfg.Random) }
	}
	return cfg
}

// drawID makes a topic id from random.
func drawID(random *rand.Rand) kafka.UUID {
	id, err := kafka.NewUUID(reader{random})
	if err != nil {
		panic(err) // reader never fails
	}
	return id
}

// reader makes a random source readable.
type reader struct {
	random *rand.Rand
}

func (r reader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r.random.Uint32())
	}
	return len(p), nil
}

// bootstrapName marks the transaction of the bootstrap records; Kafka looks for it when a node died within.
const bootstrapName = "Bootstrap records"

func (Activate) handle(c *Controller, t turn) (Result, error) {
	var out records
	image := c.Image()
	fresh := len(image.Features.Names()) == 0
	if c.loader.InTransaction() {
		reason := "Controller failover"
		out.add(&schema.AbortTransactionRecord{Reason: &reason}, 0)
	}
	if fresh {
		c.bootstrap(&out)
	}
	return Result{Records: out}, nil
}

// bootstrap adds the records of a new cluster, in a transaction if its level has them; they are one batch in any case.
func (c *Controller) bootstrap(out *records) {
	levels := map[string]int16{}
	for _, r := range c.cfg.Bootstrap {
		if f, ok := r.(*schema.FeatureLevelRecord); ok {
			levels[f.Name] = f.FeatureLevel
		}
	}
	transaction := metadata.HasTransactions(metadata.Level(levels[metadata.MetadataVersionFeature]))
	if transaction {
		name := bootstrapName
		out.add(&schema.BeginTransactionRecord{Name: &name}, 0)
	}
	for _, r := range c.cfg.Bootstrap {
		out.add(r, 0)
	}
	if levels[metadata.ELRFeature] > 0 {
		// With eligible leader replicas the smallest in-sync set is the cluster's, not a node's (KIP-966).
		out.add(c.minInSyncRecord(), 0)
	}
	if transaction {
		out.add(&schema.EndTransactionRecord{}, 0)
	}
}

func (c *Controller) minInSyncRecord() schema.MetadataRecord {
	value := strconv.Itoa(c.cfg.MinInSyncReplicas)
	return &schema.ConfigRecord{ResourceType: int8(metadata.BrokerResource), Name: minInSyncReplicas, Value: &value}
}

// records collects a batch.
type records []metadata.Record

func (r *records) add(body schema.MetadataRecord, version int16) {
	*r = append(*r, metadata.Record{Body: body, Version: version})
}
