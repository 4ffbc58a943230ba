package op

import (
	"neptune/arrowexec/expr"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// project computes expressions. A projection of plain columns keeps the
// selection and copies nothing.
type project struct {
	unary
	exprs  []expr.Evaluator
	schema []*types.Type
	plain  []int // the columns, when all expressions are columns
	pool   *vec.Pool
}

// NewProject returns an operator whose columns are exprs over in's rows.
func NewProject(in Operator, exprs []expr.Evaluator, schema []*types.Type) Operator {
	return newProject(in, exprs, schema, nil)
}

func newProject(in Operator, exprs []expr.Evaluator, schema []*types.Type, pool *vec.Pool) Operator {
	p := &project{unary: unary{in}, exprs: exprs, schema: schema, plain: []int{}, pool: pool}
	for _, e := range exprs {
		b, ok := e.(bound)
		if !ok {
			p.plain = nil
			break
		}
		p.plain = append(p.plain, b.index)
	}
	return p
}

func (p *project) Open(c *task.Ctx) error { return p.input.Open(c) }

func (p *project) Next(c *task.Ctx) (*vec.Batch, error) {
	b, err := p.input.Next(c)
	if err != nil {
		return nil, err
	}
	out := &vec.Batch{N: b.N, Cols: make([]*vec.Vector, len(p.exprs))}
	if p.plain != nil {
		out.Sel = b.Sel
		for i, k := range p.plain {
			out.Cols[i] = b.Cols[k]
		}
		out.OwnAll(b)
		return out, c.Yield()
	}
	for i, e := range p.exprs {
		v, own, err := expr.EvalTemp(e, b)
		if err != nil {
			return nil, err
		}
		if out.Cols[i] = v; own {
			out.Own(p.pool, v)
		}
		if err := c.Yield(); err != nil {
			return nil, err
		}
	}
	// What was computed of the input can do without it; what was passed on can't.
	for _, v := range out.Cols {
		if b.Shares(v) {
			out.OwnAll(b)
			return out, nil
		}
	}
	b.Free()
	return out, nil
}

func (p *project) Close() error { return p.input.Close() }

func (p *project) Schema() []*types.Type { return p.schema }
