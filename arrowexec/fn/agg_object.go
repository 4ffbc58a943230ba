package fn

import (
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// aggObject is the state of one group of an aggregate whose state is more than
// flat columns: a sketch, a bitmap.
type aggObject interface {
	// bytes is the state as it travels; what add of a like object takes back.
	bytes() []byte
	// Size is the memory held.
	Size() int64
}

// objectAcc keeps an object a group, made when the group's first value comes.
type objectAcc[T aggObject] struct {
	groups []T
	has    []bool
	held   int64 // bytes of all objects
	fresh  func() T
	// update adds row i of the arguments, none of which is null unless every is set.
	every  bool
	update func(o T, args []*vec.Vector, i int) error
	merge  func(o T, state []byte) error
	ret    *types.Type
	// result appends a group's result; a group without values is an empty object, unless nulls is set.
	result func(b *vec.Builder, o T) error
	nulls  bool
}

func (a *objectAcc[T]) Grow(g int) { a.groups, a.has = aggGrow(a.groups, g), aggGrow(a.has, g) }

func (a *objectAcc[T]) of(g int32) T {
	if !a.has[g] {
		a.groups[g], a.has[g] = a.fresh(), true
		a.held += a.groups[g].Size()
	}
	return a.groups[g]
}

func (a *objectAcc[T]) Update(group []int32, args []*vec.Vector, n int) error {
	var null []bool
	if !a.every {
		null = anyNull(args, n)
	}
	for i := 0; i < n; i++ {
		if null != nil && null[i] {
			continue
		}
		o := a.of(group[i])
		was := o.Size()
		if err := a.update(o, args, i); err != nil {
			return err
		}
		a.held += o.Size() - was
	}
	return nil
}

func (a *objectAcc[T]) Merge(group []int32, state []*vec.Vector, n int) error {
	for i := 0; i < n; i++ {
		if state[0].IsNull(i) {
			continue
		}
		o := a.of(group[i])
		was := o.Size()
		if err := a.merge(o, state[0].Bytes(i)); err != nil {
			return err
		}
		a.held += o.Size() - was
	}
	return nil
}

func (a *objectAcc[T]) State(from, to int) ([]*vec.Vector, error) {
	b := vec.NewBuilder(types.BinaryType, to-from)
	for g := from; g < to; g++ {
		if !a.has[g] {
			b.AppendNull()
			continue
		}
		b.AppendBytes(a.groups[g].bytes())
	}
	return []*vec.Vector{b.Finish()}, nil
}

func (a *objectAcc[T]) Result(from, to int) (*vec.Vector, error) {
	b := vec.NewBuilder(a.ret, to-from)
	for g := from; g < to; g++ {
		if !a.has[g] && a.nulls {
			b.AppendNull()
			continue
		}
		o := a.groups[g]
		if !a.has[g] {
			o = a.fresh()
		}
		if err := a.result(b, o); err != nil {
			return nil, err
		}
	}
	return b.Finish(), nil
}

func (a *objectAcc[T]) Size() int64 { return a.held + int64(cap(a.groups))*8 + int64(cap(a.has)) }

func (a *objectAcc[T]) Reset() {
	clear(a.groups)
	a.groups, a.has, a.held = a.groups[:0], a.has[:0], 0
}

// intArg is the value of a constant INT argument: def where it isn't given, 0 for null.
func intArg(a AggArgs, at, def int) (v int, ok bool) {
	if at >= len(a.Call.Args) {
		return def, true
	}
	x, ok := constant(a.Call.Args[at])
	if !ok {
		return 0, false
	}
	i, _ := x.(int32)
	return int(i), true
}

// runtimeErr is an error of a function at run time, named as messages name it.
func runtimeErr(condition, function string, kv ...string) *errs.Error {
	return errs.New(errs.Runtime, condition, append([]string{"function", errs.ID(function)}, kv...)...)
}
