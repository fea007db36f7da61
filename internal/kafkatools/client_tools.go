package kafkatools

// clients are the tools that move records, look after groups, and read files.
var clients = []Tool{
	{"kafka-consumer-groups", consumerGroups},
	{"kafka-groups", groupsList},
}
