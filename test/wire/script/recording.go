package script

import (
	"context"
	"embed"
)

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

// Replay plays the script against t and compares its answers with Apache
// Kafka's, but for the deviations that the text of docs/deviations.md lists.
// The node must run with the configuration that package peer gives.
func Replay(ctx context.Context, t Target, o Options, deviations string) (Result, error) {
	listed, err := ParseDeviations(deviations)
	if err != nil {
		return Result{}, err
	}
	want, err := Recording(o)
	if err != nil {
		return Result{}, err
	}
	got, err := Play(ctx, t, o)
	if err != nil {
		return Result{}, err
	}
	return Compare(want, got, listed), nil
}
