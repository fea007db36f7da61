package kafkatools

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/kafka"
)

// Release is a release of Apache Kafka: major, minor, patch.
type Release [3]int

// Claimed is the release whose tools are followed when nobody asks for another.
var Claimed = mustRelease(kafka.Release)

func mustRelease(s string) Release {
	r, err := ParseRelease(s)
	if err != nil {
		panic(err)
	}
	return r
}

// ParseRelease reads MAJOR.MINOR or MAJOR.MINOR.PATCH.
func ParseRelease(s string) (Release, error) {
	var r Release
	parts := strings.Split(s, ".")
	if len(parts) < 2 || len(parts) > len(r) {
		return r, fmt.Errorf("%q is not a release: want one such as %s", s, kafka.Release)
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return r, fmt.Errorf("%q is not a release: want one such as %s", s, kafka.Release)
		}
		r[i] = int(n)
	}
	return r, nil
}

// String is MAJOR.MINOR.PATCH.
func (r Release) String() string { return fmt.Sprintf("%d.%d.%d", r[0], r[1], r[2]) }

// AtLeast reports whether r is MAJOR.MINOR or later.
func (r Release) AtLeast(major, minor int) bool {
	return cmp.Or(cmp.Compare(r[0], major), cmp.Compare(r[1], minor)) >= 0
}
