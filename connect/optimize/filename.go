package optimize

import (
	"neptune/internal/plan"
	"neptune/internal/types"
)

// fileNamed is a source of files that can tell, in one more column, of which file a row is: what a function without
// arguments gives.
type fileNamed interface {
	WithFileColumn(column, function string) plan.Source
}

// ofFiles are the functions that tell of the file that a row was read from, and what they give of other rows.
var ofFiles = []struct {
	function string
	none     *plan.Literal
}{
	{"input_file_name", &plan.Literal{T: types.StringType, Value: ""}},
	{"input_file_block_start", &plan.Literal{T: types.Int64Type, Value: int64(-1)}},
	{"input_file_block_length", &plan.Literal{T: types.Int64Type, Value: int64(-1)}},
}

// fileNames puts a column of the scan below in the place of input_file_name() and its like:
// of the file that a row was read from, where it has not been moved between tasks
// since; else they say that there is none, as in Spark.
func fileNames(n plan.Node) (plan.Node, error) {
	return plan.TransformUp(n, func(n plan.Node) (plan.Node, error) {
		for _, f := range ofFiles {
			var err error
			if n, err = fileColumn(n, f.function, f.none); err != nil {
				return nil, err
			}
		}
		return n, nil
	})
}

func fileColumn(n plan.Node, function string, none plan.Expr) (plan.Node, error) {
	found := false
	for _, e := range n.Exprs() {
		plan.Walk(e, func(x plan.Expr) bool {
			found = found || isCallOf(x, function)
			return !found
		})
	}
	if !found {
		return n, nil
	}
	value := none
	out := n.Output()
	kids := n.Children()
	if len(kids) == 1 {
		if k, a := withFileColumn(kids[0], function, none.Type()); a != nil {
			n, value = n.WithChildren([]plan.Node{k}), a
		}
	}
	n, err := plan.TransformExprs(n, func(e plan.Expr) (plan.Expr, error) {
		if isCallOf(e, function) {
			return value, nil
		}
		return e, nil
	})
	if err != nil || len(n.Output()) == len(out) {
		return n, err
	}
	return &plan.Project{Common: *n.Info(), List: asExprs(out), Child: n}, nil
}

func isCallOf(e plan.Expr, function string) bool {
	c, ok := e.(*plan.Call)
	return ok && c.Name == function
}

// withFileColumn adds the column to a plan that rows go through without leaving
// their task; the attribute is nil where they don't come from files in that way.
func withFileColumn(n plan.Node, function string, t *types.Type) (plan.Node, *plan.Attr) {
	switch x := n.(type) {
	case *plan.Relation:
		s, ok := x.Handle.(fileNamed)
		if !ok || x.Streaming {
			return n, nil
		}
		a := &plan.Attr{ID: plan.NewID(), Name: function + "()", T: t}
		c := *x
		c.Handle = s.WithFileColumn(a.Name, function)
		c.Out = append(append([]*plan.Attr{}, x.Out...), a)
		return &c, a
	case *plan.Project:
		k, a := withFileColumn(x.Child, function, t)
		if a == nil {
			return n, nil
		}
		c := *x
		c.Child = k
		c.List = append(append([]plan.Expr{}, x.List...), a)
		return &c, a
	case *plan.Filter, *plan.SubqueryAlias, *plan.Hint, *plan.Sample:
		k, a := withFileColumn(n.Children()[0], function, t)
		if a == nil {
			return n, nil
		}
		return n.WithChildren([]plan.Node{k}), a
	}
	return n, nil
}
