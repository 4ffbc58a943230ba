package errs

// formatConditions are those of sketches, geometries, collations and WITHIN GROUP.
var formatConditions = map[string]Condition{
	"INVALID_OPTIONS.NON_MAP_FUNCTION":                     {"42K06", "Options must be given by a call of map()."},
	"INVALID_OPTIONS.NON_STRING_TYPE":                      {"42K06", "The names and values of options must be strings: <mapType>."},
	"INVALID_SCHEMA.NON_STRUCT_TYPE":                       {"42K07", "<inputSchema> is no schema: it must be a struct, and is <dataType>."},
	"DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE":             {"42K09", "<functionName> doesn't take <dataType>, in <sqlExpr>."},
	"KLL_INVALID_INPUT_SKETCH_BUFFER":                      {"22000", "<function> was given bytes that are no KLL sketch, or an empty one."},
	"KLL_SKETCH_INVALID_QUANTILE_RANGE":                    {"22003", "The shares that <functionName> is asked for must be from 0.0 to 1.0."},
	"COLUMN_IS_NOT_VARIANT_TYPE":                           {"42K09", "What a path with a colon reaches into must be a VARIANT."},
	"INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC":             {"42601", "<aggFunc> has an order of its own, so that its window can't have one or a frame."},
	"INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING": {"42K0K", "WITHIN GROUP of <funcName> is not valid: the function needs it."},
	"INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS":  {"42K0K", "WITHIN GROUP of <funcName> is not valid: it has <actualNum> orderings, not <expectedNum>."},
	"INVALID_WITHIN_GROUP_EXPRESSION.DISTINCT_UNSUPPORTED": {"42K0K", "WITHIN GROUP of <funcName> is not valid: the function doesn't take DISTINCT."},
	"THETA_INVALID_INPUT_SKETCH_BUFFER":                    {"22000", "<function> was given bytes that are no theta sketch."},
	"THETA_LG_NOM_ENTRIES_MUST_BE_CONSTANT":                {"42K0E", "lgNomEntries of <function> must be a constant."},
	"SKETCH_INVALID_LG_NOM_ENTRIES":                        {"22003", "lgNomEntries of <function> must be between <min> and <max>, inclusive: <value>"},
	"TUPLE_INVALID_INPUT_SKETCH_BUFFER":                    {"22000", "<function> was given bytes that are no tuple sketch of its kind."},
	"TUPLE_INVALID_INPUT_SKETCH_BUFFER_FAMILY":             {"22000", "<function> wants a sketch of the family <expectedFamily>, and was given one of <actualFamily>."},
	"DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT":       {"42K09", "<sqlExpr>: <msg><hint>"},
	"INDETERMINATE_COLLATION_IN_EXPRESSION":                {"42P22", "The collation of <expr> can't be told. Set it with COLLATE."},
	"COLLATION_MISMATCH.EXPLICIT":                          {"42P21", "Two collations are asked for at once: <explicitTypes>. Keep one."},
	"COLLATION_MISMATCH.IMPLICIT":                          {"42P21", "Strings of two collations meet: <implicitTypes>. Set one with COLLATE."},
}
