package kafkatools

// apiKey is an API as kafka-clients know it.
type apiKey struct {
	name   string
	oldest int16
	// latest43 and latest44 are the latest versions in releases 4.3 and 4.4, -2 where the API is not known.
	latest43, latest44 int16
	// forClients: brokers answer it to clients.
	forClients bool
}

// apiKeys are those of kafka-clients 4.4.0, by number.
var apiKeys = []apiKey{
	{"Produce", 3, 13, 13, true},                              // 0
	{"Fetch", 4, 18, 18, true},                                // 1
	{"ListOffsets", 1, 11, 11, true},                          // 2
	{"Metadata", 0, 13, 13, true},                             // 3
	{"LeaderAndIsr", 0, -1, -1, false},                        // 4
	{"StopReplica", 0, -1, -1, false},                         // 5
	{"UpdateMetadata", 0, -1, -1, false},                      // 6
	{"ControlledShutdown", 0, -1, -1, false},                  // 7
	{"OffsetCommit", 2, 10, 10, true},                         // 8
	{"OffsetFetch", 1, 10, 10, true},                          // 9
	{"FindCoordinator", 0, 6, 6, true},                        // 10
	{"JoinGroup", 0, 9, 9, true},                              // 11
	{"Heartbeat", 0, 4, 4, true},                              // 12
	{"LeaveGroup", 0, 5, 5, true},                             // 13
	{"SyncGroup", 0, 5, 5, true},                              // 14
	{"DescribeGroups", 0, 6, 6, true},                         // 15
	{"ListGroups", 0, 5, 5, true},                             // 16
	{"SaslHandshake", 0, 1, 1, true},                          // 17
	{"ApiVersions", 0, 4, 5, true},                            // 18
	{"CreateTopics", 2, 7, 7, true},                           // 19
	{"DeleteTopics", 1, 6, 6, true},                           // 20
	{"DeleteRecords", 0, 2, 2, true},                          // 21
	{"InitProducerId", 0, 6, 6, true},                         // 22
	{"OffsetForLeaderEpoch", 2, 4, 4, true},                   // 23
	{"AddPartitionsToTxn", 0, 5, 5, true},                     // 24
	{"AddOffsetsToTxn", 0, 4, 4, true},                        // 25
	{"EndTxn", 0, 5, 5, true},                                 // 26
	{"WriteTxnMarkers", 1, 2, 2, true},                        // 27
	{"TxnOffsetCommit", 0, 5, 6, true},                        // 28
	{"DescribeAcls", 1, 3, 3, true},                           // 29
	{"CreateAcls", 1, 3, 3, true},                             // 30
	{"DeleteAcls", 1, 3, 3, true},                             // 31
	{"DescribeConfigs", 1, 4, 4, true},                        // 32
	{"AlterConfigs", 0, 2, 2, true},                           // 33
	{"AlterReplicaLogDirs", 1, 2, 2, true},                    // 34
	{"DescribeLogDirs", 1, 5, 5, true},                        // 35
	{"SaslAuthenticate", 0, 2, 2, true},                       // 36
	{"CreatePartitions", 0, 3, 3, true},                       // 37
	{"CreateDelegationToken", 1, 3, 3, true},                  // 38
	{"RenewDelegationToken", 1, 2, 2, true},                   // 39
	{"ExpireDelegationToken", 1, 2, 2, true},                  // 40
	{"DescribeDelegationToken", 1, 3, 3, true},                // 41
	{"DeleteGroups", 0, 2, 3, true},                           // 42
	{"ElectLeaders", 0, 2, 2, true},                           // 43
	{"IncrementalAlterConfigs", 0, 1, 1, true},                // 44
	{"AlterPartitionReassignments", 0, 1, 1, true},            // 45
	{"ListPartitionReassignments", 0, 0, 0, true},             // 46
	{"OffsetDelete", 0, 0, 0, true},                           // 47
	{"DescribeClientQuotas", 0, 1, 1, true},                   // 48
	{"AlterClientQuotas", 0, 1, 1, true},                      // 49
	{"DescribeUserScramCredentials", 0, 0, 0, true},           // 50
	{"AlterUserScramCredentials", 0, 0, 0, true},              // 51
	{"Vote", 0, 2, 2, false},                                  // 52
	{"BeginQuorumEpoch", 0, 1, 1, false},                      // 53
	{"EndQuorumEpoch", 0, 1, 1, false},                        // 54
	{"DescribeQuorum", 0, 2, 2, true},                         // 55
	{"AlterPartition", 2, 3, 3, false},                        // 56
	{"UpdateFeatures", 0, 2, 2, true},                         // 57
	{"Envelope", 0, 0, 0, false},                              // 58
	{"FetchSnapshot", 0, 1, 1, false},                         // 59
	{"DescribeCluster", 0, 2, 2, true},                        // 60
	{"DescribeProducers", 0, 0, 0, true},                      // 61
	{"BrokerRegistration", 0, 4, 4, false},                    // 62
	{"BrokerHeartbeat", 0, 2, 2, false},                       // 63
	{"UnregisterBroker", 0, 0, 0, true},                       // 64
	{"DescribeTransactions", 0, 0, 0, true},                   // 65
	{"ListTransactions", 0, 2, 2, true},                       // 66
	{"AllocateProducerIds", 0, 0, 0, false},                   // 67
	{"ConsumerGroupHeartbeat", 0, 1, 1, true},                 // 68
	{"ConsumerGroupDescribe", 0, 1, 1, true},                  // 69
	{"ControllerRegistration", 0, 0, 0, false},                // 70
	{"GetTelemetrySubscriptions", 0, 0, 0, true},              // 71
	{"PushTelemetry", 0, 0, 0, true},                          // 72
	{"AssignReplicasToDirs", 0, 0, 0, false},                  // 73
	{"ListConfigResources", 0, 1, 1, true},                    // 74
	{"DescribeTopicPartitions", 0, 0, 0, true},                // 75
	{"ShareGroupHeartbeat", 1, 1, 1, true},                    // 76
	{"ShareGroupDescribe", 1, 1, 1, true},                     // 77
	{"ShareFetch", 1, 2, 2, true},                             // 78
	{"ShareAcknowledge", 1, 2, 2, true},                       // 79
	{"AddRaftVoter", 0, 1, 1, true},                           // 80
	{"RemoveRaftVoter", 0, 0, 0, true},                        // 81
	{"UpdateRaftVoter", 0, 0, 0, false},                       // 82
	{"InitializeShareGroupState", 0, 0, 0, true},              // 83
	{"ReadShareGroupState", 0, 0, 0, true},                    // 84
	{"WriteShareGroupState", 0, 1, 1, true},                   // 85
	{"DeleteShareGroupState", 0, 0, 0, true},                  // 86
	{"ReadShareGroupStateSummary", 0, 1, 1, true},             // 87
	{"StreamsGroupHeartbeat", 0, 0, 1, true},                  // 88
	{"StreamsGroupDescribe", 0, 0, 1, true},                   // 89
	{"DescribeShareGroupOffsets", 0, 1, 1, true},              // 90
	{"AlterShareGroupOffsets", 0, 0, 0, true},                 // 91
	{"DeleteShareGroupOffsets", 0, 0, 0, true},                // 92
	{"StreamsGroupTopologyDescriptionUpdate", 0, -2, 0, true}, // 93
	{"UnregisterController", 0, -2, 0, true},                  // 94
}

// latest is the latest version of the API that the release knows, below -1 when it does not know the API.
func (k apiKey) latest(r Release) int16 {
	if r.AtLeast(4, 4) {
		return k.latest44
	}
	return k.latest43
}
