package errs

import "slices"

// Condition is one row of the table of conditions.
type Condition struct {
	State string // SQLSTATE
	Text  string // our sentence, with <parameter> holes
}

func lookup(name string) Condition { return conditions()[name] }

// Known reports whether the table has that condition.
func Known(name string) bool { _, ok := conditions()[name]; return ok }

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
