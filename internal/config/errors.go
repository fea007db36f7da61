package config

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Error is a refusal that a Kafka client sees: a code and a message, which are two fields of the answer. It unwraps
// to the code.
type Error struct {
	Code    *kerr.Error
	Message string
}

// Error returns the message alone, as the answer carries it.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the code.
func (e *Error) Unwrap() error { return e.Code }

func refuse(code *kerr.Error, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
