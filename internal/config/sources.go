package config

import (
	"math"
	"strconv"
	"time"
)

// Sources is what a node knows of its configuration when it answers. The maps are read only.
type Sources struct {
	// File is what the properties file and the overrides of the command line set.
	File map[string]string
	// Cluster is the dynamic configuration of resource BROKER with the empty name.
	Cluster map[string]string
	// Broker is the dynamic configuration of this broker.
	Broker map[string]string
}

// WithDynamic returns s with other dynamic configurations.
func (s Sources) WithDynamic(cluster, broker map[string]string) Sources {
	s.Cluster, s.Broker = cluster, broker
	return s
}

// Lookup returns the effective text of a broker key; false when nothing sets it and it has no default.
func (s Sources) Lookup(name string) (string, bool) {
	if v, ok := s.set(name); ok {
		return v, true
	}
	k, ok := Lookup(BrokerResource, name)
	return k.Default, ok && !k.NoDefault
}

// set returns what sets a broker key, leaving defaults aside.
func (s Sources) set(name string) (string, bool) {
	for _, from := range []map[string]string{s.Broker, s.Cluster, s.File} {
		if v, ok := from[name]; ok {
			return v, true
		}
	}
	return "", false
}

// Text returns the effective value of a broker key, "" when it has none.
func (s Sources) Text(name string) string {
	v, _ := s.Lookup(name)
	k, _ := Lookup(BrokerResource, name)
	if c, err := k.Canonical(v); err == nil {
		return c
	}
	return v
}

// Int returns the effective value of a broker key that holds a whole number; 0 when it has none.
func (s Sources) Int(name string) int64 {
	n, _ := strconv.ParseInt(s.Text(name), 10, 64)
	return n
}

// Double returns the value of a key of type Double, or 0.
func (s Sources) Double(name string) float64 {
	v, _ := parseDouble(s.Text(name))
	return v
}

// Bool returns the effective value of a broker key that holds true or false.
func (s Sources) Bool(name string) bool { return s.Text(name) == "true" }

// List returns the effective value of a broker key that holds a list.
func (s Sources) List(name string) []string { return SplitList(s.Text(name)) }

// Millis returns the effective value of a broker key that holds milliseconds; -1 is NoLimit, and what is too long for
// a time.Duration is the longest.
func (s Sources) Millis(name string) time.Duration { return duration(s.Int(name), time.Millisecond) }

// Seconds returns the effective value of a broker key that holds seconds, as Millis.
func (s Sources) Seconds(name string) time.Duration { return duration(s.Int(name), time.Second) }

// Minutes returns the effective value of a broker key that holds minutes, as Millis.
func (s Sources) Minutes(name string) time.Duration { return duration(s.Int(name), time.Minute) }

func duration(n int64, unit time.Duration) time.Duration {
	switch {
	case n == -1:
		return NoLimit
	case n > math.MaxInt64/int64(unit):
		return math.MaxInt64
	case n < math.MinInt64/int64(unit):
		return math.MinInt64
	}
	return time.Duration(n) * unit
}

// inherited is the value of a topic or group key that the resource doesn't set, in the key's own unit.
func (s Sources) inherited(k Key) (string, bool) {
	for i, y := range k.Synonyms {
		v, ok := s.set(y.Name)
		if !ok && i == len(k.Synonyms)-1 {
			v, ok = s.Lookup(y.Name)
		}
		if !ok {
			continue
		}
		if y.Unit != 1 {
			n, _ := strconv.ParseInt(trim(v), 10, 64)
			if n < 0 {
				return "-1", true
			}
			v = strconv.FormatInt(n*y.Unit, 10)
		}
		if k.Name == "streams.assignor.name" {
			if a := SplitList(v); len(a) > 0 {
				v = a[0]
			}
		}
		return v, true
	}
	return k.Default, !k.NoDefault
}
