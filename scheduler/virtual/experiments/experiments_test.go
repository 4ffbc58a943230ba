package experiments

import (
	"bytes"
	"testing"
)

// The experiments whose outcome doesn't depend on size hold in full; of the
// others the small form runs, and every report can be written.
func TestExperiments(t *testing.T) {
	exact := map[string]bool{"x9": true, "x10": true, "x13": true}
	for _, x := range All() {
		t.Run(x.Name, func(t *testing.T) {
			r, err := x.Run(t.Context(), Options{Runs: 2, Seed: 1, Quick: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range r.Checks {
				if !c.Holds && exact[x.Name] {
					t.Errorf("%s: %s", c.Name, c.Detail)
				}
			}
			var b bytes.Buffer
			if err := r.WriteTable(&b); err != nil {
				t.Fatal(err)
			}
			if testing.Verbose() {
				t.Log(b.String())
			}
			if err := r.WriteJSON(&b); err != nil {
				t.Fatal(err)
			}
			if r.Plot != nil {
				if err := r.Plot.WriteSVG(&b); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
