package kafkatools

// administrative are the tools that look at a cluster and change it.
var administrative = []Tool{
	{"kafka-topics", topicsMain},
}
