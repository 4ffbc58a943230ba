package vec

import (
	"bytes"
	"cmp"

	"neptune/internal/types"
)

// EqualRows clears eq[k] where a[ai[k]] and b[bi[k]] differ, for each k of ai.
// Null equals null here (the caller drops the rows for which it mustn't);
// -0.0 equals 0.0 and NaN equals NaN. a and b have the same type. A nil ai (or
// bi) stands for 0, 1, 2 ...
func EqualRows(a *Vector, ai []int32, b *Vector, bi []int32, eq []bool) {
	if len(eq) == 0 {
		return
	}
	switch a.Layout {
	case None:
	case Byte, I8:
		equalFixed(Of[uint8](a), a.Null, ai, Of[uint8](b), b.Null, bi, eq)
	case I16:
		equalFixed(Of[int16](a), a.Null, ai, Of[int16](b), b.Null, bi, eq)
	case I32:
		equalFixed(Of[int32](a), a.Null, ai, Of[int32](b), b.Null, bi, eq)
	case I64:
		equalFixed(Of[int64](a), a.Null, ai, Of[int64](b), b.Null, bi, eq)
	case I128:
		equalFixed(Of[types.Int128](a), a.Null, ai, Of[types.Int128](b), b.Null, bi, eq)
	default:
		for k := range eq {
			if eq[k] {
				eq[k] = EqualAt(a, at(ai, k), b, at(bi, k))
			}
		}
	}
}

func at(idx []int32, k int) int {
	if idx == nil {
		return k
	}
	return int(idx[k])
}

func equalFixed[T comparable](a []T, an []bool, ai []int32, b []T, bn []bool, bi []int32, eq []bool) {
	if an == nil && bn == nil {
		switch {
		case ai != nil && bi != nil:
			ai, bi = ai[:len(eq)], bi[:len(eq)]
			for k := range eq {
				if a[ai[k]] != b[bi[k]] {
					eq[k] = false
				}
			}
		default:
			for k := range eq {
				if a[at(ai, k)] != b[at(bi, k)] {
					eq[k] = false
				}
			}
		}
		return
	}
	for k := range eq {
		i, j := at(ai, k), at(bi, k)
		x, y := an != nil && an[i], bn != nil && bn[j]
		if x != y || !x && a[i] != b[j] {
			eq[k] = false
		}
	}
}

// EqualAt reports whether a[i] and b[j] are the same value: null is null, -0.0
// is 0.0, NaN is NaN, maps have the same entries in any order. The vectors have the same type.
func EqualAt(a *Vector, i int, b *Vector, j int) bool {
	x, y := a.IsNull(i), b.IsNull(j)
	if x || y {
		return x && y
	}
	switch a.Layout {
	case Byte, I8:
		return Of[uint8](a)[i] == Of[uint8](b)[j]
	case I16:
		return Of[int16](a)[i] == Of[int16](b)[j]
	case I32:
		return Of[int32](a)[i] == Of[int32](b)[j]
	case I64:
		return Of[int64](a)[i] == Of[int64](b)[j]
	case F32:
		return F32Bits(Of[float32](a)[i]) == F32Bits(Of[float32](b)[j])
	case F64:
		return F64Bits(Of[float64](a)[i]) == F64Bits(Of[float64](b)[j])
	case I128:
		return Of[types.Int128](a)[i] == Of[types.Int128](b)[j]
	case CalI:
		return Of[types.CalendarValue](a)[i] == Of[types.CalendarValue](b)[j]
	case Bytes:
		return a.Str(i) == b.Str(j)
	case List:
		ra, rb := Refs(a)[i], Refs(b)[j]
		if ra.Len() != rb.Len() {
			return false
		}
		if a.Type.Kind == types.Map {
			return sameEntries(a, ra, b, rb)
		}
		for k := range ra.Len() {
			if !EqualAt(a.Child[0], ra.Start()+k, b.Child[0], rb.Start()+k) {
				return false
			}
		}
		return true
	case Group:
		for k, c := range a.Child {
			if !EqualAt(c, i, b.Child[k], j) {
				return false
			}
		}
		return true
	}
	return true
}

func sameEntries(a *Vector, ra Ref, b *Vector, rb Ref) bool {
	for k := range ra.Len() {
		found := false
		for l := range rb.Len() {
			if EqualAt(a.Child[0], ra.Start()+k, b.Child[0], rb.Start()+l) {
				found = EqualAt(a.Child[1], ra.Start()+k, b.Child[1], rb.Start()+l)
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// CompareAt orders a[i] and b[j] as ORDER BY ... ASC NULLS FIRST does: -1, 0
// or 1. NaN is greater than any number, -0.0 equals 0.0; arrays compare
// element by element and then by length, structs field by field.
func CompareAt(a *Vector, i int, b *Vector, j int) int {
	x, y := a.IsNull(i), b.IsNull(j)
	switch {
	case x && y:
		return 0
	case x:
		return -1
	case y:
		return 1
	}
	switch a.Layout {
	case Byte:
		return cmp.Compare(Of[uint8](a)[i], Of[uint8](b)[j])
	case I8:
		return cmp.Compare(Of[int8](a)[i], Of[int8](b)[j])
	case I16:
		return cmp.Compare(Of[int16](a)[i], Of[int16](b)[j])
	case I32:
		return cmp.Compare(Of[int32](a)[i], Of[int32](b)[j])
	case I64:
		return cmp.Compare(Of[int64](a)[i], Of[int64](b)[j])
	case F32:
		return cmp.Compare(orderF32(Of[float32](a)[i]), orderF32(Of[float32](b)[j]))
	case F64:
		return cmp.Compare(orderF64(Of[float64](a)[i]), orderF64(Of[float64](b)[j]))
	case I128:
		return Of[types.Int128](a)[i].Cmp(Of[types.Int128](b)[j])
	case CalI:
		p, q := Of[types.CalendarValue](a)[i], Of[types.CalendarValue](b)[j]
		return cmp.Or(cmp.Compare(p.Months, q.Months), cmp.Compare(p.Days, q.Days), cmp.Compare(p.Micros, q.Micros))
	case Bytes:
		return bytes.Compare(a.Bytes(i), b.Bytes(j))
	case List:
		ra, rb := Refs(a)[i], Refs(b)[j]
		for k := range min(ra.Len(), rb.Len()) {
			for c := range a.Child {
				if r := CompareAt(a.Child[c], ra.Start()+k, b.Child[c], rb.Start()+k); r != 0 {
					return r
				}
			}
		}
		return cmp.Compare(ra.Len(), rb.Len())
	case Group:
		for k, c := range a.Child {
			if r := CompareAt(c, i, b.Child[k], j); r != 0 {
				return r
			}
		}
	}
	return 0
}
