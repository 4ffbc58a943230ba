package collation

import (
	"strings"
	"testing"
)

// Every collation that is listed is known by its name, and there are as many as Spark 4.3 lists.
func TestAll(t *testing.T) {
	l := All()
	if len(l) != 1164 {
		t.Errorf("%d collations, want 1164", len(l))
	}
	for _, e := range l {
		c, ok := Lookup(e.Name)
		if !ok {
			t.Errorf("%s is listed and not known", e.Name)
			continue
		}
		if c.name != e.Name || c.trim != e.Trim || !strings.HasPrefix(e.Name, "UTF8") && (c.ci == e.Case || c.ai == e.Accents) {
			t.Errorf("%+v is listed of %q", e, c.name)
		}
	}
	if e := l[4+8]; e != (Entry{Name: "af", Language: "Afrikaans", Accents: true, Case: true, Version: "78.3.0.0"}) {
		t.Errorf("the collation after those of UNICODE is %+v", e)
	}
}
