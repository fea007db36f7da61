package clients

import "testing"

func TestProtects(t *testing.T) {
	for name, want := range map[string]bool{
		"ssl.engine.factory.class": true, "sasl.client.callback.handler.class": true, "security.new": true, "ssl.key.password": true,
		"ssl.protocol": false, "ssl.client.auth": false, "acks": false, "sslfoo": false,
	} {
		if Protects(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}
