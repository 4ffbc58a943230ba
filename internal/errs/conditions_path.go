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
