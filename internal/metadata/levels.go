package metadata

// Record versions by metadata.version (KIP-778). The levels are those of the release that brought the version.
const (
	levelControlledShutdown Level = 7  // 3.3-IV3: the lowest level that 4.x reads
	levelTransactions       Level = 13 // 3.6-IV1: KIP-868
	levelControllers        Level = 15 // 3.7-IV0: KIP-919
	levelDirectories        Level = 17 // 3.7-IV2: KIP-858
	levelELR                Level = 23 // 4.0-IV1: KIP-966
	levelCordoned           Level = 30 // 4.3-IV0: KIP-1066
)

// The levels of metadata.version that a 4.4 node supports.
const (
	MinMetadataVersion    Level = 7
	LatestMetadataVersion Level = 33
)

// LatestKRaftVersion is the newest kraft.version that a 4.4 node supports (KIP-853). The oldest is 0.
const LatestKRaftVersion Level = 1

// RegisterBrokerVersion is the version of RegisterBrokerRecord at a metadata.version.
func RegisterBrokerVersion(l Level) int16 {
	switch {
	case l >= levelCordoned:
		return 4
	case l >= levelDirectories:
		return 3
	default:
		return 1
	}
}

// PartitionVersion is the version of PartitionRecord and of PartitionChangeRecord at a metadata.version.
func PartitionVersion(l Level) int16 {
	switch {
	case l >= levelELR:
		return 2
	case l >= levelDirectories:
		return 1
	default:
		return 0
	}
}

// HasTransactions reports whether the metadata log may have transactions at this metadata.version (KIP-868).
func HasTransactions(l Level) bool { return l >= levelTransactions }

// HasControllers reports whether controllers are registered at this metadata.version (KIP-919). Kafka does not start on a log of a lower
// one that has such a record.
func HasControllers(l Level) bool { return l >= levelControllers }

// HasDirectories reports whether replicas are assigned to directories at this metadata.version (KIP-858).
func HasDirectories(l Level) bool { return l >= levelDirectories }

// HasCordonedDirectories reports whether brokers report cordoned directories at this metadata.version (KIP-1066).
func HasCordonedDirectories(l Level) bool { return l >= levelCordoned }

// HasELR reports whether this metadata.version can record eligible leader replicas (KIP-966).
func HasELR(l Level) bool { return l >= levelELR }
