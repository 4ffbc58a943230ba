package translate

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"neptune/connect/pb"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

func translator() *Translator {
	return New(Env{ANSI: true, Parser: Parser{
		Statement: func(sql string) (plan.Node, error) {
			return &plan.Project{Child: &plan.OneRow{}, List: []plan.Expr{
				&plan.Parameter{Name: "a"}, &plan.Subquery{Plan: &plan.Filter{Cond: &plan.Parameter{Offset: 9}, Child: &plan.OneRow{}}}, &plan.Parameter{Offset: 3},
			}}, nil
		},
		Expression: func(string) (plan.Expr, error) { return nil, errs.NotSupported("x") },
		DataType:   func(string) (*types.Type, error) { return types.Int32Type, nil },
		Schema:     func(string) (*types.Type, error) { return types.EmptyStruct, nil },
	}})
}

func TestSplitName(t *testing.T) {
	for in, want := range map[string][]string{
		"a": {"a"}, "a.b": {"a", "b"}, "`a.b`.c": {"a.b", "c"}, "a.`b``c`": {"a", "b`c"}, "sum(x)": {"sum(x)"}, "": {""}, "ü b": {"ü b"},
	} {
		if got, err := SplitName(in); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
	for _, in := range []string{"a.", ".a", "a..b", "`a", "a`b", "`a`b"} {
		if e, _ := errs.As(func() error { _, err := SplitName(in); return err }()); e == nil || e.Condition != "INVALID_ATTRIBUTE_NAME_SYNTAX" {
			t.Errorf("%q: %v", in, e)
		}
	}
}

var allTypes = types.NewStruct(
	types.Field{Name: "a", Type: types.NewArray(types.NewDecimal(20, 3), true), Nullable: true},
	types.Field{Name: "m", Type: types.NewMap(types.StringType, types.NewStruct(types.Field{Name: "x", Type: types.Int8Type}), true), Nullable: true, Metadata: `{"k":1}`},
	types.Field{Name: "i", Type: types.NewDayTime(types.Hour, types.Second)}, types.Field{Name: "y", Type: types.YearMonthType},
	types.Field{Name: "t", Type: types.TimeType}, types.Field{Name: "v", Type: types.VariantType}, types.Field{Name: "c", Type: &types.Type{Kind: types.Char, Length: 3}},
	types.Field{Name: "d", Type: types.DateType}, types.Field{Name: "n", Type: types.TimestampNTZType}, types.Field{Name: "z", Type: types.TimestampType}, types.Field{Name: "0", Type: types.NullType},
)

func TestTypesGoAndComeBack(t *testing.T) {
	p, err := TypeProto(allTypes)
	if err != nil {
		t.Fatal(err)
	}
	back, err := translator().Type(p)
	if err != nil || !types.Equal(back, allTypes) {
		t.Errorf("%s %v", back, err)
	}
}

func TestLiteralsGoAndComeBack(t *testing.T) {
	for _, c := range []struct {
		t *types.Type
		v any
	}{
		{types.BoolType, true}, {types.Int8Type, int8(-3)}, {types.Int16Type, int16(300)}, {types.Int32Type, int32(1)}, {types.Int64Type, int64(-1 << 62)},
		{types.Float32Type, float32(1.5)}, {types.Float64Type, -2.5}, {types.NewDecimal(10, 2), types.I128(-12345)}, {types.NewDecimal(5, 5), types.I128(7)},
		{types.StringType, "x"}, {types.BinaryType, []byte{1}}, {types.DateType, int32(9)}, {types.TimestampType, int64(8)}, {types.TimestampNTZType, int64(7)},
		{types.CalendarType, types.CalendarValue{Months: 1, Days: 2, Micros: 3}}, {types.YearMonthType, int32(13)}, {types.DayTimeType, int64(5)}, {types.TimeType, int64(4)},
		{types.NewArray(types.Int32Type, true), []any{int32(1), nil}},
		{types.NewMap(types.StringType, types.Int64Type, true), types.MapValue{Keys: []any{"a"}, Values: []any{nil}}},
		{types.NewStruct(types.Field{Name: "a", Type: types.Int32Type, Nullable: true}), types.StructValue{nil}},
		{types.Int32Type, nil},
	} {
		p, err := LiteralProto(c.t, c.v)
		if err != nil {
			t.Fatal(err)
		}
		l, err := translator().Literal(p)
		if err != nil || !types.Equal(l.T, c.t) || !cmp.Equal(l.Value, c.v) {
			t.Errorf("%s %v: got %v, %v", c.t, c.v, l, err)
		}
	}
}

func TestDecimalText(t *testing.T) {
	for in, want := range map[string]string{"1.20": "decimal(3,2)", "-0.001": "decimal(3,3)", "1E+3": "decimal(4,0)", "12": "decimal(2,0)"} {
		ty, _, err := decimal(&pb.Expression_Literal_Decimal{Value: in})
		if err != nil || ty.String() != want {
			t.Errorf("%s: %s %v", in, ty, err)
		}
	}
	for _, in := range []string{"", "x", "1.2.3", "1e999999", "--1"} {
		if _, _, err := decimal(&pb.Expression_Literal_Decimal{Value: in}); err == nil {
			t.Errorf("%q passes", in)
		}
	}
}

func TestParametersAreBoundEverywhere(t *testing.T) {
	lit := func(n int32) *pb.Expression {
		return &pb.Expression{ExprType: &pb.Expression_Literal_{Literal: &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_Integer{Integer: n}}}}
	}
	n, err := translator().sql(&pb.SQL{NamedArguments: map[string]*pb.Expression{"a": lit(1)}, PosArguments: []*pb.Expression{lit(2), lit(3)}})
	if err != nil {
		t.Fatal(err)
	}
	p := n.(*plan.Project)
	got := []any{p.List[0].(*plan.Literal).Value, p.List[1].(*plan.Subquery).Plan.(*plan.Filter).Cond.(*plan.Literal).Value, p.List[2].(*plan.Literal).Value}
	if want := []any{int32(1), int32(3), int32(2)}; !cmp.Equal(got, want) {
		t.Errorf("%v", got)
	}
	_, err = translator().sql(&pb.SQL{PosArguments: []*pb.Expression{lit(2)}})
	if e, _ := errs.As(err); e == nil || e.Condition != "UNBOUND_SQL_PARAMETER" {
		t.Errorf("%v", err)
	}
}

func TestCyclesAndDepthAreRefused(t *testing.T) {
	id := int64(7)
	loop := &pb.Relation{Common: &pb.RelationCommon{PlanId: &id}, RelType: &pb.Relation_Project{Project: &pb.Project{Expressions: []*pb.Expression{
		{ExprType: &pb.Expression_SubqueryExpression{SubqueryExpression: &pb.SubqueryExpression{PlanId: id, SubqueryType: pb.SubqueryExpression_SUBQUERY_TYPE_SCALAR}}}}}}}
	deep := &pb.Relation{RelType: &pb.Relation_Range{Range: &pb.Range{End: 1, Step: 1}}}
	for range MaxDepth + 1 {
		deep = &pb.Relation{RelType: &pb.Relation_Limit{Limit: &pb.Limit{Input: deep, Limit: 1}}}
	}
	for _, r := range []*pb.Relation{deep, {RelType: &pb.Relation_WithRelations{WithRelations: &pb.WithRelations{Root: loop, References: []*pb.Relation{loop}}}}} {
		if e, _ := errs.As(func() error { _, err := translator().Relation(r); return err }()); e == nil || e.Condition != "CONNECT_INVALID_PLAN.ASSERTION_FAILURE" {
			t.Errorf("%v", e)
		}
	}
}

func TestUnknownFields(t *testing.T) {
	r := &pb.Relation{RelType: &pb.Relation_Range{Range: &pb.Range{End: 1, Step: 1}}}
	raw, err := proto.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got pb.Relation
	if err := proto.Unmarshal(append(raw, 0xfa, 0x7f, 1, 'x'), &got); err != nil { // field 2047
		t.Fatal(err)
	}
	if _, err := translator().Relation(&got); err != nil {
		t.Errorf("an unknown field beside a known one: %v", err)
	}
	got.RelType = nil
	e, _ := errs.As(func() error { _, err := translator().Relation(&got); return err }())
	if e == nil || e.Condition != "CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET" || e.Params["name"] != "rel_type (unknown field 2047)" {
		t.Errorf("%v", e)
	}
}

// fill sets random fields of a message, so that every kind of relation and expression comes by.
func fill(m protoreflect.Message, g *rand.Rand, depth int) {
	fields := m.Descriptor().Fields()
	for range 1 + g.IntN(3) {
		f := fields.Get(g.IntN(max(1, fields.Len())))
		sub := f.Kind() == protoreflect.MessageKind
		if sub && depth == 0 {
			continue
		}
		switch {
		case f.IsMap():
		case f.IsList() && sub:
			l := m.Mutable(f).List()
			for range g.IntN(3) {
				e := l.NewElement()
				if e.Message().Descriptor().Fields().Len() > 0 {
					fill(e.Message(), g, depth-1)
				}
				l.Append(e)
			}
		case f.IsList():
		case sub:
			if s := m.Mutable(f).Message(); s.Descriptor().Fields().Len() > 0 {
				fill(s, g, depth-1)
			}
		case f.Kind() == protoreflect.StringKind:
			m.Set(f, protoreflect.ValueOfString([]string{"a", "a.b", "`", "", "{"}[g.IntN(5)]))
		case f.Kind() == protoreflect.Int32Kind:
			m.Set(f, protoreflect.ValueOfInt32(int32(g.IntN(40)-5)))
		case f.Kind() == protoreflect.Int64Kind:
			m.Set(f, protoreflect.ValueOfInt64(int64(g.IntN(40)-5)))
		case f.Kind() == protoreflect.BoolKind:
			m.Set(f, protoreflect.ValueOfBool(true))
		case f.Kind() == protoreflect.EnumKind:
			m.Set(f, protoreflect.ValueOfEnum(protoreflect.EnumNumber(g.IntN(6))))
		}
	}
}

func TestAnyPlanTranslatesOrIsRefusedInSparksWay(t *testing.T) {
	kinds := (&pb.Relation{}).ProtoReflect().Descriptor().Oneofs().ByName("rel_type").Fields()
	for i := range kinds.Len() {
		for seed := range uint64(150) {
			g := rand.New(rand.NewPCG(seed, uint64(i)))
			r := &pb.Relation{}
			m := r.ProtoReflect()
			if s := m.Mutable(kinds.Get(i)).Message(); s.Descriptor().Fields().Len() > 0 {
				fill(s, g, 6)
			}
			func() {
				defer func() {
					if p := recover(); p != nil {
						t.Fatalf("%v: panic: %v", r, p)
					}
				}()
				n, err := translator().Relation(r)
				e, ok := errs.As(err)
				switch {
				case err == nil && n == nil:
					t.Errorf("%v: nothing", r)
				case err != nil && (!ok || e.SQLState() == ""):
					t.Errorf("%v: %v has no SQLSTATE", r, err)
				}
			}()
		}
	}
}

func FuzzPlan(f *testing.F) {
	seed, err := proto.Marshal(&pb.Relation{RelType: &pb.Relation_Range{Range: &pb.Range{End: 1, Step: 1}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := &pb.Relation{}
		if proto.Unmarshal(raw, r) != nil {
			return
		}
		if n, err := translator().Relation(r); err == nil && n == nil {
			t.Error("nothing")
		}
	})
}

func TestJoinStreams(t *testing.T) {
	mark := []byte{0xff, 0xff, 0xff, 0xff}
	schema := append(slices.Clone(mark), 4, 0, 0, 0, 's', 's', 's', 's')
	part := func(body string) []byte {
		return slices.Concat(schema, []byte(body), endOfStream)
	}
	got, ok := JoinStreams([][]byte{part("one"), part("two")})
	if want := slices.Concat(schema, []byte("onetwo"), endOfStream); !ok || !bytes.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if _, ok := JoinStreams([][]byte{part("one"), []byte("junk")}); ok {
		t.Error("junk was joined")
	}
}

func TestOperators(t *testing.T) {
	a, b := &plan.Literal{Value: int32(1)}, &plan.Literal{Value: int32(2)}
	for name, want := range map[string]string{"==": "=", "isNull": "isnull", "+": "+"} {
		if c := normalise(&plan.Call{Name: name, Args: []plan.Expr{a, b}}).(*plan.Call); c.Name != want {
			t.Errorf("%s became %s", name, c.Name)
		}
	}
	if c, ok := normalise(&plan.Call{Name: "when", Args: []plan.Expr{a, b, a}}).(*plan.Case); !ok || c.Else != plan.Expr(a) {
		t.Error(fmt.Sprint(c))
	}
}
