package clients

import "strings"

// Protects reports whether a setting of a client changes how its connections are protected: who does not know such a
// setting must refuse it rather than pass over it.
func Protects(name string) bool {
	for _, prefix := range []string{"ssl.", "sasl.", "security."} {
		if strings.HasPrefix(name, prefix) {
			return !harmless[name]
		}
	}
	return false
}

// harmless are settings of that kind that protect nothing, say what holds here anyway, or are a server's.
var harmless = map[string]bool{
	"ssl.protocol": true, "ssl.enabled.protocols": true, "ssl.provider": true, "ssl.truststore.password": true, "ssl.keystore.password": true,
	"ssl.keymanager.algorithm": true, "ssl.trustmanager.algorithm": true, "ssl.secure.random.implementation": true,
	"sasl.login.refresh.buffer.seconds": true, "sasl.login.refresh.min.period.seconds": true,
	"sasl.login.refresh.window.factor": true, "sasl.login.refresh.window.jitter": true, "security.providers": true,
	"ssl.client.auth": true, "ssl.principal.mapping.rules": true, "sasl.enabled.mechanisms": true, "security.inter.broker.protocol": true,
	"sasl.mechanism.inter.broker.protocol": true, "sasl.mechanism.controller.protocol": true,
	"sasl.kerberos.principal.to.local.rules": true,
}
