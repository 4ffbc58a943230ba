package csvline

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"neptune/internal/errs"
	"neptune/internal/types"
)

// charsets are the encodings that Spark allows, as it lists them.
var charsets = []string{"iso-8859-1", "us-ascii", "utf-16", "utf-16be", "utf-16le", "utf-32", "utf-8"}

// codecs are the short names of compressions of text formats, as Spark lists them.
var codecs = []string{"bzip2", "deflate", "uncompressed", "snappy", "none", "lz4", "gzip"}

// unescapedQuotes are the ways to go on after a stray quote.
var unescapedQuotes = []string{"STOP_AT_CLOSING_QUOTE", "BACK_TO_DELIMITER", "STOP_AT_DELIMITER", "SKIP_VALUE", "RAISE_ERROR"}

// Check looks at all options of CSV, whether or not they are used, in the order in which Spark's CSVOptions does; their
// names are in lower case. Where two names stand for one option, the value of the second isn't looked at. conf is the
// session's configuration.
func Check(o, conf map[string]string) error {
	for _, k := range []string{"ignorecorruptfiles", "ignoremissingfiles"} {
		if err := scalaBool(o, k); err != nil {
			return err
		}
	}
	if v, ok := first(o, "sep", "delimiter"); ok {
		if _, err := separator(v); err != nil {
			return err
		}
	}
	if v, ok := first(o, "encoding", "charset"); ok && !slices.Contains(charsets, strings.ToLower(v)) && !strings.EqualFold(v, "utf8") {
		return errs.New(errs.IllegalArgument, "INVALID_PARAMETER_VALUE.CHARSET", "functionName", "`CSVOptions`", "parameter", "`charset`", "charset", v, "charsets", strings.Join(charsets, ", "))
	}
	for _, k := range []string{"quote", "escape", "charToEscapeQuoteEscaping", "comment"} {
		if _, _, err := character(o, k); err != nil {
			return err
		}
	}
	for _, k := range []string{"header", "inferSchema", "ignoreLeadingWhiteSpace", "ignoreTrailingWhiteSpace"} {
		if err := flag(o, k); err != nil {
			return err
		}
	}
	if v, ok := first(o, "compression", "codec"); ok && !slices.Contains(codecs, strings.ToLower(v)) {
		return errs.New(errs.IllegalArgument, "CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION", "codecName", v, "availableCodecs", strings.Join(codecs, ", "))
	}
	if !strings.EqualFold(conf["spark.sql.legacy.timeParserPolicy"], "LEGACY") { // which doesn't look at it
		if err := flag(o, "preferDate"); err != nil {
			return err
		}
	}
	for _, k := range []string{"enabledatetimeparsingfallback", "multiline"} {
		if err := scalaBool(o, k); err != nil {
			return err
		}
	}
	for _, k := range []string{"maxColumns", "maxCharsPerColumn"} {
		if v, ok := o[strings.ToLower(k)]; ok {
			if _, err := ParseInt(v); err != nil {
				return errs.New(errs.Runtime, "_LEGACY_ERROR_TEMP_2146", "paramName", k, "value", v).Because(err)
			}
		}
	}
	for _, k := range []string{"escapeQuotes", "quoteAll"} {
		if err := flag(o, k); err != nil {
			return err
		}
	}
	if v, ok := o["samplingratio"]; ok {
		if _, ok := types.ParseDouble(v, 64); !ok {
			return errs.Refused(errs.NumberFormat, "For input string: %q", v)
		}
	}
	if err := flag(o, "enforceSchema"); err != nil {
		return err
	}
	if v, ok := o["inputbuffersize"]; ok {
		if _, err := ParseInt(v); err != nil {
			return errs.Refused(errs.NumberFormat, "For input string: %q", v).Because(err)
		}
	}
	if v, ok := o["unescapedquotehandling"]; ok && !slices.Contains(unescapedQuotes, strings.ToUpper(v)) {
		return errs.Refused(errs.IllegalArgument, "unescapedQuoteHandling is none of %s: %s", strings.Join(unescapedQuotes, ", "), strings.ToUpper(v))
	}
	return flag(o, "columnPruning")
}

// first is the value of the first name that is there.
func first(o map[string]string, names ...string) (string, bool) {
	for _, n := range names {
		if v, ok := o[n]; ok {
			return v, true
		}
	}
	return "", false
}

// ParseInt reads an INT as Java does: in the decimal digits of any script.
func ParseInt(v string) (int, error) {
	n, err := strconv.ParseInt(strings.Map(asciiDigit, v), 10, 32)
	return int(n), err
}

// asciiDigit is the digit of the value of r; other characters stay. Every range of digits begins with a zero.
func asciiDigit(r rune) rune {
	if r <= unicode.MaxASCII || !unicode.Is(unicode.Nd, r) {
		return r
	}
	for _, x := range unicode.Nd.R16 {
		if rune(x.Lo) <= r && r <= rune(x.Hi) {
			return '0' + (r-rune(x.Lo))%10
		}
	}
	for _, x := range unicode.Nd.R32 {
		if rune(x.Lo) <= r && r <= rune(x.Hi) {
			return '0' + (r-rune(x.Lo))%10
		}
	}
	return r
}

// boolean reports whether a value is true or false, in letters of any case; only those of ASCII count.
func boolean(v string) bool {
	l := strings.ToLower(v)
	return l == "true" || l == "false"
}

func flag(o map[string]string, name string) error {
	if v, ok := o[strings.ToLower(name)]; ok && !boolean(v) {
		return errs.New(errs.Execution, "_LEGACY_ERROR_TEMP_2147", "paramName", name)
	}
	return nil
}

func scalaBool(o map[string]string, name string) error {
	if v, ok := o[name]; ok && !boolean(v) {
		return errs.Refused(errs.IllegalArgument, "For input string: %q", v)
	}
	return nil
}

// character is the value of an option that is one character (of UTF-16) or none; ok is false where it isn't set.
func character(o map[string]string, name string) (v string, ok bool, err error) {
	v, ok = o[strings.ToLower(name)]
	units := 0
	for _, r := range v {
		if units++; r > 0xFFFF {
			units++
		}
	}
	if units > 1 {
		return "", ok, errs.New(errs.Runtime, "OPTION_VALUE_EXCEEDS_ONE_CHARACTER", "paramName", name, "actualValue", v)
	}
	return v, ok, nil
}
