package kafkatools

// clients are the tools that move records, look after groups, and read files.
var clients = []Tool{
	{"kafka-consumer-groups", consumerGroups},
	{"kafka-groups", groupsList},
	{"kafka-console-producer", consoleProducer},
	{"kafka-console-consumer", consoleConsumer},
	{"kafka-producer-perf-test", producerPerfTest},
	{"kafka-consumer-perf-test", consumerPerfTest},
	{"kafka-e2e-latency", e2eLatency},
	{"kafka-verifiable-producer", verifiableProducer},
	{"kafka-verifiable-consumer", verifiableConsumer},
	{"kafka-dump-log", dumpLog},
	{"kafka-metadata-shell", metadataShell},
}
