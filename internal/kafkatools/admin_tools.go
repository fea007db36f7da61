package kafkatools

// administrative are the tools that look at a cluster and change it.
var administrative = []Tool{
	{"kafka-topics", topicsMain},
	{"kafka-configs", configsMain},
	{"kafka-client-metrics", clientMetricsMain},
	{"kafka-transactions", transactionsMain},
	{"kafka-get-offsets", getOffsetsMain},
	{"kafka-delete-records", deleteRecordsMain},
	{"kafka-log-dirs", logDirsMain},
	{"kafka-metadata-quorum", metadataQuorumMain},
	{"kafka-features", featuresMain},
	{"kafka-cluster", clusterMain},
	{"kafka-broker-api-versions", apiVersionsMain},
	{"kafka-leader-election", leaderElectionMain},
	{"kafka-acls", aclsMain},
}
