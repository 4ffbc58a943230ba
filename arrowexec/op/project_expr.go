package op

import (
	"neptune/arrowexec/expr"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// bound reads a column as it is: the commonest key, without the cost of an evaluator.
type bound struct {
	index int
	t     *types.Type
}

func (e bound) Type() *types.Type { return e.t }

func (e bound) Eval(b *vec.Batch) (*vec.Vector, error) {
	v := b.Cols[e.index]
	if b.Sel != nil {
		return v.Gather(b.Sel), nil
	}
	return v.Slice(0, b.N), nil
}

// Compile makes an evaluator; a plain column bypasses package expr.
func Compile(e plan.Expr, env *fn.Env) (expr.Evaluator, error) {
	if b, ok := e.(*plan.Bound); ok {
		return bound{b.Index, b.T}, nil
	}
	return expr.Compile(e, env)
}

// CompileKeys makes an evaluator of each expression.
func CompileKeys(es []plan.Expr, env *fn.Env) ([]expr.Evaluator, error) {
	out := make([]expr.Evaluator, len(es))
	for i, e := range es {
		var err error
		if out[i], err = Compile(e, env); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// evalAll evaluates keys into dense vectors.
func evalAll(keys []expr.Evaluator, b *vec.Batch, out []*vec.Vector) ([]*vec.Vector, error) {
	out = out[:0]
	for _, k := range keys {
		v, err := k.Eval(b)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// NewEnv makes what a task's expressions see of the query.
func NewEnv(conf *task.Conf, partition int) *fn.Env {
	c := &fn.Conf{}
	if conf != nil {
		c.TimeZone, c.ANSI, c.Keys = conf.TimeZone, conf.ANSI, conf.Keys
	}
	return expr.NewEnv(c, partition, nil)
}

// Predicate keeps the rows for which a condition is true.
type Predicate interface {
	Select(*vec.Batch) (*vec.Batch, error)
}

func batchRows(conf *task.Conf) int {
	if conf == nil || conf.BatchRows <= 0 {
		return vec.DefaultRows
	}
	return conf.BatchRows
}

// CompilePredicate makes a predicate that keeps the rows where e is true.
// Conjuncts are evaluated in turn, each for the rows that the ones before kept.
func CompilePredicate(e plan.Expr, env *fn.Env) (Predicate, error) {
	var p conjuncts
	var add func(plan.Expr) error
	add = func(e plan.Expr) error {
		if call, ok := e.(*plan.Call); ok && call.Name == "and" {
			for _, a := range call.Args {
				if err := add(a); err != nil {
					return err
				}
			}
			return nil
		}
		x, err := Compile(e, env)
		if err != nil {
			return err
		}
		if x.Type().Kind != types.Bool {
			return errs.Internalf("a condition of type %s", x.Type())
		}
		p = append(p, x)
		return nil
	}
	if err := add(e); err != nil {
		return nil, err
	}
	return p, nil
}

type conjuncts []expr.Evaluator

// Select implements Predicate. The result has in's columns and a selection,
// or is in itself when all rows pass.
func (p conjuncts) Select(in *vec.Batch) (*vec.Batch, error) {
	for _, e := range p {
		if in.N == 0 {
			return in, nil
		}
		v, err := e.Eval(in)
		if err != nil {
			return nil, err
		}
		yes := vec.Of[bool](v)
		count := 0
		for i, y := range yes {
			if y && (v.Null == nil || !v.Null[i]) {
				count++
			}
		}
		if count == in.N {
			continue
		}
		sel := make([]int32, 0, count)
		for i, y := range yes {
			if y && (v.Null == nil || !v.Null[i]) {
				j := int32(i)
				if in.Sel != nil {
					j = in.Sel[i]
				}
				sel = append(sel, j)
			}
		}
		in = &vec.Batch{N: count, Cols: in.Cols, Sel: sel}
	}
	return in, nil
}
