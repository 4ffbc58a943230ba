package analyze

import (
	"encoding/hex"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"

	"neptune/arrowexec/fn"
)

// PrettyName is the SQL of an expression as column names and messages show it
// (Spark: toPrettySQL): columns without qualifiers, strings without quotes, no
// implicit casts.
func PrettyName(e plan.Expr) string { return (&run{Analyzer: &Analyzer{}}).sql(e) }

// quoted is the SQL of e in double quotes, for messages.
func (r *run) quoted(e plan.Expr) string { return errs.Quote(r.sql(e)) }

func (r *run) sqls(l []plan.Expr) []string {
	out := make([]string, len(l))
	for i, e := range l {
		out[i] = r.sql(e)
	}
	return out
}

func (r *run) sql(e plan.Expr) string {
	if w, ok := r.orig[e]; ok && w != e {
		return r.sql(w)
	}
	switch e := e.(type) {
	case *plan.Literal:
		return r.literal(e)
	case *plan.UnresolvedAttr:
		return strings.Join(e.Parts, ".")
	case *plan.Attr:
		if e.Lateral {
			return "lateralAliasReference(" + e.Name + ")"
		}
		return e.Name
	case *plan.OuterRef:
		q := make([]string, 0, 4)
		for _, p := range append(slices.Clone(e.Attr.Qualifier), e.Attr.Name) {
			q = append(q, types.QuoteIfNeeded(p))
		}
		return "outer(" + strings.Join(q, ".") + ")"
	case *plan.LambdaVar:
		return "namedlambdavariable()"
	case *plan.Bound:
		return e.Name
	case *plan.UnresolvedStar:
		return strings.Join(append(append([]string{}, e.Target...), "*"), ".")
	case *plan.UnresolvedOrdinal:
		return itoa(e.N)
	case *plan.Alias:
		if e.Auto {
			return r.sql(e.Child)
		}
		return r.sql(e.Child) + " AS " + e.Names[0]
	case *plan.Cast:
		if e.Implicit {
			return r.sql(e.Child)
		}
		if e.To.Kind == types.Array || e.To.Kind == types.Map || e.To.Kind == types.Struct {
			return r.sql(e.Child) // Spark leaves casts to nested types out of names
		}
		name := "CAST("
		if e.Mode == plan.Try {
			name = "TRY_CAST("
		}
		return name + r.sql(e.Child) + " AS " + e.To.SQL() + ")"
	case *plan.Case:
		if e.If {
			return "(IF(" + strings.Join(r.sqls(append(append([]plan.Expr{}, e.When...), e.Then[0], e.Else)), ", ") + "))"
		}
		var b strings.Builder
		b.WriteString("CASE")
		for i := range e.When {
			b.WriteString(" WHEN " + r.sql(e.When[i]) + " THEN " + r.sql(e.Then[i]))
		}
		if e.Else != nil {
			b.WriteString(" ELSE " + r.sql(e.Else))
		}
		return b.String() + " END"
	case *plan.Extract:
		if t := e.Child.Type(); t != nil && (t.Kind == types.Struct) {
			return r.sql(e.Child) + "." + r.sql(e.Key)
		}
		return r.sql(e.Child) + "[" + r.sql(e.Key) + "]"
	case *plan.GetField:
		if a, ok := e.Child.(*plan.Attr); ok && a.Lateral {
			return "lateralAliasReference(" + e.Name + ")"
		}
		return r.sql(e.Child) + "." + e.Name
	case *plan.UpdateFields:
		return r.updateSQL(e)
	case *plan.Lambda:
		return "lambdafunction(" + r.sql(e.Body) + strings.Repeat(", namedlambdavariable()", len(e.Args)) + ")"
	case *plan.Window:
		return r.windowSQL(e)
	case *plan.Subquery:
		switch e.Kind {
		case plan.ScalarSubquery:
			return "scalarsubquery(" + r.outerNames(e) + ")"
		case plan.ExistsSubquery:
			return "exists(" + r.outerNames(e) + ")"
		}
		left := strings.Join(r.sqls(e.Values), ", ")
		if len(e.Values) > 1 {
			left = "named_struct(" + r.fieldList(e.Values) + ")"
		}
		return "(" + left + " IN (listquery(" + r.outerNames(e) + ")))"
	case *plan.NamedExprList:
		return "struct(" + strings.Join(r.sqls(e.List), ", ") + ")"
	case *plan.UDF:
		return e.Name + "(" + strings.Join(r.sqls(e.Args), ", ") + ")"
	case *plan.Call:
		return r.callSQL(e)
	case *plan.UnresolvedRegex:
		return e.Pattern
	case *plan.Parameter:
		if e.Name == "" {
			return "?"
		}
		return ":" + e.Name
	}
	return ""
}

func (r *run) outerNames(e *plan.Subquery) string {
	names := make([]string, len(e.Outer))
	for i, a := range e.Outer {
		names[i] = a.Name
	}
	return strings.Join(names, ", ")
}

func (r *run) fieldList(l []plan.Expr) string {
	var out []string
	for i, e := range l {
		name := "_" + itoa(i)
		if a, ok := e.(*plan.Attr); ok {
			name = a.Name
		}
		out = append(out, name, r.sql(e))
	}
	return strings.Join(out, ", ")
}

func (r *run) sqlOrNull(e plan.Expr) string {
	if e == nil {
		return "NULL"
	}
	return r.sql(e)
}

var infix = map[string]string{"+": "+", "-": "-", "*": "*", "/": "/", "%": "%", "div": "div", "&": "&", "|": "|", "^": "^",
	"=": "=", "==": "=", "<=>": "<=>", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "and": "AND", "or": "OR"}

// upper has the functions that Spark prints in capitals.
var upper = map[string]bool{"sqrt": true, "cbrt": true, "ceil": true, "floor": true, "sin": true, "cos": true, "tan": true, "cot": true,
	"asin": true, "acos": true, "atan": true, "atan2": true, "sinh": true, "cosh": true, "tanh": true, "asinh": true, "acosh": true, "atanh": true,
	"exp": true, "expm1": true, "log10": true, "log2": true, "log1p": true, "degrees": true, "radians": true, "signum": true, "hypot": true,
	"rlike": true, "rank": true, "dense_rank": true, "percent_rank": true, "sec": true, "csc": true,
	"power": true, "e": true, "pi": true, "spark_partition_id": true, "regexp": true, "regexp_like": true}

func (r *run) callSQL(c *plan.Call) string {
	args := r.sqls(c.Args)
	if op, ok := infix[c.Name]; ok && len(args) == 2 {
		return "(" + args[0] + " " + op + " " + args[1] + ")"
	}
	switch c.Name {
	case "datetime +", "datetime -":
		return args[0] + c.Name[len("datetime"):] + " " + args[1]
	case "negative", "-":
		if len(args) == 1 {
			if c.Name == "negative" && !c.Infix {
				return "negative(" + args[0] + ")"
			}
			return "(- " + args[0] + ")"
		}
	case "positive", "+":
		if len(args) == 1 {
			return "(+ " + args[0] + ")"
		}
	case "not", "!":
		if len(args) == 1 {
			return "(NOT " + args[0] + ")"
		}
	case "~":
		return "~" + args[0]
	case "isnull":
		return "(" + args[0] + " IS NULL)"
	case "isnotnull":
		return "(" + args[0] + " IS NOT NULL)"
	case "istrue":
		return "(" + args[0] + " <=> true)"
	case "isfalse":
		return "(" + args[0] + " <=> false)"
	case "in":
		return "(" + args[0] + " IN (" + strings.Join(args[1:], ", ") + "))"
	case "like":
		s := args[0] + " LIKE " + args[1]
		if len(args) == 3 {
			s += " ESCAPE '" + args[2] + "'"
		}
		return s
	case "like_all", "like_any", "not_like_all", "not_like_any":
		return strings.ReplaceAll(c.Name, "_", "") + "(" + args[0] + ")"
	case "shiftleft", "shiftright", "shiftrightunsigned":
		if c.Infix && len(args) == 2 {
			op := map[string]string{"shiftleft": "<<", "shiftright": ">>", "shiftrightunsigned": ">>>"}[c.Name]
			return "(" + args[0] + " " + op + " " + args[1] + ")"
		}
	case "get_array_item", "get_map_value":
		return args[0] + "[" + args[1] + "]"
	case "interval_days":
		return "extractansiintervaldays(" + args[0] + ")"
	case "substring", "substr":
		if len(args) == 2 {
			args = append(args, "2147483647")
		}
	case "locate", "position", "charindex":
		if len(args) == 2 {
			args = append(args, "1")
		}
	case "lag", "lead":
		if len(args) == 1 {
			args = append(args, "1")
		}
		if len(args) == 2 {
			args = append(args, "NULL")
		}
	case "percentile_approx", "approx_percentile":
		if len(args) == 2 {
			args = append(args, "10000")
		}
	case "months_between":
		if len(args) == 2 {
			args = append(args, "true")
		}
	case "round", "bround":
		if len(args) == 1 {
			args = append(args, "0")
		}
	case "overlay":
		if len(args) == 3 {
			args = append(args, "-1")
		}
	case "percentile":
		if len(args) == 2 {
			args = append(args, "1")
		}
	case "trim":
		if c.Infix && len(args) == 2 {
			return "TRIM(BOTH " + args[1] + " FROM " + args[0] + ")"
		}
	case "ltrim":
		if c.Infix && len(args) == 2 {
			return "TRIM(LEADING " + args[1] + " FROM " + args[0] + ")"
		}
	case "rtrim":
		if c.Infix && len(args) == 2 {
			return "TRIM(TRAILING " + args[1] + " FROM " + args[0] + ")"
		}
	case "rank", "dense_rank", "percent_rank":
		args = nil
	case "sentences":
		for len(args) < 3 {
			args = append(args, "")
		}
	case "time_bucket":
		if len(args) == 2 {
			origin := "TIMESTAMP '1970-01-01 00:00:00'"
			if t := c.Args[1].Type(); t != nil && t.Kind == types.TimestampNTZ {
				origin = "TIMESTAMP_NTZ '1970-01-01 00:00:00'"
			}
			args = append(args, origin)
		}
	case "extract", "datepart":
		if len(args) == 2 {
			return c.Name + "(" + args[0] + " FROM " + args[1] + ")"
		}
	case "first", "last", "any_value", "first_value", "last_value":
		if len(args) == 2 {
			args = args[:1]
		}
	case "ntile":
		if len(args) == 0 {
			args = []string{"1"}
		}
	case "regexp_replace":
		if len(args) == 3 {
			args = append(args, "1")
		}
	case "regexp_extract", "regexp_extract_all":
		if len(args) == 2 {
			args = append(args, "1")
		}
	case "split":
		if len(args) == 2 {
			args = append(args, "-1")
		}
	case "sort_array":
		if len(args) == 1 {
			args = append(args, "true")
		}
	case "lpad", "rpad":
		if len(args) == 2 {
			if t := c.Args[0].Type(); t != nil && t.Kind == types.Binary {
				args = append(args, "X'00'")
			} else {
				args = append(args, " ")
			}
		}
	case "replace":
		if len(args) == 2 {
			args = append(args, "")
		}
	case "ilike":
		if len(args) == 3 {
			args = args[:2]
		}
	case "log":
		if len(args) == 1 {
			args = []string{"E()", args[0]}
		}
		return "LOG(" + strings.Join(args, ", ") + ")"
	case "ceil", "floor":
		if len(args) == 2 {
			return c.Name + "(" + strings.Join(args, ", ") + ")"
		}
	case "assert_true":
		if len(args) == 1 {
			args = append(args, "'"+args[0]+"' is not true!")
		}
	case "convert_timezone":
		if len(args) == 2 {
			args = append([]string{"current_timezone()"}, args...)
		}
	case "str_to_map":
		if len(args) == 1 {
			args = append(args, ",")
		}
		if len(args) == 2 {
			args = append(args, ":")
		}
	case "date_format", "to_char":
	case "from_unixtime":
		if len(args) == 1 {
			args = append(args, "yyyy-MM-dd HH:mm:ss")
		}
	case "unix_timestamp", "to_unix_timestamp":
		if len(args) == 0 {
			args = append(args, "current_timestamp()")
		}
		if len(args) == 1 {
			args = append(args, "yyyy-MM-dd HH:mm:ss")
		}
	case "array_sort":
		if len(args) == 1 {
			args = append(args, "lambdafunction((IF(((namedlambdavariable() IS NULL) AND (namedlambdavariable() IS NULL)), 0, (IF((namedlambdavariable() IS NULL), 1, (IF((namedlambdavariable() IS NULL), -1, (IF((namedlambdavariable() < namedlambdavariable()), -1, (IF((namedlambdavariable() > namedlambdavariable()), 1, 0)))))))))), namedlambdavariable(), namedlambdavariable())")
		}
	case "uuid": // seeds aren't shown
		args = nil
	case "shuffle":
		args = args[:1]
	case "aggregate", "reduce":
		if len(args) == 3 {
			args = append(args, "lambdafunction(namedlambdavariable(), namedlambdavariable())")
		}
	case "levenshtein":
	case "listagg", "string_agg":
		if len(args) == 1 {
			args = append(args, "NULL")
		}
	case "mode":
		if len(c.Args) == 2 { // mode(x, true), shown as what it is rewritten to
			if l, ok := c.Args[1].(*plan.Literal); ok && l.Value == true {
				return "mode() WITHIN GROUP (ORDER BY " + args[0] + " DESC)"
			}
			args = args[:1]
		}
	}
	if c.T != nil && c.T.Kind == types.Map && c.Name == "from_json" {
		return "entries"
	}
	name, args := shownCall(c.Name, args)
	if c.Nulls == plan.IgnoreNulls && (name == "first_value" || name == "last_value") {
		name = strings.TrimSuffix(name, "_value") // Spark makes another of it
	}
	if def := fn.Lookup(name); def != nil && def.Pretty != nil && def.Name == name {
		return def.Pretty(args)
	}
	if upper[name] {
		name = strings.ToUpper(name)
	}
	s := name + "("
	if c.Distinct {
		s += "DISTINCT "
	}
	s += strings.Join(args, ", ") + ")"
	if len(c.Order) > 0 && name == "string_agg" {
		s = "listagg" + strings.TrimPrefix(s, name)
	}
	if len(c.Order) > 0 {
		s += " WITHIN GROUP (ORDER BY "
		for i, o := range c.Order {
			if i > 0 {
				s += ", "
			}
			switch {
			case c.Name == "listagg" || c.Name == "string_agg":
				s += r.orderSQL(o)
			case o.Desc != (c.Name == "mode"): // Spark's mode turns the order round
				s += r.sql(o.Child) + " DESC"
			default:
				s += r.sql(o.Child)
			}
		}
		s += ")"
	}
	if c.Nulls == plan.RespectNulls && strings.HasPrefix(name, "collect_") {
		s += " RESPECT NULLS"
	}
	if c.Filter != nil {
		s += " FILTER (WHERE " + r.sql(c.Filter) + ")"
	}
	return s
}

func (r *run) orderSQL(o plan.SortOrder) string {
	s := r.sql(o.Child)
	if o.Desc {
		s += " DESC"
	} else {
		s += " ASC"
	}
	if o.NullsLast {
		return s + " NULLS LAST"
	}
	return s + " NULLS FIRST"
}

func (r *run) windowSQL(w *plan.Window) string {
	var parts []string
	if len(w.Partition) > 0 {
		parts = append(parts, "PARTITION BY "+strings.Join(r.sqls(w.Partition), ", "))
	}
	if len(w.Order) > 0 {
		l := make([]string, len(w.Order))
		for i, o := range w.Order {
			l[i] = r.orderSQL(o)
		}
		parts = append(parts, "ORDER BY "+strings.Join(l, ", "))
	}
	if w.Frame != nil {
		kind := "RANGE"
		if w.Frame.Rows {
			kind = "ROWS"
		}
		parts = append(parts, kind+" BETWEEN "+r.frameEnd(w.Frame.Lower)+" AND "+r.frameEnd(w.Frame.Upper))
	}
	s := r.sql(w.Func)
	if c, ok := w.Func.(*plan.Call); ok && c.Nulls == plan.IgnoreNulls && c.Name == "nth_value" {
		s += " ignore nulls"
	}
	return s + " OVER (" + strings.Join(parts, " ") + ")"
}

func (r *run) frameEnd(f plan.FrameEnd) string {
	switch f.Kind {
	case plan.UnboundedPreceding:
		return "UNBOUNDED PRECEDING"
	case plan.UnboundedFollowing:
		return "UNBOUNDED FOLLOWING"
	case plan.CurrentRow:
		return "CURRENT ROW"
	case plan.Preceding:
		// A bound that was cast to the type of the order is shown as Spark keeps it: its negative follows.
		from := f.Offset
		if c, ok := f.Offset.(*plan.Cast); ok && c.Implicit {
			from = c.Child
		} else if w, ok := r.orig[f.Offset]; ok {
			from = w
		}
		if t := f.Offset.Type(); t != nil && from.Type() != nil && !types.SameType(t, from.Type()) {
			return "(- " + r.sql(from) + ") FOLLOWING"
		}
		return r.sql(f.Offset) + " PRECEDING"
	}
	return r.sql(f.Offset) + " FOLLOWING"
}

// literal is a constant in SQL, as pretty names have it.
func (r *run) literal(l *plan.Literal) string {
	if l.Value == nil {
		return "NULL"
	}
	if l.T != nil && l.T.Kind == types.String && normal(l.T.Collation) != "UTF8_BINARY" {
		if v, ok := l.Value.(string); ok {
			return "'" + v + "' collate " + l.T.Collation
		}
	}
	switch v := l.Value.(type) {
	case bool:
		return strconv.FormatBool(v)
	case int8:
		return itoa(int(v))
	case int16:
		return itoa(int(v))
	case string:
		return v
	case float32:
		return JavaDouble(float64(v), 32)
	case float64:
		return JavaDouble(v, 64)
	case types.Int128:
		return string(types.AppendDecimalSci(nil, v, l.T.Scale))
	case []byte:
		return "X'" + strings.ToUpper(hex.EncodeToString(v)) + "'"
	case int32:
		switch l.T.Kind {
		case types.Date:
			return "DATE '" + dateText(v) + "'"
		case types.YearMonthInterval:
			return yearMonthSQL(v, l.T)
		}
		return itoa(int(v))
	case int64:
		switch l.T.Kind {
		case types.Timestamp:
			loc := r.Conf.TimeZone
			if loc == nil {
				loc = time.UTC
			}
			return "TIMESTAMP '" + timestampText(v, loc) + "'"
		case types.TimestampNTZ:
			return "TIMESTAMP_NTZ '" + timestampText(v, time.UTC) + "'"
		case types.Time:
			return "TIME '" + timeText(v) + "'"
		case types.DayTimeInterval:
			return dayTimeSQL(v, l.T)
		}
		return strconv.FormatInt(v, 10)
	case types.CalendarValue:
		return "INTERVAL '" + calendarText(v) + "'"
	case []any:
		out := make([]string, len(v))
		for i, x := range v {
			out[i] = r.literal(&plan.Literal{T: l.T.Elem, Value: x})
		}
		return "ARRAY(" + strings.Join(out, ", ") + ")"
	case types.MapValue:
		var out []string
		for i := range v.Keys {
			out = append(out, r.literal(&plan.Literal{T: l.T.Key, Value: v.Keys[i]}), r.literal(&plan.Literal{T: l.T.Elem, Value: v.Values[i]}))
		}
		return "MAP(" + strings.Join(out, ", ") + ")"
	case types.StructValue:
		var out []string
		for i := range v {
			out = append(out, "'"+l.T.Fields[i].Name+"'", r.literal(&plan.Literal{T: l.T.Fields[i].Type, Value: v[i]}))
		}
		return "NAMED_STRUCT(" + strings.Join(out, ", ") + ")"
	}
	return l.Text
}

// JavaDouble writes a float as Java does: "1.0", "1.0E10", "1.0E-5".
func JavaDouble(v float64, bits int) string {
	if bits == 32 {
		return string(types.AppendFloat(nil, float32(v)))
	}
	return string(types.AppendDouble(nil, v))
}

func decimalText(v types.Int128, scale int) string {
	b := v.Big()
	if scale <= 0 {
		for range -scale {
			b.Mul(b, big.NewInt(10))
		}
		return b.String()
	}
	neg := b.Sign() < 0
	s := b.Abs(b).String()
	if len(s) <= scale {
		s = strings.Repeat("0", scale-len(s)+1) + s
	}
	s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	if neg {
		s = "-" + s
	}
	return s
}

func dateText(days int32) string {
	return time.Unix(int64(days)*86400, 0).UTC().Format("2006-01-02")
}

func timestampText(us int64, loc *time.Location) string {
	t := time.UnixMicro(us).In(loc)
	s := t.Format("2006-01-02 15:04:05.000000")
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func timeText(ns int64) string {
	s := time.Unix(0, ns).UTC().Format("15:04:05.000000000")
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func yearMonthSQL(v int32, t *types.Type) string {
	sign := ""
	m := int64(v)
	if m < 0 {
		sign, m = "-", -m
	}
	switch {
	case t.Start == types.Year && t.End == types.Year:
		return "INTERVAL '" + sign + strconv.FormatInt(m/12, 10) + "' YEAR"
	case t.Start == types.Month:
		return "INTERVAL '" + sign + strconv.FormatInt(m, 10) + "' MONTH"
	}
	return "INTERVAL '" + sign + strconv.FormatInt(m/12, 10) + "-" + strconv.FormatInt(m%12, 10) + "' YEAR TO MONTH"
}

func pad2(n int64) string {
	s := strconv.FormatInt(n, 10)
	if len(s) < 2 {
		s = "0" + s
	}
	return s
}

func dayTimeSQL(v int64, t *types.Type) string {
	sign := ""
	var u uint64
	if v < 0 {
		sign, u = "-", uint64(-(v+1))+1
	} else {
		u = uint64(v)
	}
	us := int64(u % 60_000_000)
	min := int64(u / 60_000_000)
	units := [4]int64{min / 1440, min / 60 % 24, min % 60, us / 1_000_000}
	names := [4]string{"DAY", "HOUR", "MINUTE", "SECOND"}
	var b strings.Builder
	first := true
	for i := t.Start; i <= t.End; i++ {
		n := units[i]
		if first {
			switch i { // the first field takes what the fields above it hold
			case 1:
				n = min / 60
			case 2:
				n = min
			case 3:
				n = int64(u / 1_000_000)
			}
			if i == 0 {
				b.WriteString(strconv.FormatInt(n, 10))
			} else {
				b.WriteString(pad2(n))
			}
			first = false
			continue
		}
		b.WriteString([4]string{"", " ", ":", ":"}[i] + pad2(n))
	}
	if t.End == types.Second {
		if f := us % 1_000_000; f != 0 {
			b.WriteString(strings.TrimRight("."+strconv.FormatInt(1_000_000+f, 10)[1:], "0"))
		}
	}
	s := "INTERVAL '" + sign + b.String() + "' " + names[t.Start]
	if t.Start != t.End {
		s += " TO " + names[t.End]
	}
	return s
}

func calendarText(v types.CalendarValue) string {
	var p []string
	add := func(n int64, unit string) {
		if n != 0 {
			p = append(p, strconv.FormatInt(n, 10)+" "+unit)
		}
	}
	add(int64(v.Months/12), "years")
	add(int64(v.Months%12), "months")
	add(int64(v.Days), "days")
	us := v.Micros
	add(us/3_600_000_000, "hours")
	us %= 3_600_000_000
	add(us/60_000_000, "minutes")
	us %= 60_000_000
	if us != 0 {
		s := strconv.FormatFloat(float64(us)/1e6, 'f', -1, 64)
		p = append(p, s+" seconds")
	}
	if len(p) == 0 {
		return "0 seconds"
	}
	return strings.Join(p, " ")
}
