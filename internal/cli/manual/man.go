package manual

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ottla/ottla/internal/cli/command"
)

// manPages are a page for each command, root included: ottla-topic-create.1.
func manPages(root *cobra.Command) []page {
	all := []page{manPage(root)}
	for _, c := range below(root) {
		all = append(all, manPages(c)...)
	}
	return all
}

func manPage(c *cobra.Command) page {
	name := strings.ReplaceAll(c.CommandPath(), " ", "-")
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"ottla %s\" \"Ottla\"\n", strings.ToUpper(roff(name)), roff(command.KafkaVersion))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.B %s\n.SH DESCRIPTION\n", roff(name), roff(c.Short), roff(c.UseLine()))
	for i, paragraph := range strings.Split(about(c), "\n\n") {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		b.WriteString(roff(paragraph) + "\n")
	}
	if subs := below(c); len(subs) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, sub := range subs {
			fmt.Fprintf(&b, ".TP\n.BR %s (1)\n%s\n", roff(name+"-"+sub.Name()), roff(sub.Short))
		}
	}
	b.WriteString(".SH OPTIONS\n")
	for _, f := range append(flagsOf(c, false), flagsOf(c, true)...) {
		flag, usage := flagText(f)
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(flag), roff(usage))
	}
	if c.Example != "" {
		fmt.Fprintf(&b, ".SH EXAMPLES\n.nf\n%s\n.fi\n", roff(strings.TrimRight(c.Example, "\n")))
	}
	if c.HasParent() {
		fmt.Fprintf(&b, ".SH SEE ALSO\n.BR %s (1)\n", roff(strings.ReplaceAll(c.Parent().CommandPath(), " ", "-")))
	}
	return page{name + ".1", b.String()}
}

// roff keeps text from being read as a request or an escape of the formatter.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}
