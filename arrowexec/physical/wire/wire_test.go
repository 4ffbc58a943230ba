package wire

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// table is a source that crosses by its name.
type table struct{ name string }

func (t *table) Format() string        { return "table" }
func (t *table) Schema() *types.Type   { return types.EmptyStruct }
func (t *table) PartitionColumns() int { return 0 }
func (t *table) Stats() plan.Stats     { return plan.Stats{} }
func (t *table) Wire() (string, []byte, error) {
	if t.name == "private" {
		return "", nil, &RefusedError{What: "a private table", Why: "it is"}
	}
	return "table", []byte(t.name), nil
}

// held is a source that doesn't cross.
type held struct{ plan.Source }

func (held) Format() string { return "held" }

var sources = Sources{"table": func(b []byte) (plan.Source, error) { return &table{string(b)}, nil }}

// filler makes random values.
type filler struct {
	r     *rand.Rand
	depth int
}

var sqlTypes = []*types.Type{
	types.NullType, types.Int32Type, types.StringType, types.NewDecimal(30, 4), types.NewArray(types.DateType, true), types.VariantType,
	types.NewMap(types.StringType, types.NewStruct(types.Field{Name: "f", Type: types.DayTimeType, Metadata: "{}"}), false), {Kind: types.Object, UDT: `{"x":1}`},
}

func (f *filler) fill(v reflect.Value) {
	t := v.Type()
	switch t {
	case reflect.TypeFor[*types.Type]():
		v.Set(reflect.ValueOf(sqlTypes[f.r.IntN(len(sqlTypes))]))
		return
	case zoneType:
		v.Set(reflect.ValueOf(time.UTC))
		return
	case sourceType:
		v.Set(reflect.ValueOf(&table{fmt.Sprint("t", f.r.IntN(9))}))
		return
	case batchesTyp:
		v.Set(reflect.ValueOf([]*vec.Batch{{N: 2, Cols: []*vec.Vector{vec.FromSlice(types.Int64Type, []int64{f.r.Int64(), -1}, []bool{false, true})}}}))
		return
	}
	f.depth++
	defer func() { f.depth-- }()
	switch t.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(f.r.Uint64()) >> (64 - t.Bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(f.r.Uint64() >> (64 - t.Bits()))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(float32(f.r.NormFloat64())))
	case reflect.String:
		v.SetString(strings.Repeat("é", f.r.IntN(3)) + fmt.Sprint(f.r.IntN(1000)))
	case reflect.Slice:
		n := 1 + f.r.IntN(3)
		if f.depth > 8 {
			n = 0
		}
		v.Set(reflect.MakeSlice(t, n, n))
		for i := range n {
			f.fill(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(t))
		for i := range 3 {
			e := reflect.New(t.Elem()).Elem()
			f.fill(e)
			v.SetMapIndex(reflect.ValueOf(fmt.Sprint("k", i)), e)
		}
	case reflect.Struct:
		for i := range t.NumField() {
			f.fill(v.Field(i))
		}
	case reflect.Pointer:
		p := reflect.New(t.Elem())
		f.fill(p.Elem())
		v.Set(p)
	case reflect.Interface:
		var fit []reflect.Type
		for _, r := range registry {
			leaf := r == reflect.TypeFor[*physical.Range]() || r == reflect.TypeFor[*plan.Bound]() || r.Kind() != reflect.Pointer && r.Kind() != reflect.Slice && r.Kind() != reflect.Struct
			if r.AssignableTo(t) && (f.depth < 8 || leaf) && (t.NumMethod() > 0 || r.Kind() != reflect.Pointer) {
				fit = append(fit, r)
			}
		}
		x := reflect.New(fit[f.r.IntN(len(fit))]).Elem()
		f.fill(x)
		v.Set(x)
	default:
		panic(t.String())
	}
}

// A batch may own memory in this process, which doesn't cross.
var compare = cmp.Options{cmp.AllowUnexported(table{}), cmpopts.IgnoreUnexported(vec.Batch{}), cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })}

// TestEveryFieldCrosses fills every registered type with random values in every field.
func TestEveryFieldCrosses(t *testing.T) {
	for i, rt := range registry {
		for seed := range uint64(3) {
			f := &filler{r: rand.New(rand.NewPCG(seed, uint64(i)))}
			v := reflect.New(rt)
			f.fill(v.Elem())
			if rt.Kind() == reflect.Pointer {
				for k := range rt.Elem().NumField() {
					if fv := v.Elem().Elem().Field(k); fv.IsZero() && fv.Kind() != reflect.Int && fv.Kind() != reflect.Uint8 && fv.Kind() != reflect.Int64 {
						t.Errorf("%s.%s was left empty by the test", rt, rt.Elem().Field(k).Name)
					}
				}
			}
			data, err := Marshal(v.Interface())
			if err != nil {
				t.Fatalf("%s: %v", rt, err)
			}
			back := reflect.New(rt)
			if err := Unmarshal(data, back.Interface(), sources); err != nil {
				t.Fatalf("%s: %v", rt, err)
			}
			if d := cmp.Diff(v.Interface(), back.Interface(), compare); d != "" {
				t.Errorf("%s: %s", rt, d)
			}
		}
	}
}

func TestConfCrosses(t *testing.T) {
	zone, err := types.LoadZone("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	want := task.Conf{TimeZone: zone, ANSI: true, BatchRows: 7, SpillDir: "d", Keys: map[string]string{"a": "b", "": "c"}}
	data, err := Marshal(&want)
	if err != nil {
		t.Fatal(err)
	}
	var got task.Conf
	if err := Unmarshal(data, &got, nil); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, compare); d != "" {
		t.Error(d)
	}
	if _, err := Marshal(&task.Conf{TimeZone: time.Local}); !isRefused(err) {
		t.Errorf("the local zone: %v", err)
	}
}

func isRefused(err error) bool {
	var r *RefusedError
	return errors.As(err, &r)
}

// implementers are the types of a package's sources with a method of that name and parameter.
func implementers(t *testing.T, dir, method, param string) (out []string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources in %s: %v", dir, err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fd, ok := d.(*ast.FuncDecl)
			if !ok || fd.Recv == nil || fd.Name.Name != method || len(fd.Type.Params.List) != 1 {
				continue
			}
			list, ok := fd.Type.Params.List[0].Type.(*ast.ArrayType)
			if !ok || list.Elt.(*ast.Ident).Name != param {
				continue
			}
			out = append(out, fd.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name)
		}
	}
	return out
}

// TestNothingIsForgotten finds the operators and expressions in the sources:
// each must be registered, or refused with a reason.
func TestNothingIsForgotten(t *testing.T) {
	known := map[string]bool{}
	for _, rt := range registry {
		known[rt.String()] = true
	}
	for rt := range refused {
		if known[rt.String()] {
			t.Errorf("%s is both registered and refused", rt)
		}
		known[rt.String()] = true
	}
	nodes, exprs := implementers(t, "..", "WithChildren", "Node"), implementers(t, "../../../internal/plan", "WithChildren", "Expr")
	if len(nodes) < 25 || len(exprs) < 20 {
		t.Fatalf("found %d operators and %d expressions only", len(nodes), len(exprs))
	}
	for _, n := range nodes {
		if !known["*physical."+n] {
			t.Errorf("operator %s isn't in the registry", n)
		}
	}
	for _, n := range exprs {
		if !known["*plan."+n] {
			t.Errorf("expression %s is neither registered nor refused", n)
		}
	}
}

func aStage() *Stage {
	origin := &errs.Origin{SQL: strings.Repeat("select ", 20), Start: 3, Stop: 9, Line: 1}
	scan := &physical.Scan{Source: &table{"t"}, Cols: []int{0}, Out: []physical.Column{{Name: "a", Type: types.Int64Type, Null: true, ID: 4}}, Limit: -1}
	below := &physical.Exchange{ID: 3, Kind: physical.Hash, N: 5, Keys: []plan.Expr{&plan.Bound{T: types.Int64Type}}, Input: scan}
	cond := &plan.Call{Name: ">", At: plan.At{Origin: origin}, T: types.BoolType, Kind: plan.FnScalar, Args: []plan.Expr{
		&plan.Bound{T: types.Int64Type, Null: true}, &plan.Literal{At: plan.At{Origin: origin}, T: types.Int64Type, Value: int64(7)}}}
	join := &physical.HashJoin{Left: below, Right: below, LeftKeys: []plan.Expr{&plan.Bound{T: types.Int64Type}}, RightKeys: []plan.Expr{&plan.Bound{T: types.Int64Type}},
		Cond: cond, NullSafe: []bool{false}, Out: append(below.Schema(), below.Schema()...)}
	top := &physical.Filter{Cond: cond, Input: join}
	return &Stage{ID: 2, Root: top, Output: &physical.Exchange{ID: 9, Kind: physical.Single, Input: top}}
}

func TestStage(t *testing.T) {
	s := aStage()
	data, err := Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(data, sources)
	if err != nil {
		t.Fatal(err)
	}
	join := got.Root.(*physical.Filter).Input.(*physical.HashJoin)
	x, ok := join.Left.(*physical.Exchange)
	if !ok || join.Right != join.Left {
		t.Fatal("the exchange that is read twice became two")
	}
	if join.Cond != got.Root.(*physical.Filter).Cond {
		t.Error("the shared condition became two")
	}
	if l, ok := x.Input.(*physical.Local); !ok || l.Data != nil || x.ID != 3 || x.N != 5 {
		t.Errorf("below the exchange there is %T", x.Input)
	}
	if d := cmp.Diff(s.Root.Schema(), got.Root.Schema()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(s.Output.Schema(), got.Output.Schema()); d != "" || got.ID != 2 || got.Output.ID != 9 {
		t.Error("output", d)
	}
	if want, have := physical.Explain(s.Root.(*physical.Filter).Input.(*physical.HashJoin).Left, "simple"), physical.Explain(x, "simple"); strings.SplitN(want, "\n", 3)[1] != strings.SplitN(have, "\n", 3)[1] {
		t.Errorf("%s\n%s", want, have)
	}
	again, err := Encode(got)
	if err != nil || !slices.Equal(again, data) {
		t.Errorf("encoded again it is another message: %v", err)
	}
	if s.Root.(*physical.Filter).Input.(*physical.HashJoin).Left.(*physical.Exchange).Input.(*physical.Scan) == nil {
		t.Error("the plan was changed")
	}
}

func TestRefusals(t *testing.T) {
	out := []physical.Column{{Name: "a", Type: types.Int64Type}}
	over := func(e plan.Expr) physical.Node {
		return &physical.Project{Exprs: []plan.Expr{e}, Out: out, Input: &physical.Local{}}
	}
	for name, n := range map[string]physical.Node{
		"*plan.UDF":            over(&plan.UDF{Name: "f"}),
		"*plan.UnresolvedAttr": over(&plan.UnresolvedAttr{}),
		"chan int":             &physical.Local{Data: make(chan int)},
		"func()":               &physical.Local{Data: func() {}},
		"the source held":      &physical.Scan{Source: held{}},
		"a private table":      &physical.Scan{Source: &table{"private"}},
		"a plan":               &physical.Filter{},
	} {
		_, err := Encode(&Stage{Root: &physical.Coalesce{N: 1, Input: n}})
		if !isRefused(err) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	loop := &plan.Cast{To: types.Int32Type}
	loop.Child = loop
	if _, err := Encode(&Stage{Root: over(loop)}); !isRefused(err) {
		t.Errorf("a loop: %v", err)
	}
	var deep plan.Expr = &plan.Bound{T: types.Int32Type}
	for range 4000 {
		deep = &plan.Cast{To: types.Int32Type, Child: deep}
	}
	data, err := Encode(&Stage{Root: over(deep)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(data, nil); err != nil {
		t.Errorf("what was written can't be read: %v", err)
	}
}

func TestVersions(t *testing.T) {
	data, err := Encode(aStage())
	if err != nil {
		t.Fatal(err)
	}
	var v *VersionError
	other := slices.Clone(data)
	other[2] = Version + 1
	if _, err := Decode(other, sources); !errors.As(err, &v) || v.Got != Version+1 || v.Fingerprint {
		t.Errorf("another version: %v", err)
	}
	other = slices.Clone(data)
	other[5] ^= 1
	if _, err := Decode(other, sources); !errors.As(err, &v) || !v.Fingerprint {
		t.Errorf("another build: %v", err)
	}
	if err := Unmarshal(data, new(task.Conf), nil); !errors.As(err, &v) {
		t.Errorf("a message of another type: %v", err)
	}
	scan, err := Encode(&Stage{Root: &physical.Scan{Source: &table{"t"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(scan, nil); err == nil || !strings.Contains(err.Error(), `"table"`) {
		t.Errorf("a source that nothing opens: %v", err)
	}
	if _, err := Decode([]byte("hello"), nil); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
	for n := range data {
		if _, err := Decode(data[:n], sources); err == nil {
			t.Fatalf("%d bytes of %d were enough", n, len(data))
		}
	}
	if _, err := Decode(append(slices.Clone(data), 0), sources); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a byte too many: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	data, err := Encode(aStage())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	for seed := range uint64(20) {
		fl := &filler{r: rand.New(rand.NewPCG(seed, 7)), depth: 3}
		var n physical.Node
		fl.fill(reflect.ValueOf(&n).Elem())
		data, err := Marshal(&Stage{Root: n})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	head := data[:3+8]
	f.Fuzz(func(t *testing.T, in []byte) {
		in = append(slices.Clone(head), in[min(len(head), len(in)):]...) // get past the fingerprint
		s, err := Decode(in, sources)
		if err != nil {
			return
		}
		again, err := Marshal(s)
		if err != nil {
			t.Fatalf("what was read can't be written: %v", err)
		}
		if _, err := Decode(again, sources); err != nil {
			t.Fatalf("what was read and written can't be read: %v", err)
		}
	})
}

// TestDamagedMessages changes bytes at random: errors are fine, panics aren't.
func TestDamagedMessages(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for seed := range uint64(30) {
		fl := &filler{r: rand.New(rand.NewPCG(seed, 3)), depth: 2}
		var n physical.Node
		fl.fill(reflect.ValueOf(&n).Elem())
		data, err := Marshal(&Stage{Root: n})
		if err != nil {
			t.Fatal(err)
		}
		for range 300 {
			bad := slices.Clone(data)
			for range 1 + r.IntN(3) {
				bad[11+r.IntN(len(bad)-11)] = byte(r.Uint32())
			}
			_, _ = Decode(bad, sources)
		}
	}
}

func BenchmarkStage(b *testing.B) {
	s := aStage()
	data, err := Encode(s)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		b.ReportMetric(float64(len(data)), "bytes")
		for b.Loop() {
			if _, err := Encode(s); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			if _, err := Decode(data, sources); err != nil {
				b.Fatal(err)
			}
		}
	})
}
