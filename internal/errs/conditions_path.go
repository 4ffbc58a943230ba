package errs

// pathConditions are those of SET PATH and of the names that it resolves.
var pathConditions = map[string]Condition{
	"DUPLICATE_SQL_PATH_ENTRY":                   {"42732", "The path has <pathEntry> twice."},
	"INVALID_SQL_PATH_SCHEMA_REFERENCE":          {"42601", "A schema in the path needs its catalog before it: <qualifiedName>."},
	"UNSUPPORTED_FEATURE.SET_PATH_WHEN_DISABLED": {"0A000", "SET PATH needs <config> to be true."},
	"NOT_A_CONSTANT_STRING.NULL":                 {"42601", "<name> needs a constant string; <expr> is null."},
	"NOT_A_CONSTANT_STRING.WRONG_TYPE":           {"42601", "<name> needs a constant string; <expr> is of type <dataType>."},
	"CANNOT_LOAD_FUNCTION_CLASS":                 {"46103", "The class <className> of the function <functionName> can't be loaded: this engine runs no Java classes."},
}

// languageConditions are those of clauses that stand where they must not.
var languageConditions = map[string]Condition{
	"PIPE_OPERATOR_AGGREGATE_EXPRESSION_CONTAINS_NO_AGGREGATE_FUNCTION":                 {"0A000", "|> AGGREGATE takes expressions with aggregate functions; <expr> has none."},
	"EXCEPT_OVERLAPPING_COLUMNS":                                                        {"42702", "EXCEPT names a column twice: <columns>."},
	"CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE":                                               {"42825", "The types <left> and <right> can't be one: the step of a recursion must have the types of its anchor."},
	"FAILED_FUNCTION_CALL":                                                              {"38000", "The call of <funcName> failed."},
	"INVALID_AGGREGATE_FILTER.CONTAINS_AGGREGATE":                                       {"42903", "FILTER must not hold an aggregate function: <filterExpr> has <aggExpr>."},
	"INVALID_AGGREGATE_FILTER.CONTAINS_WINDOW_FUNCTION":                                 {"42903", "FILTER must not hold a window function: <filterExpr> has <windowExpr>."},
	"INVALID_AGGREGATE_FILTER.NON_DETERMINISTIC":                                        {"42903", "FILTER must give the same value each time: <filterExpr>."},
	"INVALID_AGGREGATE_FILTER.NOT_BOOLEAN":                                              {"42903", "FILTER must be BOOLEAN: <filterExpr>."},
	"INVALID_NON_DETERMINISTIC_EXPRESSIONS":                                             {"42K0E", "The operator takes no expressions that differ each time: <sqlExprs>."},
	"DATATYPE_MISMATCH.NON_STRING_TYPE":                                                 {"42K09", "All arguments of <funcName> must be strings, in <sqlExpr>."},
	"NUM_TABLE_VALUE_ALIASES_MISMATCH":                                                  {"42826", "<funcName> has <outColsNum> columns, and <aliasesNum> names are given."},
	"UNSUPPORTED_GENERATOR.MULTI_GENERATOR":                                             {"42K0E", "An aggregation takes one generator, and there are <num>: <generators>."},
	"UNSUPPORTED_SQL_UDF_USAGE":                                                         {"0A000", "<functionName>, a function of SQL text, can't be used in <nodeName>."},
	"INVALID_SQL_FUNCTION_DATA_ACCESS":                                                  {"42K0E", "A function that CONTAINS SQL must not read tables, nor call functions that do."},
	"UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.LATERAL_JOIN_CONDITION_NON_DETERMINISTIC": {"0A000", "The condition of a LATERAL join must give the same value each time: <condition>."},
	"UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.NON_DETERMINISTIC_LATERAL_SUBQUERIES":     {"0A000", "A LATERAL subquery whose values differ each time can only be joined to one row: <treeNode>."},
	"UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY":   {"0A000", "A scalar subquery that refers to the outer query can stand in a select list, WHERE, HAVING and aggregations only: <treeNode>."},
	"UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY":           {"0A000", "IN and EXISTS can't stand here: <treeNode>."},
}
