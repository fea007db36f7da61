package diag

import "testing"

func TestRedaction(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := string(redactProperties([]byte(text))); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	f("a=b\n", "a=b\n")
	f("ssl.keystore.password = x\n", "ssl.keystore.password=(hidden)\n")
	f("ssl.key.password: x\\\n y\nnode.id=1\n", "ssl.key.password=(hidden)\nnode.id=1\n")
	f("sasl.jaas.config=x \\\n  password=\"p\" \\\n  ;\nb=1\n", "sasl.jaas.config=(hidden)\nb=1\n")
	f("ssl.keystore.key=-----BEGIN\\n\n", "ssl.keystore.key=(hidden)\n")
	f("# old: password=x\n", "# old: password=(hidden)\n")
	f("url=http://me:pw@host/\n", "url=http://(hidden)@host/\n")
	f("password.encoder.secret x\n", "password.encoder.secret=(hidden)\n")
	if got := redactText(`{"token": "abc", "user": "me"} secret: 'x y' api`); got != `{"token": (hidden), "user": "me"} secret: (hidden) api` {
		t.Error(got)
	}
}
