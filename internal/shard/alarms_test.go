package shard

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Alarms against a map that is searched whole.
func TestAlarmsModel(t *testing.T) {
	start := time.Unix(0, 0)
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		alarms, model := NewAlarms[int](), map[int]time.Time{}
		now := start
		for range 400 {
			key, at := r.IntN(12), now.Add(time.Duration(r.IntN(50)))
			switch r.IntN(4) {
			case 0, 1:
				alarms.Set(key, at)
				model[key] = at
			case 2:
				alarms.Clear(key)
				delete(model, key)
			default:
				now = now.Add(time.Duration(r.IntN(20)))
				for key, ok := alarms.Due(now); ok; key, ok = alarms.Due(now) {
					if at, ok := model[key]; !ok || at.After(now) {
						t.Fatalf("seed %d: %d went off at %v, due %v %v", seed, key, now, at, ok)
					}
					delete(model, key)
				}
				for key, at := range model {
					if !at.After(now) {
						t.Fatalf("seed %d: %d, due %v, did not go off at %v", seed, key, at, now)
					}
				}
			}
			if len(alarms.queue) != len(model) {
				t.Fatalf("seed %d: %d entries for %d alarms", seed, len(alarms.queue), len(model))
			}
			if next := alarms.Next(); next.IsZero() != (len(model) == 0) {
				t.Fatalf("seed %d: next is %v with %d alarms", seed, next, len(model))
			}
		}
	}
}
