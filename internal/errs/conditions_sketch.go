package errs

// sketchConditions are those of sketches of different and of frequent values.
var sketchConditions = map[string]Condition{
	"HLL_INVALID_INPUT_SKETCH_BUFFER": {"22546", "<function> was given bytes that are no HLL sketch."},
	"HLL_INVALID_LG_K":                {"22546", "lgConfigK of <function> must be from <min> to <max>, and is <value>."},
	"HLL_K_MUST_BE_CONSTANT":          {"42K0E", "lgConfigK of <function> must be a constant."},
	"HLL_UNION_DIFFERENT_LG_K":        {"22000", "<function> was given sketches of different lgConfigK, <left> and <right>. Allow it by allowDifferentLgConfigK."},
}
