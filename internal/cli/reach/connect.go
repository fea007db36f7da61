package reach

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/oauth"

	"github.com/ottla/ottla/internal/config/clients"
)

// Duration is the value of a key in milliseconds, 0 for none.
func (s Settings) Duration(name string) time.Duration {
	ms, err := strconv.Atoi(s.Text(name))
	if err != nil {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

// defaultPort is the port of an address that has none.
const defaultPort = "9092"

// Addresses are the servers to start from.
func (s Settings) Addresses() ([]string, error) {
	v, _ := s.Lookup(Servers)
	var all []string
	for one := range strings.SplitSeq(v.Text, ",") {
		address, err := parseAddress(strings.TrimSpace(one))
		if err != nil {
			return nil, err
		}
		all = append(all, address)
	}
	return all, nil
}

// ErrAddress is that a text is no address.
var ErrAddress = errors.New("is not an address")

// parseAddress completes HOST or HOST:PORT, where HOST may be an IPv6 address in brackets.
func parseAddress(s string) (string, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = strings.Trim(s, "[]"), defaultPort
	}
	n, perr := strconv.ParseUint(port, 10, 16)
	bad := perr != nil || n == 0 || strings.ContainsAny(host, "/ []")
	if bad || host == "" || strings.Contains(host, ":") && net.ParseIP(host) == nil {
		return "", fmt.Errorf("%q %w", s, ErrAddress)
	}
	return net.JoinHostPort(host, port), nil
}

// Options are the settings as a client takes them; references to secrets are followed now.
func (s Settings) Options(ctx context.Context, getenv func(string) string) ([]kgo.Opt, error) {
	opts := []kgo.Opt{kgo.ClientID(s.Text(ClientID)), kgo.DialTimeout(s.Duration(ConnectTimeout))}
	if rack := s.Text(Rack); rack != "" {
		opts = append(opts, kgo.Rack(rack))
	}
	if idle := s.Duration(IdleTimeout); idle > 0 {
		opts = append(opts, kgo.ConnIdleTimeout(idle))
	}
	encrypted, login := s.protected()
	if encrypted {
		c, err := s.TLS(ctx, getenv)
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.DialTLSConfig(c))
	}
	if login {
		o, err := s.login(ctx, getenv)
		if err != nil {
			return nil, err
		}
		opts = append(opts, o)
	}
	return opts, nil
}

// protected says whether connections use TLS and a login.
func (s Settings) protected() (encrypted, login bool) {
	p := strings.ToUpper(s.Text(Protocol))
	return strings.HasSuffix(p, "SSL"), strings.HasPrefix(p, "SASL")
}

// Encrypted reports whether connections use TLS.
func (s Settings) Encrypted() bool {
	encrypted, _ := s.protected()
	return encrypted
}

// login is how to log in.
func (s Settings) login(ctx context.Context, getenv func(string) string) (kgo.Opt, error) {
	secret := func(name string) (string, error) {
		v, ok := s.Lookup(name)
		if !ok {
			return "", nil
		}
		return reveal(ctx, v, getenv)
	}
	user := s.Text(Username)
	password, err := secret(Password)
	if err != nil {
		return nil, err
	}
	jaas, err := secret(JAAS)
	if err != nil {
		return nil, err
	}
	if jaas != "" && user == "" {
		if user, password, err = fromJAAS(jaas); err != nil {
			return nil, err
		}
	}
	mechanism := strings.ToUpper(s.Text(Mechanism))
	if mechanism == "OAUTHBEARER" {
		token, err := secret(Token)
		if err == nil && token == "" {
			err = fmt.Errorf("%s=OAUTHBEARER needs %s", Mechanism, Token)
		}
		return kgo.SASL(oauth.Auth{Token: token}.AsMechanism()), err
	}
	if user == "" || password == "" {
		return nil, fmt.Errorf("%s=%s needs %s and %s, or %s", Protocol, s.Text(Protocol), Username, Password, JAAS)
	}
	m, ok := clients.Mechanism(mechanism, user, password)
	if !ok {
		return nil, fmt.Errorf("%s=%s needs %s", Protocol, s.Text(Protocol), Mechanism)
	}
	return kgo.SASL(m), nil
}

// fromJAAS takes name and password out of the line of Java's clients.
func fromJAAS(line string) (user, password string, err error) {
	options, err := clients.ParseLogin(line)
	if err != nil {
		return "", "", err
	}
	user, password = options["username"], options["password"]
	if user == "" || password == "" {
		return "", "", fmt.Errorf("%s has no username and password that could be used here", JAAS)
	}
	return user, password, nil
}

// TLS is how connections are encrypted.
func (s Settings) TLS(ctx context.Context, getenv func(string) string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	ca, err := s.pem(CA, CALocation, TrustLocation)
	if err != nil {
		return nil, err
	}
	if ca != nil {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(ca) {
			return nil, fmt.Errorf("%s holds no certificate in PEM: a Java keystore must be converted (keytool -exportcert -rfc)", CALocation)
		}
	}
	cert, err := s.pem(Cert, CertLocation, StoreLocation)
	if err != nil {
		return nil, err
	}
	if cert != nil {
		key, err := s.privateKey(ctx, getenv)
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("our certificate (%s) and key (%s): %w", CertLocation, KeyLocation, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	if strings.EqualFold(s.Text(CheckCert), "false") {
		c.InsecureSkipVerify = true // it was asked for by name
	} else if v, _ := s.Lookup(CheckHost); !strings.EqualFold(v.Text, "https") {
		clients.IgnoreName(c)
	}
	return c, nil
}

// privateKey is our key: given, in its own file, or in the one that holds the certificate too.
func (s Settings) privateKey(ctx context.Context, getenv func(string) string) ([]byte, error) {
	if v, ok := s.Lookup(PrivateKey); ok {
		text, err := reveal(ctx, v, getenv)
		return []byte(text), err
	}
	return s.pem("", KeyLocation, StoreLocation)
}

// pem is the value of inline, or what is in the first file that is named; nil when none is.
func (s Settings) pem(inline string, files ...string) ([]byte, error) {
	if v, ok := s.Lookup(inline); ok {
		return []byte(v.Text), nil
	}
	for _, name := range files {
		v, ok := s.Lookup(name)
		if !ok {
			continue
		}
		text, err := os.ReadFile(v.Text)
		if err != nil {
			return nil, fmt.Errorf("%s (%s): %w", name, v.Where, err)
		}
		return text, nil
	}
	return nil, nil
}
