package kafkatools

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"

	"github.com/ottla/ottla/internal/config/clients"
)

// security turns the keys of TLS and SASL into options. What needs a key store of Java's is refused: PEM is what is read.
func (s settings) security() ([]kgo.Opt, error) {
	if err := s.understood(); err != nil {
		return nil, err
	}
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

// protections are the keys of TLS and SASL that are heeded.
var protections = []string{
	"security.protocol", "sasl.mechanism", "sasl.jaas.config", "ssl.endpoint.identification.algorithm",
	"ssl.truststore.certificates", "ssl.truststore.location", "ssl.truststore.type",
	"ssl.keystore.certificate.chain", "ssl.keystore.key", "ssl.keystore.location", "ssl.keystore.type",
}

// understood refuses what would change how connections are protected and is not heeded here: passing over it would be less
// protection than was asked for.
func (s settings) understood() error {
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if clients.Protects(key) && !slices.Contains(protections, key) {
			return fmt.Errorf("%s is not supported: it would change how the connection is protected", key)
		}
	}
	return nil
}

// tls is how connections are encrypted.
func (s settings) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
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
	if algorithm, given := s["ssl.endpoint.identification.algorithm"]; given && algorithm == "" {
		clients.IgnoreName(c)
	}
	pair, err := s.ownCertificate()
	if err == nil && pair != nil {
		c.Certificates = []tls.Certificate{*pair}
	}
	return c, err
}

// ownCertificate is what the client shows servers, nil for nothing: the chain and key that stand in the settings, or those in
// the file of the key store.
func (s settings) ownCertificate() (*tls.Certificate, error) {
	chain, key, file := s["ssl.keystore.certificate.chain"], s["ssl.keystore.key"], s["ssl.keystore.location"]
	switch {
	case chain == "" && key == "" && file == "":
		return nil, nil
	case chain == "" && key == "":
		if err := s.wantPEM("ssl.keystore.type", file); err != nil {
			return nil, err
		}
		pair, err := tls.LoadX509KeyPair(file, file)
		if err != nil {
			return nil, fmt.Errorf("ssl.keystore.location: %w", err)
		}
		return &pair, nil
	case file != "":
		return nil, errors.New("ssl.keystore.location and a certificate or key beside it: want one of them")
	case chain == "" || key == "":
		return nil, errors.New("ssl.keystore.certificate.chain and ssl.keystore.key need each other")
	}
	pair, err := tls.X509KeyPair([]byte(chain), []byte(key))
	if err != nil {
		return nil, fmt.Errorf("ssl.keystore.certificate.chain and ssl.keystore.key: %w", err)
	}
	return &pair, nil
}

func (s settings) wantPEM(key, file string) error {
	if strings.EqualFold(s[key], "PEM") {
		return nil
	}
	return fmt.Errorf("%s is a Java key store: convert it to PEM and say %s=PEM", file, key)
}

func (s settings) mechanism() (sasl.Mechanism, error) {
	if s["sasl.jaas.config"] == "" {
		return nil, errors.New("sasl.jaas.config names no username")
	}
	found, err := clients.ParseLogin(s["sasl.jaas.config"])
	if err != nil {
		return nil, err
	}
	user, password := found["username"], found["password"]
	if user == "" {
		return nil, fmt.Errorf("sasl.jaas.config names no username")
	}
	m, ok := clients.Mechanism(s["sasl.mechanism"], user, password)
	if !ok {
		return nil, fmt.Errorf("sasl.mechanism %q is not one of PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512", s["sasl.mechanism"])
	}
	return m, nil
}
