package fn

import (
	"strconv"
	"strings"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// variantOp is what is done at the end of a path.
type variantOp uint8

const (
	variantInsert  variantOp = iota // a new member, or an element in front of the one that is there
	variantSet                      // in the place of what is there, or new
	variantReplace                  // in the place of what is there, or nothing
	variantAppend                   // a new last element of the array that is there
	variantDelete
)

// makes reports whether what is missing on the path is made.
func (o variantOp) makes() bool { return o == variantInsert || o == variantSet }

// variantOutcome is how a change ended.
type variantOutcome uint8

const (
	variantDone     variantOutcome = iota
	variantSame                    // the path leads nowhere: the value stays as it is
	variantMismatch                // a step meets a value of another kind
	variantExists                  // the new member has the name of another
	variantBroken
	variantTooLarge
)

// variantChange writes a value with one place in it changed.
type variantChange struct {
	w     *variantWriter
	op    variantOp
	steps []jsonStep
	put   func() bool // writes the new value; false: it is malformed
	at    int         // of a mismatch: how many steps led to the value
}

// write writes v, where n steps of the path lead to, with what the others lead to changed.
func (c *variantChange) write(v variant, n int) variantOutcome {
	k, id := v.kind()
	want := variantArray
	if n < len(c.steps) && c.steps[n].index < 0 {
		want = variantObject
	}
	switch {
	case k == variantBad:
		return variantBroken
	case k != want && c.op == variantDelete:
		return variantSame
	case k != want:
		c.at = n
		return variantMismatch
	}
	box, ok := v.container(k, id)
	if !ok {
		return variantBroken
	}
	if want == variantObject {
		return c.object(&box, n)
	}
	return c.array(&box, n)
}

func (c *variantChange) object(box *container, n int) variantOutcome {
	w, name, last := c.w, c.steps[n].name, n == len(c.steps)-1
	found := -1
	for i := range box.n {
		if string(box.key(i)) == name {
			found = i
		}
	}
	switch {
	case found < 0 && !c.op.makes():
		return variantSame
	case found >= 0 && last && c.op == variantInsert:
		c.at = n
		return variantExists
	}
	start := len(w.val)
	fields := make([]variantField, 0, box.n+1)
	field := func(key string) {
		fields = append(fields, variantField{key, w.id(key), len(w.val) - start})
	}
	for i := range box.n {
		if i == found && last && c.op == variantDelete {
			continue
		}
		key := box.key(i)
		if key == nil {
			return variantBroken
		}
		field(string(key))
		if i != found {
			if !w.copy(box.at(i)) {
				return variantBroken
			}
		} else if r := c.step(box.at(i), n); r != variantDone {
			return r
		}
	}
	if found < 0 {
		field(name)
		if r := c.fresh(n + 1); r != variantDone {
			return r
		}
	}
	if !w.object(start, fields) {
		return variantBroken
	}
	return variantDone
}

// step writes what step n leads to.
func (c *variantChange) step(v variant, n int) variantOutcome {
	if n == len(c.steps)-1 && (c.op == variantSet || c.op == variantReplace) {
		return c.new()
	}
	return c.write(v, n+1)
}

func (c *variantChange) new() variantOutcome {
	if !c.put() {
		return variantBroken
	}
	return variantDone
}

func (c *variantChange) array(box *container, n int) variantOutcome {
	w, last := c.w, n == len(c.steps)-1
	x := box.n // of variantAppend at the end of its path: behind the last
	if n < len(c.steps) {
		x = c.steps[n].index
		if x >= box.n && !c.op.makes() {
			return variantSame
		}
	}
	if x > variantMost/2 { // each null is a byte, and an offset
		return variantTooLarge
	}
	start := len(w.val)
	at := make([]int, 0, max(box.n, x)+1)
	for i := range box.n {
		if i == x && last && c.op == variantDelete {
			continue
		}
		at = append(at, len(w.val)-start)
		if i == x && !(last && c.op == variantInsert) {
			if r := c.step(box.at(i), n); r != variantDone {
				return r
			}
			continue
		}
		if i == x {
			if r := c.new(); r != variantDone {
				return r
			}
			at = append(at, len(w.val)-start)
		}
		if !w.copy(box.at(i)) {
			return variantBroken
		}
	}
	if x >= box.n {
		if r := c.behind(start, at, x, n); r != variantDone {
			return r
		}
		return variantDone
	}
	w.array(start, at)
	return variantDone
}

// behind closes an array with the new value as element x, and nulls in front of it.
func (c *variantChange) behind(start int, at []int, x, n int) variantOutcome {
	for len(at) < x {
		at = append(at, len(c.w.val)-start)
		c.w.null()
	}
	at = append(at, len(c.w.val)-start)
	if r := c.fresh(min(n+1, len(c.steps))); r != variantDone {
		return r
	}
	c.w.array(start, at)
	return variantDone
}

// fresh writes the new value with the objects and arrays that the steps from n on ask for.
func (c *variantChange) fresh(n int) variantOutcome {
	if n == len(c.steps) {
		return c.new()
	}
	start, s := len(c.w.val), c.steps[n]
	if s.index >= 0 {
		if s.index > variantMost/2 {
			return variantTooLarge
		}
		return c.behind(start, nil, s.index, n)
	}
	f := []variantField{{s.name, c.w.id(s.name), 0}}
	if r := c.fresh(n + 1); r != variantDone {
		return r
	}
	c.w.object(start, f)
	return variantDone
}

// strip writes a value without the members that are null, and with arrays set the elements; false if it is malformed.
func (w *variantWriter) strip(v variant, arrays bool) bool {
	k, id := v.kind()
	if k != variantObject && k != variantArray {
		return w.copy(v)
	}
	box, ok := v.container(k, id)
	if !ok {
		return false
	}
	start := len(w.val)
	var fields []variantField
	var at []int
	for i := range box.n {
		x := box.at(i)
		if kind, _ := x.kind(); kind == variantNull && (box.object || arrays) {
			continue
		}
		if box.object {
			key := box.key(i)
			if key == nil {
				return false
			}
			fields = append(fields, variantField{string(key), w.id(string(key)), len(w.val) - start})
		} else {
			at = append(at, len(w.val)-start)
		}
		if !w.strip(x, arrays) {
			return false
		}
	}
	if box.object {
		return w.object(start, fields)
	}
	w.array(start, at)
	return true
}

// variantPaths are the paths of a kernel's arguments, parsed once each.
type variantPaths map[string][]jsonStep

// steps of a path; root: $ alone is one.
func (p variantPaths) steps(text string, root bool) ([]jsonStep, bool) {
	s, known := p[text]
	if !known {
		var ok bool
		if s, ok = parseVariantPath(text); !ok {
			return nil, false
		}
		if len(p) >= cacheMost {
			clear(p)
		}
		p[strings.Clone(text)] = s
	}
	return s, root || len(s) > 0
}

func badVariantPath(a *Args, path string) error {
	return errs.New(errs.Runtime, "INVALID_VARIANT_PATH", "path", path, "functionName", errs.ID(a.Call.Name)).At(a.pos())
}

// changeVariant is the kernel of the functions that put a value into a variant: (variant, path, value[, create if missing]).
func changeVariant(op variantOp, try bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		paths, err := state(a, func() (variantPaths, error) { return variantPaths{}, nil })
		if err != nil {
			return nil, err
		}
		b := vec.NewBuilder(a.Ret, a.N)
		var w variantWriter
		for i := range a.N {
			null := a.skipped(i)
			for _, v := range a.V {
				null = null || v.IsNull(i)
			}
			if null {
				b.AppendNull()
				continue
			}
			text := a.V[1].Str(i)
			steps, ok := paths.steps(text, op == variantAppend)
			if !ok {
				return nil, badVariantPath(a, text)
			}
			w.reset()
			c := &variantChange{w: &w, op: op, steps: steps, put: func() bool { return w.value(a.V[2], i) }}
			if len(a.V) > 3 && !vec.Of[bool](a.V[3])[i] {
				c.op = variantReplace
			}
			v := variantAt(a.V[0], i)
			r := c.write(v, 0)
			if r == variantSame {
				w.reset()
				if r = variantDone; !w.copy(v) {
					r = variantBroken
				}
			}
			switch {
			case r == variantBroken:
				return nil, malformedVariant(a.pos())
			case r == variantTooLarge || r == variantDone && len(w.val) > variantMost:
				return nil, variantSizeLimit(a)
			case r == variantDone:
				w.end(b)
			case try:
				b.AppendNull()
			case r == variantExists:
				return nil, errs.New(errs.Runtime, "VARIANT_DUPLICATE_KEY", "key", steps[c.at].name).At(a.pos())
			default:
				return nil, errs.New(errs.Runtime, "VARIANT_PATH_TYPE_MISMATCH", "functionName", errs.ID(a.Call.Name), "path", text, "failedAt", pathText(steps[:c.at])).At(a.pos())
			}
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return b.Finish(), nil
	}
}

// pathText writes a path for a message.
func pathText(steps []jsonStep) string {
	s := "$"
	for _, x := range steps {
		if x.index >= 0 {
			s += "[" + strconv.Itoa(x.index) + "]"
		} else {
			s += "." + x.name
		}
	}
	return s
}

// deleteVariant is variant_delete(variant, path...): null paths do nothing.
func deleteVariant(a *Args) (*vec.Vector, error) {
	paths, err := state(a, func() (variantPaths, error) { return variantPaths{}, nil })
	if err != nil {
		return nil, err
	}
	b := vec.NewBuilder(a.Ret, a.N)
	for i := range a.N {
		if a.skipped(i) || a.V[0].IsNull(i) {
			b.AppendNull()
			continue
		}
		v := variantAt(a.V[0], i)
		for _, p := range a.V[1:] {
			if p.IsNull(i) {
				continue
			}
			steps, ok := paths.steps(p.Str(i), false)
			if !ok {
				return nil, badVariantPath(a, p.Str(i))
			}
			w := new(variantWriter) // its bytes are the value of the next step
			switch (&variantChange{w: w, op: variantDelete, steps: steps}).write(v, 0) {
			case variantDone:
				v = variant{w.val, w.meta(nil)}
			case variantSame:
			default:
				return nil, malformedVariant(a.pos())
			}
		}
		w := new(variantWriter)
		if !w.copy(v) {
			return nil, malformedVariant(a.pos())
		}
		w.end(b)
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return b.Finish(), nil
}

// stripVariant is variant_strip_nulls(variant, arrays too).
func stripVariant(a *Args) (*vec.Vector, error) {
	b := vec.NewBuilder(a.Ret, a.N)
	var w variantWriter
	for i := range a.N {
		if a.skipped(i) || a.V[0].IsNull(i) || a.V[1].IsNull(i) {
			b.AppendNull()
			continue
		}
		w.reset()
		if !w.strip(variantAt(a.V[0], i), vec.Of[bool](a.V[1])[i]) {
			return nil, malformedVariant(a.pos())
		}
		w.end(b)
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return b.Finish(), nil
}

// castsToVariant reports whether a value of type t can be put into a variant.
func castsToVariant(t *types.Type) bool {
	switch t.Kind {
	case types.Array:
		return castsToVariant(t.Elem)
	case types.Struct, types.Map, types.CalendarInterval, types.Object, types.Time:
		return false
	}
	return !t.IsAnsiInterval() && !t.IsSpatial()
}

// constantFlag refuses an argument that depends on columns.
func constantFlag(c *plan.Call, name string, e plan.Expr) error {
	free := false
	plan.Walk(e, func(x plan.Expr) bool {
		if _, ok := x.(*plan.Attr); ok {
			free = true
		}
		return !free
	})
	if !free {
		return nil
	}
	return errs.New(errs.Analysis, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "inputName", errs.ID(name), "inputType", errs.Quote("BOOLEAN"), "inputExpr", errs.Quote(exprName(e)), "sqlExpr", errs.Quote(c.Name)).At(c.Pos())
}

func variantChanges() []Def {
	variantOnly := Accept{Types: []*types.Type{types.VariantType}, Test: isVariant, Exact: true}
	flag := Accept{Types: []*types.Type{types.BoolType}, Test: func(t *types.Type) bool { return t.Kind == types.Bool }, Exact: true}
	def := func(name, usage string, o []Overload, ex ...Example) Def {
		return Def{Name: name, Since: "4.3.0", Group: "variant_funcs", Usage: usage, Kind: plan.FnScalar, Nulls: NullKernel, Overloads: o, Examples: ex}
	}
	put := func(op variantOp, try bool) []Overload {
		ret := func(c *plan.Call) (*types.Type, bool, error) {
			if t := c.Args[2].Type(); !castsToVariant(t) {
				return nil, false, errs.New(errs.Analysis, "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "srcType", errs.Quote(t.SQL()), "targetType", errs.Quote("VARIANT"), "sqlExpr", errs.Quote(c.Name)).At(c.Pos())
			}
			if len(c.Args) > 3 {
				if err := constantFlag(c, "create_if_missing", c.Args[3]); err != nil {
					return nil, false, err
				}
			}
			null := try
			for _, e := range c.Args {
				null = null || e.Nullable()
			}
			return types.VariantType, null, nil
		}
		three := Overload{Params: params(variantOnly, onlyTextP, anyP), RetExpr: ret, Eval: changeVariant(op, try)}
		if op != variantSet {
			return []Overload{three}
		}
		return []Overload{three, {Params: params(variantOnly, onlyTextP, anyP, flag), RetExpr: ret, Eval: changeVariant(op, try)}}
	}
	return []Def{
		def("variant_insert", "Puts a value into a VARIANT where a path leads to nothing, or in front of the element of an array.", put(variantInsert, false),
			Example{`SELECT variant_insert(parse_json('{"a": 1}'), '$.b', 2)`, `{"a":1,"b":2}`}, Example{`SELECT variant_insert(parse_json('{}'), '$.a.b', 1)`, `{"a":{"b":1}}`},
			Example{`SELECT variant_insert(parse_json('["a","b","c"]'), '$[1]', 'z')`, `["a","z","b","c"]`}, Example{`SELECT variant_insert(parse_json('["a","b"]'), '$[5]', 'z')`, `["a","b",null,null,null,"z"]`},
			Example{`SELECT variant_insert(parse_json('{}'), '$.a', parse_json('null'))`, `{"a":null}`}, Example{`SELECT variant_insert(parse_json('{}'), '$.a', null)`, "NULL"},
			Example{`SELECT variant_insert(parse_json('{"b":[1,{"c":null}]}'), '$.q[2].z[1]', 1.5)`, `{"b":[1,{"c":null}],"q":[null,null,{"z":[null,1.5]}]}`}),
		def("try_variant_insert", "Is variant_insert that gives NULL where something is there already or a step of the path meets another kind of value.", put(variantInsert, true),
			Example{`SELECT try_variant_insert(parse_json('{"a": 1}'), '$.a', 2)`, "NULL"}, Example{`SELECT try_variant_insert(parse_json('{"a": 1}'), '$.a.b', 2)`, "NULL"}),
		def("variant_set", "Puts a value into a VARIANT at a path, in the place of what is there; `create_if_missing` says what to do where nothing is.", put(variantSet, false),
			Example{`SELECT variant_set(parse_json('{"a": 1}'), '$.a', 2)`, `{"a":2}`}, Example{`SELECT variant_set(parse_json('{"a": {"b": 1}}'), '$.a.c.d', 2)`, `{"a":{"b":1,"c":{"d":2}}}`},
			Example{`SELECT variant_set(parse_json('["a","b","c"]'), '$[1]', 'z')`, `["a","z","c"]`}, Example{`SELECT variant_set(parse_json('["a","b","c"]'), '$[5]', 'z')`, `["a","b","c",null,null,"z"]`},
			Example{`SELECT variant_set(parse_json('{"a": 1}'), '$.b', 2, false)`, `{"a":1}`}, Example{`SELECT variant_set(parse_json('{"a": 1}'), '$.a', null)`, "NULL"},
			Example{`SELECT variant_set(parse_json('{"b":[1,2]}'), '$.b[4].a', 2)`, `{"b":[1,2,null,null,{"a":2}]}`}),
		def("try_variant_set", "Is variant_set that gives NULL where a step of the path meets another kind of value.", put(variantSet, true),
			Example{`SELECT try_variant_set(parse_json('{"a": 1}'), '$.a.b', 2)`, "NULL"}, Example{`SELECT try_variant_set(parse_json('{"a": 1}'), '$.b', 2, false)`, `{"a":1}`}),
		def("variant_array_append", "Adds an element to the array in a VARIANT that a path leads to.", put(variantAppend, false),
			Example{`SELECT variant_array_append(parse_json('[1, 2, 3]'), '$', 4)`, "[1,2,3,4]"}, Example{`SELECT variant_array_append(parse_json('{"a": [1, 2]}'), '$.a', 3)`, `{"a":[1,2,3]}`},
			Example{`SELECT variant_array_append(parse_json('[1]'), '$', parse_json('[2, 3]'))`, "[1,[2,3]]"}, Example{`SELECT variant_array_append(parse_json('{"a": 1}'), '$.missing', 2)`, `{"a":1}`},
			Example{`SELECT variant_array_append(parse_json('{"b":[[1],2]}'), '$.b[0]', 9)`, `{"b":[[1,9],2]}`}),
		def("try_variant_array_append", "Is variant_array_append that gives NULL where the path leads to no array.", put(variantAppend, true),
			Example{`SELECT try_variant_array_append(parse_json('{"a": 1}'), '$.a', 2)`, "NULL"}),
		def("variant_delete", "Takes the members and elements that paths lead to out of a VARIANT, one path after the other.",
			[]Overload{{Params: params(variantOnly, onlyTextP), Variadic: true, Eval: deleteVariant,
				RetExpr: func(c *plan.Call) (*types.Type, bool, error) { return types.VariantType, c.Args[0].Nullable(), nil }}},
			Example{`SELECT variant_delete(parse_json('{"a": 1, "b": 2, "c": 3, "items": [1, 2, 3]}'), NULL, '$.a', '$.c')`, `{"b":2,"items":[1,2,3]}`},
			Example{`SELECT variant_delete(parse_json('{"a": 1, "items": [1, 2, 3]}'), '$.items[0]', '$.items[0]')`, `{"a":1,"items":[3]}`},
			Example{`SELECT variant_delete(parse_json('{"a": 1}'), '$.missing', '$.a.b')`, `{"a":1}`}),
		def("variant_strip_nulls", "Takes members that are null out of the objects in a VARIANT, and with `include_arrays` elements out of arrays.",
			[]Overload{{Params: params(variantOnly, flag), Eval: stripVariant, RetExpr: func(c *plan.Call) (*types.Type, bool, error) {
				return types.VariantType, c.Args[0].Nullable() || c.Args[1].Nullable(), constantFlag(c, "include_arrays", c.Args[1])
			}}},
			Example{`SELECT variant_strip_nulls(parse_json('{"a": {"b": null, "c": [1, null]}}'))`, `{"a":{"c":[1]}}`}, Example{`SELECT variant_strip_nulls(parse_json('{"a": [1, null], "b": null}'), false)`, `{"a":[1,null]}`},
			Example{`SELECT variant_strip_nulls(parse_json('null'))`, "null"}),
	}
}
