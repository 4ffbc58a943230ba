package fn

import (
	"bytes"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"neptune/arrowexec/csvline"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// How timestamps are written where no option says it. The offset has seconds where they aren't 0.
var (
	jsonStamp, _    = types.CompilePattern("yyyy-MM-dd'T'HH:mm:ss.SSSXXXXX")
	jsonStampNTZ, _ = types.CompilePattern("yyyy-MM-dd'T'HH:mm:ss.SSS")
)

// jsonStyle is how values are written as JSON, besides the formats of times.
type jsonStyle struct {
	nulls  bool                  // fields that are null are written
	ascii  bool                  // other characters are written as escapes
	sorted bool                  // the keys of objects rise
	pretty bool                  // on many lines
	order  map[*types.Type][]int // the fields of structs by name, where sorted
	text   []byte                // scratch of pretty
}

func (o *formatOptions) styleJSON(conf map[string]string) {
	o.json.nulls = o.not("ignorenullfields") || o.raw["ignorenullfields"] == "" && strings.EqualFold(conf["spark.sql.jsonGenerator.ignoreNullFields"], "false")
	o.json.ascii, o.json.sorted, o.json.pretty = o.is("writenonasciicharacterascodepoint"), o.is("sortkeys"), o.is("pretty")
}

// appendJSON appends value i of v.
func (o *formatOptions) appendJSON(dst []byte, v *vec.Vector, i int) []byte {
	if !o.json.pretty {
		return o.writeJSON(dst, v, i)
	}
	o.json.text = o.writeJSON(o.json.text[:0], v, i)
	return prettyJSON(dst, o.json.text)
}

func (o *formatOptions) writeJSON(dst []byte, v *vec.Vector, i int) []byte {
	if v.IsNull(i) || v.Type.Kind == types.Null {
		return append(dst, "null"...)
	}
	switch v.Type.Kind {
	case types.Struct:
		return o.jsonObject(dst, v.Type, v.Child, i)
	case types.Array:
		r := vec.Refs(v)[i]
		dst = append(dst, '[')
		for k := range r.Len() {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = o.writeJSON(dst, v.Child[0], r.Start()+k)
		}
		return append(dst, ']')
	case types.Map:
		return o.jsonMap(dst, v, vec.Refs(v)[i])
	case types.Bool, types.Int8, types.Int16, types.Int32, types.Int64, types.Decimal:
		return appendJava(dst, v, i, o.zone.loc)
	case types.Float32, types.Float64:
		start := len(dst)
		dst = AppendText(dst, v, i, o.zone.loc)
		if c := dst[len(dst)-1]; c == 'N' || c == 'y' {
			dst = append(slices.Insert(dst, start, '"'), '"')
		}
		return dst
	case types.Date, types.Timestamp, types.TimestampNTZ, types.Time:
		text, _ := o.appendTime(nil, v, i)
		return o.jsonText(dst, text)
	case types.Variant:
		if o.json.pretty {
			dst = append(dst, verbatim)
		}
		dst, _ = variantAt(v, i).json(dst, o.zone.loc)
		if o.json.pretty {
			dst = append(dst, verbatim)
		}
		return dst
	case types.Binary:
		return append(appendBase64(append(dst, '"'), v.Bytes(i)), '"')
	case types.String, types.Char, types.Varchar:
		return o.jsonText(dst, v.Bytes(i))
	}
	return o.jsonText(dst, appendJava(nil, v, i, o.zone.loc))
}

// jsonObject appends row i of the columns of a struct.
func (o *formatOptions) jsonObject(dst []byte, t *types.Type, cols []*vec.Vector, i int) []byte {
	dst = append(dst, '{')
	first := true
	field := func(k int) {
		if cols[k].IsNull(i) && !o.json.nulls {
			return
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(o.jsonText(dst, []byte(t.Fields[k].Name)), ':')
		dst = o.writeJSON(dst, cols[k], i)
	}
	if !o.json.sorted {
		for k := range cols {
			field(k)
		}
		return append(dst, '}')
	}
	order, ok := o.json.order[t]
	if !ok {
		for k := range cols {
			order = append(order, k)
		}
		slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(t.Fields[a].Name, t.Fields[b].Name) })
		if o.json.order == nil {
			o.json.order = map[*types.Type][]int{}
		}
		o.json.order[t] = order
	}
	for _, k := range order {
		field(k)
	}
	return append(dst, '}')
}

// jsonMap appends a map. Keys are texts as Spark's internal values are printed: a date is the number of its day.
func (o *formatOptions) jsonMap(dst []byte, v *vec.Vector, r vec.Ref) []byte {
	key := func(k int) []byte {
		if v.Child[0].Type.IsString() {
			return v.Child[0].Bytes(k)
		}
		return appendInternal(nil, v.Child[0], k)
	}
	entry := func(k int, name []byte) {
		dst = o.writeJSON(append(o.jsonText(dst, name), ':'), v.Child[1], k)
	}
	dst = append(dst, '{')
	if !o.json.sorted {
		for k := range r.Len() {
			if k > 0 {
				dst = append(dst, ',')
			}
			entry(r.Start()+k, key(r.Start()+k))
		}
		return append(dst, '}')
	}
	type named struct {
		at   int
		name []byte
	}
	all := make([]named, r.Len())
	for k := range all {
		all[k] = named{r.Start() + k, key(r.Start() + k)}
	}
	slices.SortStableFunc(all, func(a, b named) int { return bytes.Compare(a.name, b.name) })
	for k, e := range all {
		if k > 0 {
			dst = append(dst, ',')
		}
		entry(e.at, e.name)
	}
	return append(dst, '}')
}

// jsonText appends a string in quotes; what is no UTF-8 becomes U+FFFD.
func (o *formatOptions) jsonText(dst, s []byte) []byte {
	if !o.json.ascii && utf8.Valid(s) {
		return appendJSONText(dst, s)
	}
	const digits = "0123456789ABCDEF"
	escape := func(r rune) {
		dst = append(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
	}
	dst = append(dst, '"')
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		switch {
		case r < utf8.RuneSelf:
			b := appendJSONText(dst, s[:1])
			dst = append(dst, b[len(dst)+1:len(b)-1]...)
		case !o.json.ascii:
			dst = utf8.AppendRune(dst, r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			escape(hi)
			escape(lo)
		default:
			escape(r)
		}
		s = s[n:]
	}
	return append(dst, '"')
}

func toJSON(a *Args) (*vec.Vector, error) {
	s, err := clockStateOf(a)
	if err != nil {
		return nil, err
	}
	o, err := optionsOf(a, s, "json", 1)
	if err != nil {
		return nil, err
	}
	var conf map[string]string
	if a.Env.Conf != nil {
		conf = a.Env.Conf.Keys
	}
	o.styleJSON(conf)
	return textKernel(func(a *Args, i int, dst []byte) []byte { return o.appendJSON(dst, a.V[0], i) })(a)
}

// RowText writes rows as files of JSON and CSV have them: as to_json and to_csv write a struct.
type RowText struct {
	o    *formatOptions
	csv  csvline.Writer
	text []byte // scratch
}

// TimePatterns are how dates and times are written; nil: as by default.
type TimePatterns struct{ Date, Stamp, NTZ *types.Pattern }

// NewRowText reads the options of a write, by their names in lower case; conf is the session's configuration.
func NewRowText(o, conf map[string]string, zone *time.Location, p TimePatterns) (*RowText, error) {
	r := &RowText{o: &formatOptions{raw: o, zone: &zoneEntry{loc: zone, cache: types.NewZoneCache(zone)}, date: p.Date, stamp: p.Stamp, ntz: p.NTZ,
		binary: strings.ToUpper(conf["spark.sql.binaryOutputStyle"])}}
	r.o.styleJSON(conf)
	var err error
	r.csv, err = csvline.NewWriter(o)
	return r, err
}

// JSON appends row i of the columns of a struct as an object.
func (r *RowText) JSON(dst []byte, t *types.Type, cols []*vec.Vector, i int) []byte {
	if !r.o.json.pretty {
		return r.o.jsonObject(dst, t, cols, i)
	}
	r.text = r.o.jsonObject(r.text[:0], t, cols, i)
	return prettyJSON(dst, r.text)
}

// Header appends a record of names.
func (r *RowText) Header(dst []byte, t *types.Type) []byte {
	for k, f := range t.Fields {
		dst = r.csv.Append(dst, k, f.Name, false)
	}
	return dst
}

// CSV appends row i of columns as a record.
func (r *RowText) CSV(dst []byte, cols []*vec.Vector, i int) []byte {
	for k, c := range cols {
		r.text = r.text[:0]
		null := c.IsNull(i)
		if !null {
			var ok bool
			if r.text, ok = r.o.appendTime(r.text, c, i); !ok {
				r.text = csvText(r.text, c, i, r.o)
			}
		}
		dst = r.csv.Append(dst, k, string(r.text), null)
	}
	return dst
}
