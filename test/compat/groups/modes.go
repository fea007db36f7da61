package main

// The modes: which protocol and assignor a group uses, and how its members commit.
const (
	eager       = "eager"       // classic, range; commits synchronously after each poll
	cooperative = "cooperative" // classic, cooperative-sticky; commits asynchronously
	static      = "static"      // classic with group.instance.id; commits automatically
	consumer    = "consumer"    // KIP-848; commits synchronously
)

var allModes = []string{eager, cooperative, static, consumer}

// modesOf says which modes a library has.
var modesOf = map[string][]string{
	"franz":            {eager, cooperative, static, consumer},
	"java":             {eager, cooperative, static, consumer},
	"tools":            {eager, consumer},
	"kcat":             {eager, cooperative},
	"confluent-python": {eager, cooperative, static, consumer},
	"confluent-go":     {eager, cooperative, static, consumer},
	"kafka-python":     {eager, cooperative, static},
	"aiokafka":         {eager, static},
	"kafkajs":          {eager},
	"platformatic":     {eager, consumer},
	"sarama":           {eager, static},
	"segmentio":        {eager},
}

// mute reports whether the members of a client can't tell what they own.
func mute(client, mode string) bool {
	switch client {
	case "tools", "kcat":
		return true
	case "platformatic":
		return mode == consumer // the library has no event for it then
	}
	return false
}

// member is the first line of a member's standard input.
type member struct {
	Group string `json:"group"`
	Topic string `json:"topic"`
	Mode  string `json:"mode"`
	// Commit is sync, async or auto (every 500 ms).
	Commit string `json:"commit"`
	// Instance is the group.instance.id of a static member, else "".
	Instance  string `json:"instance"`
	SessionMs int    `json:"sessionMs"` // of a classic group; a consumer group's is the server's
}

// commits says how the members of a mode commit.
var commits = map[string]string{eager: "sync", cooperative: "async", static: "auto", consumer: "sync"}
