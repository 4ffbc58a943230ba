package fn

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// formatOptions are what from_json, to_csv and their like take as options, by their names in lower case.
type formatOptions struct {
	raw                    map[string]string
	zone                   *zoneEntry // of the option timeZone, or the session's
	date, stamp, ntz, time *types.Pattern
	failFast               bool
	binary                 string // how bytes are written as a text
	corrupt                string // the column that takes the text of malformed records
	json                   jsonStyle
}

// unsupportedOptions are options of Spark's that change results and that are not there yet, by the format.
var unsupportedOptions = map[string][]string{
	"json": {"encoding", "charset", "locale", "dropfieldifallnull"},
	"csv":  {"locale"},
	"xml":  {"encoding", "charset", "locale", "rowvalidationxsdpath", "wildcardcolname"},
}

// optionsOf reads the options at argument k, if there is one.
func optionsOf(a *Args, s *clockState, format string, k int) (*formatOptions, error) {
	raw := map[string]string{}
	if k < len(a.V) && a.N > 0 {
		if m, ok := a.V[k].Value(0).(types.MapValue); ok {
			for i, key := range m.Keys {
				name, _ := key.(string)
				val, _ := m.Values[i].(string)
				raw[strings.ToLower(name)] = val
			}
		}
	}
	o := &formatOptions{raw: raw, zone: &zoneEntry{loc: s.loc, cache: s.zone}}
	for _, n := range unsupportedOptions[format] {
		if v, ok := raw[n]; ok && !strings.EqualFold(v, "false") && !strings.EqualFold(v, "utf-8") && !strings.EqualFold(v, "en-us") {
			return nil, errs.NotSupported("option " + n + " of " + a.Call.Name).At(a.pos())
		}
	}
	for name, to := range map[string]**types.Pattern{"dateformat": &o.date, "timestampformat": &o.stamp, "timestampntzformat": &o.ntz, "timeformat": &o.time} {
		if v, ok := raw[name]; ok {
			p, err := s.pattern(a, v, strings.HasPrefix(a.Call.Name, "from_"))
			if err != nil {
				return nil, err
			}
			*to = p
		}
	}
	if v, ok := raw["timezone"]; ok {
		z, err := s.zoneNamed(a, v)
		if err != nil {
			return nil, err
		}
		o.zone = z
	}
	o.failFast = strings.EqualFold(raw["mode"], "FAILFAST")
	if a.Env.Conf != nil {
		o.binary = strings.ToUpper(a.Env.Conf.Keys["spark.sql.binaryOutputStyle"])
	}
	if o.corrupt = raw["columnnameofcorruptrecord"]; o.corrupt == "" && a.Env.Conf != nil {
		o.corrupt = a.Env.Conf.Keys["spark.sql.columnNameOfCorruptRecord"]
	}
	if o.corrupt == "" {
		o.corrupt = "_corrupt_record"
	}
	return o, nil
}

func (o *formatOptions) is(name string) bool  { return strings.EqualFold(o.raw[name], "true") }
func (o *formatOptions) not(name string) bool { return strings.EqualFold(o.raw[name], "false") }

// text is an option's value, or what stands for it.
func (o *formatOptions) text(name, def string) string {
	if v, ok := o.raw[name]; ok {
		return v
	}
	return def
}

// parseTime reads a date or a time as the options say; ok is false for other texts and other types.
func (o *formatOptions) parseTime(b *vec.Builder, t *types.Type, s string) bool {
	switch t.Kind {
	case types.Date:
		if o.date == nil {
			d, ok := types.ParseDate(s)
			if ok {
				vec.Append(b, d)
			}
			return ok
		}
		local, _, _, ok := o.date.Parse(s)
		if ok {
			vec.Append(b, int32(types.FloorDiv(local, types.MicrosPerDay)))
		}
		return ok
	case types.Timestamp:
		x, ok := int64(0), false
		if o.stamp == nil {
			x, ok = types.ParseTimestamp(s, o.zone.cache, nil)
		} else if local, loc, _, good := o.stamp.Parse(s); good {
			ok = true
			if loc != nil {
				x = types.NewZoneCache(loc).FromLocal(local)
			} else {
				x = o.zone.cache.FromLocal(local)
			}
		}
		if ok {
			vec.Append(b, x)
		}
		return ok
	case types.TimestampNTZ:
		x, ok := int64(0), false
		if o.ntz == nil {
			x, ok = types.ParseTimestampNTZ(s)
		} else {
			var loc any
			local, l, _, good := o.ntz.Parse(s)
			if l != nil {
				loc = l
			}
			x, ok = local, good && loc == nil
		}
		if ok {
			vec.Append(b, x)
		}
		return ok
	case types.Time:
		x, ok := int64(0), false
		if o.time == nil {
			x, ok = types.ParseTime(strings.TrimSpace(s), t.Precision)
		} else if local, _, _, good := o.time.Parse(s); good {
			x, ok = (local-types.FloorDiv(local, types.MicrosPerDay)*types.MicrosPerDay)*1000, true
		}
		if ok {
			vec.Append(b, x)
		}
		return ok
	}
	return false
}

// appendTime writes a date or a time as the options say; ok is false for other types.
func (o *formatOptions) appendTime(dst []byte, v *vec.Vector, i int) ([]byte, bool) {
	switch v.Type.Kind {
	case types.Date:
		if o.date == nil {
			return AppendText(dst, v, i, o.zone.loc), true
		}
		return o.date.Format(dst, int64(vec.Of[int32](v)[i])*types.MicrosPerDay, 0, o.zone.loc), true
	case types.Timestamp:
		p, us := o.stamp, vec.Of[int64](v)[i]
		if p == nil {
			p = jsonStamp
		}
		local := o.zone.cache.ToLocal(us)
		return p.Format(dst, local, (local-us)/types.MicrosPerSecond, o.zone.loc), true
	case types.TimestampNTZ:
		p := o.ntz
		if p == nil {
			p = jsonStampNTZ
		}
		return p.Format(dst, vec.Of[int64](v)[i], 0, o.zone.loc), true
	case types.Time:
		if o.time == nil {
			return AppendText(dst, v, i, o.zone.loc), true
		}
		return o.time.Format(dst, vec.Of[int64](v)[i]/1000, 0, o.zone.loc), true
	}
	return dst, false
}

// malformed is the error of mode FAILFAST.
// The last row of b, if there is one, is what could be read of it.
func malformed(a *Args, b *vec.Builder) error {
	row := []byte("[null]")
	if b != nil {
		if v := b.Finish(); v.Type.Kind == types.Struct {
			row = appendInternal(nil, v, v.N-1)
		} else {
			row = append(appendInternal([]byte("["), v, v.N-1), ']')
		}
	}
	return malformedRecord(a, "WITHOUT_SUGGESTION", string(row))
}

func malformedRecord(a *Args, kind, record string) error {
	return errs.New(errs.Execution, "MALFORMED_RECORD_IN_PARSING."+kind, "badRecord", record, "failFastMode", "FAILFAST").At(a.pos())
}

// appendInternal writes value i as Spark's internal rows are printed: dates and times as numbers, nested values in brackets.
func appendInternal(dst []byte, v *vec.Vector, i int) []byte {
	if v.IsNull(i) {
		return append(dst, "null"...)
	}
	list := func(elems *vec.Vector) {
		r := vec.Refs(v)[i]
		dst = append(dst, '[')
		for k := range r.Len() {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = appendInternal(dst, elems, r.Start()+k)
		}
		dst = append(dst, ']')
	}
	switch v.Type.Kind {
	case types.Struct:
		dst = append(dst, '[')
		for k, c := range v.Child {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = appendInternal(dst, c, i)
		}
		return append(dst, ']')
	case types.Array:
		list(v.Child[0])
		return dst
	case types.Map:
		dst = append(dst, "keys: "...)
		list(v.Child[0])
		dst = append(dst, ", values: "...)
		list(v.Child[1])
		return dst
	case types.Date, types.Timestamp, types.TimestampNTZ, types.Time, types.YearMonthInterval, types.DayTimeInterval:
		return strconv.AppendInt(dst, getInt(v, i), 10)
	}
	return appendJava(dst, v, i, time.UTC)
}

// checkMode refuses modes that functions don't have.
func checkMode(c *plan.Call, k int) error {
	if k >= len(c.Args) {
		return nil
	}
	o, ok := constantOptions(c.Args[k])
	if m := strings.ToUpper(o["mode"]); ok && m == "DROPMALFORMED" {
		return errs.New(errs.Analysis, "PARSE_MODE_UNSUPPORTED", "funcName", errs.ID(c.Name), "mode", m).At(c.Pos())
	}
	return nil
}

// constantOptions are the options that a call of map gives; ok is false where one isn't constant.
func constantOptions(e plan.Expr) (map[string]string, bool) {
	c, ok := e.(*plan.Call)
	if !ok || c.Name != "map" {
		return nil, false
	}
	o := map[string]string{}
	for i := 0; i+1 < len(c.Args); i += 2 {
		k, ok1 := constant(c.Args[i])
		v, ok2 := constant(c.Args[i+1])
		if !ok1 || !ok2 {
			return nil, false
		}
		ks, _ := k.(string)
		vs, _ := v.(string)
		o[strings.ToLower(ks)] = vs
	}
	return o, true
}

// SchemaOfText is what schema_of_json, schema_of_csv or schema_of_xml, a call over constants, gives; ok is false
// where an argument isn't constant.
func SchemaOfText(conf *Conf, c *plan.Call) (schema string, ok bool, err error) {
	d := Lookup(c.Name)
	if d == nil || !slices.Contains([]string{"schema_of_json", "schema_of_csv", "schema_of_xml"}, d.Name) || len(c.Args) == 0 {
		return "", false, nil
	}
	text, ok := constant(c.Args[0])
	s, isText := text.(string)
	if !ok || !isText {
		return "", false, nil
	}
	a := &Args{Env: &Env{Conf: conf, Yield: func() error { return nil }}, N: 1, Ret: types.StringType, Call: c, Const: make([]*plan.Literal, len(c.Args)), State: new(any)}
	b := vec.NewBuilder(types.StringType, 1)
	b.AppendString(s)
	a.V = append(a.V, b.Finish())
	if len(c.Args) > 1 {
		o, ok := constantOptions(c.Args[1])
		if !ok {
			return "", false, nil
		}
		m := vec.NewBuilder(types.NewMap(types.StringType, types.StringType, true), 1)
		for k, v := range o {
			m.Child(0).AppendString(k)
			m.Child(1).AppendString(v)
		}
		m.EndList(len(o))
		a.V = append(a.V, m.Finish())
	}
	v, err := d.Overloads[0].Eval(a)
	if err != nil || v.IsNull(0) {
		return "", err == nil, err
	}
	return v.Str(0), true, nil
}
