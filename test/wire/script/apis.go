package script

// apis is the script: every API of issue's node, in the order of play. The
// version ranges are what 4.4.0 serves; Produce says 0 and serves 3.
var apis = []api{
	{"00_produce", 0, 3, 13, broker, produce, produceSample},
	{"01_fetch", 1, 4, 18, broker, fetch, fetchSample},
	{"19_create_topics", 19, 2, 7, broker, createTopics, createTopicsSample},
}
