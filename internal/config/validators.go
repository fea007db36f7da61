package config

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// within allows numbers from min to max.
type within struct{ min, max float64 }

func atLeast(n float64) Validator        { return within{n, math.Inf(1)} }
func between(min, max float64) Validator { return within{min, max} }

// Check compares as Kafka does: NaN passes.
func (w within) Check(key, value string) string {
	d, _ := parseDouble(value)
	switch {
	case d < w.min:
		return invalidText(key, value, "Value must be at least "+w.text(w.min))
	case d > w.max:
		return invalidText(key, value, "Value must be no more than "+w.text(w.max))
	}
	return ""
}

func (w within) String() string {
	if math.IsInf(w.max, 1) {
		return "[" + w.text(w.min) + ",...]"
	}
	return "[" + w.text(w.min) + ",...," + w.text(w.max) + "]"
}

func (w within) text(d float64) string { return strconv.FormatFloat(d, 'f', -1, 64) }

// gzip allows the levels of gzip.
type gzip struct{}

var gzipLevel Validator = gzip{}

func (gzip) Check(key, value string) string {
	if n, _ := strconv.Atoi(value); n != -1 && (n < 1 || n > 9) {
		return invalidText(key, value, "Value must be between 1 and 9 or equal to -1")
	}
	return ""
}

func (gzip) String() string { return "[1,...,9] or -1" }

// choice allows some words.
type choice struct {
	words   []string
	anyCase bool
}

func oneOf(words ...string) Validator   { return choice{words, false} }
func anyCase(words ...string) Validator { return choice{words, true} }

func (c choice) Check(key, value string) string {
	v, why := value, "String must be one of: "
	if c.anyCase {
		v, why = strings.ToUpper(value), "String must be one of (case insensitive): "
	}
	if slices.Contains(c.words, v) {
		return ""
	}
	return invalidText(key, value, why+strings.Join(c.words, ", "))
}

func (c choice) String() string {
	s := "[" + strings.Join(c.words, ", ") + "]"
	if c.anyCase {
		return "(case insensitive) " + s
	}
	return s
}

// list allows lists without empty elements (KIP-1161); repeated elements count once.
type list struct {
	notEmpty bool
	words    []string // nil allows any
}

// Whether a list may have no elements.
const (
	mayBeEmpty = false
	notEmpty   = true
)

// names makes a rule for lists; words are the allowed elements, any when there are none.
func names(needed bool, words ...string) Validator { return list{needed, words} }

func (l list) Check(key, value string) string {
	elements := SplitList(value)
	if l.notEmpty && len(elements) == 0 {
		all := "any non-empty value"
		if l.words != nil {
			all = "[" + strings.Join(l.words, ", ") + "]"
		}
		return "Configuration '" + key + "' must not be empty. Valid values include: " + all
	}
	for _, e := range elements {
		if e == "" {
			return "Configuration '" + key + "' values must not be empty."
		}
		if l.words != nil && !slices.Contains(l.words, e) {
			return invalidText(key, e, "String must be one of: "+strings.Join(l.words, ", "))
		}
	}
	return ""
}

func (l list) String() string {
	if len(l.words) == 0 {
		return ""
	}
	return "[" + strings.Join(l.words, ", ") + "]"
}

// notBlank refuses the empty string.
type notBlank struct{}

func (notBlank) Check(key, value string) string {
	if value == "" {
		return invalidText(key, value, "String must be non-empty")
	}
	return ""
}

func (notBlank) String() string { return "non-empty string" }

// notNull allows every string: a file cannot say null.
type notNull struct{}

func (notNull) Check(string, string) string { return "" }
func (notNull) String() string              { return "non-null string" }

// throttled allows lists of partition:broker, or *.
type throttled struct{}

var throttledReplica = regexp.MustCompile(`^[0-9]+:[0-9]+$`)

func (t throttled) Check(key, value string) string {
	elements := SplitList(value)
	if len(elements) == 0 || value == "*" {
		return ""
	}
	for _, e := range elements {
		if !throttledReplica.MatchString(e) {
			return invalidText(key, "["+strings.Join(elements, ", ")+"]",
				key+" must be the literal '*' or a list of replicas in the following format: "+t.String())
		}
	}
	return ""
}

func (throttled) String() string {
	return "[partitionId]:[brokerId],[partitionId]:[brokerId],..."
}

// offsetReset allows the starting points of share groups.
type offsetReset struct{}

// Durations as Java's Duration.parse reads them, without sign: what is left after the prefix must name a part.
var isoDuration = regexp.MustCompile(`^(?i:P(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:[.,]\d{0,9})?S)?)?)$`)

func (offsetReset) Check(key, value string) string {
	if value == "latest" || value == "earliest" {
		return ""
	}
	d, ok := strings.CutPrefix(value, "by_duration:")
	if ok && isoDuration.MatchString(d) && !strings.HasSuffix(strings.ToUpper(d), "T") && len(d) > 1 {
		return ""
	}
	return invalidText(key, value, "Invalid value `"+value+"` for configuration "+key+
		". The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.")
}

func (offsetReset) String() string { return "[latest, earliest, by_duration:PnDTnHnMn.nS]" }

// voters allows lists of id@host:port.
type voters struct{}

func (voters) Check(_, value string) string {
	if _, err := parseVoters(value); err != nil {
		return err.Error()
	}
	return ""
}

func (voters) String() string { return "non-empty list" }

// addresses allows lists of host:port.
type addresses struct{}

func (addresses) Check(key, value string) string {
	for _, a := range SplitList(value) {
		if _, _, err := splitAddress(a); err != nil {
			return "Failed to parse host name from " + a + " for the configuration " + key +
				". Each entry should be in the form \"{host}:{port}\""
		}
	}
	return ""
}

func (addresses) String() string { return "non-empty list" }

// Words are the values that the key may have, where they are a few words: true and false of a Boolean, the choices of others. nil
// where they are not.
func (k Key) Words() []string {
	if k.Type == Boolean {
		return []string{"true", "false"}
	}
	switch v := k.Valid.(type) {
	case choice:
		return slices.Clone(v.words)
	case list:
		return slices.Clone(v.words)
	}
	return nil
}
