package diag

import (
	"bufio"
	"bytes"
	"regexp"
	"strings"

	"github.com/ottla/ottla/internal/config"
)

const hidden = "(hidden)"

// secretWords are what a key or a line has that may hold a secret.
var secretWords = regexp.MustCompile(`(?i)password|passwd|secret|token|credential|jaas|private|keystore\.key|certificate\.chain|truststore\.certificates|api.?key`)

// secretPairs are secrets in running text: password=x, "token": "y", secret: z.
var secretPairs = regexp.MustCompile(`(?i)([\w.-]*(?:password|passwd|secret|token|credential|jaas[\w.]*)[\w.-]*["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;}\]]+)`)

// userInfo is a name and a password in an address.
var userInfo = regexp.MustCompile(`(://)[^/\s:@]+:[^/\s@]+@`)

// secretKey reports whether the value of a configuration key is for nobody's eyes.
func secretKey(key string) bool {
	k, known := config.Lookup(config.BrokerResource, key)
	return secretWords.MatchString(key) || known && k.Type == config.Password
}

// redactProperties hides the values of secret keys in a file of Java's format. A value that goes on in the next line goes with it.
func redactProperties(text []byte) []byte {
	var out bytes.Buffer
	dropping, continued := false, false
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		goesOn := (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
		switch {
		case continued && dropping:
		case continued:
			out.WriteString(redactText(line) + "\n")
		default:
			trimmed := strings.TrimSpace(line)
			at := strings.IndexAny(trimmed, "=: \t")
			comment := strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, "!")
			if dropping = at > 0 && !comment && secretKey(trimmed[:at]); dropping {
				line = trimmed[:at] + "=" + hidden
			}
			if dropping {
				out.WriteString(line + "\n")
			} else {
				out.WriteString(redactText(line) + "\n")
			}
		}
		continued = goesOn
	}
	if lines.Err() != nil {
		out.WriteString("# the rest has lines that are too long\n")
	}
	return out.Bytes()
}

// redactText hides what looks like a secret in running text, such as a log.
func redactText(text string) string {
	text = userInfo.ReplaceAllString(text, "${1}"+hidden+"@")
	return secretPairs.ReplaceAllString(text, "${1}"+hidden)
}
