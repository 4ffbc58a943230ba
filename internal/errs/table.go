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

// KnownPrefix reports whether the table has that condition, or one that it is the first part of.
func KnownPrefix(name string) bool {
	if Known(name) {
		return true
	}
	for k := range conditions() {
		if len(k) > len(name) && k[len(name)] == '.' && k[:len(name)] == name {
			return true
		}
	}
	return false
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
