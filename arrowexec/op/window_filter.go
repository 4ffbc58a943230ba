package op

import (
	"neptune/arrowexec/fn"
	"neptune/arrowexec/vec"
)

// accumulator makes the accumulator of an aggregate over frames. With a FILTER
// its arguments have the filter's value as the last.
func (f *windowFn) accumulator() (fn.Accumulator, error) {
	acc, err := fn.NewAccumulator(f.env, f.Func)
	if err != nil || f.Func.Filter == nil {
		return acc, err
	}
	return &filteredAcc{Accumulator: acc}, nil
}

// sliding makes an accumulator that takes rows away too; nil if there is none.
func (f *windowFn) sliding() (fn.Accumulator, error) {
	acc, err := fn.NewSliding(f.env, f.Func)
	if err != nil || acc == nil || f.Func.Filter == nil {
		return acc, err
	}
	return &filteredSliding{filteredAcc{Accumulator: acc}}, nil
}

// filteredAcc passes on the rows whose last argument, a boolean, is true.
type filteredAcc struct {
	fn.Accumulator
	group, rows []int32
}

func (a *filteredAcc) pass(group []int32, args []*vec.Vector, n int) []*vec.Vector {
	last := len(args) - 1
	a.group, a.rows = a.group[:0], a.rows[:0]
	if f := args[last]; f.Layout != vec.None {
		for i, ok := range vec.Of[bool](f)[:n] {
			if ok && !f.IsNull(i) {
				a.group, a.rows = append(a.group, group[i]), append(a.rows, int32(i))
			}
		}
	}
	switch len(a.rows) {
	case 0:
		return nil
	case n:
		return args[:last]
	}
	return gatherAll(args[:last], a.rows)
}

func (a *filteredAcc) Update(group []int32, args []*vec.Vector, n int) error {
	kept := a.pass(group, args, n)
	if len(a.rows) == 0 {
		return nil
	}
	return a.Accumulator.Update(a.group, kept, len(a.rows))
}

// filteredSliding is a filteredAcc whose accumulator is a fn.Retractor.
type filteredSliding struct{ filteredAcc }

func (a *filteredSliding) Retract(group []int32, args []*vec.Vector, n int) error {
	kept := a.pass(group, args, n)
	if len(a.rows) == 0 {
		return nil
	}
	return a.Accumulator.(fn.Retractor).Retract(a.group, kept, len(a.rows))
}
