package errs

import "sync"

// areas lists the parts of the table, one a file conditions_<area>.go. A
// condition stands in one of them only.
func areas() []map[string]Condition {
	return []map[string]Condition{
		general,
		analysis,
		parse,
		exec,
		source,
		connectConditions,
		operatorConditions,
		functionConditions,
		streamConditions,
		writeConditions,
		tableConditions,
		variableConditions,
		pathConditions,
		scriptConditions,
		languageConditions,
		semiConditions,
		routineConditions,
		formatConditions,
		sketchConditions,
		dataframeConditions,
	}
}

var conditions = sync.OnceValue(func() map[string]Condition {
	all := map[string]Condition{}
	for _, part := range areas() {
		for name, c := range part {
			all[name] = c
		}
	}
	return all
})

// general has what every package may raise.
var general = map[string]Condition{
	"INTERNAL_ERROR":           {"XX000", "<message>"},
	"DIVIDE_BY_ZERO":           {"22012", "Division by zero. Use `try_divide` to get NULL where the divisor is 0, or set <config> to \"false\" to bypass this error."},
	"UNABLE_TO_ACQUIRE_MEMORY": {"53200", "Needed <requestedBytes> bytes of memory, and could get <receivedBytes>. Raise the server's memory limit, or run fewer queries at once."},
}
