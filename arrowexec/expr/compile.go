package expr

import (
	"fmt"
	"strings"

	"neptune/arrowexec/fn"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Compile turns a resolved expression, bound to its input's columns, into an
// evaluator. What has no kernel is refused by name.
func Compile(e plan.Expr, env *fn.Env) (Evaluator, error) {
	list, err := CompileAll([]plan.Expr{e}, env)
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// CompileAll compiles several expressions over the same input; what they have
// in common is computed once a batch. Evaluate them in order: coming back to the
// first (or an earlier) one starts a new round.
func CompileAll(list []plan.Expr, env *fn.Env) ([]Evaluator, error) {
	c := &compiler{env: env, round: &round{}}
	c.count(list)
	out := make([]Evaluator, len(list))
	for i, e := range list {
		n, err := c.compile(e)
		if err != nil {
			return nil, err
		}
		if c.sharing {
			n = &root{node: n, round: c.round, index: i}
		}
		out[i] = n
	}
	return out, nil
}

// compiler holds what the nodes of one CompileAll have in common.
type compiler struct {
	env     *fn.Env
	round   *round
	uses    map[string]int
	nodes   map[string]Evaluator
	sharing bool
	lambda  *lambdaScope
}

// count finds the expressions that stand more than once.
func (c *compiler) count(list []plan.Expr) {
	c.uses = map[string]int{}
	c.nodes = map[string]Evaluator{}
	for _, e := range list {
		plan.Walk(e, func(e plan.Expr) bool {
			switch e.(type) {
			case *plan.Literal, *plan.Lambda:
				return false
			}
			k, ok := key(e)
			if !ok {
				return true
			}
			c.uses[k]++
			if c.uses[k] > 1 {
				c.sharing = true
				return false // its parts are shared with it
			}
			return true
		})
	}
}

// key identifies an expression by what it computes; ok is false for what must
// be computed anew each time, or has no short key.
func key(e plan.Expr) (string, bool) {
	var b strings.Builder
	if !writeKey(&b, e) || b.Len() > 4096 {
		return "", false
	}
	return b.String(), true
}

func writeKey(b *strings.Builder, e plan.Expr) bool {
	switch e := e.(type) {
	case *plan.Bound:
		fmt.Fprintf(b, "#%d", e.Index)
		return true
	case *plan.Literal:
		fmt.Fprintf(b, "%v:%s", e.Value, e.T)
		return true
	case *plan.Alias:
		return writeKey(b, e.Child)
	case *plan.Call:
		if d := fn.Lookup(e.Name); d == nil || d.Random {
			return false
		}
		fmt.Fprintf(b, "%s/%d/%s(", e.Name, e.Mode, e.T)
	case *plan.Cast:
		fmt.Fprintf(b, "cast/%d/%s(", e.Mode, e.To)
	case *plan.GetField:
		fmt.Fprintf(b, "field/%d(", e.Index)
	case *plan.Case:
		fmt.Fprintf(b, "case/%d/%t(", len(e.When), e.Else != nil)
	default:
		return false
	}
	for i, k := range e.Children() {
		if i > 0 {
			b.WriteByte(',')
		}
		if b.Len() > 4096 || !writeKey(b, k) {
			return false
		}
	}
	b.WriteByte(')')
	return true
}

func (c *compiler) compile(e plan.Expr) (Evaluator, error) {
	if c.lambda == nil && c.sharing {
		if k, ok := key(e); ok && c.uses[k] > 1 {
			if n := c.nodes[k]; n != nil {
				return n, nil
			}
			n, err := c.plain(e)
			if err != nil {
				return nil, err
			}
			if _, lit := n.(*literal); lit {
				return n, nil
			}
			s := &shared{node: n, round: c.round}
			c.nodes[k] = s
			return s, nil
		}
	}
	return c.plain(e)
}

// plain compiles without looking for sharing.
func (c *compiler) plain(e plan.Expr) (Evaluator, error) {
	switch e := e.(type) {
	case *plan.Literal:
		return newLiteral(e)
	case *plan.Bound:
		if c.lambda != nil {
			return c.lambda.outer(e.Index, e.T), nil
		}
		return &column{index: e.Index, t: e.T, pool: c.env.Pool}, nil
	case *plan.Alias:
		return c.compile(e.Child)
	case *plan.LambdaVar:
		if c.lambda != nil {
			if n := c.lambda.variable(e); n != nil {
				return n, nil
			}
		}
		return nil, errs.Internalf("lambda variable %s outside of its lambda", e.Name)
	}
	if lit := c.folded(e); lit != nil {
		return newLiteral(lit)
	}
	switch e := e.(type) {
	case *plan.Cast:
		return c.cast(e)
	case *plan.Case:
		return c.cases(e)
	case *plan.GetField:
		child, err := c.compile(e.Child)
		if err != nil {
			return nil, err
		}
		return &field{child: child, index: e.Index, t: e.Type()}, nil
	case *plan.Call:
		return c.call(e)
	case *plan.UDF:
		return nil, errs.NotSupported("user defined function " + e.Name + " inside of an expression")
	}
	return nil, errs.Internalf("an expression of type %T cannot be evaluated", e)
}

// folded evaluates an expression over literals at compile time. An error is
// left for the rows, if any, that reach the expression.
func (c *compiler) folded(e plan.Expr) *plan.Literal {
	if e.Type() == nil || !Foldable(e) {
		return nil
	}
	switch e.Type().Kind {
	case types.Array, types.Map, types.Struct, types.Variant:
		return nil // kept as vectors by the nodes
	}
	n, err := foldingCompiler(c.env).unfolded(e)
	if err != nil {
		return nil
	}
	v, err := n.Eval(&vec.Batch{N: 1})
	if err != nil {
		return nil
	}
	return &plan.Literal{T: e.Type(), Value: v.Value(0)}
}

// unfolded compiles e itself; its parts may still be folded.
func (c *compiler) unfolded(e plan.Expr) (Evaluator, error) {
	switch e := e.(type) {
	case *plan.Cast:
		return c.cast(e)
	case *plan.Case:
		return c.cases(e)
	case *plan.Call:
		return c.call(e)
	case *plan.GetField:
		child, err := c.compile(e.Child)
		if err != nil {
			return nil, err
		}
		return &field{child: child, index: e.Index, t: e.Type()}, nil
	}
	return c.compile(e)
}

// Foldable reports whether e is the same for all rows and can be evaluated ahead: literals and what is computed of them.
func Foldable(e plan.Expr) bool {
	switch e := e.(type) {
	case *plan.Literal:
		return true
	case *plan.Call:
		if e.Kind == plan.FnAggregate || e.Kind == plan.FnWindow || e.Kind == plan.FnGenerator {
			return false
		}
		if d := fn.Lookup(e.Name); d == nil || d.Random || d.Agg != nil || d.Gen != nil {
			return false
		}
	case *plan.Cast, *plan.Case, *plan.Alias, *plan.GetField, *plan.Lambda:
	case *plan.LambdaVar:
		return true // within its lambda, whose call decides
	default:
		return false
	}
	for _, k := range e.Children() {
		if !Foldable(k) {
			return false
		}
	}
	return true
}

// foldingCompiler compiles what is evaluated before there is a task: what is so large that kernels
// ask for memory is refused, and left to the task.
func foldingCompiler(env *fn.Env) *compiler {
	e := *env
	e.Fits = fn.Within(0)
	return &compiler{env: &e, round: &round{}}
}

// Fold evaluates a foldable expression.
func Fold(e plan.Expr, conf *fn.Conf) (*plan.Literal, error) {
	if l, ok := e.(*plan.Literal); ok {
		return l, nil
	}
	if e.Type() == nil {
		return nil, errs.Internalf("folding of an unresolved expression")
	}
	n, err := foldingCompiler(NewEnv(conf, 0, nil)).unfolded(e)
	if err != nil {
		return nil, err
	}
	v, err := n.Eval(&vec.Batch{N: 1})
	if err != nil {
		return nil, err
	}
	l := &plan.Literal{T: e.Type(), Value: v.Value(0)}
	l.Origin = e.Pos()
	return l, nil
}

// call compiles a function: lazily evaluated ones to nodes of their own, the others to their kernel.
func (c *compiler) call(e *plan.Call) (Evaluator, error) {
	switch e.Name {
	case "and", "or":
		if len(e.Args) == 2 {
			l, err := c.compile(e.Args[0])
			if err != nil {
				return nil, err
			}
			r, err := c.compile(e.Args[1])
			if err != nil {
				return nil, err
			}
			return &junction{left: l, right: r, or: e.Name == "or"}, nil
		}
	case "coalesce", "nvl", "ifnull":
		return c.coalesce(e)
	}
	d := fn.Lookup(e.Name)
	if d == nil {
		return nil, errs.NotSupported("function " + e.Name)
	}
	switch {
	case d.Agg != nil || d.Gen != nil || e.Kind == plan.FnAggregate || e.Kind == plan.FnWindow || e.Kind == plan.FnGenerator:
		return nil, errs.Internalf("function %s is not evaluated row by row", e.Name)
	}
	for i, a := range e.Args {
		if t := a.Type(); fn.KeyType(t) != nil && (comparesText[e.Name] || matchesText[e.Name] && i == 0 && !fn.Folds(t)) {
			return nil, errs.NotSupported("function " + e.Name + " over strings of collation " + t.SQL())
		}
	}
	n := &call{def: d, expr: e, t: e.T, env: c.env, back: len(e.Args) == 2 && divides[e.Name]}
	argTypes := make([]*types.Type, len(e.Args))
	n.con = make([]*plan.Literal, len(e.Args))
	n.args = make([]Evaluator, len(e.Args))
	for i, a := range e.Args {
		argTypes[i] = a.Type()
		if l, ok := a.(*plan.Lambda); ok {
			f, err := c.lambdaFn(l, n)
			if err != nil {
				return nil, err
			}
			if n.lambdas == nil {
				n.lambdas = make([]fn.LambdaFn, len(e.Args))
			}
			n.lambdas[i] = f
			continue
		}
		k, err := c.compile(a)
		if err != nil {
			return nil, err
		}
		if lit, ok := k.(*literal); ok {
			n.con[i] = lit.lit
		}
		n.args[i] = k
	}
	o := d.Pick(argTypes)
	if o == nil {
		return nil, errs.NotSupported("function " + e.Name + " over " + typeList(argTypes))
	}
	if o.Eval == nil {
		if d.Rewrite == nil {
			return nil, errs.NotSupported("function " + e.Name)
		}
		r, err := d.Rewrite(e)
		if err != nil {
			return nil, err
		}
		if r.Type() == nil {
			return nil, errs.Internalf("function %s was to be rewritten by the analyzer", e.Name)
		}
		return c.compile(r)
	}
	n.kernel, n.nulls = o.Eval, d.Nulls
	if n.t == nil {
		return nil, errs.Internalf("call of %s is not resolved", e.Name)
	}
	return n, nil
}

func typeList(ts []*types.Type) string {
	names := make([]string, len(ts))
	for i, t := range ts {
		names[i] = "?"
		if t != nil {
			names[i] = t.SQL()
		}
	}
	return "(" + strings.Join(names, ", ") + ")"
}

// comparesText has the functions that compare strings inside, matchesText those of patterns:
// what they can't do yet under a collation is refused. Comparisons themselves go by keys.
var (
	comparesText = set("= <=> < <= > >= in like_all like_any not_like_all not_like_any")
	matchesText  = set("split str_to_map like rlike regexp regexp_like regexp_replace regexp_extract regexp_extract_all regexp_count regexp_instr regexp_substr")
)

// divides has the functions that look at their divisor first; nullFirst those besides the ones of fn.NullIn
// that are null where their first argument is, whatever the others are.
var (
	divides   = set("/ % div mod pmod try_divide try_mod")
	nullFirst = set("in elt format_string printf array_append array_prepend array_insert")
)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// collated reports whether strings of type t compare otherwise than by their bytes.
func collated(t *types.Type) bool {
	return t != nil && t.IsString() && t.Collation != "" && t.Collation != "UTF8_BINARY"
}
