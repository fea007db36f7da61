package reach

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// certificate makes one that signs itself, for the names, in a file with its key.
func certificate(t *testing.T, names ...string) (file string, pair tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, DNSNames: names,
	}
	if len(names) == 0 {
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})...)
	file = filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	pair, err = tls.X509KeyPair(text, text)
	if err != nil {
		t.Fatal(err)
	}
	return file, pair
}

// secured starts a server with TLS and two users.
func secured(t *testing.T, pair tls.Certificate) string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}}),
		kfake.EnableSASL(), kfake.Superuser("PLAIN", "ann", "p w"), kfake.Superuser("SCRAM-SHA-512", "bob", `q"q`))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()[0]
}

// ping connects with the settings, each KEY=VALUE.
func ping(t *testing.T, given ...string) error {
	t.Helper()
	var pairs []Pair
	for _, g := range given {
		name, value, _ := strings.Cut(g, "=")
		pairs = append(pairs, Pair{Name: name, Value: value})
	}
	l, err := NewLayer("-X", true, pairs)
	if err != nil {
		return err
	}
	s := Resolve(l)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	opts, err := s.Options(ctx, func(name string) string { return map[string]string{"SECRET": "p w"}[name] })
	if err != nil {
		return err
	}
	addresses, err := s.Addresses()
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(addresses...), kgo.RequestRetries(0), kgo.RetryTimeout(time.Second))...)
	if err != nil {
		return err
	}
	defer client.Close()
	return client.Ping(ctx)
}

func TestConnections(t *testing.T) {
	file, pair := certificate(t)
	at := "bootstrap.servers=" + secured(t, pair)
	otherFile, other := certificate(t, "elsewhere.example")
	wrongName := "bootstrap.servers=" + secured(t, other)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("p w\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(want string, given ...string) {
		t.Helper()
		err := ping(t, given...)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", given, err, want)
		}
	}
	const sasl, plain = "security.protocol=sasl_ssl", "sasl.mechanism=PLAIN"
	ca := "ssl.ca.location=" + file
	f("", at, sasl, plain, ca, "sasl.username=ann", "sasl.password=p w")
	f("", at, sasl, plain, ca, "sasl.username=ann", "sasl.password=env:SECRET")
	f("", at, sasl, plain, ca, "sasl.username=ann", "sasl.password=file:"+secret)
	f("", at, sasl, plain, ca, "sasl.username=ann", "sasl.password=cmd:echo 'p w'")
	f("", at, sasl, "sasl.mechanisms=SCRAM-SHA-512", "ssl.truststore.location="+file, "ssl.truststore.type=PEM",
		`sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=bob password="q\"q" ;`)
	const module = "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required "
	f("", at, sasl, plain, ca, module+"username='ann' password='p w';")
	f("are quotes missing", at, sasl, plain, ca, module+"username=ann password=p@w;")
	f("EOF", at, sasl, plain, ca, "sasl.username=ann", "sasl.password=wrong")
	f("the variable is not set", at, sasl, plain, ca, "sasl.username=ann", "sasl.password=env:NONE")
	f("no such file", at, sasl, plain, ca, "sasl.username=ann", "sasl.password=file:/none")
	f("exit status 3", at, sasl, plain, ca, "sasl.username=ann", "sasl.password=cmd:exit 3")
	f("needs sasl.username and sasl.password", at, sasl, plain, ca)
	f("needs sasl.mechanism", at, sasl, ca, "sasl.username=ann", "sasl.password=x")
	f("needs sasl.oauthbearer.token", at, sasl, ca, "sasl.mechanism=OAUTHBEARER")
	f("no username and password", at, sasl, plain, ca, "sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required;")
	f("is not supported", at, sasl, "sasl.mechanism=GSSAPI")

	login := []string{sasl, plain, "sasl.username=ann", "sasl.password=p w"}
	f("certificate", append(login, at)...)
	f("", append(login, at, "enable.ssl.certificate.verification=false")...)
	f("IP SANs", append(login, wrongName, "ssl.ca.location="+otherFile)...)
	f("", append(login, wrongName, "ssl.ca.location="+otherFile, "ssl.endpoint.identification.algorithm=none")...)
	f("certificate", append(login, wrongName, ca, "ssl.endpoint.identification.algorithm=none")...)
	f("", append(login, at, ca, "ssl.keystore.location="+file, "ssl.keystore.type=PEM")...)
	f("", append(login, at, ca, "ssl.certificate.location="+file, "ssl.key.location="+file)...)
	f("holds no certificate in PEM", append(login, at, "ssl.ca.location="+secret)...)
	f("our certificate", append(login, at, ca, "ssl.certificate.location="+file, "ssl.key.location="+secret)...)
	f("convert it to PEM", at, "ssl.truststore.type=JKS")
	f("want a number of milliseconds", at, "request.timeout.ms=0")
	f("ssl.engine.factory.class is not supported", at, "ssl.engine.factory.class=x")
	f("is not an address", "bootstrap.servers=a:b")
}

func TestVariables(t *testing.T) {
	l, err := Environment(func(name string) string {
		return map[string]string{"OTTLA_SASL_USERNAME": "me", "OTTLA_CLIENT_ID": "x"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	s := Resolve(l, Layer{Values: map[string]Value{ClientID: {Text: "lower"}, Rack: {Text: "r1"}}})
	for name, want := range map[string]string{Username: "me", ClientID: "x", Rack: "r1", Servers: "127.0.0.1:9092", Token: ""} {
		if got := s.Text(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// Comments that a person wrote into the file survive what a command writes.
func TestCommentsStay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	const text = `current: a
profiles:
  a:
    # the one next door
    bootstrap.servers: [a:1, b:2]
    request.timeout.ms: 5000
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	f.Put(Profile{Name: "b", Pairs: []Pair{{Name: Servers, Value: "c:3"}}})
	if err := f.Save(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const want = `current: a
profiles:
  a:
    # the one next door
    bootstrap.servers: a:1,b:2
    request.timeout.ms: "5000"
  b:
    bootstrap.servers: c:3
`
	if string(got) != want {
		t.Errorf("got\n%s", got)
	}
	for _, bad := range []string{"profiles: 1", "profiles:\n  a: 1", "other: 1", "profiles: [", "- a"} {
		if err := (&File{Path: "x"}).parse([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
