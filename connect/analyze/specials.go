package analyze

import (
	"strings"
	"sync"
	"time"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// special is a function that the analyzer resolves itself; nil, nil leaves it to the table.
type special func(r *run, c *plan.Call, s *scope) (plan.Expr, error)

var (
	specialsOnce sync.Once
	specialsMap  map[string]special
)

// specials finds the functions that the analyzer resolves itself.
func specials() map[string]special {
	specialsOnce.Do(func() { specialsMap = specialTable() })
	return specialsMap
}

// specialTable is apart from the variable because the functions refer to the table again.
func specialTable() map[string]special {
	return map[string]special{
		"if": ifCall, "iff": ifCall, "when": whenCall,
		"nullif": nullIf, "nvl2": nvl2, "nvl": nvl, "ifnull": nvl, "equal_null": equalNull, "typeof": typeOf,
		"boolean": castCall(types.BoolType), "tinyint": castCall(types.Int8Type), "smallint": castCall(types.Int16Type), "int": castCall(types.Int32Type),
		"bigint": castCall(types.Int64Type), "float": castCall(types.Float32Type), "double": castCall(types.Float64Type), "decimal": castCall(types.NewDecimal(10, 0)),
		"date": castCall(types.DateType), "timestamp": castCall(types.TimestampType), "binary": castCall(types.BinaryType), "string": castCall(types.StringType),
		"collate": collateCall, "collation": collationCall,
		"grouping": grouping, "grouping_id": grouping,
		"percentile_cont": percentileCall, "percentile_disc": percentileCall, "percentile": quantileCall, "median": quantileCall,
		"sum": summed, "try_sum": summed, "avg": summed, "mean": summed, "try_avg": summed,
		"first": firstCall, "first_value": firstCall, "last": firstCall, "last_value": firstCall, "any_value": firstCall,
		"window": timeWindow, "session_window": timeWindow, "window_time": windowTime,
		"current_date": now, "curdate": now, "current_timestamp": now, "now": now, "localtimestamp": now, "current_timezone": now, "current_time": currentTime, "localtime": currentTime,
		"to_char": toCharCall, "to_varchar": toCharCall, "decode": decodeCall, "uniform": uniformCall, "time_bucket": timeBucketCall, "random": randomCall, "size": sizeCall, "cardinality": sizeCall, "elt": asTexts("spark.sql.function.eltOutputAsString"), "to_timestamp": stampCall, "try_to_timestamp": stampCall, "make_timestamp": stampCall, "try_make_timestamp": stampCall, "concat": concatCall, "concat_ws": concatWsCall, "round": roundCall, "bround": roundCall,
		"date_add": dayShift, "dateadd": dayShift, "date_sub": dayShift, "ceil": roundTo, "ceiling": roundTo, "floor": roundTo, "time": castCall(types.TimeType),
		"current_user": who, "user": who, "session_user": who, "current_catalog": who, "current_database": who, "current_schema": who, "current_path": who,
		"distributed_sequence_id": sequenceID,
		"from_json":               schemaCall(false), "from_csv": schemaCall(true), "from_xml": schemaCall(true), "to_json": writeCall, "to_csv": writeCall, "to_xml": writeCall,
		"schema_of_json": schemaOfCall("json"), "schema_of_csv": schemaOfCall("csv"), "schema_of_xml": schemaOfCall("xml"),
		"variant_get": variantGetCall, "try_variant_get": variantGetCall, "count": countCall, "mode": modeCall, "listagg": listaggCall, "string_agg": listaggCall, "coalesce": coalesceCall, "array": arrayCall, "extract": extractCall, "date_part": extractCall, "datepart": extractCall, "map": mapCall,
	}
}

// sequenceID numbers the rows from 0, in their order. The pandas API asks for it.
func sequenceID(r *run, c *plan.Call, s *scope) (plan.Expr, error) {
	if len(c.Args) > 1 { // whether to keep the rows, which here needn't be
		return nil, r.wrongNumArgs(c, "[0, 1]")
	}
	frame := &plan.Frame{Rows: true, Lower: plan.FrameEnd{Kind: plan.UnboundedPreceding}, Upper: plan.FrameEnd{Kind: plan.CurrentRow}}
	count := &plan.Window{Func: &plan.Call{Name: "count", Args: []plan.Expr{intLit(1)}}, Order: []plan.SortOrder{{Child: &plan.Call{Name: "monotonically_increasing_id"}}}, Frame: frame}
	x, err := r.expr(&plan.Call{At: c.At, Name: "-", Args: []plan.Expr{count, longLit(1)}}, s)
	if err != nil {
		return nil, err
	}
	return r.note(x, c), nil
}

func ifCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if err := r.needArgs(c, 3); err != nil {
		return nil, err
	}
	return r.finishCase(&plan.Case{At: c.At, If: true, When: c.Args[:1:1], Then: c.Args[1:2:2], Else: c.Args[2]})
}

func whenCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args) < 2 {
		return nil, r.wrongNumArgs(c, "> 1")
	}
	k := &plan.Case{At: c.At}
	for i := 0; i+1 < len(c.Args); i += 2 {
		k.When, k.Then = append(k.When, c.Args[i]), append(k.Then, c.Args[i+1])
	}
	if len(c.Args)%2 == 1 {
		k.Else = c.Args[len(c.Args)-1]
	}
	return r.finishCase(k)
}

func nullIf(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if err := r.needArgs(c, 2); err != nil {
		return nil, err
	}
	eq, err := r.compare(&plan.Call{At: c.At, Name: "=", Args: []plan.Expr{c.Args[0], c.Args[1]}})
	if err != nil {
		return nil, err
	}
	x := &plan.Case{At: c.At, If: true, When: []plan.Expr{eq}, Then: []plan.Expr{nullLit(c.Args[0].Type())}, Else: c.Args[0]}
	return r.note(x, c), nil
}

func nvl2(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if err := r.needArgs(c, 3); err != nil {
		return nil, err
	}
	x, err := r.finishCase(&plan.Case{At: c.At, If: true, When: []plan.Expr{boolCall("isnotnull", c.Origin, false, c.Args[0])}, Then: c.Args[1:2:2], Else: c.Args[2]})
	if err != nil {
		return nil, err
	}
	return r.note(x, c), nil
}

func nvl(r *run, c *plan.Call, s *scope) (plan.Expr, error) {
	if err := r.needArgs(c, 2); err != nil {
		return nil, err
	}
	w := *c
	w.Args = append([]plan.Expr{}, c.Args...)
	n := *c
	n.Name = "coalesce"
	x, err := coalesceCall(r, &n, s)
	if err != nil {
		return nil, err
	}
	return r.note(x, &w), nil
}

func coalesceCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args) == 0 {
		return nil, r.wrongNumArgs(c, "> 0")
	}
	t := r.common(c.Args)
	if t == nil {
		return nil, aerr("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "functionName", errs.ID(c.Name), "dataType", "("+joinTypes(c.Args, " or ")+")", "sqlExpr", r.quoted(c)).At(c.Origin)
	}
	null := true
	c.Args = r.implicitAll(c.Args, t)
	for _, a := range c.Args {
		null = null && a.Nullable()
	}
	return r.finish(c, t, null), nil
}

func equalNull(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	w := *c
	n := *c
	n.Name = "<=>"
	x, err := r.compare(&n)
	if err != nil {
		return nil, err
	}
	return r.note(x, &w), nil
}

func typeOf(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if err := r.needArgs(c, 1); err != nil {
		return nil, err
	}
	return r.note(&plan.Literal{At: c.At, T: types.StringType, Value: c.Args[0].Type().String()}, c), nil
}

// castCall is int(x), string(x) ...: CAST by another name.
func castCall(t *types.Type) special {
	return func(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
		if err := r.needArgs(c, 1); err != nil {
			return nil, err
		}
		x := &plan.Cast{At: c.At, Child: c.Args[0], To: t, Mode: r.mode()}
		if err := r.checkCast(x); err != nil {
			return nil, err
		}
		return r.note(x, c.Args[0]), nil // such casts aren't shown
	}
}

func countCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args) == 0 && r.Conf.flag("spark.sql.legacy.allowParameterlessCount", false) {
		n := *c
		n.Args = []plan.Expr{&plan.Literal{At: c.At, T: types.NullType}} // it counts nothing
		x, err := r.function(&n)
		if err != nil {
			return nil, err
		}
		return r.note(x, c), nil
	}
	if len(c.Args) == 0 {
		return nil, aerr("WRONG_NUM_ARGS.WITH_SUGGESTION", "functionName", "`count`", "expectedNum", " >= 1", "actualNum", "0", "legacyNum", "0", "legacyConfKey", `"spark.sql.legacy.allowParameterlessCount"`, "legacyConfValue", `"true"`).At(c.Origin)
	}
	return nil, nil
}

// grouping is left for the aggregation to rewrite.
func grouping(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	c.Kind, c.T = plan.FnScalar, types.Int8Type
	if c.Name == "grouping_id" {
		c.T = r.groupingIDType()
	}
	return c, nil
}

func (r *run) groupingIDType() *types.Type {
	if r.Conf.flag("spark.sql.legacy.integerGroupingId", false) {
		return types.Int32Type
	}
	return types.Int64Type
}

// now has the functions of the query's one point in time.
func now(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args) > 0 {
		return nil, r.wrongNumArgs(c, "0")
	}
	x := r.nowLiteral(c.Name, c.At)
	if x == nil {
		return nil, nil
	}
	return r.note(x, c), nil
}

func (r *run) nowLiteral(name string, at plan.At) *plan.Literal {
	loc := r.Conf.TimeZone
	if loc == nil {
		loc = time.UTC
	}
	local := r.now.In(loc)
	wall := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), time.UTC)
	switch name {
	case "current_date", "curdate":
		return &plan.Literal{At: at, T: types.DateType, Value: int32(floorDiv(wall.Unix(), 86400))}
	case "current_timestamp", "now":
		return &plan.Literal{At: at, T: types.TimestampType, Value: r.now.UnixMicro()}
	case "localtimestamp":
		return &plan.Literal{At: at, T: types.TimestampNTZType, Value: wall.UnixMicro()}
	case "current_timezone":
		return &plan.Literal{At: at, T: types.StringType, Value: loc.String()}
	case "current_time":
		us := wall.UnixMicro() - floorDiv(wall.Unix(), 86400)*86400*1_000_000
		return &plan.Literal{At: at, T: types.TimeType, Value: us * 1000}
	}
	return nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func who(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args) > 0 {
		return nil, r.wrongNumArgs(c, "0")
	}
	w := *c
	if c.Name == "current_database" {
		w.Name = "current_schema"
	}
	return r.note(r.whoLiteral(c.Name, c.At), &w), nil
}

func (r *run) whoLiteral(name string, at plan.At) *plan.Literal {
	cat, db := "spark_catalog", "default"
	if c := r.asker().Catalog; c != nil {
		cat, db = c.Current()
	}
	v := r.Conf.User
	switch name {
	case "current_path":
		v = r.pathText()
	case "current_catalog":
		v = cat
	case "current_database", "current_schema":
		v = db
	}
	return &plan.Literal{At: at, T: types.StringType, Value: v}
}

// literalFunction is a name without parentheses that stands for a call: CURRENT_DATE.
func (r *run) literalFunction(e *plan.UnresolvedAttr) plan.Expr {
	name := strings.ToLower(e.Parts[0])
	switch name {
	case "current_time", "localtime":
		x, err := currentTime(r, &plan.Call{At: e.At, Name: name}, nil)
		if err != nil {
			return nil
		}
		return x
	case "current_date", "current_timestamp":
		return r.note(r.nowLiteral(name, e.At), &plan.Call{At: e.At, Name: name})
	case "current_user", "user", "session_user":
		return r.note(r.whoLiteral(name, e.At), &plan.Call{At: e.At, Name: "current_user"})
	case "current_path":
		return r.note(r.whoLiteral(name, e.At), &plan.Call{At: e.At, Name: name})
	case hiveGroupingID:
		return &plan.Call{At: e.At, Name: "grouping_id", Kind: plan.FnScalar, T: r.groupingIDType()}
	}
	return nil
}
