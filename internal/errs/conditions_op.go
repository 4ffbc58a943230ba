package errs

// operatorConditions are what operators may raise while a query runs.
var operatorConditions = map[string]Condition{
	"SCALAR_SUBQUERY_TOO_MANY_ROWS":        {"21000", "A subquery that stands for one value returned more than one row. Aggregate it, or limit it to one row."},
	"RECURSION_LEVEL_LIMIT_EXCEEDED":       {"42836", "The recursion isn't finished after <levelLimit> levels. Allow more with MAX RECURSION LEVEL after the table expression's name."},
	"RECURSION_ROW_LIMIT_EXCEEDED":         {"42836", "The recursion has made <rowLimit> rows and isn't finished. Read fewer of them with LIMIT."},
	"UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE": {"42836", "A recursive table expression can't drop duplicates: use UNION ALL."},
	"INTERNAL_ERROR_MEMORY":                {"XX000", "<message>"},
	"SPILL_OUT_OF_MEMORY":                  {"82003", "Memory is short, and <consumerToSpill> could not write rows to disk: <message>. Free space in the folder for spilled data, choose another (--local-dir), or raise the server's memory limit."},
}
