// Package archtest keeps the import law of ARCHITECTURE.md: each room sees
// only what it may.
package archtest

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// law says, for each room, which rooms it may import besides internal/*.
// The longest matching room applies, on both sides.
var law = map[string][]string{
	"cmd":          {"sidecar", "conf", "connect/sqlparse", "scheduler/virtual"},
	"sidecar":      {"connect", "scheduler", "arrowexec", "conf"},
	"conf":         {},
	"internal":     {},
	"internal/gen": {"conf", "arrowexec/fn"},

	"connect/server":    {"connect/session", "connect/translate", "connect/pb", "arrowexec/vec", "arrowexec/arrowio", "connect/sqlparse"},
	"connect/session":   {},
	"connect/translate": {"connect/pb", "connect/sqlparse", "connect/session", "arrowexec/vec", "arrowexec/arrowio"},
	"connect/pb":        {},
	"connect/sqlparse":  {},
	"connect/analyze":   {"connect/catalog", "connect/sqlparse", "arrowexec/fn", "arrowexec/vec", "arrowexec/physical"},
	"connect/catalog":   {"arrowexec/vec"},
	"connect/optimize":  {"arrowexec/physical", "arrowexec/fn", "arrowexec/vec"},

	"scheduler/stagegraph": {"arrowexec/physical"},
	"scheduler/core":       {"scheduler/policy"},
	"scheduler/policy":     {},
	"scheduler/cluster":    {"scheduler/core", "scheduler/policy", "scheduler/stagegraph", "arrowexec/physical"},
	"scheduler/control":    {},
	"scheduler/eventlog":   {"scheduler/cluster", "scheduler/core"},
	"scheduler/stream":     {"arrowexec/physical"},
	"scheduler/virtual":    {"scheduler/core", "scheduler/policy"},

	"arrowexec": {"arrowexec"},
}

// only lists rooms that may import a module of others.
var only = map[string][]string{
	"github.com/spf13/viper": {"conf"},
	"google.golang.org/grpc": {"connect/server", "connect/pb", "connect/session", "sidecar", "cmd", "arrowexec/shuffle", "scheduler/control"},
}

func TestImportLaw(t *testing.T) {
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		words := strings.Fields(line)
		from := strings.TrimPrefix(words[0], "neptune/")
		may, ok := lookup(law, from)
		if !ok {
			t.Errorf("%s is in no room: add it to the law and to ARCHITECTURE.md", from)
			continue
		}
		for _, imp := range words[1:] {
			if to, ours := strings.CutPrefix(imp, "neptune/"); ours {
				if !strings.HasPrefix(to, "internal/") && !within(to, may) && room(from) != room(to) {
					t.Errorf("%s may not import %s", from, to)
				}
				continue
			}
			for mod, rooms := range only {
				if (imp == mod || strings.HasPrefix(imp, mod+"/")) && !within(from, rooms) {
					t.Errorf("%s may not import %s", from, imp)
				}
			}
		}
	}
}

// room is the key of the law that a package falls under.
func room(pkg string) string {
	for p := pkg; p != "."; p = filepath.Dir(p) {
		if _, ok := law[p]; ok {
			return p
		}
	}
	return ""
}

func lookup(law map[string][]string, pkg string) ([]string, bool) {
	may, ok := law[room(pkg)]
	return may, ok
}

func within(pkg string, rooms []string) bool {
	for _, r := range rooms {
		if pkg == r || strings.HasPrefix(pkg, r+"/") {
			return true
		}
	}
	return false
}
