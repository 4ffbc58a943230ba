package datasource

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"neptune/arrowexec/csvline"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// textOptions are the options of text, CSV and JSON files, checked.
type textOptions struct {
	format  string
	charset string // utf-8, iso-8859-1, us-ascii, utf-16, utf-16le or utf-16be
	encoded bool   // an encoding was given: Spark copies JSON values for STRING then, else it takes them as written
	lineSep string // empty: \n, \r\n and \r
	whole   bool   // wholetext or multiLine: records may span lines
	mode    string // PERMISSIVE, DROPMALFORMED or FAILFAST
	corrupt string // the column that takes the text of malformed records
	zone    *types.ZoneCache
	date    *types.Pattern // nil: as casts read it
	stamp   *types.Pattern
	ntz     *types.Pattern
	csv     csvline.Dialect
	json    jsonOptions
	header  bool
	infer   bool
	dates   bool // CSV inference finds dates
	checks  bool // the header of a CSV file has to have the schema's names
	most    int  // fields of a CSV record
	longest int  // bytes of a CSV field; < 0: any
	prunes  bool // CSV: only the fields that are asked for are looked at
	nan     string
	posInf  string
	negInf  string
}

// charsets are the encodings that are read, as Spark lists those it allows.
var charsets = []string{"iso-8859-1", "us-ascii", "utf-16", "utf-16be", "utf-16le", "utf-8"}

func newTextOptions(format string, o, conf map[string]string, zone *time.Location) (*textOptions, error) {
	t := &textOptions{format: format, charset: "utf-8", lineSep: o["linesep"], zone: types.NewZoneCache(zone), nan: "NaN", posInf: "Inf", negInf: "-Inf"}
	t.whole = isTrue(o["wholetext"]) || isTrue(o["multiline"])
	t.header, t.infer, t.dates = isTrue(o["header"]), isTrue(o["inferschema"]), !strings.EqualFold(o["preferdate"], "false")
	switch t.mode = strings.ToUpper(o["mode"]); t.mode {
	case "DROPMALFORMED", "FAILFAST":
	default: // Spark takes any other word as PERMISSIVE
		t.mode = "PERMISSIVE"
	}
	if t.corrupt = o["columnnameofcorruptrecord"]; t.corrupt == "" {
		if t.corrupt = conf["spark.sql.columnNameOfCorruptRecord"]; t.corrupt == "" {
			t.corrupt = corruptColumn
		}
	}
	for name, to := range map[string]*string{"nanvalue": &t.nan, "positiveinf": &t.posInf, "negativeinf": &t.negInf} {
		if v, ok := o[name]; ok {
			*to = v
		}
	}
	for _, k := range []string{"encoding", "charset"} {
		if v, ok := o[k]; ok {
			t.encoded = true
			if t.charset = strings.ToLower(v); t.charset == "utf8" {
				t.charset = "utf-8"
			}
			if t.charset == "utf-32" {
				return nil, errs.NotSupported("encoding " + v)
			}
			if !slices.Contains(charsets, t.charset) {
				return nil, badCharset(format, v)
			}
		}
	}
	if format == "json" && t.charset != "utf-8" && !t.whole && (t.lineSep == "" || t.charset == "utf-16") {
		return nil, errs.New(errs.IllegalArgument, "STDS_INVALID_OPTION_VALUE.WITH_MESSAGE", "optionName", "encoding", "message", t.charset+" needs the option lineSep, or multiLine.")
	}
	if v, ok := o["linesep"]; ok && v == "" {
		return nil, errs.New(errs.IllegalArgument, "STDS_INVALID_OPTION_VALUE.IS_EMPTY", "optionName", "lineSep")
	} else if n := utf8.RuneCountInString(v); format == "csv" && n > 2 {
		return nil, errs.New(errs.IllegalArgument, "INVALID_LINE_SEPARATOR.TOO_LONG", "length", strconv.Itoa(n))
	}
	if l := o["locale"]; l != "" && !strings.EqualFold(l, "en-US") && !strings.EqualFold(l, "en") {
		return nil, errs.NotSupported("option locale " + l)
	}
	if v, ok := o["samplingratio"]; ok { // every row is looked at, which is never worse
		if r, err := strconv.ParseFloat(v, 64); err != nil || r <= 0 {
			return nil, errs.New(errs.IllegalArgument, "STDS_INVALID_OPTION_VALUE.WITH_MESSAGE", "optionName", "samplingRatio", "message", "it must be greater than 0, not "+v+".")
		}
	}
	for name, to := range map[string]**types.Pattern{"dateformat": &t.date, "timestampformat": &t.stamp, "timestampntzformat": &t.ntz} {
		if v, ok := o[name]; ok {
			p, err := compilePattern(v)
			if err != nil {
				return nil, err
			}
			*to = p
		}
	}
	if strings.EqualFold(conf["spark.sql.legacy.timeParserPolicy"], "LEGACY") && (t.date != nil || t.stamp != nil || t.ntz != nil) {
		return nil, errs.NotSupported("spark.sql.legacy.timeParserPolicy LEGACY")
	}
	if v := o["unescapedquotehandling"]; v != "" && !strings.EqualFold(v, "STOP_AT_DELIMITER") {
		return nil, errs.NotSupported("option unescapedQuoteHandling " + v)
	}
	prune, ok := o["columnpruning"]
	if !ok {
		prune = conf["spark.sql.csv.parser.columnPruning.enabled"]
	}
	t.prunes = !t.whole && !strings.EqualFold(prune, "false")
	t.json = newJSONOptions(o)
	t.json.dropNulls = isTrue(o["dropfieldifallnull"])
	err := t.csvLimits(o, conf)
	if err != nil {
		return nil, err
	}
	t.csv, err = csvline.New(o)
	if t.whole {
		if t.csv.Ends = t.lineSep; t.csv.Ends == "" {
			t.csv.Ends = "\n"
		}
	}
	return t, err
}

func badCharset(format, name string) error {
	return errs.New(errs.IllegalArgument, "INVALID_PARAMETER_VALUE.CHARSET", "functionName", "`"+strings.ToUpper(format)+"Options`", "parameter", "`charset`", "charset", name, "charsets", "iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-32, utf-8")
}

// compilePattern reads the letters of Java's DateTimeFormatter.
func compilePattern(text string) (*types.Pattern, error) {
	p, err := types.CompilePattern(text)
	if err == nil {
		return p, nil
	}
	var pe *types.PatternError
	switch {
	case errors.As(err, &pe) && pe.Week != 0:
		return nil, errs.New(errs.Upgrade, "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN", "c", string(pe.Week))
	case pe != nil && pe.Illegal != 0:
		return nil, errs.New(errs.IllegalArgument, "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER", "c", string(pe.Illegal), "pattern", text)
	}
	return nil, errs.New(errs.IllegalArgument, "INVALID_DATETIME_PATTERN.LENGTH", "pattern", text)
}

// parseDate reads a date by the option dateFormat, or as casts do.
func (t *textOptions) parseDate(s string) (int32, bool) {
	if t.date == nil {
		return types.ParseDate(s)
	}
	local, _, _, ok := t.date.Parse(s)
	return int32(types.FloorDiv(local, types.MicrosPerDay)), ok
}

// parseStamp reads an instant by the option timestampFormat, or as casts do.
func (t *textOptions) parseStamp(s string) (int64, bool) {
	if t.stamp == nil {
		return types.ParseTimestamp(s, t.zone, nil)
	}
	local, zone, _, ok := t.stamp.Parse(s)
	if !ok {
		return 0, false
	}
	if zone != nil {
		return types.NewZoneCache(zone).FromLocal(local), true
	}
	return t.zone.FromLocal(local), true
}

// parseNTZ reads a local time by the option timestampNTZFormat; one with a zone is none.
func (t *textOptions) parseNTZ(s string) (int64, bool) {
	if t.ntz == nil {
		p, ok := types.ParseTimestampParts(s)
		return p.Local, ok && !p.JustTime && !p.HasZone
	}
	local, zone, _, ok := t.ntz.Parse(s)
	return local, ok && zone == nil
}

// parseDecimal reads a number without blanks; commas are dropped, as Spark does for en-US.
func parseDecimal(s string, t *types.Type) (types.Int128, bool) {
	if strings.IndexByte(s, ',') >= 0 {
		s = strings.ReplaceAll(s, ",", "")
	}
	if s == "" || s[0] <= ' ' || s[len(s)-1] <= ' ' {
		return types.Int128{}, false
	}
	v, r := types.ParseDecimal(s, t.Scale)
	return v, r == types.DecimalOK && v.Fits(t.Precision)
}
