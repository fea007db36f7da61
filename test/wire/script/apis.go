package script

// apis is the script, in the order of play. The version ranges are what 4.4.0
// serves; Produce advertises 0 and serves 3.
var apis = []api{
	{"18_api_versions", 18, 0, 5, broker, apiVersions, apiVersionsSample},
	{"00_produce", 0, 3, 13, broker, produce, produceSample},
	{"01_fetch", 1, 4, 18, broker, fetch, fetchSample},
	{"02_list_offsets", 2, 1, 11, broker, listOffsets, listOffsetsSample},
	{"03_metadata", 3, 0, 13, broker, metadata, metadataSample},
	{"19_create_topics", 19, 2, 7, broker, createTopics, createTopicsSample},
	{"20_delete_topics", 20, 1, 6, broker, deleteTopics, deleteTopicsSample},
	{"21_delete_records", 21, 0, 2, broker, deleteRecords, deleteRecordsSample},
	{"22_init_producer_id", 22, 0, 5, broker, initProducerID, initProducerIDSample},
	{"23_offset_for_leader_epoch", 23, 2, 4, broker, offsetForLeaderEpoch, offsetForLeaderEpochSample},
	{"32_describe_configs", 32, 1, 4, broker, describeConfigs, describeConfigsSample},
	{"33_alter_configs", 33, 0, 2, broker, alterConfigs, alterConfigsSample},
	{"35_describe_log_dirs", 35, 1, 5, broker, describeLogDirs, describeLogDirsSample},
	{"37_create_partitions", 37, 0, 3, broker, createPartitions, createPartitionsSample},
	{"44_incremental_alter_configs", 44, 0, 1, broker, incrementalAlterConfigs, incrementalAlterConfigsSample},
	{"55_describe_quorum", 55, 0, 2, broker, describeQuorum, describeQuorumSample},
	{"60_describe_cluster", 60, 0, 2, broker, describeCluster, describeClusterSample},
	{"61_describe_producers", 61, 0, 0, broker, describeProducers, describeProducersSample},
	{"74_list_config_resources", 74, 0, 1, broker, listConfigResources, listConfigResourcesSample},
	{"75_describe_topic_partitions", 75, 0, 0, broker, describeTopicPartitions, describeTopicPartitionsSample},
	{"57_update_features", 57, 0, 2, broker, updateFeatures, updateFeaturesSample},
	{"pipeline", 0, 0, 0, broker, pipeline, nil},
	{"frames", 18, 0, 0, broker, frames, nil},

	{"18_api_versions", 18, 0, 5, controller, apiVersions, apiVersionsSample},
	{"19_create_topics", 19, 2, 7, controller, createTopics, createTopicsSample},
	{"20_delete_topics", 20, 1, 6, controller, deleteTopics, deleteTopicsSample},
	{"32_describe_configs", 32, 1, 4, controller, describeConfigs, describeConfigsSample},
	{"33_alter_configs", 33, 0, 2, controller, alterConfigs, alterConfigsSample},
	{"37_create_partitions", 37, 0, 3, controller, createPartitions, createPartitionsSample},
	{"44_incremental_alter_configs", 44, 0, 1, controller, incrementalAlterConfigs, incrementalAlterConfigsSample},
	{"55_describe_quorum", 55, 0, 2, controller, describeQuorum, describeQuorumSample},
	{"60_describe_cluster", 60, 0, 2, controller, describeCluster, describeClusterSample},
	{"57_update_features", 57, 0, 2, controller, updateFeatures, updateFeaturesSample},
	{"frames", 18, 0, 0, controller, frames, nil},

	// These make the controller know brokers and observers that do not exist,
	// so they come last.
	{"01_fetch", 1, 4, 18, controller, fetchMetadata, fetchMetadataSample},
	{"59_fetch_snapshot", 59, 0, 1, controller, fetchSnapshot, fetchSnapshotSample},
	{"62_broker_registration", 62, 0, 4, controller, brokerRegistration, brokerRegistrationSample},
	{"63_broker_heartbeat", 63, 0, 2, controller, brokerHeartbeat, brokerHeartbeatSample},
	{"67_allocate_producer_ids", 67, 0, 0, controller, allocateProducerIDs, allocateProducerIDsSample},
}
