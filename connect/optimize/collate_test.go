package optimize

import (
	"testing"

	"neptune/internal/plan"
	"neptune/internal/types"
)

// TestCollatedGroups: groups go by keys, and the value asked for is that of some row.
func TestCollatedGroups(t *testing.T) {
	lcase := &types.Type{Kind: types.String, Collation: "UTF8_LCASE"}
	a := &plan.Attr{ID: 1, Name: "a", T: lcase, Null: true}
	n, err := collatedGroups(&plan.Aggregate{Group: []plan.Expr{a}, List: []plan.Expr{a}})
	if err != nil {
		t.Fatal(err)
	}
	g := n.(*plan.Aggregate)
	if c, ok := g.Group[0].(*plan.Call); !ok || c.Name != "collation_key" || c.T.Kind != types.Binary {
		t.Errorf("grouped by %v", g.Group[0])
	}
	if al, ok := g.List[0].(*plan.Alias); !ok || al.ID != 1 || al.Child.(*plan.Call).Name != "any_value" {
		t.Errorf("gives %v", g.List[0])
	}
	plain := &plan.Attr{ID: 2, Name: "b", T: types.StringType}
	p := &plan.Aggregate{Group: []plan.Expr{plain}, List: []plan.Expr{plain}}
	if n, err := collatedGroups(p); err != nil || n != plan.Node(p) {
		t.Error("a group by plain strings was changed")
	}
}

// TestCollatedComparisons: both sides of a comparison become keys, once.
func TestCollatedComparisons(t *testing.T) {
	ci := &types.Type{Kind: types.String, Collation: "UNICODE_CI"}
	a := &plan.Attr{ID: 1, Name: "a", T: ci}
	eq := &plan.Call{Name: "=", Args: []plan.Expr{a, &plan.Literal{T: ci, Value: "x"}}, T: types.BoolType, Kind: plan.FnScalar}
	once := collated(eq).(*plan.Call)
	for _, x := range once.Args {
		if c, ok := x.(*plan.Call); !ok || c.Name != "collation_key" {
			t.Errorf("compares %v", x)
		}
	}
	if collated(once) != plan.Expr(once) {
		t.Error("keys of keys")
	}
	m := collated(&plan.Call{Name: "min", Args: []plan.Expr{a}, T: ci, Kind: plan.FnAggregate}).(*plan.Call)
	if m.Name != "min_by" || len(m.Args) != 2 {
		t.Errorf("min became %s of %d", m.Name, len(m.Args))
	}
}

// TestCollatedWindows: windows are parted and ordered by keys, in the node and in its functions alike.
func TestCollatedWindows(t *testing.T) {
	lcase := &types.Type{Kind: types.String, Collation: "UTF8_LCASE"}
	a := &plan.Attr{ID: 1, Name: "a", T: lcase}
	fun := &plan.Call{Name: "row_number", T: types.Int32Type, Kind: plan.FnWindow}
	order := []plan.SortOrder{{Child: a}}
	w := &plan.Window{Func: fun, Partition: []plan.Expr{a}, Order: order}
	node := &plan.WindowNode{List: []plan.Expr{&plan.Alias{Child: w, Names: []string{"r"}, ID: 2}}, Partition: []plan.Expr{a}, Order: order,
		Child: &plan.LocalRelation{Schema: types.NewStruct(types.Field{Name: "a", Type: lcase}), Out: []*plan.Attr{a}}}
	n, err := (&optimizer{}).collations(node)
	if err != nil {
		t.Fatal(err)
	}
	x := n.(*plan.WindowNode)
	in := x.List[0].(*plan.Alias).Child.(*plan.Window)
	for _, e := range []plan.Expr{x.Partition[0], x.Order[0].Child, in.Partition[0], in.Order[0].Child} {
		if c, ok := e.(*plan.Call); !ok || c.Name != "collation_key" {
			t.Errorf("%v has no key", e)
		}
	}
}
