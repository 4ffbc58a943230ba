package op

import (
	"neptune/arrowexec/physical"
	"neptune/internal/errs"
)

// buildAgg makes the operators of grouping, expanding, sampling and observing.
func buildAgg(n physical.Node, d Deps) (Operator, error) {
	kids := n.Children()
	if len(kids) != 1 {
		return nil, errs.NotSupported("operator " + n.Name())
	}
	in, err := Build(kids[0], d)
	if err != nil {
		return nil, err
	}
	switch n := n.(type) {
	case *physical.HashAggregate:
		return NewHashAggregate(in, n, d.Env)
	case *physical.Expand:
		return NewExpand(in, n, d.Env)
	case *physical.Generate:
		return NewGenerate(in, n, d.Env)
	case *physical.StateAggregate:
		return NewStateAggregate(in, n, d.Env, d.State)
	case *physical.StateDedup:
		return NewStateDedup(in, n, d.State), nil
	case *physical.Window:
		return NewWindow(in, n, d.Env)
	case *physical.Sample:
		return NewSample(in, n), nil
	case *physical.ScriptTransform:
		return NewScript(in, n), nil
	case *physical.Observe:
		return NewObserve(in, n, d.Env, d.Observed)
	case *physical.Watermark:
		return NewWatermark(in, n, d.EventTime), nil
	}
	return nil, errs.NotSupported("operator " + n.Name())
}
