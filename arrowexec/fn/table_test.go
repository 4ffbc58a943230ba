package fn

import "testing"

func TestTableHasEachNameOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range groups() {
		for i := range g {
			d := &g[i]
			for _, n := range append([]string{d.Name}, d.Aliases...) {
				if seen[n] {
					t.Errorf("%s stands twice in the table", n)
				}
				seen[n] = true
			}
			if d.Usage == "" || d.Group == "" || d.Since == "" {
				t.Errorf("%s lacks its usage, group or since", d.Name)
			}
			for k := range d.Overloads {
				o := &d.Overloads[k]
				if o.Eval == nil && d.Rewrite == nil && d.Agg == nil && d.Gen == nil && !d.NeedsOrder {
					t.Logf("%s has an overload without a kernel", d.Name)
				}
				if o.Variadic && len(o.Params) == 0 {
					t.Errorf("%s is variadic over nothing", d.Name)
				}
			}
		}
	}
}
