package controller

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
)

// refusal is what a client is told that did something wrong: an error code and, or not, a message.
type refusal struct {
	code    *kerr.Error
	message *string
}

// refuse says why in Kafka's words.
func refuse(code *kerr.Error, format string, args ...any) *refusal {
	message := fmt.Sprintf(format, args...)
	return &refusal{code: code, message: &message}
}

// refuseBare gives the code alone.
func refuseBare(code *kerr.Error) *refusal { return &refusal{code: code} }

// refuseGeneric gives the code with its own description.
func refuseGeneric(code *kerr.Error) *refusal {
	return &refusal{code: code, message: &code.Description}
}

// refuseErr turns an error of an injected function into what the client is told: its text, as it stands.
func refuseErr(err error) *refusal {
	code := kerr.UnknownServerError
	errors.As(err, &code)
	return &refusal{code: code, message: new(err.Error())}
}

// split returns what goes into a response; a nil refusal is success.
func (r *refusal) split() (code int16, message *string) {
	if r == nil {
		return 0, nil
	}
	return r.code.Code, r.message
}
