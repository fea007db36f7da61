package config

// OpKind is what IncrementalAlterConfigs does to a key, with the bytes of the wire.
type OpKind int8

// The operations.
const (
	Set      OpKind = 0
	Delete   OpKind = 1
	Append   OpKind = 2
	Subtract OpKind = 3
)

// Op is one change of one key.
type Op struct {
	Kind  OpKind
	Name  string
	Value string
}

// Incremental applies ops to stored (what is stored for the resource) and returns the new configuration of
// the resource; stored is not changed. It decides only how the operations combine, Validate… judges the result.
// The error wraps kerr.InvalidConfig or kerr.InvalidRequest, with Kafka's message.
func (s Sources) Incremental(r Resource, stored map[string]string, ops []Op) (map[string]string, error) {
	panic("later")
}

// ValidateTopic checks the whole configuration of a topic as it would be stored, in Kafka's words. The error
// wraps kerr.InvalidConfig.
func (s Sources) ValidateTopic(overrides map[string]string) error { panic("later") }

// ValidateBroker checks the dynamic configuration of one broker, or of all when cluster is true.
func (s Sources) ValidateBroker(stored, proposed map[string]string, cluster bool) error {
	panic("later")
}

// ValidateGroup checks the whole configuration of a group.
func (s Sources) ValidateGroup(overrides map[string]string) error { panic("later") }

// ValidateClientMetrics checks the whole configuration of a client-metrics subscription.
func ValidateClientMetrics(overrides map[string]string) error { panic("later") }
