package errs

// semiConditions are those of VARIANT values, CSV texts, XML paths, sketches of items and geospatial values.
var semiConditions = map[string]Condition{
	"INVALID_VARIANT_CAST":                         {"22023", "The variant `<value>` can't be cast to <dataType>; `try_variant_get` gives NULL instead."},
	"INVALID_VARIANT_GET_PATH":                     {"22023", "`<path>` is no path for <functionName>: a path is `$` followed by steps such as `.name`, `['name']`, `[\"name\"]` or `[123]`."},
	"INVALID_VARIANT_PATH":                         {"22023", "`<path>` is no path for <functionName>: a path is `$` followed by steps such as `.name`, `['name']`, `[\"name\"]` or `[123]`."},
	"VARIANT_PATH_TYPE_MISMATCH":                   {"22023", "The path `<path>` of <functionName> doesn't fit what is at `<failedAt>`: names lead into objects, and numbers into arrays."},
	"VARIANT_DUPLICATE_KEY":                        {"22023", "There is a member `<key>` in the object of the variant already."},
	"COUNTER_DIFF_NEGATIVE_COUNTER_VALUE":          {"22003", "A counter of <function> must not be negative: <value>."},
	"COUNTER_DIFF_START_TIME_DECREASED":            {"22023", "The start time of a counter of <function> must not decrease: <currentStartTime> after <previousStartTime>."},
	"MALFORMED_VARIANT":                            {"22023", "The bytes of a variant are malformed; is the source of the data valid?"},
	"VARIANT_SIZE_LIMIT":                           {"22023", "<functionName> can't make a variant of more than <sizeLimit>."},
	"PARSE_MODE_UNSUPPORTED":                       {"42601", "<funcName> doesn't support the <mode> mode: use PERMISSIVE or FAILFAST."},
	"APPROX_TOP_K_NON_POSITIVE_ARG":                {"22023", "<argName> of `approx_top_k` must be a positive integer, not <argValue>."},
	"APPROX_TOP_K_SKETCH_SIZE_NOT_MATCH":           {"42846", "Sketches that are combined without `maxItemsTracked` must have the same: they have <size1> and <size2>."},
	"APPROX_TOP_K_SKETCH_TYPE_NOT_MATCH":           {"42846", "Sketches of different types cannot be combined: <type1> and <type2>."},
	"APPROX_TOP_K_NULL_ARG":                        {"22004", "<argName> of `approx_top_k` must not be NULL."},
	"APPROX_TOP_K_MAX_ITEMS_TRACKED_LESS_THAN_K":   {"22023", "`maxItemsTracked` (<maxItemsTracked>) of `approx_top_k` must not be less than `k` (<k>)."},
	"APPROX_TOP_K_MAX_ITEMS_TRACKED_EXCEEDS_LIMIT": {"22023", "`maxItemsTracked` (<maxItemsTracked>) of `approx_top_k` must not exceed <limit>."},
	"GEO_ENCODER_SRID_MISMATCH_ERROR":              {"42K09", "A <type> of the spatial reference <valueSrid> isn't one of <typeSrid>, which the column's type has."},
	"ST_INVALID_SRID_VALUE":                        {"22023", "There is no support for the spatial reference <srid>."},
	"ST_INVALID_ENDIANNESS_VALUE":                  {"22023", "The byte order '<endianness>' must be 'NDR' (little endian) or 'XDR' (big endian)."},
	"WKB_PARSE_ERROR":                              {"22023", "WKB that can't be parsed: <parseError>, at position <pos>."},
}
