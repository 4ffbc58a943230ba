package fn

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Caster converts vectors of one type to another, in the way of Spark's CAST:
// what doesn't convert is an error in ANSI mode, null in the others (integers wrap
// outside of ANSI mode). It belongs to one task.
type Caster struct {
	from, to *types.Type
	mode     plan.EvalMode
	pos      *errs.Origin
	zone     *types.ZoneCache
	loc      *time.Location
	env      *Env
	kids     []*Caster // of nested types
	run      func(c *Caster, v *vec.Vector) (*vec.Vector, error)
}

// NewCaster prepares a conversion; types that don't convert at all are refused.
func NewCaster(from, to *types.Type, mode plan.EvalMode, env *Env, pos *errs.Origin) (*Caster, error) {
	c := &Caster{from: from, to: to, mode: mode, pos: pos, env: env, loc: time.UTC}
	if env != nil && env.Conf != nil && env.Conf.TimeZone != nil {
		c.loc = env.Conf.TimeZone
	}
	c.zone = types.NewZoneCache(c.loc)
	if err := c.choose(); err != nil {
		return nil, err
	}
	return c, nil
}

// Cast converts all values of v.
func (c *Caster) Cast(v *vec.Vector) (*vec.Vector, error) {
	if v.Layout == vec.None {
		return vec.MakeNull(c.to, v.N), nil
	}
	return c.run(c, v)
}

func (c *Caster) nested(from, to *types.Type) error {
	k, err := NewCaster(from, to, c.mode, c.env, c.pos)
	c.kids = append(c.kids, k)
	return err
}

func (c *Caster) choose() error {
	f, t := c.from, c.to
	switch {
	case f.IsSpatial() && t.IsSpatial():
		c.run = castSpatial
	case f.IsSpatial() || f.Kind != types.Null && t.IsSpatial():
		return c.refuse()
	case f.Kind == types.Null, f.IsString() && t.IsString(), f.Kind == t.Kind && !t.IsNested() && f.Kind != types.Decimal && f.Kind != types.Time:
		c.run = retyped
	case f.Kind == types.Variant:
		c.run = fromVariant
	case t.Kind == types.Variant:
		c.run = toVariant
	case t.Kind == types.Array && f.Kind == types.Array:
		c.run = castLists
		return c.nested(f.Elem, t.Elem)
	case t.Kind == types.Map && f.Kind == types.Map:
		c.run = castLists
		if err := c.nested(f.Key, t.Key); err != nil {
			return err
		}
		return c.nested(f.Elem, t.Elem)
	case t.Kind == types.Struct && f.Kind == types.Struct && len(f.Fields) == len(t.Fields):
		c.run = castStruct
		for i := range f.Fields {
			if err := c.nested(f.Fields[i].Type, t.Fields[i].Type); err != nil {
				return err
			}
		}
	case t.IsString() && f.Kind == types.Binary:
		c.run = retyped // the bytes as they are, UTF-8 or not
	case t.IsString():
		c.run = castToText
		if f.Kind == types.Object {
			return c.refuse()
		}
	case f.IsString():
		if t.IsNested() || t.Kind == types.Variant || t.Kind == types.Object {
			return c.refuse()
		}
		c.run = castFromText
		if t.Kind == types.Binary {
			c.run = retyped
		}
	case t.Kind == types.Binary && f.IsIntegral():
		c.run = intToBinary
	case f.IsNumeric() && t.IsNumeric():
		c.run = castNumber
	case f.IsNumeric() && t.Kind == types.Bool:
		c.run = numberToBool
	case f.Kind == types.Bool && t.IsNumeric():
		c.run = boolToNumber
	case f.IsDatetime() && t.IsDatetime():
		c.run = castDatetime
	case f.Kind == types.Time && t.Kind == types.Time:
		c.run = castTime
	case (f.Kind == types.Timestamp || f.Kind == types.TimestampNTZ) && t.Kind == types.Time:
		c.run = timestampToTime
	case f.Kind == types.Time && t.IsNumeric():
		c.run = timeToNumber
	case f.IsNumeric() && t.Kind == types.Timestamp:
		c.run = numberToTimestamp
	case f.Kind == types.Timestamp && t.IsNumeric():
		c.run = timestampToNumber
	case f.IsNumeric() && t.IsAnsiInterval(), f.IsAnsiInterval() && t.IsNumeric():
		c.run = castInterval
	case f.Kind == types.Date && (t.IsNumeric() || t.Kind == types.Bool): // without ANSI alone, and then always NULL
		c.run = func(c *Caster, v *vec.Vector) (*vec.Vector, error) { return vec.MakeNull(c.to, v.N), nil }
	default:
		return c.refuse()
	}
	return nil
}

func (c *Caster) refuse() error {
	return errs.NotSupported("cast from " + c.from.SQL() + " to " + c.to.SQL())
}

func retyped(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	if v.Type == c.to {
		return v, nil
	}
	o := *v
	o.Type = c.to
	return &o, nil
}

func castLists(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	o := *v
	o.Type = c.to
	o.Child = make([]*vec.Vector, len(v.Child))
	for i, k := range v.Child {
		k = liveElements(v, k)
		n, err := c.kids[i].Cast(k)
		if err != nil {
			return nil, err
		}
		o.Child[i] = n
	}
	return &o, nil
}

// liveElements is the child of a list vector with everything null that no row
// of the vector uses, so that casting the child raises no error for it.
func liveElements(v, child *vec.Vector) *vec.Vector {
	used := make([]bool, child.N)
	total := 0
	for i, r := range vec.Refs(v) {
		if v.IsNull(i) {
			continue
		}
		for k := r.Start(); k < r.Start()+r.Len(); k++ {
			used[k] = true
		}
		total += r.Len()
	}
	null := make([]bool, child.N)
	gaps := false
	for i, u := range used {
		null[i] = !u || child.IsNull(i)
		gaps = gaps || !u
	}
	if !gaps || child.Layout == vec.None {
		return child
	}
	o := *child
	o.Null = null
	return &o
}

func castStruct(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	o := *v
	o.Type = c.to
	o.Child = make([]*vec.Vector, len(v.Child))
	for i, k := range v.Child {
		if v.Null != nil && k.Layout != vec.None {
			m := *k
			m.Null = anyNull([]*vec.Vector{v, k}, v.N)
			k = &m
		}
		n, err := c.kids[i].Cast(k)
		if err != nil {
			return nil, err
		}
		o.Child[i] = n
	}
	return &o, nil
}

// fail treats a value that doesn't convert.
func (c *Caster) fail(out *vec.Vector, i int, err func() error) error {
	if c.mode == plan.ANSI {
		return err()
	}
	setNull(out, i)
	return nil
}

func (c *Caster) overflow(v *vec.Vector, i int) error {
	return errs.New(errs.Arithmetic, "CAST_OVERFLOW", "value", SQLValue(v, i, c.loc), "sourceType", errs.Quote(c.from.SQL()), "targetType", errs.Quote(c.to.SQL()), "ansiConfig", ansiKey).At(c.pos)
}

func (c *Caster) invalid(v *vec.Vector, i int) error {
	class := errs.NumberFormat
	switch {
	case c.to.IsDatetime() || c.to.Kind == types.Time || c.to.IsAnsiInterval() || c.to.Kind == types.CalendarInterval || c.to.Kind == types.Timestamp:
		class = errs.DateTime
	case c.to.Kind == types.Bool:
		class = errs.Runtime
	}
	from := c.from.SQL()
	if c.from.IsString() {
		from = types.StringType.SQL() // whatever its collation
	}
	return errs.New(class, "CAST_INVALID_INPUT", "expression", SQLValue(v, i, c.loc), "sourceType", errs.Quote(from), "targetType", errs.Quote(c.to.SQL()), "ansiConfig", ansiKey).At(c.pos)
}

// noInterval is the error of a text that is no interval of a type with fields.
func (c *Caster) noInterval(text string) error {
	names, marks, family, sub := []string{"YEAR", "MONTH"}, []string{"y", "m"}, "year-month", "UNMATCHED_FORMAT_STRING"
	if c.to.Kind == types.DayTimeInterval {
		names, marks, family, sub = []string{"DAY", "HOUR", "MINUTE", "SECOND"}, []string{"d", "h", "m", "s.n"}, "day-time", "UNMATCHED_FORMAT_STRING_WITH_NOTICE"
	}
	format, units := "", names[c.to.Start]
	for k := c.to.Start; k <= c.to.End; k++ {
		switch {
		case k == c.to.Start:
		case family == "year-month":
			format += "-"
		case k == types.Hour:
			format += " "
		default:
			format += ":"
		}
		format += marks[k]
	}
	if c.to.End != c.to.Start {
		units += " TO " + names[c.to.End]
	}
	return errs.New(errs.IllegalArgument, "INVALID_INTERVAL_FORMAT."+sub, "input", text, "intervalStr", family,
		"supportedFormat", "`[+|-]"+format+"`, `INTERVAL [+|-]'[+|-]"+format+"' "+units+"`", "typeName", c.to.String()).At(c.pos)
}

// SQLValue writes value i as Spark's messages do: 12L, 1.5D, 'text', DATE '2020-01-01'.
func SQLValue(v *vec.Vector, i int, loc *time.Location) string {
	if v.IsNull(i) {
		return "NULL"
	}
	text := string(AppendText(nil, v, i, loc))
	switch v.Type.Kind {
	case types.Int8:
		return text + "Y"
	case types.Int16:
		return text + "S"
	case types.Int64:
		return text + "L"
	case types.Float32, types.Float64:
		suffix, word := "D", "DOUBLE"
		if v.Type.Kind == types.Float32 {
			suffix, word = "F", "FLOAT"
		}
		if strings.HasSuffix(text, "y") || text == "NaN" {
			return "CAST('" + text + "' AS " + word + ")"
		}
		if suffix == "F" {
			return "CAST('" + text + "' AS FLOAT)"
		}
		return text + suffix
	case types.Decimal:
		return text + "BD"
	case types.String, types.Char, types.Varchar:
		return errs.Text(text)
	case types.Date:
		return "DATE '" + text + "'"
	case types.Timestamp:
		return "TIMESTAMP '" + text + "'"
	case types.TimestampNTZ:
		return "TIMESTAMP_NTZ '" + text + "'"
	case types.Time:
		return "TIME '" + text + "'"
	}
	return text
}

// putInt stores x in row i of an integer vector; false when it doesn't fit.
func putInt(out *vec.Vector, i int, x int64) bool {
	switch out.Layout {
	case vec.I8:
		vec.Of[int8](out)[i] = int8(x)
		return x == int64(int8(x))
	case vec.I16:
		vec.Of[int16](out)[i] = int16(x)
		return x == int64(int16(x))
	case vec.I32:
		vec.Of[int32](out)[i] = int32(x)
		return x == int64(int32(x))
	}
	vec.Of[int64](out)[i] = x
	return true
}

// getInt reads row i of a vector of integers of up to 64 bits.
func getInt(v *vec.Vector, i int) int64 {
	switch v.Layout {
	case vec.Byte, vec.I8:
		return int64(vec.Of[int8](v)[i])
	case vec.I16:
		return int64(vec.Of[int16](v)[i])
	case vec.I32:
		return int64(vec.Of[int32](v)[i])
	}
	return vec.Of[int64](v)[i]
}

func getFloat(v *vec.Vector, i int) float64 {
	if v.Layout == vec.F32 {
		return float64(vec.Of[float32](v)[i])
	}
	return vec.Of[float64](v)[i]
}

func getDecimal(v *vec.Vector, i int) types.Int128 {
	if v.Layout == vec.I128 {
		return vec.Of[types.Int128](v)[i]
	}
	return types.I128(vec.Of[int64](v)[i])
}

func putDecimal(out *vec.Vector, i int, x types.Int128) {
	if out.Layout == vec.I128 {
		vec.Of[types.Int128](out)[i] = x
	} else {
		vec.Of[int64](out)[i] = int64(x.Lo)
	}
}

// start makes the result, with v's nulls.
func (c *Caster) start(v *vec.Vector) *vec.Vector {
	out := vec.Make(c.to, v.N)
	if v.Null != nil {
		out.Null = append(make([]bool, 0, v.N), v.Null[:v.N]...)
	}
	return out
}

func widen[A, B integer | float](dst []B, src []A) {
	for i, x := range src {
		dst[i] = B(x)
	}
}

// castNumber converts between numbers. The common widenings have loops of their own.
func castNumber(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	out := c.start(v)
	f, t := c.from, c.to
	switch {
	case v.Layout == vec.I32 && t.Kind == types.Int64:
		widen(vec.Of[int64](out), vec.Of[int32](v))
		return out, nil
	case v.Layout == vec.I32 && t.Kind == types.Float64:
		widen(vec.Of[float64](out), vec.Of[int32](v))
		return out, nil
	case f.Kind == types.Int64 && t.Kind == types.Float64:
		widen(vec.Of[float64](out), vec.Of[int64](v))
		return out, nil
	case f.Kind == types.Float32 && t.Kind == types.Float64:
		widen(vec.Of[float64](out), vec.Of[float32](v))
		return out, nil
	case f.Kind == types.Decimal && t.Kind == types.Decimal && v.Layout == vec.I64 && t.Scale >= f.Scale && t.Precision-t.Scale >= f.Precision-f.Scale && t.Scale-f.Scale <= 18:
		p := types.Pow10[t.Scale-f.Scale]
		src := vec.Of[int64](v)
		if out.Layout == vec.I64 {
			dst := vec.Of[int64](out)
			for i, x := range src {
				dst[i] = x * p
			}
			return out, nil
		}
		dst := vec.Of[types.Int128](out)
		for i, x := range src {
			dst[i] = types.Mul64(x, p)
		}
		return out, nil
	}
	for i := range v.N {
		if v.Null != nil && v.Null[i] {
			continue
		}
		ok := true
		var tell func() error
		switch {
		case f.IsIntegral():
			x := getInt(v, i)
			switch {
			case t.IsIntegral():
				ok = putInt(out, i, x) || c.mode == plan.Legacy
			case t.Kind == types.Decimal:
				var d types.Int128
				d, ok = types.ToScale(types.I128(x), 0, t.Precision, t.Scale)
				putDecimal(out, i, d)
				tell = func() error { return outOfRange(string(types.AppendInt128(nil, types.I128(x))), t, c.pos) }
			case t.Kind == types.Float32:
				vec.Of[float32](out)[i] = float32(x)
			default:
				vec.Of[float64](out)[i] = float64(x)
			}
		case f.Kind == types.Decimal:
			x := getDecimal(v, i)
			switch {
			case t.IsIntegral():
				q, _ := x.DivMod10(f.Scale)
				ok = putInt(out, i, int64(q.Lo)) && q.IsInt64() || c.mode == plan.Legacy
			case t.Kind == types.Decimal:
				var d types.Int128
				d, ok = types.ToScale(x, f.Scale, t.Precision, t.Scale)
				putDecimal(out, i, d)
				tell = func() error { return outOfRange(string(types.AppendDecimal(nil, x, f.Scale)), t, c.pos) }
			case t.Kind == types.Float32:
				vec.Of[float32](out)[i] = float32(x.Float64(f.Scale))
			default:
				vec.Of[float64](out)[i] = x.Float64(f.Scale)
			}
		default:
			x := getFloat(v, i)
			switch {
			case t.IsIntegral():
				ok = floatToInt(out, i, x, c.mode)
			case t.Kind == types.Decimal:
				buf := types.AppendDouble(nil, x)
				if f.Kind == types.Float32 {
					buf = types.AppendFloat(nil, float32(x))
				}
				d, st := types.ParseDecimal(string(buf), t.Scale)
				if st == types.DecimalBad { // NaN and the infinities become null in every mode
					setNull(out, i)
					continue
				}
				ok = st == types.DecimalOK && d.Fits(t.Precision)
				putDecimal(out, i, d)
				tell = func() error { return outOfRange(plainNumber(string(buf)), t, c.pos) }
			case t.Kind == types.Float32:
				vec.Of[float32](out)[i] = float32(x)
			default:
				vec.Of[float64](out)[i] = x
			}
		}
		if !ok {
			if tell == nil {
				tell = func() error { return c.overflow(v, i) }
			}
			if err := c.fail(out, i, tell); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// plainNumber rewrites a number without an exponent, for messages.
func plainNumber(s string) string {
	d, scale, st := types.ParseDecimalExact(s, 0)
	if st != types.DecimalOK {
		return s
	}
	return string(types.AppendDecimal(nil, d, scale))
}

// floatToInt truncates. Outside of ANSI mode values beyond the type become its
// limits (and small integers are cut from an int), as Java converts.
func floatToInt(out *vec.Vector, i int, x float64, mode plan.EvalMode) bool {
	limit := map[vec.Layout]float64{vec.I8: 1 << 7, vec.I16: 1 << 15, vec.I32: 1 << 31, vec.I64: 1 << 63}[out.Layout]
	if mode != plan.Legacy {
		y := math.Trunc(x)
		if !(y >= -limit && y < limit) {
			return false
		}
		putInt(out, i, int64(y))
		return true
	}
	bits := limit
	if out.Layout != vec.I64 {
		bits = 1 << 31
	}
	switch {
	case x != x:
		putInt(out, i, 0)
	case x >= bits:
		n := int64(math.MaxInt64)
		if bits < 1<<62 {
			n = math.MaxInt32
		}
		putInt(out, i, n)
	case x < -bits:
		putInt(out, i, int64(-bits))
	default:
		putInt(out, i, int64(x))
	}
	return true
}

func numberToBool(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	out := c.start(v)
	dst := vec.Of[bool](out)
	for i := range dst {
		switch {
		case c.from.IsIntegral():
			dst[i] = getInt(v, i) != 0
		case c.from.Kind == types.Decimal:
			dst[i] = getDecimal(v, i).Sign() != 0
		default:
			dst[i] = getFloat(v, i) != 0
		}
	}
	return out, nil
}

func boolToNumber(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	out := c.start(v)
	for i, b := range vec.Of[bool](v) {
		if !b {
			continue
		}
		switch {
		case c.to.Kind == types.Float32:
			vec.Of[float32](out)[i] = 1
		case c.to.Kind == types.Float64:
			vec.Of[float64](out)[i] = 1
		case c.to.Kind == types.Decimal:
			d, ok := types.ToScale(types.I128(1), 0, c.to.Precision, c.to.Scale)
			if !ok {
				if err := c.fail(out, i, func() error { return outOfRange("1", c.to, c.pos) }); err != nil {
					return nil, err
				}
			}
			putDecimal(out, i, d)
		default:
			putInt(out, i, 1)
		}
	}
	return out, nil
}

func castDatetime(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	out := c.start(v)
	for i := range v.N {
		x := getInt(v, i)
		if v.Null != nil && v.Null[i] {
			continue
		}
		// First to the local clock in microseconds, then to the target.
		switch c.from.Kind {
		case types.Date:
			if x > math.MaxInt64/types.MicrosPerDay || x < math.MinInt64/types.MicrosPerDay {
				return nil, overflow("long overflow", "", nil)
			}
			x *= types.MicrosPerDay
		case types.Timestamp:
			x = c.zone.ToLocal(x)
		}
		switch c.to.Kind {
		case types.Date:
			vec.Of[int32](out)[i] = int32(types.FloorDiv(x, types.MicrosPerDay))
		case types.Timestamp:
			vec.Of[int64](out)[i] = c.zone.FromLocal(x)
		default:
			vec.Of[int64](out)[i] = x
		}
	}
	return out, nil
}

func castTime(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	out := c.start(v)
	unit := int64(math.Pow10(max(0, 9-c.to.Precision)))
	for i, x := range vec.Of[int64](v) {
		vec.Of[int64](out)[i] = x - x%unit
	}
	return out, nil
}

func timestampToTime(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	out := c.start(v)
	for i, x := range vec.Of[int64](v) {
		if c.from.Kind == types.Timestamp {
			x = c.zone.ToLocal(x)
		}
		vec.Of[int64](out)[i] = types.FloorMod(x, types.MicrosPerDay) * 1000
	}
	if c.to.Precision < 9 {
		return castTime(c, out)
	}
	return out, nil
}

// wrappedMicros is a decimal of seconds in microseconds as Spark computes it: of 34 digits, the low 64 bits.
func wrappedMicros(d types.Int128, scale int) int64 {
	x := d.Big()
	x.Mul(x, big.NewInt(types.MicrosPerSecond))
	ten := func(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
	if extra := len(new(big.Int).Abs(x).String()) - 34; extra > 0 {
		half := new(big.Int).Rsh(ten(extra), 1)
		if x.Sign() < 0 {
			half.Neg(half)
		}
		x.Quo(x.Add(x, half), ten(extra))
		x.Mul(x, ten(extra))
	}
	x.Quo(x, ten(scale))
	return int64(x.And(x, new(big.Int).SetUint64(math.MaxUint64)).Uint64())
}

func numberToTimestamp(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	out := c.start(v)
	dst := vec.Of[int64](out)
	for i := range dst {
		if v.Null != nil && v.Null[i] {
			continue
		}
		ok := true
		switch {
		case c.from.IsIntegral():
			// Seconds beyond the range stay at its end (Spark: SECONDS.toMicros).
			p := types.Mul64(getInt(v, i), types.MicrosPerSecond)
			switch {
			case p.IsInt64():
				dst[i] = int64(p.Lo)
			case p.Hi < 0:
				dst[i] = math.MinInt64
			default:
				dst[i] = math.MaxInt64
			}
		case c.from.Kind == types.Decimal:
			d, fits := types.MulRound(getDecimal(v, i), types.I128(types.MicrosPerSecond), 0)
			d, _ = d.DivMod10(c.from.Scale)
			if dst[i] = int64(d.Lo); !fits {
				dst[i] = wrappedMicros(getDecimal(v, i), c.from.Scale)
			}
		default:
			x := getFloat(v, i)
			y := x * 1e6
			switch {
			case math.IsNaN(x) || math.IsInf(x, 0):
				ok = false
			case c.mode == plan.ANSI && !(math.Floor(y) <= math.MaxInt64 && math.Ceil(y) >= math.MinInt64):
				return nil, c.overflow(v, i)
			case y >= math.MaxInt64:
				dst[i] = math.MaxInt64
			case y <= math.MinInt64:
				dst[i] = math.MinInt64
			default:
				dst[i] = int64(y)
			}
		}
		if !ok {
			if err := c.fail(out, i, func() error { return c.invalid(v, i) }); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func timestampToNumber(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	out := c.start(v)
	for i, x := range vec.Of[int64](v) {
		if v.Null != nil && v.Null[i] {
			continue
		}
		ok := true
		switch {
		case c.to.IsIntegral():
			ok = putInt(out, i, types.FloorDiv(x, types.MicrosPerSecond))
		case c.to.Kind == types.Float32:
			vec.Of[float32](out)[i] = float32(float64(x) / 1e6)
		case c.to.Kind == types.Float64:
			vec.Of[float64](out)[i] = float64(x) / 1e6
		default:
			var d types.Int128
			d, ok = types.ToScale(types.I128(x), 6, c.to.Precision, c.to.Scale)
			putDecimal(out, i, d)
		}
		if !ok {
			if err := c.fail(out, i, func() error { return c.overflow(v, i) }); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// timeToNumber gives the seconds since midnight.
func timeToNumber(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	out := c.start(v)
	for i, x := range vec.Of[int64](v) {
		if v.Null != nil && v.Null[i] {
			continue
		}
		ok, tell := true, func() error { return c.overflow(v, i) }
		if c.to.IsIntegral() {
			ok = putInt(out, i, x/nanosPerSecond)
		} else {
			var d types.Int128
			d, ok = types.ToScale(types.I128(x), 9, c.to.Precision, c.to.Scale)
			putDecimal(out, i, d)
			tell = func() error { return outOfRange(string(types.AppendDecimal(nil, types.I128(x), 9)), c.to, c.pos) }
		}
		if !ok {
			if err := c.fail(out, i, tell); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func intToBinary(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	w := v.Layout.Width()
	b := newStrings(v.N, v.N*w)
	for i := range v.N {
		if v.Null != nil && v.Null[i] {
			b.addNull(v.N)
			continue
		}
		x, start := getInt(v, i), len(b.buf)
		for k := w - 1; k >= 0; k-- {
			b.buf = append(b.buf, byte(x>>(8*k)))
		}
		b.end(start)
	}
	return b.finish(c.to), nil
}

// castInterval converts between numbers and intervals of one field: whole units of the last field.
func castInterval(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	out := c.start(v)
	iv := c.to
	if c.from.IsAnsiInterval() {
		iv = c.from
	}
	unit := int64(1)
	switch {
	case iv.Kind == types.YearMonthInterval && iv.End == types.Year:
		unit = 12
	case iv.Kind == types.DayTimeInterval:
		unit = [...]int64{types.MicrosPerDay, types.MicrosPerHour, types.MicrosPerMinute, types.MicrosPerSecond}[iv.End]
	}
	for i := range v.N {
		if v.Null != nil && v.Null[i] {
			continue
		}
		ok, tell := true, func() error { return c.overflow(v, i) }
		if c.to == iv {
			var d types.Int128
			switch {
			case c.from.IsIntegral():
				d = types.Mul64(getInt(v, i), unit)
			case c.from.Kind == types.Decimal:
				d, ok = types.MulRound(getDecimal(v, i), types.I128(unit), c.from.Scale)
			default:
				return nil, c.refuse()
			}
			if ok = ok && d.IsInt64() && putInt(out, i, int64(d.Lo)); !ok && c.mode == plan.Legacy {
				return nil, tell() // outside ANSI mode too it fails, as in Spark
			}
		} else {
			x := getInt(v, i)
			switch {
			case c.to.IsIntegral():
				ok = putInt(out, i, x/unit) || c.mode == plan.Legacy
			case c.to.Kind == types.Decimal:
				d, fits := types.DivRound(types.I128(x), types.I128(unit), c.to.Scale)
				ok = fits && d.Fits(c.to.Precision)
				putDecimal(out, i, d)
				if exact, f := types.DivRound(types.I128(x), types.I128(unit), 6); !ok && f {
					tell = func() error { return outOfRange(string(types.AppendDecimal(nil, exact, 6)), c.to, c.pos) }
				}
			default:
				return nil, c.refuse()
			}
		}
		if !ok {
			if err := c.fail(out, i, tell); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func castFromText(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	out := c.start(v)
	for i := range v.N {
		if v.Null != nil && v.Null[i] {
			continue
		}
		s := v.Str(i)
		var ok bool
		switch c.to.Kind {
		case types.Bool:
			vec.Of[bool](out)[i], ok = types.ParseBool(s)
		case types.Int8, types.Int16, types.Int32, types.Int64:
			var n int64
			n, ok = types.ParseInt(s, 8*out.Layout.Width(), c.mode == plan.Legacy)
			putInt(out, i, n)
		case types.Float32:
			var f float64
			f, ok = types.ParseDouble(s, 32)
			vec.Of[float32](out)[i] = float32(f)
		case types.Float64:
			vec.Of[float64](out)[i], ok = types.ParseDouble(s, 64)
		case types.Decimal:
			d, st := types.ParseDecimal(s, c.to.Scale)
			if st == types.DecimalTooLarge && c.mode == plan.ANSI {
				return nil, errs.New(errs.Arithmetic, "NUMERIC_OUT_OF_SUPPORTED_RANGE", "value", types.TrimAll(s)).At(c.pos)
			}
			if st == types.DecimalOK && !d.Fits(c.to.Precision) {
				if err := c.fail(out, i, func() error { return outOfRange(plainNumber(s), c.to, c.pos) }); err != nil {
					return nil, err
				}
				continue
			}
			ok = st == types.DecimalOK
			putDecimal(out, i, d)
		case types.Date:
			vec.Of[int32](out)[i], ok = types.ParseDate(s)
		case types.Timestamp:
			vec.Of[int64](out)[i], ok = types.ParseTimestamp(s, c.zone, nil)
		case types.TimestampNTZ:
			vec.Of[int64](out)[i], ok = types.ParseTimestampNTZ(s)
		case types.Time:
			vec.Of[int64](out)[i], ok = types.ParseTime(s, c.to.Precision)
		case types.CalendarInterval:
			vec.Of[types.CalendarValue](out)[i], ok = types.ParseCalendar(s)
		case types.YearMonthInterval:
			vec.Of[int32](out)[i], ok = types.ParseYearMonth(s, c.to)
		case types.DayTimeInterval:
			vec.Of[int64](out)[i], ok = types.ParseDayTime(s, c.to)
		default:
			return nil, c.refuse()
		}
		switch {
		case ok:
		case c.to.Kind == types.CalendarInterval: // NULL in every mode
			setNull(out, i)
			continue
		case c.to.IsAnsiInterval() && c.mode != plan.Try: // an error in every mode
			return nil, c.noInterval(s)
		}
		if !ok {
			if err := c.fail(out, i, func() error { return c.invalid(v, i) }); err != nil {
				return nil, err
			}
		}
		if i%yieldEach == yieldEach-1 && c.env != nil {
			if err := c.env.Yield(); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func castToText(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	b := newStrings(v.N, 8*v.N)
	style := castStyle
	if c.env != nil && c.env.Conf != nil && strings.EqualFold(c.env.Conf.Keys["spark.sql.legacy.castComplexTypesToString.enabled"], "true") {
		style = legacyStyle
	}
	if c.mode != plan.ANSI {
		style |= exponents
	}
	for i := range v.N {
		if v.Null != nil && v.Null[i] {
			b.addNull(v.N)
			continue
		}
		start := len(b.buf)
		switch {
		case c.from.Kind == types.Timestamp:
			b.buf = types.AppendTimestampNTZ(b.buf, c.zone.ToLocal(vec.Of[int64](v)[i]))
		default:
			b.buf = appendText(b.buf, v, i, c.loc, style)
		}
		b.end(start)
		if i%yieldEach == yieldEach-1 && c.env != nil {
			if err := c.env.Yield(); err != nil {
				return nil, err
			}
		}
	}
	return b.finish(c.to), nil
}

// AppendText writes value i as a cast to STRING in ANSI mode does: [1, 2], {a -> 1}, {1, x}; null inside of them is null.
func AppendText(dst []byte, v *vec.Vector, i int, loc *time.Location) []byte {
	return appendText(dst, v, i, loc, castStyle)
}

// AppendCast writes value i as a cast to STRING does, in ANSI mode or not: there decimals may have exponents.
func AppendCast(dst []byte, v *vec.Vector, i int, loc *time.Location, ansi bool) []byte {
	if ansi {
		return AppendText(dst, v, i, loc)
	}
	return appendJava(dst, v, i, loc)
}

// appendJava writes value i like AppendText, with decimals as Java's BigDecimal.toString has them (1E-8): so they are in
// CSV, JSON, XML and wherever Spark prints an internal value.
func appendJava(dst []byte, v *vec.Vector, i int, loc *time.Location) []byte {
	return appendText(dst, v, i, loc, castStyle|exponents)
}

// AppendPretty writes value i as df.show does: like AppendText, but null is NULL and binary is [01 FF].
func AppendPretty(dst []byte, v *vec.Vector, i int, loc *time.Location) []byte {
	return appendText(dst, v, i, loc, showStyle)
}

// textStyle is how values are written: one of the styles, perhaps with exponents.
type textStyle uint8

const (
	castStyle   textStyle = iota // [1, null], {a -> 1}, {1, x}
	showStyle                    // null is NULL and binary is [01 FF]
	legacyStyle                  // spark.sql.legacy.castComplexTypesToString.enabled: [1,], [a -> 1], [1, x]

	exponents textStyle = 1 << 7 // decimals are 1E-8, not 0.00000001
)

func (s textStyle) shape() textStyle { return s &^ exponents }

// appendPart is value k of a part, behind a blank if it isn't the first; the legacy style has nothing for null.
func appendPart(dst []byte, part *vec.Vector, k int, loc *time.Location, style textStyle, first bool) []byte {
	if style.shape() == legacyStyle && part.IsNull(k) {
		return dst
	}
	if !first {
		dst = append(dst, ' ')
	}
	return appendText(dst, part, k, loc, style)
}

func appendText(dst []byte, v *vec.Vector, i int, loc *time.Location, style textStyle) []byte {
	open, end := byte('{'), byte('}')
	if style.shape() == legacyStyle {
		open, end = '[', ']'
	}
	switch {
	case v.IsNull(i) && style.shape() == showStyle:
		return append(dst, "NULL"...)
	case v.IsNull(i):
		return append(dst, "null"...)
	case style.shape() == showStyle && v.Type.Kind == types.Binary:
		return fmt.Appendf(dst, "[% X]", v.Bytes(i))
	}
	switch v.Type.Kind {
	case types.Bool:
		if vec.Of[bool](v)[i] {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case types.Int8, types.Int16, types.Int32, types.Int64:
		return types.AppendInt128(dst, types.I128(getInt(v, i)))
	case types.Float32:
		return types.AppendFloat(dst, vec.Of[float32](v)[i])
	case types.Float64:
		return types.AppendDouble(dst, vec.Of[float64](v)[i])
	case types.Decimal:
		if style&exponents != 0 {
			return types.AppendDecimalSci(dst, getDecimal(v, i), v.Type.Scale)
		}
		return types.AppendDecimal(dst, getDecimal(v, i), v.Type.Scale)
	case types.Date:
		return types.AppendDate(dst, vec.Of[int32](v)[i])
	case types.Timestamp:
		return types.AppendTimestamp(dst, vec.Of[int64](v)[i], loc)
	case types.TimestampNTZ:
		return types.AppendTimestampNTZ(dst, vec.Of[int64](v)[i])
	case types.Time:
		return types.AppendTime(dst, vec.Of[int64](v)[i])
	case types.YearMonthInterval:
		return types.AppendYearMonth(dst, vec.Of[int32](v)[i], v.Type)
	case types.DayTimeInterval:
		return types.AppendDayTime(dst, vec.Of[int64](v)[i], v.Type)
	case types.CalendarInterval:
		return types.AppendCalendar(dst, vec.Of[types.CalendarValue](v)[i])
	case types.Array:
		r := vec.Refs(v)[i]
		dst = append(dst, '[')
		for k := range r.Len() {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = appendPart(dst, v.Child[0], r.Start()+k, loc, style, k == 0)
		}
		return append(dst, ']')
	case types.Map:
		r := vec.Refs(v)[i]
		dst = append(dst, open)
		for k := range r.Len() {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = appendPart(dst, v.Child[0], r.Start()+k, loc, style, k == 0)
			dst = append(dst, " ->"...)
			dst = appendPart(dst, v.Child[1], r.Start()+k, loc, style, false)
		}
		return append(dst, end)
	case types.Variant:
		dst, _ = variantAt(v, i).json(dst, loc)
		return dst
	case types.Struct:
		dst = append(dst, open)
		for k, ch := range v.Child {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = appendPart(dst, ch, i, loc, style, k == 0)
		}
		return append(dst, end)
	}
	if v.Type.Kind == types.Binary {
		return types.AppendUTF8(dst, v.Bytes(i))
	}
	if v.Layout == vec.Bytes {
		return append(dst, v.Bytes(i)...)
	}
	return dst
}
