package config

import (
	"math"
	"strconv"
	"strings"
)

// Canonical gives a value the form that DescribeConfigs shows: numbers without blanks and signs, lists without
// blanks around commas and without repeated elements (KIP-1161), booleans in lower case. An error is Kafka's message.
func (k Key) Canonical(value string) (string, error) {
	t := trim(value)
	switch k.Type {
	case Boolean:
		if b := strings.ToLower(t); b == "true" || b == "false" {
			return b, nil
		}
		return "", invalid(k.Name, value, "Expected value to be either true or false")
	case Int, Short, Long:
		n, err := strconv.ParseInt(t, 10, map[Type]int{Int: 32, Short: 16, Long: 64}[k.Type])
		if err != nil {
			return "", invalid(k.Name, value, "Not a number of type "+k.Type.String())
		}
		return strconv.FormatInt(n, 10), nil
	case Double:
		d, ok := parseDouble(t)
		if !ok {
			return "", invalid(k.Name, value, "Not a number of type DOUBLE")
		}
		return formatDouble(d), nil
	case List:
		elements := SplitList(value)
		if _, distinct := k.Valid.(list); distinct {
			elements = compact(elements)
		}
		return strings.Join(elements, ","), nil
	case Password, Unknown:
		return value, nil
	}
	return t, nil
}

// Check says in Kafka's words what is wrong with a value of the key, or nil.
func (k Key) Check(value string) error {
	c, err := k.Canonical(value)
	if err != nil {
		return err
	}
	if k.Valid != nil {
		if msg := k.Valid.Check(k.Name, c); msg != "" {
			return complaint(msg)
		}
	}
	return nil
}

// complaint is an error whose text is a message of Kafka's and nothing else.
type complaint string

func (c complaint) Error() string { return string(c) }

func invalid(key, value, why string) error { return complaint(invalidText(key, value, why)) }

func invalidText(key, value, why string) string {
	return "Invalid value " + value + " for configuration " + key + ": " + why
}

// SplitList splits the value of a LIST key: at commas, blanks around them dropped; the empty value has no elements.
func SplitList(value string) []string {
	value = trim(value)
	if value == "" {
		return nil
	}
	parts := strings.Split(value, ",")
	for i := range parts {
		parts[i] = strings.TrimFunc(parts[i], func(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' })
	}
	return parts
}

// trim drops what Java's String.trim drops: all up to the blank.
func trim(s string) string { return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }) }

// parseDouble reads what Java's Double.parseDouble reads, but for hexadecimal forms.
func parseDouble(s string) (float64, bool) {
	body := strings.TrimLeft(s, "+-")
	switch {
	case body == "NaN", body == "Infinity":
	case body == "" || strings.Trim(body, "0123456789.eE+-fFdD") != "":
		return 0, false
	default:
		s = strings.TrimRight(s, "fFdD")
	}
	d, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(d, 0) {
		return 0, false
	}
	return d, true
}

// formatDouble writes a number as Java's Double.toString does.
func formatDouble(d float64) string {
	switch a := math.Abs(d); {
	case math.IsNaN(d):
		return "NaN"
	case math.IsInf(d, 1):
		return "Infinity"
	case math.IsInf(d, -1):
		return "-Infinity"
	case a == 0 || a >= 1e-3 && a < 1e7:
		s := strconv.FormatFloat(d, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	m, e, _ := strings.Cut(strconv.FormatFloat(d, 'e', -1, 64), "e")
	if !strings.Contains(m, ".") {
		m += ".0"
	}
	n, _ := strconv.Atoi(e)
	return m + "E" + strconv.Itoa(n)
}
