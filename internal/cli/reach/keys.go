package reach

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ottla/ottla/internal/config/clients"
)

// Key is a setting of a connection.
type Key struct {
	// Name is what Java's clients call it.
	Name string
	// Also are librdkafka's names for it.
	Also []string
	// Default is the value where no layer has one.
	Default string
	// Secret values are never shown and may be references.
	Secret bool
	// Words are the values that it may have, nil for any. Case does not matter.
	Words []string
	// Doc says what it is, as half a sentence.
	Doc string
	// number says that the value is a whole number above zero.
	number bool
}

// The names that the code asks for.
const (
	Servers        = "bootstrap.servers"
	ClientID       = "client.id"
	RequestTimeout = "request.timeout.ms"
	ConnectTimeout = "socket.connection.setup.timeout.ms"
	IdleTimeout    = "connections.max.idle.ms"
	Rack           = "client.rack"
	Protocol       = "security.protocol"
	Mechanism      = "sasl.mechanism"
	Username       = "sasl.username"
	Password       = "sasl.password"
	JAAS           = "sasl.jaas.config"
	Token          = "sasl.oauthbearer.token"
	CALocation     = "ssl.ca.location"
	CA             = "ssl.truststore.certificates"
	CertLocation   = "ssl.certificate.location"
	Cert           = "ssl.keystore.certificate.chain"
	KeyLocation    = "ssl.key.location"
	PrivateKey     = "ssl.keystore.key"
	TrustLocation  = "ssl.truststore.location"
	TrustType      = "ssl.truststore.type"
	StoreLocation  = "ssl.keystore.location"
	StoreType      = "ssl.keystore.type"
	CheckHost      = "ssl.endpoint.identification.algorithm"
	CheckCert      = "enable.ssl.certificate.verification"
)

// keys are all settings, in the order in which people are shown them.
var keys = []Key{
	{Name: Servers, Also: []string{"metadata.broker.list"}, Default: "127.0.0.1:9092", Doc: "addresses to start from, HOST:PORT,…"},
	{Name: ClientID, Default: "ottla", Doc: "what the server calls us in its logs and quotas"},
	{Name: Rack, Doc: "our rack, so that the nearest replica is read"},
	{Name: RequestTimeout, Also: []string{"socket.timeout.ms"}, Default: "10000", number: true, Doc: "how long to wait for an answer"},
	{Name: ConnectTimeout, Default: "10000", number: true, Doc: "how long to wait for a connection"},
	{Name: IdleTimeout, number: true, Doc: "how long a connection may rest"},
	{Name: Protocol, Default: "PLAINTEXT", Words: []string{"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"}, Doc: "with TLS (SSL), a login (SASL), both or none"},
	{Name: Mechanism, Also: []string{"sasl.mechanisms"}, Words: []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"}, Doc: "how to log in"},
	{Name: Username, Doc: "who logs in"},
	{Name: Password, Secret: true, Doc: "the password of that"},
	{Name: JAAS, Secret: true, Doc: "name and password as Java's clients have them"},
	{Name: Token, Secret: true, Doc: "the token of OAUTHBEARER"},
	{Name: CALocation, Doc: "file of the authorities that sign servers, PEM (default: the machine's own)"},
	{Name: CA, Also: []string{"ssl.ca.pem"}, Doc: "those authorities themselves, PEM"},
	{Name: CertLocation, Doc: "file of our certificate and its chain, PEM"},
	{Name: Cert, Also: []string{"ssl.certificate.pem"}, Doc: "our certificate itself, PEM"},
	{Name: KeyLocation, Doc: "file of our private key, PEM"},
	{Name: PrivateKey, Also: []string{"ssl.key.pem"}, Secret: true, Doc: "our private key itself, PEM"},
	{Name: TrustLocation, Doc: "as ssl.ca.location; the file must be PEM"},
	{Name: TrustType, Words: []string{"PEM"}, Doc: "PEM is what can be read here"},
	{Name: StoreLocation, Doc: "file of our certificate and key, PEM"},
	{Name: StoreType, Words: []string{"PEM"}, Doc: "PEM is what can be read here"},
	{Name: CheckHost, Default: "https", Words: []string{"https", "none", ""}, Doc: "https checks that the certificate is of the server's name"},
	{Name: CheckCert, Default: "true", Words: []string{"true", "false"}, Doc: "false takes any certificate: for trying things out"},
}

// protects reports whether the setting is about how connections are protected.
func (k Key) protects() bool {
	return strings.HasPrefix(k.Name, "security.") || strings.HasPrefix(k.Name, "sasl.") || strings.HasPrefix(k.Name, "ssl.") || k.Name == CheckCert
}

// Keys are all settings, in the order in which people are shown them.
func Keys() []Key { return keys }

// Find returns the key of a name, Java's or librdkafka's.
func Find(name string) (Key, bool) {
	name = strings.TrimSpace(name)
	for _, k := range keys {
		if k.Name == name || slices.Contains(k.Also, name) {
			return k, true
		}
	}
	return Key{}, false
}

// Names are all names that there are.
func Names() []string {
	var all []string
	for _, k := range keys {
		all = append(append(all, k.Name), k.Also...)
	}
	return all
}

// Variable is the environment variable of a key: OTTLA_SASL_USERNAME.
func (k Key) Variable() string {
	if k.Name == Servers {
		return "OTTLA_BOOTSTRAP_SERVER"
	}
	return "OTTLA_" + strings.ToUpper(strings.ReplaceAll(k.Name, ".", "_"))
}

// Check says what is wrong with a value, nil when nothing is.
func (k Key) Check(value string) error {
	if k.number {
		if n, err := strconv.ParseInt(value, 10, 32); err != nil || n <= 0 {
			return fmt.Errorf("%s=%s: want a number of milliseconds above 0", k.Name, value)
		}
	}
	known := func(word string) bool { return strings.EqualFold(word, value) }
	switch {
	case k.Words == nil || slices.ContainsFunc(k.Words, known):
		return nil
	case k.Name == TrustType || k.Name == StoreType:
		return fmt.Errorf("%s=%s can't be read here: convert it to PEM (keytool -exportcert -rfc, openssl pkcs12) and set %s=PEM", k.Name, value, k.Name)
	case k.Name == Mechanism:
		return fmt.Errorf("%s=%s is not supported: %s are", k.Name, value, strings.Join(k.Words, ", "))
	}
	return fmt.Errorf("%s=%s: want one of %s", k.Name, value, strings.Join(k.Words, ", "))
}

// elsewhere are settings of clients that the commands have as flags.
var elsewhere = map[string]string{
	"acks": "--acks of produce", "compression.type": "--compression of produce", "compression.codec": "--compression of produce",
	"linger.ms": "--linger of produce", "queue.buffering.max.ms": "--linger of produce", "auto.offset.reset": "--offset of consume",
	"isolation.level": "--isolation-level of consume", "delivery.timeout.ms": "--delivery-timeout of produce",
	"message.timeout.ms": "--delivery-timeout of produce", "partitioner": "--partitioner of produce",
}

// refusal says why a setting that is none of ours must not be passed over, "" when a file may have it: a file is often an
// application's, and full of settings that mean nothing to a tool. What protects a connection is never passed over.
func refusal(name string, strict bool) string {
	if clients.Protects(name) {
		return name + " is not supported: it would change how the connection is protected"
	}
	if !strict {
		return ""
	}
	if flag := elsewhere[name]; flag != "" {
		return name + " is no setting of the connection: give " + flag
	}
	return "there is no setting " + name
}
