package errs

// operatorConditions are what operators may raise while a query runs.
var operatorConditions = map[string]Condition{
	"SCALAR_SUBQUERY_TOO_MANY_ROWS": {"21000", "A subquery that stands for one value returned more than one row. Aggregate it, or limit it to one row."},
	"INTERNAL_ERROR_MEMORY":         {"XX000", "<message>"},
}
