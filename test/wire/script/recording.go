package script

import "embed"

// recorded is what Apache Kafka 4.4.0 answered: go run ./test/wire -a kafka
// -record test/wire/script/testdata/kafka-4.4.0 writes it anew.
//
//go:embed testdata/kafka-4.4.0
var recorded embed.FS

// Recording returns Apache Kafka's answers to the part of the script that o
// chooses, for a comparison without Java.
func Recording(o Options) (Transcript, error) {
	all, err := ReadDir(recorded, "testdata/kafka-4.4.0")
	if err != nil || o.Only == nil {
		return all, err
	}
	var out Transcript
	for _, e := range all {
		if o.Only.MatchString(e.API) {
			out = append(out, e)
		}
	}
	return out, nil
}
