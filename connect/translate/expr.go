package translate

import (
	"fmt"
	"regexp"
	"strings"

	"neptune/connect/pb"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Expr translates an expression.
func (t *Translator) Expr(e *pb.Expression) (plan.Expr, error) {
	leave, err := t.down()
	if err != nil {
		return nil, err
	}
	defer leave()
	at := plan.At{Origin: origin(e.GetCommon().GetOrigin())}
	x, err := t.expr(e, at)
	if err != nil {
		if ee, ok := errs.As(err); ok && at.Origin != nil {
			ee.At(at.Origin)
		}
		return nil, err
	}
	return x, nil
}

func (t *Translator) expr(e *pb.Expression, at plan.At) (plan.Expr, error) {
	switch k := e.GetExprType().(type) {
	case *pb.Expression_Literal_:
		l, err := t.Literal(k.Literal)
		if err != nil {
			return nil, err
		}
		l.At = at
		return l, nil
	case *pb.Expression_UnresolvedAttribute_:
		a := k.UnresolvedAttribute
		parts, err := SplitName(a.GetUnparsedIdentifier())
		if err != nil {
			return nil, err
		}
		return &plan.UnresolvedAttr{At: at, Parts: parts, PlanID: a.PlanId, Metadata: a.GetIsMetadataColumn()}, nil
	case *pb.Expression_UnresolvedFunction_:
		return t.function(k.UnresolvedFunction, at)
	case *pb.Expression_ExpressionString_:
		x, err := t.env.Parser.Expression(k.ExpressionString.GetExpression())
		if err != nil {
			return nil, err
		}
		return x, nil
	case *pb.Expression_UnresolvedStar_:
		s := k.UnresolvedStar
		star := &plan.UnresolvedStar{At: at, PlanID: s.PlanId}
		if s.UnparsedTarget != nil {
			if s.PlanId != nil {
				return nil, invalid("UNRESOLVED_STAR_WITH_BOTH_TARGET_AND_PLAN_ID")
			}
			target, ok := strings.CutSuffix(s.GetUnparsedTarget(), ".*")
			if !ok {
				return nil, invalid("UNRESOLVED_STAR_TARGET_INVALID", "target", s.GetUnparsedTarget())
			}
			var err error
			if star.Target, err = SplitName(target); err != nil {
				return nil, err
			}
		}
		return star, nil
	case *pb.Expression_Alias_:
		return t.alias(k.Alias, at)
	case *pb.Expression_Cast_:
		return t.cast(k.Cast, at)
	case *pb.Expression_UnresolvedRegex_:
		return regex(k.UnresolvedRegex, at)
	case *pb.Expression_SortOrder_:
		// Outside of a sort it is a column that can't be computed; only its name and type are ever seen.
		o, err := t.sortOrder(k.SortOrder)
		if err != nil {
			return nil, err
		}
		return &plan.Call{At: at, Name: "sort_order", Args: []plan.Expr{o.Child, boolLiteral(o.Desc), boolLiteral(o.NullsLast)}, Internal: true}, nil
	case *pb.Expression_LambdaFunction_:
		return t.lambda(k.LambdaFunction, at)
	case *pb.Expression_Window_:
		return t.window(k.Window, at)
	case *pb.Expression_UnresolvedExtractValue_:
		child, err := t.need(k.UnresolvedExtractValue.GetChild(), k.UnresolvedExtractValue, "child")
		if err != nil {
			return nil, err
		}
		key, err := t.need(k.UnresolvedExtractValue.GetExtraction(), k.UnresolvedExtractValue, "extraction")
		if err != nil {
			return nil, err
		}
		return &plan.Extract{At: at, Child: child, Key: key}, nil
	case *pb.Expression_UpdateFields_:
		return t.updateFields(k.UpdateFields, at)
	case *pb.Expression_UnresolvedNamedLambdaVariable_:
		v, err := lambdaVar(k.UnresolvedNamedLambdaVariable)
		if err != nil {
			return nil, err
		}
		v.At = at
		return v, nil
	case *pb.Expression_CommonInlineUserDefinedFunction:
		return t.udf(k.CommonInlineUserDefinedFunction, at)
	case *pb.Expression_CallFunction:
		parts, err := splitTable(k.CallFunction.GetFunctionName())
		if err != nil {
			return nil, err
		}
		c := &plan.Call{At: at, Name: parts[len(parts)-1], Path: parts[:len(parts)-1]}
		if err := t.args(c, k.CallFunction.GetArguments()); err != nil {
			return nil, err
		}
		return normalise(c), nil
	case *pb.Expression_NamedArgumentExpression:
		return nil, errs.New(errs.Analysis, "NAMED_PARAMETERS_NOT_SUPPORTED", "functionName", errs.ID(k.NamedArgumentExpression.GetKey()))
	case *pb.Expression_SubqueryExpression:
		return t.subquery(k.SubqueryExpression, at)
	case *pb.Expression_MergeAction:
		return nil, refused("expression", k.MergeAction)
	case *pb.Expression_TypedAggregateExpression:
		return nil, refused("expression", k.TypedAggregateExpression)
	case *pb.Expression_DirectShufflePartitionId:
		return nil, invalid("ASSERTION_FAILURE", "message", "DirectShufflePartitionID stands for the partitions of a repartition alone.")
	case *pb.Expression_Extension:
		return nil, invalid("NO_HANDLER_FOR_EXTENSION", "extensionTypeUrl", k.Extension.GetTypeUrl())
	}
	if e == nil {
		e = &pb.Expression{}
	}
	return nil, noOneof(e, "expr_type")
}

// need translates an expression that a message must have.
func (t *Translator) need(e *pb.Expression, in protoMessage, field string) (plan.Expr, error) {
	if e == nil {
		return nil, missing(in, field)
	}
	return t.Expr(e)
}

// exprs translates a list. A nil list stays nil.
func (t *Translator) exprs(l []*pb.Expression) ([]plan.Expr, error) {
	if len(l) == 0 {
		return nil, nil
	}
	out := make([]plan.Expr, len(l))
	for i, e := range l {
		var err error
		if out[i], err = t.Expr(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// args translates a function's arguments, named ones included.
func (t *Translator) args(c *plan.Call, l []*pb.Expression) error {
	c.Args = make([]plan.Expr, len(l))
	for i, e := range l {
		if n := e.GetNamedArgumentExpression(); n != nil {
			if c.ArgNames == nil {
				c.ArgNames = make([]string, len(l))
			}
			c.ArgNames[i] = n.GetKey()
			e = n.GetValue()
		}
		x, err := t.Expr(e)
		if err != nil {
			return err
		}
		c.Args[i] = x
	}
	return nil
}

func (t *Translator) function(f *pb.Expression_UnresolvedFunction, at plan.At) (plan.Expr, error) {
	if f.GetFunctionName() == "" {
		return nil, missing(f, "function_name")
	}
	c := &plan.Call{At: at, Name: f.GetFunctionName(), Distinct: f.GetIsDistinct(), Internal: f.GetIsInternal()}
	if f.GetIsUserDefinedFunction() {
		parts, err := splitTable(f.GetFunctionName())
		if err != nil {
			return nil, err
		}
		c.Name, c.Path = parts[len(parts)-1], parts[:len(parts)-1]
	}
	if err := t.args(c, f.GetArguments()); err != nil {
		return nil, err
	}
	return normalise(c), nil
}

// operators maps the names by which clients call operators to the canonical ones.
var operators = map[string]string{
	"==": "=", "&&": "and", "||": "concat", "!": "not", "isNull": "isnull", "isNotNull": "isnotnull", "isNaN": "isnan",
	"startsWith": "startswith", "endsWith": "endswith",
}

// normalise gives operators their canonical form.
func normalise(c *plan.Call) plan.Expr {
	if len(c.Path) > 0 {
		return c
	}
	if n, ok := operators[c.Name]; ok {
		c.Name = n
	}
	name := strings.ToLower(c.Name)
	n := len(c.Args)
	switch {
	case (name == "!=" || name == "<>") && n == 2:
		eq := *c
		eq.Name = "="
		return &plan.Call{At: c.At, Name: "not", Args: []plan.Expr{&eq}}
	case name == "when" && n >= 2 && c.ArgNames == nil:
		k := &plan.Case{At: c.At}
		for i := 0; i+1 < n; i += 2 {
			k.When = append(k.When, c.Args[i])
			k.Then = append(k.Then, c.Args[i+1])
		}
		if n%2 == 1 {
			k.Else = c.Args[n-1]
		}
		return k
	case name == "if" && n == 3 && c.ArgNames == nil:
		return &plan.Case{At: c.At, When: c.Args[:1], Then: c.Args[1:2], Else: c.Args[2], If: true}
	}
	return c
}

func (t *Translator) alias(a *pb.Expression_Alias, at plan.At) (*plan.Alias, error) {
	child, err := t.need(a.GetExpr(), a, "expr")
	if err != nil {
		return nil, err
	}
	if len(a.GetName()) == 0 {
		return nil, missing(a, "name")
	}
	if len(a.GetName()) > 1 && a.Metadata != nil {
		return nil, invalid("ALIAS_WITH_MULTIPLE_IDENTIFIERS_AND_METADATA")
	}
	return &plan.Alias{At: at, Child: child, Names: a.GetName(), Metadata: a.GetMetadata()}, nil
}

func (t *Translator) cast(c *pb.Expression_Cast, at plan.At) (plan.Expr, error) {
	child, err := t.need(c.GetExpr(), c, "expr")
	if err != nil {
		return nil, err
	}
	out := &plan.Cast{At: at, Child: child, Mode: plan.Legacy}
	if t.env.ANSI {
		out.Mode = plan.ANSI
	}
	switch c.GetEvalMode() {
	case pb.Expression_Cast_EVAL_MODE_UNSPECIFIED:
	case pb.Expression_Cast_EVAL_MODE_LEGACY:
		out.Mode = plan.Legacy
	case pb.Expression_Cast_EVAL_MODE_ANSI:
		out.Mode = plan.ANSI
	case pb.Expression_Cast_EVAL_MODE_TRY:
		out.Mode = plan.Try
	default:
		return nil, badEnum(c, c.GetEvalMode())
	}
	switch k := c.GetCastToType().(type) {
	case *pb.Expression_Cast_Type:
		out.To, err = t.Type(k.Type)
	case *pb.Expression_Cast_TypeStr:
		out.To, err = t.env.Parser.DataType(k.TypeStr)
	default:
		return nil, noOneof(c, "cast_to_type")
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

var (
	bareRegex  = regexp.MustCompile("^`((?s).+)`$")
	tableRegex = regexp.MustCompile("^(.+)\\.`((?s).+)`$")
)

func regex(r *pb.Expression_UnresolvedRegex, at plan.At) (plan.Expr, error) {
	name := r.GetColName()
	if m := bareRegex.FindStringSubmatch(name); m != nil {
		return &plan.UnresolvedRegex{At: at, Pattern: m[1], PlanID: r.PlanId}, nil
	}
	if m := tableRegex.FindStringSubmatch(name); m != nil {
		table, err := SplitName(m[1])
		if err != nil {
			return nil, err
		}
		return &plan.UnresolvedRegex{At: at, Pattern: m[2], Table: table, PlanID: r.PlanId}, nil
	}
	parts, err := SplitName(name)
	if err != nil {
		return nil, err
	}
	return &plan.UnresolvedAttr{At: at, Parts: parts, PlanID: r.PlanId}, nil
}

func lambdaVar(v *pb.Expression_UnresolvedNamedLambdaVariable) (*plan.LambdaVar, error) {
	if len(v.GetNameParts()) == 0 {
		return nil, invalid("UNRESOLVED_NAMED_LAMBDA_VARIABLE_REQUIRES_NAME_PART")
	}
	return &plan.LambdaVar{Name: strings.Join(v.GetNameParts(), ".")}, nil
}

func (t *Translator) lambda(l *pb.Expression_LambdaFunction, at plan.At) (plan.Expr, error) {
	if n := len(l.GetArguments()); n < 1 || n > 3 {
		return nil, invalid("LAMBDA_FUNCTION_ARGUMENT_COUNT_INVALID", "got", fmt.Sprint(n))
	}
	body, err := t.need(l.GetFunction(), l, "function")
	if err != nil {
		return nil, err
	}
	out := &plan.Lambda{At: at, Body: body}
	for _, a := range l.GetArguments() {
		v, err := lambdaVar(a)
		if err != nil {
			return nil, err
		}
		out.Args = append(out.Args, v)
	}
	return out, nil
}

func (t *Translator) sortOrder(o *pb.Expression_SortOrder) (plan.SortOrder, error) {
	child, err := t.need(o.GetChild(), o, "child")
	if err != nil {
		return plan.SortOrder{}, err
	}
	out := plan.SortOrder{Child: child}
	switch o.GetDirection() {
	case pb.Expression_SortOrder_SORT_DIRECTION_UNSPECIFIED, pb.Expression_SortOrder_SORT_DIRECTION_ASCENDING:
	case pb.Expression_SortOrder_SORT_DIRECTION_DESCENDING:
		out.Desc = true
	default:
		return out, badEnum(o, o.GetDirection())
	}
	switch o.GetNullOrdering() {
	case pb.Expression_SortOrder_SORT_NULLS_UNSPECIFIED:
		out.NullsLast = out.Desc
	case pb.Expression_SortOrder_SORT_NULLS_FIRST:
	case pb.Expression_SortOrder_SORT_NULLS_LAST:
		out.NullsLast = true
	default:
		return out, badEnum(o, o.GetNullOrdering())
	}
	return out, nil
}

func (t *Translator) sortOrders(l []*pb.Expression_SortOrder) ([]plan.SortOrder, error) {
	var out []plan.SortOrder
	for _, o := range l {
		s, err := t.sortOrder(o)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (t *Translator) window(w *pb.Expression_Window, at plan.At) (plan.Expr, error) {
	if w.GetWindowFunction() == nil {
		return nil, invalid("WINDOW_FUNCTION_REQUIRED")
	}
	f, err := t.Expr(w.GetWindowFunction())
	if err != nil {
		return nil, err
	}
	out := &plan.Window{At: at, Func: f}
	if out.Partition, err = t.exprs(w.GetPartitionSpec()); err != nil {
		return nil, err
	}
	if out.Order, err = t.sortOrders(w.GetOrderSpec()); err != nil {
		return nil, err
	}
	if w.GetFrameSpec() == nil {
		return out, nil
	}
	fs := w.GetFrameSpec()
	frame := &plan.Frame{}
	switch fs.GetFrameType() {
	case pb.Expression_Window_WindowFrame_FRAME_TYPE_ROW:
		frame.Rows = true
	case pb.Expression_Window_WindowFrame_FRAME_TYPE_RANGE:
	default:
		return nil, badEnum(fs, fs.GetFrameType())
	}
	if fs.GetLower() == nil {
		return nil, invalid("LOWER_BOUND_REQUIRED_IN_WINDOW_FRAME")
	}
	if fs.GetUpper() == nil {
		return nil, invalid("UPPER_BOUND_REQUIRED_IN_WINDOW_FRAME")
	}
	if frame.Lower, err = t.bound(fs.GetLower(), plan.UnboundedPreceding); err != nil {
		return nil, err
	}
	if frame.Upper, err = t.bound(fs.GetUpper(), plan.UnboundedFollowing); err != nil {
		return nil, err
	}
	out.Frame = frame
	return out, nil
}

// bound translates a frame's end. Clients send rows before the current one as negative offsets.
func (t *Translator) bound(b *pb.Expression_Window_WindowFrame_FrameBoundary, unbounded plan.BoundKind) (plan.FrameEnd, error) {
	switch k := b.GetBoundary().(type) {
	case *pb.Expression_Window_WindowFrame_FrameBoundary_CurrentRow:
		return plan.FrameEnd{Kind: plan.CurrentRow}, nil
	case *pb.Expression_Window_WindowFrame_FrameBoundary_Unbounded:
		return plan.FrameEnd{Kind: unbounded}, nil
	case *pb.Expression_Window_WindowFrame_FrameBoundary_Value:
		x, err := t.Expr(k.Value)
		if err != nil {
			return plan.FrameEnd{}, err
		}
		if l, ok := x.(*plan.Literal); ok {
			if neg, below := negate(l); below {
				return plan.FrameEnd{Kind: plan.Preceding, Offset: neg}, nil
			} else if neg == nil {
				return plan.FrameEnd{Kind: plan.CurrentRow}, nil
			}
		}
		if c, ok := x.(*plan.Call); ok && len(c.Args) == 1 && (c.Name == "negative" || c.Name == "-") {
			return plan.FrameEnd{Kind: plan.Preceding, Offset: c.Args[0]}, nil
		}
		return plan.FrameEnd{Kind: plan.Following, Offset: x}, nil
	}
	return plan.FrameEnd{}, noOneof(b, "boundary")
}

// negate returns l without its sign, and whether it had one; nil for zero.
func negate(l *plan.Literal) (*plan.Literal, bool) {
	c := *l
	sign := 1
	switch v := l.Value.(type) {
	case int8:
		c.Value, sign = -v, int(v)
	case int16:
		c.Value, sign = -v, int(v)
	case int32:
		c.Value, sign = -v, int(v)
		if v == -v && v != 0 { // the least value has no opposite
			c.T, c.Value = types.Int64Type, -int64(v)
		}
	case int64:
		c.Value, sign = -v, cmpZero(v)
	case float32:
		c.Value, sign = -v, cmpZero(v)
	case float64:
		c.Value, sign = -v, cmpZero(v)
	case types.Dec:
		c.Value, sign = v.Neg(), v.Sign()
	}
	if sign == 0 {
		return nil, false
	}
	return &c, sign < 0
}

func cmpZero[T int64 | float32 | float64](v T) int {
	switch {
	case v < 0:
		return -1
	case v > 0:
		return 1
	}
	return 0
}

func (t *Translator) updateFields(u *pb.Expression_UpdateFields, at plan.At) (plan.Expr, error) {
	child, err := t.need(u.GetStructExpression(), u, "struct_expression")
	if err != nil {
		return nil, err
	}
	name, err := SplitName(u.GetFieldName())
	if err != nil {
		return nil, err
	}
	out := &plan.UpdateFields{At: at, Child: child, Name: name}
	if u.GetValueExpression() != nil {
		if out.Value, err = t.Expr(u.GetValueExpression()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Eval types of Python functions that are aggregates (pyspark.util.PythonEvalType).
var aggregateEvalTypes = map[int32]bool{202: true, 252: true}

func (t *Translator) udf(f *pb.CommonInlineUserDefinedFunction, at plan.At) (*plan.UDF, error) {
	args, err := t.exprs(f.GetArguments())
	if err != nil {
		return nil, err
	}
	out := &plan.UDF{At: at, Name: f.GetFunctionName(), Args: args, Deterministic: f.GetDeterministic(), Payload: f, Null: true}
	switch k := f.GetFunction().(type) {
	case *pb.CommonInlineUserDefinedFunction_PythonUdf:
		out.Aggregate = aggregateEvalTypes[k.PythonUdf.GetEvalType()]
		if k.PythonUdf.GetOutputType() != nil {
			out.T, err = t.Type(k.PythonUdf.GetOutputType())
		}
	case *pb.CommonInlineUserDefinedFunction_ScalarScalaUdf:
		out.Aggregate, out.Null = k.ScalarScalaUdf.GetAggregate(), k.ScalarScalaUdf.GetNullable()
		if k.ScalarScalaUdf.GetOutputType() != nil {
			out.T, err = t.Type(k.ScalarScalaUdf.GetOutputType())
		}
	case *pb.CommonInlineUserDefinedFunction_JavaUdf:
		out.Aggregate = k.JavaUdf.GetAggregate()
		if k.JavaUdf.GetOutputType() != nil {
			out.T, err = t.Type(k.JavaUdf.GetOutputType())
		}
	default:
		return nil, noOneof(f, "function")
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (t *Translator) subquery(s *pb.SubqueryExpression, at plan.At) (plan.Expr, error) {
	out := &plan.Subquery{At: at, PlanID: &s.PlanId}
	switch s.GetSubqueryType() {
	case pb.SubqueryExpression_SUBQUERY_TYPE_SCALAR:
		out.Kind = plan.ScalarSubquery
	case pb.SubqueryExpression_SUBQUERY_TYPE_EXISTS:
		out.Kind = plan.ExistsSubquery
	case pb.SubqueryExpression_SUBQUERY_TYPE_IN:
		out.Kind = plan.InSubquery
	case pb.SubqueryExpression_SUBQUERY_TYPE_TABLE_ARG:
		out.Kind = plan.TableArg
		if o := s.GetTableArgOptions(); len(o.GetPartitionSpec()) > 0 || len(o.GetOrderSpec()) > 0 || o.GetWithSinglePartition() {
			return nil, errs.NotSupported("partitioning or order of a table argument")
		}
	default:
		return nil, badEnum(s, s.GetSubqueryType())
	}
	var err error
	if out.Values, err = t.exprs(s.GetInSubqueryValues()); err != nil {
		return nil, err
	}
	if out.Plan, err = t.reference(s.GetPlanId()); err != nil {
		return nil, err
	}
	return out, nil
}

// reference translates the relation of that plan id, from the nearest WithRelations that has it.
func (t *Translator) reference(id int64) (plan.Node, error) {
	for s := t.refs; s != nil; s = s.up {
		r, ok := s.rels[id]
		if !ok {
			continue
		}
		if r.busy {
			return nil, invalid("ASSERTION_FAILURE", "message", fmt.Sprintf("the relation with plan id %d refers to itself.", id))
		}
		if r.node == nil {
			r.busy = true
			n, err := t.Relation(r.rel)
			r.busy = false
			if err != nil {
				return nil, err
			}
			r.node = n
		}
		return r.node, nil
	}
	return nil, invalid("ASSERTION_FAILURE", "message", fmt.Sprintf("a subquery refers to the plan id %d, which no relation has.", id))
}
