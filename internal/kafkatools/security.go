package kafkatools

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// security turns the keys of TLS and SASL into options. What needs a key store of Java's is refused: PEM is what is read.
func (s settings) security() ([]kgo.Opt, error) {
	protocol := strings.ToUpper(s["security.protocol"])
	var opts []kgo.Opt
	switch protocol {
	case "", "PLAINTEXT":
		return nil, nil
	case "SSL", "SASL_SSL":
		c, err := s.tls()
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.DialTLSConfig(c))
	case "SASL_PLAINTEXT":
	default:
		return nil, fmt.Errorf("security.protocol %q is none of PLAINTEXT, SSL, SASL_PLAINTEXT and SASL_SSL", protocol)
	}
	if !strings.HasPrefix(protocol, "SASL_") {
		return opts, nil
	}
	m, err := s.mechanism()
	if err != nil {
		return nil, err
	}
	return append(opts, kgo.SASL(m)), nil
}

func (s settings) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if algorithm, given := s["ssl.endpoint.identification.algorithm"]; given && algorithm == "" {
		c.InsecureSkipVerify = true //nolint:gosec // the name is not checked because the user said so; the chain is, below
	}
	pem := []byte(s["ssl.truststore.certificates"])
	if file := s["ssl.truststore.location"]; file != "" {
		if err := s.wantPEM("ssl.truststore.type", file); err != nil {
			return nil, err
		}
		var err error
		if pem, err = os.ReadFile(file); err != nil {
			return nil, err
		}
	}
	if len(pem) > 0 {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ssl.truststore holds no certificate in PEM")
		}
	}
	if c.InsecureSkipVerify {
		c.VerifyConnection = chainOnly(c.RootCAs)
	}
	file := s["ssl.keystore.location"]
	if file == "" {
		return c, nil
	}
	if err := s.wantPEM("ssl.keystore.type", file); err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(file, file)
	if err != nil {
		return nil, fmt.Errorf("ssl.keystore.location: %w", err)
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}

// chainOnly verifies who signed the server's certificate, and not for which name.
func chainOnly(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		between := x509.NewCertPool()
		for _, c := range state.PeerCertificates[1:] {
			between.AddCert(c)
		}
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
		return err
	}
}

func (s settings) wantPEM(key, file string) error {
	if strings.EqualFold(s[key], "PEM") {
		return nil
	}
	return fmt.Errorf("%s is a Java key store: convert it to PEM and say %s=PEM", file, key)
}

// credential finds username="..." and password='...' in a JAAS configuration.
var credential = regexp.MustCompile(`\b(username|password)\s*=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')`)

func (s settings) mechanism() (sasl.Mechanism, error) {
	found := map[string]string{}
	for _, m := range credential.FindAllStringSubmatch(s["sasl.jaas.config"], -1) {
		found[m[1]] = strings.NewReplacer(`\"`, `"`, `\'`, `'`, `\\`, `\`).Replace(m[2][1 : len(m[2])-1])
	}
	user, password := found["username"], found["password"]
	if user == "" {
		return nil, fmt.Errorf("sasl.jaas.config names no username")
	}
	switch m := s["sasl.mechanism"]; m {
	case "PLAIN":
		return plain.Auth{User: user, Pass: password}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: user, Pass: password}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: user, Pass: password}.AsSha512Mechanism(), nil
	default:
		return nil, fmt.Errorf("sasl.mechanism %q is not one of PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512", m)
	}
}
