package kafkatools

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ottla/ottla/internal/kafkatools/jopt"
	"github.com/ottla/ottla/internal/ports"
)

// The address of a flag is over that of a property, and that over the file's; the old names of options count as the new ones.
func TestSettingsPrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "client.properties")
	if err := os.WriteFile(file, []byte("bootstrap.servers=file:1\nclient.id = from file\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, server, id string }{
		{"", "", ""},
		{"--command-config FILE", "file:1", "from file"},
		{"--producer.config FILE", "file:1", "from file"},
		{"--command-config FILE --command-property bootstrap.servers=property:2", "property:2", "from file"},
		{"--command-config FILE --producer-property bootstrap.servers=property:2 --producer-property client.id=own", "property:2", "own"},
		{"--bootstrap-server flag:3 --command-config FILE --command-property bootstrap.servers=property:2", "flag:3", "from file"},
		{"--bootstrap-controller flag:4 --command-config FILE", "flag:4", "from file"},
		{"--bootstrap-controller flag:4 --bootstrap-server flag:3", "flag:3", ""},
	} {
		tool := newJoptTool([]string{"producer.config"}, []string{"producer-property"})
		set, err := tool.Parse(strings.Fields(strings.ReplaceAll(c.args, "FILE", file)))
		if err != nil {
			t.Fatalf("%s: %v", c.args, err)
		}
		s, err := tool.settings(set)
		if err != nil || s[bootstrapServers] != c.server || s["client.id"] != c.id {
			t.Errorf("%s: %v, %v", c.args, s, err)
		}
		if strings.Contains(c.args, "producer") {
			continue
		}
		command := jopt.NewCommand("kafka-x", "")
		args := connectsArgs(command)
		f, err := command.Parse(strings.Fields(strings.ReplaceAll(c.args, "FILE", file)))
		if err != nil {
			if !strings.Contains(err.Error(), "not allowed with") {
				t.Errorf("%s: %v", c.args, err)
			}
			continue
		}
		if s, err = args.settings(f); err != nil || s[bootstrapServers] != c.server || s["client.id"] != c.id {
			t.Errorf("%s: %v, %v", c.args, s, err)
		}
	}
}

// What can't work is refused before anything is sent, with the key at fault.
func TestSettingsThatCanNotWork(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"bootstrap.servers=", "No resolvable bootstrap urls"},
		{"bootstrap.servers=host", "Invalid url"},
		{"bootstrap.servers=host:0", "Invalid url"},
		{"bootstrap.servers=nosuch.invalid:9092", "No resolvable bootstrap urls"},
		{"bootstrap.servers=127.0.0.1:1\nrequest.timeout.ms=soon", "request.timeout.ms"},
		{"bootstrap.servers=127.0.0.1:1\nsecurity.protocol=MAGIC", "security.protocol"},
		{"bootstrap.servers=127.0.0.1:1\nsecurity.protocol=SSL\nssl.truststore.location=trust.jks", "PEM"},
		{"bootstrap.servers=127.0.0.1:1\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN", "sasl.jaas.config"},
		{"bootstrap.servers=127.0.0.1:1\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=GSSAPI\nsasl.jaas.config=X required username=\"u\";", "sasl.mechanism"},
		{"bootstrap.servers=127.0.0.1:1\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=X required username=u password=p@w;", "quotes"},
		{"bootstrap.servers=127.0.0.1:1\nssl.engine.factory.class=x", "ssl.engine.factory.class is not supported"},
		{"bootstrap.servers=127.0.0.1:1\nsecurity.protocol=SSL\nssl.key.password=x", "ssl.key.password is not supported"},
		{"bootstrap.servers=127.0.0.1:1\nsasl.username=x", "sasl.username is not supported"},
		{"bootstrap.servers=127.0.0.1:1\nsecurity.protocol=SSL\nssl.keystore.key=x", "need each other"},
		{"bootstrap.servers=127.0.0.1:1\nsecurity.protocol=SSL\nssl.keystore.key=x\nssl.keystore.certificate.chain=x", "ssl.keystore.certificate.chain"},
		{"bootstrap.servers=127.0.0.1:1\nsecurity.protocol=SSL\nssl.keystore.key=x\nssl.keystore.location=x", "one of them"},
	} {
		s := settings{}
		s.set(strings.Split(c.text, "\n"))
		if cl, err := open(s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.text, err)
			if cl != nil {
				cl.Close()
			}
		}
	}
}

func TestSettingsThatWork(t *testing.T) {
	for _, text := range []string{
		"security.protocol=PLAINTEXT",
		"security.protocol=ssl",
		"security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"a\" password=\"b\\\"c\";",
		"security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=X required username='a' password='b';\nssl.endpoint.identification.algorithm=",
		"security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=X required username=alice password=secret;",
		"ssl.protocol=TLSv1.3\nsasl.enabled.mechanisms=PLAIN\nlinger.ms=3",
	} {
		s := settings{bootstrapServers: "127.0.0.1:1, [::1]:2"}
		s.set(strings.Split(text, "\n"))
		cl, err := open(s)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		cl.Close()
	}
}

// A server that nobody answers at ends a tool when default.api.timeout.ms has passed, with the words of Java's client.
func TestNobodyAnswers(t *testing.T) {
	nobody, err := ports.Hold("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close()
	w := newTested("", nil)
	exit := run(t.Context(), &w.World, "kafka-topics", []string{"--bootstrap-server", nobody.Address, "--list", "--command-property", "default.api.timeout.ms=200"}, nil)
	if want := "Error while executing topic command : Timed out waiting for a node assignment. Call: listTopics\n"; exit != 1 || w.out.String() != want {
		t.Errorf("exit %d, %q", exit, w.out.String())
	}
}

// A certificate and key that stand in the settings are shown to servers as those of a file are.
func TestOwnCertificate(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(7)}, &x509.Certificate{}, public, private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
	file := filepath.Join(t.TempDir(), "own.pem")
	if err := os.WriteFile(file, append(slices.Clone(chain), key...), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, s := range []settings{
		{"ssl.keystore.certificate.chain": string(chain), "ssl.keystore.key": string(key), "ssl.keystore.type": "PEM"},
		{"ssl.keystore.location": file, "ssl.keystore.type": "PEM"},
	} {
		c, err := s.tls()
		if err != nil || len(c.Certificates) != 1 || !bytes.Equal(c.Certificates[0].Certificate[0], der) {
			t.Errorf("%v: %v, %v", slices.Sorted(maps.Keys(s)), c, err)
		}
	}
}
