package op

import (
	"math"

	"neptune/arrowexec/vec"
)

// Keys of one word that lie close together (most numbers that a database, a
// sequence or a remainder made) need no hash table once there are many: the group of a
// key is at the key's place in an array. Such a table stays one table: it takes
// four bytes for a possible key, and neither compares nor probes, so that the
// processor looks up many rows at a time.

// directGroups is how many groups a table has before it becomes an array; tests take fewer.
var directGroups = 1 << 13

const (
	// directSpread is how many possible keys there may be for a group.
	directSpread = 128
	// directGrowth is how often the first range an array may become as large: a range that
	// grows with the rows (files are often sorted by a key) ends as one that is too large,
	// and the more groups there are by then, the dearer is going back.
	directGrowth = 4
	// directMost is how many places an array may have.
	directMost = 1 << 22
)

// directRoom allows a table of so many bytes to be an array.
func (t *groupTable) directRoom(bytes int64) *groupTable {
	if t.words == 1 && !t.short {
		t.most = int(min(directMost, bytes/4))
	}
	return t
}

// range1 is the least and the greatest key in the slots.
func (t *groupTable) range1() (low, high int64, err error) {
	low, high = math.MaxInt64, math.MinInt64
	for from := 0; from < len(t.slots1); from += rehashStep {
		for _, s := range t.slots1[from:min(from+rehashStep, len(t.slots1))] {
			if s.group != 0 {
				low, high = min(low, int64(s.key)), max(high, int64(s.key))
			}
		}
		if err := t.yield(); err != nil {
			return 0, 0, err
		}
	}
	return low, high, nil
}

// span is the array for keys low to high, with some room on both sides; 0: there is to be none.
func (t *groupTable) span(low, high int64) (base uint64, n int) {
	const edge = 1 << 40
	if low > high || low < math.MinInt64+edge || high > math.MaxInt64-edge || uint64(high)-uint64(low) >= uint64(t.most) {
		return 0, 0
	}
	n = int(high-low) + 1
	if n > directSpread*t.n {
		return 0, 0
	}
	room := n / 8
	return uint64(low - int64(room)), n + 2*room
}

// tryDirect makes a table of slots an array, if its keys lie close together.
func (t *groupTable) tryDirect() (bool, error) {
	low, high, err := t.range1()
	if err != nil {
		return false, err
	}
	base, n := t.span(low, high)
	if n == 0 {
		return false, nil
	}
	direct, err := vec.Zeroed[int32](n, t.yield)
	if err != nil {
		return false, err
	}
	for from := 0; from < len(t.slots1); from += rehashStep {
		for _, s := range t.slots1[from:min(from+rehashStep, len(t.slots1))] {
			if s.group != 0 {
				direct[s.key-base] = s.group
			}
		}
		if err := t.yield(); err != nil {
			return false, err
		}
	}
	t.direct, t.base, t.slots1 = direct, base, nil
	t.most = min(t.most, directGrowth*n)
	return true, nil
}

// widen makes room in the array for a key that is out of its range; false: it
// would be too large, and the table is one of slots again.
func (t *groupTable) widen(key uint64) (bool, error) {
	low, high := int64(t.base), int64(t.base)+int64(len(t.direct))-1
	old, at := t.direct, t.base
	base, n := t.span(min(low, int64(key)), max(high, int64(key)))
	if n == 0 {
		return false, t.leaveDirect()
	}
	direct, err := vec.Zeroed[int32](n, t.yield)
	if err != nil {
		return false, err
	}
	const step = 8 * rehashStep
	for from := 0; from < len(old); from += step {
		to := min(from+step, len(old))
		copy(direct[uint64(from)+at-base:], old[from:to])
		if err := t.yield(); err != nil {
			return false, err
		}
	}
	t.direct, t.base = direct, base
	return true, nil
}

// leaveDirect goes back to slots, for good.
func (t *groupTable) leaveDirect() error {
	size := 16
	for size < 4*t.n {
		size *= 2
	}
	slots, err := vec.Zeroed[slot1](size, t.yield)
	if err != nil {
		return err
	}
	mask := uint64(size - 1)
	for from := 0; from < len(t.direct); from += rehashStep {
		for i, g := range t.direct[from:min(from+rehashStep, len(t.direct))] {
			if g == 0 {
				continue
			}
			key := t.base + uint64(from+i)
			at := vec.Hash64(key) & mask
			for slots[at].group != 0 {
				at = (at + 1) & mask
			}
			slots[at] = slot1{key, g}
		}
		if err := t.yield(); err != nil {
			return err
		}
	}
	t.slots1, t.direct, t.most = slots, nil, 0
	return nil
}

// findDirect looks rows up from row i on; it gives the first that it leaves to
// the slots, n if none.
func (t *groupTable) findDirect(null []bool, i, n int, out []int32) (int, error) {
	keys := t.cur[:n]
	out = out[:n]
	for i < n {
		to := min(n, i+findStep)
		direct, base := t.direct, t.base
		for ; i < to; i++ {
			if null != nil && null[i] {
				out[i] = t.groupOfNull(i)
				continue
			}
			at := keys[i] - base
			if at >= uint64(len(direct)) {
				ok, err := t.widen(keys[i])
				if !ok || err != nil {
					return i, err
				}
				direct, base = t.direct, t.base
				at = keys[i] - base
			}
			g := direct[at]
			if g == 0 {
				t.n++
				g = int32(t.n)
				direct[at] = g
				t.fresh = append(t.fresh, int32(i))
			}
			out[i] = g - 1
		}
		if err := t.yield(); err != nil {
			return i, err
		}
	}
	return n, nil
}

// groupOfNull is the group of the null key, which row i has.
func (t *groupTable) groupOfNull(i int) int32 {
	if t.nullGroup == 0 {
		t.n++
		t.nullGroup = int32(t.n)
		t.fresh = append(t.fresh, int32(i))
	}
	return t.nullGroup - 1
}
