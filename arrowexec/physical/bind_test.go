package physical

import (
	"strings"
	"testing"

	"neptune/internal/plan"
	"neptune/internal/types"
)

func TestBindAndValidate(t *testing.T) {
	local := &Local{Out: []Column{{Name: "a", Type: types.Int32Type, ID: 7}, {Name: "b", Type: types.StringType, Null: true, ID: 9}}}
	e, err := Bind(&plan.Attr{ID: 9, Name: "b", T: types.StringType}, local.Out)
	if b, ok := e.(*plan.Bound); err != nil || !ok || b.Index != 1 || !b.Null {
		t.Fatalf("%v, %v", e, err)
	}
	if _, err := Bind(&plan.Attr{ID: 8, Name: "c", T: types.StringType}, local.Out); err == nil {
		t.Error("a column that isn't there was bound")
	}
	good := &Project{Exprs: []plan.Expr{e}, Out: []Column{{Name: "b", Type: types.StringType}}, Input: local}
	if err := Validate(good); err != nil {
		t.Error(err)
	}
	if got := Explain(good, "simple"); !strings.Contains(got, "+- LocalTableScan [a#7, b#9]") {
		t.Error(got)
	}
	for _, bad := range []plan.Expr{
		&plan.Bound{Index: 2, T: types.StringType},
		&plan.Bound{Index: 0, T: types.StringType},
		&plan.Attr{ID: 9, Name: "b", T: types.StringType},
	} {
		if Validate(&Project{Exprs: []plan.Expr{bad}, Out: good.Out, Input: local}) == nil {
			t.Errorf("%s passed", ExprString(bad))
		}
	}
}
