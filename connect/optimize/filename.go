package optimize

import (
	"neptune/internal/plan"
	"neptune/internal/types"
)

// fileNamed is a source of files that can tell, in one more column, which file a row is from.
type fileNamed interface {
	WithFileName(column string) plan.Source
}

const inputFileName = "input_file_name"

// fileNames puts a column of the scan below in the place of input_file_name():
// the file that a row was read from, where it has not been moved between tasks
// since; else it is empty, as in Spark.
func fileNames(n plan.Node) (plan.Node, error) {
	return plan.TransformUp(n, func(n plan.Node) (plan.Node, error) {
		found := false
		for _, e := range n.Exprs() {
			plan.Walk(e, func(x plan.Expr) bool {
				found = found || isFileName(x)
				return !found
			})
		}
		if !found {
			return n, nil
		}
		var name plan.Expr = &plan.Literal{T: types.StringType, Value: ""}
		out := n.Output()
		kids := n.Children()
		if len(kids) == 1 {
			if k, a := withFileName(kids[0]); a != nil {
				n, name = n.WithChildren([]plan.Node{k}), a
			}
		}
		n, err := plan.TransformExprs(n, func(e plan.Expr) (plan.Expr, error) {
			if isFileName(e) {
				return name, nil
			}
			return e, nil
		})
		if err != nil || len(n.Output()) == len(out) {
			return n, err
		}
		return &plan.Project{Common: *n.Info(), List: asExprs(out), Child: n}, nil
	})
}

func isFileName(e plan.Expr) bool {
	c, ok := e.(*plan.Call)
	return ok && c.Name == inputFileName
}

// withFileName adds the column to a plan that rows go through without leaving
// their task; the attribute is nil where they don't come from files in that way.
func withFileName(n plan.Node) (plan.Node, *plan.Attr) {
	switch x := n.(type) {
	case *plan.Relation:
		s, ok := x.Handle.(fileNamed)
		if !ok || x.Streaming {
			return n, nil
		}
		a := &plan.Attr{ID: plan.NewID(), Name: inputFileName + "()", T: types.StringType}
		c := *x
		c.Handle = s.WithFileName(a.Name)
		c.Out = append(append([]*plan.Attr{}, x.Out...), a)
		return &c, a
	case *plan.Project:
		k, a := withFileName(x.Child)
		if a == nil {
			return n, nil
		}
		c := *x
		c.Child = k
		c.List = append(append([]plan.Expr{}, x.List...), a)
		return &c, a
	case *plan.Filter, *plan.SubqueryAlias, *plan.Hint, *plan.Sample:
		k, a := withFileName(n.Children()[0])
		if a == nil {
			return n, nil
		}
		return n.WithChildren([]plan.Node{k}), a
	}
	return n, nil
}
