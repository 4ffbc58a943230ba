package op

import (
	"neptune/arrowexec/vec"
)

// A key column of integers that lie close together (most keys that a database
// made) needs no hash table: the first row of a key is at the key's place in an
// array. It takes a quarter of the memory per place, and rows that are probed in
// about the order of their keys find their places in the cache.

// directKey reports whether the keys can be places of an array, and their range.
// The array may be as large as the hash table of that many slots would be.
func directKey(keys []*vec.Vector, n, slots int, safe []bool, yield func() error) (base uint64, span int, err error) {
	if len(keys) != 1 || len(safe) > 0 && safe[0] || n < 16 {
		return 0, 0, nil
	}
	var low, high int64
	switch keys[0].Layout {
	case vec.I32:
		low, high, err = keyRange[int32](keys[0], yield)
	case vec.I64:
		low, high, err = keyRange[int64](keys[0], yield)
	default:
		return 0, 0, nil
	}
	most := uint64(slots) * 4
	if err != nil || low > high || uint64(high)-uint64(low) >= most {
		return 0, 0, err
	}
	return uint64(low), int(uint64(high)-uint64(low)) + 1, nil
}

func keyRange[T int8 | int16 | int32 | int64](v *vec.Vector, yield func() error) (low, high int64, err error) {
	all := vec.Of[T](v)
	low, high = 1<<63-1, -1<<63
	for from := 0; from < len(all); from += 8 * joinStep {
		to := min(len(all), from+8*joinStep)
		if v.Null == nil {
			a, b := all[from], all[from]
			for _, x := range all[from:to] {
				a, b = min(a, x), max(b, x)
			}
			low, high = min(low, int64(a)), max(high, int64(b))
		} else {
			for i, x := range all[from:to] {
				if !v.Null[from+i] {
					low, high = min(low, int64(x)), max(high, int64(x))
				}
			}
		}
		if err := yield(); err != nil {
			return 0, 0, err
		}
	}
	return low, high, nil
}

// addDirect enters rows from on, whose keys are part.
func (t *joinTable) addDirect(part *vec.Vector, from int, skip []bool, nulls bool) {
	if part.Layout == vec.I32 {
		addDirect(t, vec.Of[int32](part), from, skip, nulls)
	} else {
		addDirect(t, vec.Of[int64](part), from, skip, nulls)
	}
}

func addDirect[T int32 | int64](t *joinTable, keys []T, from int, skip []bool, nulls bool) {
	direct, base := t.direct, t.base
	for i, k := range keys {
		if nulls && skip[i] {
			continue
		}
		row := int32(from + i)
		head := &direct[uint64(int64(k))-base]
		if *head != 0 {
			t.chain(row, *head)
		}
		*head = row + 1
	}
}

// findDirect writes the first row of each key to head.
func (t *joinTable) findDirect(part *vec.Vector, head []int32) {
	if part.Layout == vec.I32 {
		findDirect(t.direct, t.base, vec.Of[int32](part), head)
	} else {
		findDirect(t.direct, t.base, vec.Of[int64](part), head)
	}
}

func findDirect[T int32 | int64](direct []int32, base uint64, keys []T, head []int32) {
	head = head[:len(keys)]
	for i, k := range keys {
		if at := uint64(int64(k)) - base; at < uint64(len(direct)) {
			head[i] = direct[at]
		} else {
			head[i] = 0
		}
	}
}
