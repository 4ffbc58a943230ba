package analyze

import (
	"neptune/arrowexec/fn"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
	"slices"
	"strings"
)

type opRule func(r *run, c *plan.Call) (plan.Expr, error)

// operator finds the rule of an operator, nil for functions.
func operator(name string) opRule {
	switch name {
	case "+", "-":
		return (*run).plusMinus
	case "*":
		return (*run).times
	case "/":
		return (*run).divide
	case "%", "mod", "pmod":
		return (*run).modulo
	case "div":
		return (*run).intDivide
	case "&", "|", "^":
		return (*run).bitwise
	case "=", "==", "<=>", "<", "<=", ">", ">=":
		return (*run).compare
	case "and", "or":
		return (*run).logic
	case "not", "!":
		return (*run).not
	case "negative", "positive":
		return (*run).sign
	case "~":
		return (*run).bitNot
	case "isnull", "isnotnull":
		return (*run).nullTest
	case "istrue", "isfalse":
		return (*run).truthTest
	case "in":
		return (*run).in
	case "between":
		return (*run).between
	case "like", "ilike", "rlike", "regexp", "regexp_like":
		return (*run).like
	case "like_all", "like_any", "not_like_all", "not_like_any", "ilike_all", "ilike_any", "not_ilike_all", "not_ilike_any":
		return (*run).likeMany
	case "||":
		return func(r *run, c *plan.Call) (plan.Expr, error) {
			n := *c
			n.Name = "concat"
			return r.function(&n)
		}
	case "try_add", "try_subtract", "try_multiply", "try_divide", "try_mod":
		return (*run).tryArithmetic
	}
	return nil
}

func (r *run) finish(c *plan.Call, t *types.Type, null bool) *plan.Call {
	c.T, c.Null, c.Kind = t, null, plan.FnScalar
	if c.Mode != plan.Try {
		c.Mode = r.mode()
	}
	return c
}

func (r *run) needArgs(c *plan.Call, n int) error {
	if len(c.Args) == n {
		return nil
	}
	return r.wrongNumArgs(c, itoa(n))
}

func (r *run) wrongNumArgs(c *plan.Call, want string) error {
	return aerr("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", errs.ID(append(append([]string{}, c.Path...), c.Name)...), "expectedNum", want, "actualNum", itoa(len(c.Args)), "docroot", docRoot).At(c.Origin)
}

const docRoot = "https://spark.apache.org/docs/latest"

func (r *run) diffTypes(c *plan.Call) error {
	l, x := c.Args[0].Type(), c.Args[1].Type()
	return aerr("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "sqlExpr", r.quoted(c), "left", errs.Quote(l.SQL()), "right", errs.Quote(x.SQL())).At(c.Origin)
}

func (r *run) wrongType(c *plan.Call, want string) error {
	// Operands of two types stay as they are where their common type isn't taken.
	if b := r.operandTypes; b[0] != nil && !types.SameType(b[0], b[1]) {
		return aerr("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "sqlExpr", r.quoted(c), "left", errs.Quote(b[0].SQL()), "right", errs.Quote(b[1].SQL())).At(c.Origin)
	}
	return aerr("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "sqlExpr", r.quoted(c), "inputType", want, "actualDataType", errs.Quote(c.Args[0].Type().SQL())).At(c.Origin)
}

const (
	wantNumericOrInterval = `("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH" or "INTERVAL")`
	wantNumeric           = `"NUMERIC"`
)

// operands brings two numbers (or strings or nulls beside them) to the types
// that an arithmetic operator takes: one type, or two decimals. ok is false
// when they have none.
func (r *run) operands(c *plan.Call) bool {
	a, b := c.Args[0], c.Args[1]
	x, y := a.Type(), b.Type()
	if r.Conf.ANSI {
		if t := types.PromoteString(x, y); t != nil {
			a, b = r.implicit(a, t), r.implicit(b, t)
			if x.IsNumeric() && !types.SameType(x, t) || y.IsNumeric() && !types.SameType(y, t) {
				x, y = t, t
			} else {
				x, y = t, t
			}
		}
	} else {
		if x.IsString() {
			a, x = r.implicit(a, types.Float64Type), types.Float64Type
		}
		if y.IsString() {
			b, y = r.implicit(b, types.Float64Type), types.Float64Type
		}
	}
	r.operandTypes = [2]*types.Type{x, y}
	switch {
	case x.Kind == types.Decimal && y.Kind == types.Decimal:
	case x.Kind == types.Decimal && y.IsIntegral():
		t := literalDecimal(b)
		if t == nil {
			t = types.ForIntegral(y)
		}
		b = r.implicit(b, t)
	case y.Kind == types.Decimal && x.IsIntegral():
		t := literalDecimal(a)
		if t == nil {
			t = types.ForIntegral(x)
		}
		a = r.implicit(a, t)
	case x.Kind == types.Decimal && (y.Kind == types.Float32 || y.Kind == types.Float64), y.Kind == types.Decimal && (x.Kind == types.Float32 || x.Kind == types.Float64):
		a, b = r.implicit(a, types.Float64Type), r.implicit(b, types.Float64Type)
	default:
		t := r.coercion().Tightest(x, y)
		if t == nil {
			return false
		}
		a, b = r.implicit(a, t), r.implicit(b, t)
	}
	c.Args = []plan.Expr{a, b}
	return true
}

func (r *run) plusMinus(c *plan.Call) (plan.Expr, error) {
	if c.Name == "-" && len(c.Args) == 1 {
		c.Name = "negative"
		return r.sign(c)
	}
	if c.Name == "+" && len(c.Args) == 1 {
		c.Name = "positive"
		return r.sign(c)
	}
	if err := r.needArgs(c, 2); err != nil {
		return nil, err
	}
	if x, err := r.dateArithmetic(c); x != nil || err != nil {
		return x, err
	}
	if !r.operands(c) {
		return nil, r.diffTypes(c)
	}
	t := c.Args[0].Type()
	switch {
	case t.Kind == types.Null:
		c.Args = r.implicitAll(c.Args, types.Float64Type)
		t = types.Float64Type
	case t.Kind == types.Decimal:
		t = types.AddDecimal(t, c.Args[1].Type(), r.allowLoss())
	case !t.IsNumeric() && !t.IsAnsiInterval() && t.Kind != types.CalendarInterval:
		return nil, r.wrongType(c, wantNumericOrInterval)
	}
	return r.finish(c, t, anyNull(c.Args) || t.Kind == types.Decimal && c.Mode != plan.ANSI && !r.Conf.ANSI || c.Mode == plan.Try), nil
}

func (r *run) times(c *plan.Call) (plan.Expr, error) {
	if err := r.needArgs(c, 2); err != nil {
		return nil, err
	}
	if x, err := r.intervalScale(c); x != nil || err != nil {
		return x, err
	}
	if !r.operands(c) {
		return nil, r.diffTypes(c)
	}
	t := c.Args[0].Type()
	switch {
	case t.Kind == types.Null:
		c.Args = r.implicitAll(c.Args, types.Float64Type)
		t = types.Float64Type
	case t.Kind == types.Decimal:
		t = types.MulDecimal(t, c.Args[1].Type(), r.allowLoss())
	case !t.IsNumeric():
		return nil, r.wrongType(c, wantNumeric)
	}
	return r.finish(c, t, anyNull(c.Args) || t.Kind == types.Decimal && !r.Conf.ANSI || c.Mode == plan.Try), nil
}

func (r *run) divide(c *plan.Call) (plan.Expr, error) {
	if err := r.needArgs(c, 2); err != nil {
		return nil, err
	}
	if x, err := r.intervalScale(c); x != nil || err != nil {
		return x, err
	}
	if !r.operands(c) {
		return nil, r.diffTypes(c)
	}
	t := c.Args[0].Type()
	switch {
	case t.Kind == types.Decimal:
		t = types.DivDecimal(t, c.Args[1].Type(), r.allowLoss())
	case t.IsNumeric() || t.Kind == types.Null:
		c.Args = r.implicitAll(c.Args, types.Float64Type)
		t = types.Float64Type
	default:
		return nil, r.wrongType(c, `("DOUBLE" or "DECIMAL")`)
	}
	return r.finish(c, t, true), nil
}

func (r *run) modulo(c *plan.Call) (plan.Expr, error) {
	if err := r.needArgs(c, 2); err != nil {
		return nil, err
	}
	if !r.operands(c) {
		return nil, r.diffTypes(c)
	}
	var w plan.Expr = c
	if c.Name == "mod" {
		n := *c
		n.Name = "%"
		w, c = c, &n
	}
	t := c.Args[0].Type()
	switch {
	case t.Kind == types.Null:
		c.Args = r.implicitAll(c.Args, types.Float64Type)
		t = types.Float64Type
	case t.Kind == types.Decimal:
		t = types.ModDecimal(t, c.Args[1].Type(), r.allowLoss())
	case !t.IsNumeric():
		return nil, r.wrongType(c, wantNumeric)
	}
	return r.note(r.finish(c, t, true), w), nil
}

func (r *run) intDivide(c *plan.Call) (plan.Expr, error) {
	if err := r.needArgs(c, 2); err != nil {
		return nil, err
	}
	if !r.operands(c) {
		return nil, r.diffTypes(c)
	}
	t := c.Args[0].Type()
	switch {
	case t.IsIntegral() || t.Kind == types.Null:
		c.Args = r.implicitAll(c.Args, types.Int64Type)
	case t.Kind == types.Decimal, t.IsAnsiInterval():
	default:
		return nil, r.wrongType(c, `("BIGINT" or "DECIMAL" or "INTERVAL YEAR TO MONTH" or "INTERVAL DAY TO SECOND")`)
	}
	return r.finish(c, types.Int64Type, true), nil
}

func (r *run) bitwise(c *plan.Call) (plan.Expr, error) {
	if err := r.needArgs(c, 2); err != nil {
		return nil, err
	}
	if !r.operands(c) {
		return nil, r.diffTypes(c)
	}
	t := c.Args[0].Type()
	if t.Kind == types.Null {
		c.Args = r.implicitAll(c.Args, types.Int32Type)
		t = types.Int32Type
	}
	if !t.IsIntegral() {
		return nil, r.wrongType(c, `"INTEGRAL"`)
	}
	return r.finish(c, t, anyNull(c.Args)), nil
}

// compare brings both sides to one type.
func (r *run) compare(c *plan.Call) (plan.Expr, error) {
	if err := r.needArgs(c, 2); err != nil {
		return nil, err
	}
	if c.Name == "==" {
		c.Name = "="
	}
	padded, written, err := r.padCompared(c)
	if err != nil {
		return nil, err
	}
	if padded != c {
		x, err := r.compare(padded)
		if err != nil {
			return nil, err
		}
		return r.note(x, written), nil
	}
	a, b := c.Args[0], c.Args[1]
	a, b = r.wholeBound(c.Name, a, b)
	t := r.comparable(a, b)
	if t == nil {
		return nil, r.diffTypes(c)
	}
	if t.Kind == types.Null {
		t = types.BoolType
	}
	if !t.IsOrderable() {
		return nil, aerr("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "functionName", errs.ID(c.Name), "dataType", errs.Quote(t.SQL()), "sqlExpr", r.quoted(c)).At(c.Origin)
	}
	c.Args = []plan.Expr{r.implicit(a, t), r.implicit(b, t)}
	return r.finish(c, types.BoolType, c.Name != "<=>" && anyNull(c.Args)), nil
}

// wholeBound compares a whole number with the whole number that a decimal
// literal rounds to, up or down as the comparison has it.
func (r *run) wholeBound(op string, a, b plan.Expr) (plan.Expr, plan.Expr) {
	round := func(e plan.Expr, up bool) plan.Expr {
		l, ok := e.(*plan.Literal)
		if !ok || l.T.Kind != types.Decimal || l.T.Scale == 0 {
			return e
		}
		x, ok := l.Value.(types.Int128)
		if !ok {
			return e
		}
		q, rest := x.DivMod10(l.T.Scale)
		switch {
		case up && rest.Sign() > 0:
			q = q.Add(types.I128(1))
		case !up && rest.Sign() < 0:
			q = q.Sub(types.I128(1))
		}
		if !q.IsInt64() {
			return e
		}
		return &plan.Literal{At: l.At, T: types.Int64Type, Value: int64(q.Lo)}
	}
	switch op {
	case ">", "<=":
		if a.Type().IsIntegral() {
			return a, round(b, false)
		}
		if b.Type().IsIntegral() {
			return round(a, true), b
		}
	case ">=", "<":
		if a.Type().IsIntegral() {
			return a, round(b, true)
		}
		if b.Type().IsIntegral() {
			return round(a, false), b
		}
	}
	return a, b
}

// comparable is the type in which two values are compared, or nil.
func (r *run) comparable(a, b plan.Expr) *types.Type {
	x, y := a.Type(), b.Type()
	if r.Conf.ANSI {
		if t := types.PromoteString(x, y); t != nil {
			return t
		}
	} else if t := legacyComparable(x, y); t != nil {
		if (t.Kind == types.Date || t.Kind == types.Timestamp) && r.Conf.flag("spark.sql.legacy.typeCoercion.datetimeToString.enabled", false) {
			return types.StringType
		}
		return t
	}
	switch {
	case x.Kind == types.Decimal && y.IsIntegral():
		if t := literalDecimal(b); t != nil {
			return r.coercion().WiderDecimal(x, t)
		}
	case y.Kind == types.Decimal && x.IsIntegral():
		if t := literalDecimal(a); t != nil {
			return r.coercion().WiderDecimal(t, y)
		}
	}
	// What is nested is compared as it is, names aside, or by the type that takes both without loss.
	if x.IsNested() && y.IsNested() {
		if sameShape(x, y) {
			return x
		}
		return r.coercion().Tightest(x, y)
	}
	return r.coercion().Wider(x, y, false)
}

// legacyComparable is findCommonTypeForBinaryComparison without ANSI.
func legacyComparable(x, y *types.Type) *types.Type {
	if y.IsString() {
		x, y = y, x
	}
	if !x.IsString() || y.IsString() {
		return nil
	}
	switch {
	case y.Kind == types.Null:
		return x
	case y.Kind == types.Bool, y.IsDatetime(), y.Kind == types.Time:
		return y
	case y.Kind == types.Decimal:
		return types.Float64Type
	case y.IsNumeric():
		return y
	case y.Kind == types.Binary:
		return y
	}
	return nil
}

func (r *run) logic(c *plan.Call) (plan.Expr, error) {
	if err := r.needArgs(c, 2); err != nil {
		return nil, err
	}
	for i, a := range c.Args {
		if a.Type().Kind == types.Null || a.Type().IsString() {
			c.Args[i] = r.implicit(a, types.BoolType)
		}
	}
	x, y := c.Args[0].Type(), c.Args[1].Type()
	if x.Kind != types.Bool || y.Kind != types.Bool {
		if types.SameType(x, y) {
			r.operandTypes = [2]*types.Type{}
			return nil, r.wrongType(c, `"BOOLEAN"`)
		}
		return nil, r.diffTypes(c)
	}
	return r.finish(c, types.BoolType, anyNull(c.Args)), nil
}

func (r *run) not(c *plan.Call) (plan.Expr, error) {
	c.Name = "not"
	if err := r.boolArg(c); err != nil {
		return nil, err
	}
	return r.finish(c, types.BoolType, anyNull(c.Args)), nil
}

func (r *run) boolArg(c *plan.Call) error {
	if err := r.needArgs(c, 1); err != nil {
		return err
	}
	a := c.Args[0]
	if a.Type().Kind == types.Null || a.Type().IsString() {
		c.Args = []plan.Expr{r.implicit(a, types.BoolType)}
	} else if a.Type().Kind != types.Bool {
		return r.unexpected(c, 0, `"BOOLEAN"`)
	}
	return nil
}

func (r *run) unexpected(c plan.Expr, i int, want string) error {
	a := c.Children()[i]
	return aerr("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", r.quoted(c), "paramIndex", ordinal(i+1), "requiredType", want, "inputSql", r.quoted(a), "inputType", shownType(a.Type())).At(c.Pos())
}

func (r *run) sign(c *plan.Call) (plan.Expr, error) {
	if err := r.needArgs(c, 1); err != nil {
		return nil, err
	}
	a := c.Args[0]
	if k := a.Type(); k.Kind == types.Null || k.IsString() {
		a = r.implicit(a, types.Float64Type)
		c.Args = []plan.Expr{a}
	}
	t := a.Type()
	if !t.IsNumeric() && !t.IsAnsiInterval() && t.Kind != types.CalendarInterval {
		return nil, r.unexpected(c, 0, `("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH" or "INTERVAL")`)
	}
	return r.finish(c, t, a.Nullable()), nil
}

func (r *run) bitNot(c *plan.Call) (plan.Expr, error) {
	if err := r.needArgs(c, 1); err != nil {
		return nil, err
	}
	if c.Args[0].Type().Kind == types.Null {
		c.Args = r.implicitAll(c.Args, types.Int32Type)
	}
	if !c.Args[0].Type().IsIntegral() {
		return nil, r.unexpected(c, 0, `"INTEGRAL"`)
	}
	return r.finish(c, c.Args[0].Type(), c.Args[0].Nullable()), nil
}

func (r *run) nullTest(c *plan.Call) (plan.Expr, error) {
	if err := r.needArgs(c, 1); err != nil {
		return nil, err
	}
	return r.finish(c, types.BoolType, false), nil
}

func (r *run) truthTest(c *plan.Call) (plan.Expr, error) {
	if err := r.boolArg(c); err != nil {
		return nil, err
	}
	return r.finish(c, types.BoolType, false), nil
}

func (r *run) in(c *plan.Call) (plan.Expr, error) {
	padded, written, err := r.padCompared(c)
	if err != nil {
		return nil, err
	}
	if padded != c {
		x, err := r.in(padded)
		if err != nil {
			return nil, err
		}
		return r.note(x, written), nil
	}
	t := c.Args[0].Type()
	same := true
	for _, a := range c.Args[1:] {
		same = same && types.SameType(a.Type(), t)
	}
	if !same {
		if t = r.common(c.Args); t == nil && !slices.ContainsFunc(c.Args, func(a plan.Expr) bool { return !sameShape(a.Type(), c.Args[0].Type()) }) {
			t = c.Args[0].Type() // structs whose fields have other names
		}
		if t == nil {
			return nil, aerr("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "functionName", "`in`", "dataType", "["+joinTypes(c.Args, ", ")+"]", "sqlExpr", r.quoted(c)).At(c.Origin)
		}
		c.Args = r.implicitAll(c.Args, t)
	}
	if !t.IsOrderable() {
		return nil, aerr("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "functionName", "`in`", "dataType", errs.Quote(t.SQL()), "sqlExpr", r.quoted(c)).At(c.Origin)
	}
	return r.finish(c, types.BoolType, anyNull(c.Args)), nil
}

func (r *run) between(c *plan.Call) (plan.Expr, error) {
	if err := r.needArgs(c, 3); err != nil {
		return nil, err
	}
	lo, err := r.compare(&plan.Call{At: c.At, Name: ">=", Args: []plan.Expr{c.Args[0], c.Args[1]}})
	if err != nil {
		return nil, err
	}
	hi, err := r.compare(&plan.Call{At: c.At, Name: "<=", Args: []plan.Expr{c.Args[0], c.Args[2]}})
	if err != nil {
		return nil, err
	}
	x := r.finish(&plan.Call{At: c.At, Name: "and", Args: []plan.Expr{lo, hi}}, types.BoolType, lo.Nullable() || hi.Nullable())
	return r.note(x, c), nil
}

func (r *run) like(c *plan.Call) (plan.Expr, error) {
	name := c.Name
	if name == "regexp" || name == "regexp_like" {
		w := *c
		n := *c
		n.Name = "rlike"
		x, err := r.like(&n)
		if err != nil {
			return nil, err
		}
		return r.note(x, &w), nil
	}
	if len(c.Args) != 2 && (len(c.Args) != 3 || name == "rlike") {
		return nil, r.wrongNumArgs(c, "2")
	}
	for i, a := range c.Args {
		if !a.Type().IsString() {
			if !r.canImplicit(a.Type(), types.StringType) {
				return nil, r.unexpected(c, i, `"STRING"`)
			}
			c.Args[i] = r.implicit(a, types.StringType)
		}
	}
	if err := r.patternCollation(c, c); err != nil {
		return nil, err
	}
	return r.finish(c, types.BoolType, anyNull(c.Args)), nil
}

// matches are the functions that take patterns, or as such split: they know strings as they are, and in lower case.
var matches = wordSet("like ilike rlike regexp_replace regexp_extract regexp_extract_all regexp_count regexp_instr regexp_substr split")

// patternCollation refuses a text to search of other collations than those of matches; shown is the call in the message.
func (r *run) patternCollation(c, shown *plan.Call) error {
	if len(c.Args) > 0 {
		if t := c.Args[0].Type(); t.IsString() && fn.KeyType(t) != nil && !fn.Folds(t) {
			return r.unexpected(shown, 0, `"STRING"`)
		}
	}
	return nil
}

func (r *run) likeMany(c *plan.Call) (plan.Expr, error) {
	if len(c.Args) < 2 {
		return nil, r.wrongNumArgs(c, "> 1")
	}
	for i, a := range c.Args {
		if !a.Type().IsString() {
			if !r.canImplicit(a.Type(), types.StringType) {
				return nil, r.unexpected(c, i, `"STRING"`)
			}
			c.Args[i] = r.implicit(a, types.StringType)
		}
	}
	if err := r.patternCollation(&plan.Call{At: c.At, Args: c.Args[:1]}, &plan.Call{At: c.At, Name: strings.ReplaceAll(c.Name, "_", ""), Args: c.Args[:1]}); err != nil {
		return nil, err
	}
	return r.finish(c, types.BoolType, true), nil
}

var tryOf = map[string]string{"try_add": "+", "try_subtract": "-", "try_multiply": "*", "try_divide": "/", "try_mod": "%"}

func (r *run) tryArithmetic(c *plan.Call) (plan.Expr, error) {
	if err := r.needArgs(c, 2); err != nil {
		return nil, err
	}
	n := *c
	n.Name, n.Mode = tryOf[c.Name], plan.Try
	x, err := operator(n.Name)(r, &n)
	if err != nil {
		return nil, err
	}
	if k, ok := x.(*plan.Call); ok {
		k.Mode, k.Null = plan.Try, true
		for i, a := range k.Args { // a text that is no number is one more failure that gives NULL
			k.Args[i] = triedText(a)
		}
	}
	return r.note(x, c), nil
}

// triedText makes the implicit casts of a text, which may be one upon the other, give NULL where they fail.
func triedText(e plan.Expr) plan.Expr {
	t, ok := e.(*plan.Cast)
	if !ok || !t.Implicit {
		return e
	}
	n := *t
	if n.Child = triedText(t.Child); n.Child != t.Child || n.Child.Type().IsString() {
		n.Mode = plan.Try
		return &n
	}
	return e
}
