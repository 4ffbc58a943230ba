package analyze

import (
	"slices"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// toCharCall is to_char and to_varchar: of dates and times date_format, of
// binaries a text encoding, and else a number by a format.
func toCharCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if err := r.needArgs(c, 2); err != nil {
		return nil, err
	}
	n := *c
	switch t := c.Args[0].Type(); {
	case isClock(t):
		n.Name = "date_format"
	case t.Kind == types.Binary:
		l, ok := c.Args[1].(*plan.Literal)
		format, isText := "", false
		if ok {
			format, isText = l.Value.(string)
		}
		if !isText {
			return nil, aerr("NON_FOLDABLE_ARGUMENT", "funcName", errs.ID(c.Name), "paramName", "`format`", "paramType", errs.Quote(c.Args[1].Type().SQL())).At(c.Origin)
		}
		n.Args = c.Args[:1:1]
		switch strings.ToLower(strings.TrimSpace(format)) {
		case "base64", "hex":
			n.Name = strings.ToLower(strings.TrimSpace(format))
		case "utf-8", "utf8":
			n.Name, n.Args = "decode", []plan.Expr{c.Args[0], strLit("utf-8")}
		default:
			return nil, aerr("INVALID_PARAMETER_VALUE.BINARY_FORMAT", "parameter", "`format`", "functionName", errs.ID(c.Name), "invalidFormat", "'"+format+"'").At(c.Origin)
		}
		x, err := r.function(&n)
		if err != nil || c.Name == "to_char" {
			return x, err
		}
		w := *c
		if w.Args = c.Args[:1:1]; n.Name == "decode" {
			w.Args = []plan.Expr{c.Args[0], strLit("utf-8")}
		}
		return r.note(x, &w), nil
	default:
		n.Name = "to_char"
	}
	return r.function(&n)
}

// decodeCall is decode(x, search, result, ..., default): CASE by another name. Of two arguments it reads a character set.
func decodeCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args) <= 2 {
		return nil, nil
	}
	w := *c
	w.Args = slices.Clone(c.Args)
	k := &plan.Case{At: c.At}
	for i := 1; i+1 < len(c.Args); i += 2 {
		eq, err := r.compare(&plan.Call{At: c.At, Name: "<=>", Args: []plan.Expr{c.Args[0], c.Args[i]}})
		if err != nil {
			return nil, err
		}
		k.When, k.Then = append(k.When, eq), append(k.Then, c.Args[i+1])
	}
	if len(c.Args)%2 == 0 {
		k.Else = c.Args[len(c.Args)-1]
	}
	x, err := r.finishCase(k)
	if err != nil {
		return nil, err
	}
	return r.note(x, &w), nil
}

// currentTime is current_time(precision): the query's time of day, cut to so many digits of a second.
func currentTime(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	p := int64(types.DefaultTimePrecise)
	w := &plan.Call{At: c.At, Name: "current_time"}
	switch len(c.Args) {
	case 0:
		w.Args = []plan.Expr{&plan.Literal{T: types.Int32Type, Value: int32(p)}}
	case 1:
		w.Args = c.Args
		if !foldable(c.Args[0]) {
			return nil, aerr("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", r.quoted(w), "inputName", "`precision`", "inputType", `"INT"`, "inputExpr", r.quoted(c.Args[0])).At(c.Origin)
		}
		n, ok := intValue(c.Args[0])
		if !ok {
			return nil, r.unexpected(w, 0, `"INT"`)
		}
		if p = int64(n); p < 0 || p > 9 {
			return nil, aerr("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "sqlExpr", r.quoted(w), "exprName", "`precision`", "valueRange", "[0, 9]", "currentValue", itoa(int(p))).At(c.Origin)
		}
	default:
		return nil, r.wrongNumArgs(c, "[0, 1]")
	}
	l := r.nowLiteral("current_time", c.At)
	cut := int64(1)
	for k := p; k < 9; k++ {
		cut *= 10
	}
	ns, _ := l.Value.(int64)
	l.T = &types.Type{Kind: types.Time, Precision: int(p)}
	l.Value = ns - ns%cut
	return r.note(l, w), nil
}

// uniformCall is uniform(from, to, seed): a random number of the type that both bounds have in common.
func uniformCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args) != 2 && len(c.Args) != 3 {
		return nil, r.wrongNumArgs(c, "[2, 3]")
	}
	const kind = "integer or floating-point"
	for i, name := range []string{"min", "max", "seed"}[:len(c.Args)] {
		t := c.Args[i].Type()
		switch {
		case i < 2 && !t.IsNumeric() && t.Kind != types.Null:
			return nil, r.unexpected(c, i, `"NUMERIC"`)
		case i == 2 && t.Kind != types.Int32 && t.Kind != types.Int64 && t.Kind != types.Null:
			return nil, r.unexpected(c, i, `("INT" or "BIGINT")`)
		case !foldable(c.Args[i]):
			return nil, aerr("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", r.quoted(c), "inputName", errs.ID(name), "inputType", kind, "inputExpr", r.quoted(c.Args[i])).At(c.Origin)
		}
	}
	x, y := c.Args[0].Type(), c.Args[1].Type()
	t := types.Float64Type
	switch {
	case x.Kind == types.Null || y.Kind == types.Null:
		return r.note(&plan.Literal{At: c.At, T: t}, c), nil
	case x.Kind == types.Float64 || y.Kind == types.Float64:
	case x.Kind == types.Float32 || y.Kind == types.Float32:
		t = types.Float32Type
	case x.Kind == types.Decimal && y.Kind == types.Decimal:
		if t = x; y.Precision > x.Precision {
			t = y
		}
	case x.Kind == types.Decimal:
		t = x
	case y.Kind == types.Decimal:
		t = y
	default:
		if t = x; y.Kind > x.Kind {
			t = y
		}
	}
	rnd := &plan.Call{At: c.At, Name: "rand"}
	if len(c.Args) == 3 {
		rnd.Args = c.Args[2:3:3]
	}
	random, err := r.function(rnd)
	if err != nil {
		return nil, err
	}
	double := func(e plan.Expr) plan.Expr { return r.implicit(e, types.Float64Type) }
	op := func(name string, a, b plan.Expr) plan.Expr {
		return r.finish(&plan.Call{At: c.At, Name: name, Args: []plan.Expr{a, b}}, types.Float64Type, a.Nullable() || b.Nullable())
	}
	from, to := double(c.Args[0]), double(c.Args[1])
	return r.note(r.implicit(op("+", from, op("*", op("-", to, from), random)), t), c), nil
}

// sizeCall is size and cardinality: -1 for NULL where the session keeps to that.
func sizeCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if r.Conf.ANSI || !r.Conf.flag("spark.sql.legacy.sizeOfNull", true) {
		return nil, nil
	}
	w := *c
	w.Args = slices.Clone(c.Args)
	x, err := r.function(c)
	if err != nil || !x.Nullable() {
		return x, err
	}
	y := r.finish(&plan.Call{At: c.At, Name: "coalesce", Args: []plan.Expr{x, &plan.Literal{T: types.Int32Type, Value: int32(-1)}}}, types.Int32Type, false)
	return r.note(y, &w), nil
}

// randomCall is random(): rand by another name.
func randomCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	n := *c
	n.Name = "rand"
	return r.function(&n)
}

// asTexts makes binaries texts where the session wants a function's result as text (concat, elt).
func asTexts(key string) special {
	return func(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
		if r.Conf.flag(key, false) {
			c.Args = slices.Clone(c.Args)
			for i, a := range c.Args {
				if a.Type().Kind == types.Binary {
					c.Args[i] = r.implicit(a, types.StringType)
				}
			}
		}
		return nil, nil
	}
}

// stampCall is to_timestamp and its like: they give what the session takes for a timestamp.
func stampCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if !strings.EqualFold(r.Conf.text("spark.sql.timestampType", ""), "TIMESTAMP_NTZ") || len(c.Args) > 6 {
		return nil, nil // of more arguments one is a time zone
	}
	w := *c
	w.Name += "_ntz"
	w.Internal = true // there is no such function as try_to_timestamp_ntz for users
	x, err := r.function(&w)
	if err != nil {
		return nil, err
	}
	return r.note(x, c), nil
}

// concatCall is concat: beside anything but binaries alone, binaries and NULLs are texts.
func concatCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if !r.Conf.flag("spark.sql.function.concatBinaryAsString", false) && !slices.ContainsFunc(c.Args, func(e plan.Expr) bool { return e.Type().Kind != types.Binary }) {
		return nil, nil
	}
	c.Args = slices.Clone(c.Args)
	lists, others := 0, 0
	for i, a := range c.Args {
		switch a.Type().Kind {
		case types.Binary, types.Null:
			c.Args[i] = r.implicit(a, types.StringType)
		}
		if a.Type().Kind == types.Array {
			lists++
		} else if r.canImplicit(a.Type(), types.StringType) {
			others++
		}
	}
	if lists > 0 && others > 0 && lists+others == len(c.Args) {
		for i, a := range c.Args {
			if a.Type().Kind != types.Array && r.canImplicit(a.Type(), types.StringType) {
				c.Args[i] = r.implicit(a, types.StringType)
			}
		}
		return nil, aerr("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "functionName", errs.ID(c.Name), "dataType", "("+joinTypes(c.Args, " or ")+")", "sqlExpr", r.quoted(c)).At(c.Origin)
	}
	return nil, nil
}

// concatWsCall is concat_ws: arrays of anything that has a text are arrays of texts.
func concatWsCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	c.Args = slices.Clone(c.Args)
	for i, a := range c.Args {
		if t := a.Type(); i > 0 && t.Kind == types.Array && !t.Elem.IsString() && r.canImplicit(t.Elem, types.StringType) {
			c.Args[i] = r.implicit(a, types.NewArray(types.StringType, t.ElemNulls))
		}
	}
	return nil, nil
}

// roundCall is round and bround: the number of digits is a constant.
func roundCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args) == 2 && !foldable(c.Args[1]) {
		return nil, aerr("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", r.quoted(c), "inputName", "`scale`", "inputType", `"INT"`, "inputExpr", r.quoted(c.Args[1])).At(c.Origin)
	}
	return nil, nil
}

// dayShift is date_add and date_sub: a constant text is read as the number of days.
func dayShift(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if c.Name == "dateadd" {
		c.Name = "date_add"
	}
	if len(c.Args) != 2 || !c.Args[1].Type().IsString() {
		return nil, nil
	}
	if r.Conf.ANSI {
		c.Args = []plan.Expr{c.Args[0], r.implicit(c.Args[1], types.Int32Type)}
		return nil, nil
	}
	l, ok := c.Args[1].(*plan.Literal)
	if !ok {
		return nil, nil
	}
	text, ok := l.Value.(string)
	if !ok {
		return nil, nil
	}
	n, ok := types.ParseInt(text, 32, false)
	if !ok {
		return nil, aerr("SECOND_FUNCTION_ARGUMENT_NOT_INTEGER", "functionName", c.Name).At(c.Origin)
	}
	c.Args = []plan.Expr{c.Args[0], r.note(&plan.Literal{At: l.At, T: types.Int32Type, Value: int32(n)}, l)}
	return nil, nil
}

// roundTo is ceil and floor with a scale: the number as a decimal, rounded up or down to so many digits.
func roundTo(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args) != 2 {
		return nil, nil
	}
	l, ok := c.Args[1].(*plan.Literal)
	scale := int64(0)
	if k, isCall := c.Args[1].(*plan.Call); isCall && k.Name == "negative" {
		n, isInt := intValue(k)
		l, ok = &plan.Literal{T: types.Int32Type, Value: int32(n)}, isInt
	}
	if ok {
		switch v := l.Value.(type) {
		case int8:
			scale = int64(v)
		case int16:
			scale = int64(v)
		case int32:
			scale = int64(v)
		default:
			ok = false
		}
	}
	if !ok {
		return nil, aerr("NON_FOLDABLE_ARGUMENT", "funcName", errs.ID(c.Name), "paramName", "`scale`", "paramType", `"INT"`).At(c.Origin)
	}
	w := *c
	w.Args = slices.Clone(c.Args)
	x := c.Args[0]
	switch t := x.Type(); {
	case t.Kind == types.Decimal:
	case t.IsIntegral():
		x = r.implicit(x, types.ForIntegral(t))
	case t.Kind == types.Float32:
		x = r.implicit(x, types.NewDecimal(14, 7))
	case t.Kind == types.Float64, t.Kind == types.Null:
		x = r.implicit(x, types.NewDecimal(30, 15))
	case t.IsString():
		x = r.implicit(x, types.NewDecimal(38, 18))
	default:
		return nil, r.unexpected(c, 0, `"DECIMAL"`)
	}
	name := "decimal_floor"
	if c.Name != "floor" {
		name = "decimal_ceil"
	}
	y, err := r.function(&plan.Call{At: c.At, Name: name, Internal: true, Args: []plan.Expr{x, &plan.Literal{T: types.Int32Type, Value: int32(scale)}}})
	if err != nil {
		return nil, err
	}
	return r.note(y, &w), nil
}

// timeBucketCall checks time_bucket(size, timestamp [, origin]): nothing is cast, and size, which must be positive, and origin are constants.
func timeBucketCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args) != 2 && len(c.Args) != 3 || !c.Args[0].Type().IsAnsiInterval() {
		return nil, nil
	}
	size := c.Args[0]
	for i, a := range c.Args[1:] {
		t, other := a.Type(), c.Args[1].Type()
		switch {
		case t.Kind == types.Null:
		case t.Kind != types.Timestamp && t.Kind != types.TimestampNTZ:
			return nil, r.unexpected(c, i+1, `"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)"`)
		case other.Kind != types.Null && other.Kind != t.Kind:
			return nil, r.unexpected(c, i+1, errs.Quote(other.SQL()))
		}
	}
	for i, name := range []string{"bucketSize", "", "origin"}[:len(c.Args)] {
		if name != "" && !foldable(c.Args[i]) {
			return nil, aerr("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", r.quoted(c), "inputName", errs.ID(name), "inputType", errs.Quote(c.Args[i].Type().SQL()), "inputExpr", r.quoted(c.Args[i])).At(c.Origin)
		}
	}
	l, ok := size.(*plan.Literal)
	if !ok {
		return nil, nil
	}
	var n int64
	switch v := l.Value.(type) {
	case int32:
		n = int64(v)
	case int64:
		n = v
	default:
		return nil, nil
	}
	if n <= 0 {
		return nil, aerr("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "sqlExpr", r.quoted(c), "exprName", errs.ID("bucketSize"), "valueRange", "(0, inf)", "currentValue", r.sql(size)).At(c.Origin)
	}
	return nil, nil
}
