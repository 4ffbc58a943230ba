package conf

import (
	"fmt"
	"strings"
)

// Markdown is docs/configuration.md, made of the table.
func Markdown() string {
	var b strings.Builder
	b.WriteString("# Configuration\n\n")
	b.WriteString("Made from the table in `conf/keys.go` by `make generate`; don't edit.\n\n")
	b.WriteString("A value comes from the first of: `--conf key=value` or a flag of `neptune server`, the environment, the configuration file (`--config`), `spark-defaults.conf`, the default.\n")
	b.WriteString("`neptune executor` takes those of executors, the exchange, TLS and the log in the same ways; its `--host` and `--port` are `neptune.exchange.host` and `neptune.exchange.port`.\n")
	b.WriteString("Other `spark.*` keys given by `--conf` or in `spark-defaults.conf` become the defaults of each session. " +
		"A key that Spark knows and nothing here reads changes nothing: whoever sets it is told once a session, the client by a warning of `spark.conf.set`, the server's log for `SET`.\n")
	for _, k := range Keys() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", k.Name, k.Doc)
		def := "`" + k.Default + "`"
		if k.Default == "" {
			def = "empty"
		}
		fmt.Fprintf(&b, "- Value: %s", k.Kind)
		if len(k.OneOf) > 0 {
			fmt.Fprintf(&b, ", one of `%s`", strings.Join(k.OneOf, "`, `"))
		}
		fmt.Fprintf(&b, "; default %s\n- Environment: `%s`\n", def, k.Env())
		if k.Flag != "" {
			fmt.Fprintf(&b, "- Flag: `--%s`\n", k.Flag)
		}
		if k.Spark != "" {
			fmt.Fprintf(&b, "- Spark's key: `%s`\n", k.Spark)
		}
		if k.Session {
			b.WriteString("- May be set for one session.\n")
		}
	}
	return b.String()
}
