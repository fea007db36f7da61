package clients

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Mechanism is the SASL mechanism of that name for a user with a password; false where there is none of that name.
func Mechanism(name, user, password string) (sasl.Mechanism, bool) {
	switch name {
	case "PLAIN":
		return plain.Auth{User: user, Pass: password}.AsMechanism(), true
	case "SCRAM-SHA-256":
		return scram.Auth{User: user, Pass: password}.AsSha256Mechanism(), true
	case "SCRAM-SHA-512":
		return scram.Auth{User: user, Pass: password}.AsSha512Mechanism(), true
	}
	return nil, false
}

// IgnoreName has c check who signed the certificate of a server, and not for which name: an ssl.endpoint.identification.algorithm that is
// empty asks for that. Roots must have been set.
func IgnoreName(c *tls.Config) {
	roots := c.RootCAs
	c.InsecureSkipVerify = true // the user said so; the chain is checked here
	c.VerifyConnection = func(state tls.ConnectionState) error {
		between := x509.NewCertPool()
		for _, c := range state.PeerCertificates[1:] {
			between.AddCert(c)
		}
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
		return err
	}
}
