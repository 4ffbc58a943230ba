package op

import (
	"neptune/arrowexec/expr"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// bound reads a column as it is: the commonest key, without the cost of an evaluator.
type bound struct {
	index int
	t     *types.Type
	pool  *vec.Pool
}

func (e bound) Type() *types.Type { return e.t }

func (e bound) Eval(b *vec.Batch) (*vec.Vector, error) {
	v, _, err := e.EvalTemp(b)
	return v, err
}

// EvalTemp implements expr.Temporary.
func (e bound) EvalTemp(b *vec.Batch) (*vec.Vector, bool, error) {
	v := b.Cols[e.index]
	if b.Sel != nil {
		return v.GatherPool(e.pool, b.Sel), e.pool != nil, nil
	}
	return v.Slice(0, b.N), false, nil
}

// Compile makes an evaluator; a plain column bypasses package expr.
func Compile(e plan.Expr, env *fn.Env) (expr.Evaluator, error) {
	if b, ok := e.(*plan.Bound); ok {
		x := bound{index: b.Index, t: b.T}
		if env != nil {
			x.pool = env.Pool
		}
		return x, nil
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
	e := expr.NewEnv(c, partition, nil)
	e.Pool = &vec.Pool{}
	return e
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
func CompilePredicate(e plan.Expr, env *fn.Env) (Predicate, error) {
	return expr.CompilePredicate(e, env)
}
