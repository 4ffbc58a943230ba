package op

import (
	"math/bits"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// joinTable is the build side of a join: all rows, one vector a column, and a
// hash table over their keys. It is flat (no pointers for the collector to
// follow), made in one go of known size, so that it never grows, and read-only
// once made, so that tasks can share it.
//
// The table is open addressing over distinct keys; rows with the same key are
// chained through next. Rows are numbered from 1 in heads and chains; 0 is none.
type joinTable struct {
	cols []*vec.Vector
	n    int
	keys []*vec.Vector
	safe []bool // keys for which null equals null

	direct []int32 // integer keys that lie close together: first row by key-base
	base   uint64
	words  []wordSlot // other keys that pack into one word
	tags   []uint64   // other keys: upper half of the hash, row
	mask   uint64
	next   []int32 // nil: no key occurs twice

	// all makes every row a match of every row (nested loops): head 1, next row+1.
	all     bool
	nullKey bool // a row has null in a key
}

// wordSlot holds a key, and the first of its rows.
type wordSlot struct {
	key  uint64
	head int32
}

const joinStep = 2048

// tableBytes is what the table of n rows takes beside the rows.
func tableBytes(n int64) int64 { return n * (2*16 + 4) }

// packsInWord reports whether keys can be one word: no null-safe ones.
func packsInWord(ts []*types.Type, safe []bool) bool {
	for _, s := range safe {
		if s {
			return false
		}
	}
	w, ok := vec.PackedWords(ts, false)
	return ok && w == 1
}

func typesOf(vs []*vec.Vector) []*types.Type {
	ts := make([]*types.Type, len(vs))
	for i, v := range vs {
		ts[i] = v.Type
	}
	return ts
}

// newJoinTable indexes rows by keys.
func newJoinTable(cols, keys []*vec.Vector, n int, safe []bool, yield func() error) (*joinTable, error) {
	t := &joinTable{cols: cols, n: n, keys: keys, safe: safe}
	slots := 1 << bits.Len(uint(max(n+n/3, 4)))
	t.mask = uint64(slots - 1)
	word := packsInWord(typesOf(keys), safe)
	base, span, err := directKey(keys, n, slots, safe, yield)
	if err != nil {
		return nil, err
	}
	switch {
	case span > 0:
		t.base = base
		t.direct, err = vec.Zeroed[int32](span, yield)
	case word:
		t.words, err = vec.Zeroed[wordSlot](slots, yield)
	default:
		t.tags, err = vec.Zeroed[uint64](slots, yield)
	}
	if err != nil {
		return nil, err
	}
	part := make([]*vec.Vector, len(keys))
	hash, packed := make([]uint64, joinStep), make([]uint64, joinStep)
	skip := make([]bool, joinStep)
	for from := 0; from < n; from += joinStep {
		to := min(n, from+joinStep)
		for i, k := range keys {
			part[i] = k.Slice(from, to)
		}
		nulls := nullKeys(part, safe, skip[:to-from])
		t.nullKey = t.nullKey || nulls
		if t.direct != nil {
			t.addDirect(part[0], from, skip, nulls)
		} else if word {
			vec.Pack(part, to-from, 1, false, packed)
			t.addWords(packed[:to-from], from, skip, nulls)
		} else {
			vec.Hash(part, to-from, hash)
			t.addTags(hash[:to-from], from, skip, nulls)
		}
		if err := yield(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// nullKeys marks the rows with a null in a key that isn't null-safe.
func nullKeys(keys []*vec.Vector, safe []bool, skip []bool) bool {
	clear(skip)
	any := false
	for k, v := range keys {
		if len(safe) > 0 && safe[k] || v.Null == nil && v.Layout != vec.None {
			continue
		}
		for i := range skip {
			if v.IsNull(i) {
				skip[i] = true
				any = true
			}
		}
	}
	return any
}

func (t *joinTable) chain(row, before int32) {
	if t.next == nil {
		t.next = make([]int32, t.n)
	}
	t.next[row] = before
}

func (t *joinTable) addWords(packed []uint64, from int, skip []bool, nulls bool) {
	for i, k := range packed {
		if nulls && skip[i] {
			continue
		}
		row := int32(from + i)
		s := vec.Hash64(k) & t.mask
		for {
			slot := &t.words[s]
			if slot.head == 0 {
				slot.key, slot.head = k, row+1
				break
			}
			if slot.key == k {
				t.chain(row, slot.head)
				slot.head = row + 1
				break
			}
			s = (s + 1) & t.mask
		}
	}
}

const tagBits = 0xFFFFFFFF << 32

func (t *joinTable) addTags(hash []uint64, from int, skip []bool, nulls bool) {
	for i, h := range hash {
		if nulls && skip[i] {
			continue
		}
		row := int32(from + i)
		s := h & t.mask
		for {
			x := t.tags[s]
			if x == 0 {
				t.tags[s] = h&tagBits | uint64(row+1)
				break
			}
			if x&tagBits == h&tagBits && t.sameKey(t.keys, int(row), int(uint32(x))-1) {
				t.chain(row, int32(uint32(x)))
				t.tags[s] = h&tagBits | uint64(row+1)
				break
			}
			s = (s + 1) & t.mask
		}
	}
}

func (t *joinTable) sameKey(keys []*vec.Vector, i, row int) bool {
	for k, v := range keys {
		if !vec.EqualAt(v, i, t.keys[k], row) {
			return false
		}
	}
	return true
}

// lookup writes the first matching row of each of n rows of keys to head.
func (t *joinTable) lookup(keys []*vec.Vector, n int, s *probeScratch, yield func() error) error {
	s.grow(n)
	if t.all {
		first := int32(min(t.n, 1))
		for i := range s.head {
			s.head[i] = first
		}
		return nil
	}
	if t.n == 0 {
		s.nulls = nullKeys(keys, t.safe, s.skip)
		clear(s.head)
		return nil
	}
	part := make([]*vec.Vector, len(keys))
	s.nulls = false
	for from := 0; from < n; from += joinStep {
		to := min(n, from+joinStep)
		for i, k := range keys {
			part[i] = k.Slice(from, to)
		}
		skip, head := s.skip[from:to], s.head[from:to]
		nulls := nullKeys(part, t.safe, skip)
		s.nulls = s.nulls || nulls
		if t.direct != nil {
			t.findDirect(part[0], head)
		} else if t.words != nil {
			packed := s.hash[:to-from]
			vec.Pack(part, to-from, 1, false, packed)
			t.findWords(packed, head)
		} else {
			vec.Hash(part, to-from, s.hash)
			t.findTags(part, s.hash[:to-from], head)
		}
		if nulls {
			for i, x := range skip {
				if x {
					head[i] = 0
				}
			}
		}
		if err := yield(); err != nil {
			return err
		}
	}
	return nil
}

func (t *joinTable) findWords(packed []uint64, head []int32) {
	head = head[:len(packed)]
	slots, mask := t.words, t.mask
	for i, k := range packed {
		s := vec.Hash64(k) & mask
		for {
			slot := &slots[s]
			if slot.key == k || slot.head == 0 {
				head[i] = slot.head
				break
			}
			s = (s + 1) & mask
		}
	}
}

func (t *joinTable) findTags(keys []*vec.Vector, hash []uint64, head []int32) {
	for i, h := range hash {
		s := h & t.mask
		for {
			x := t.tags[s]
			if x == 0 {
				head[i] = 0
				break
			}
			if x&tagBits == h&tagBits && t.sameKey(keys, i, int(uint32(x))-1) {
				head[i] = int32(uint32(x))
				break
			}
			s = (s + 1) & t.mask
		}
	}
}

// after is the next row of the chain.
func (t *joinTable) after(row int32) int32 {
	if t.all {
		if int(row) >= t.n {
			return 0
		}
		return row + 1
	}
	if t.next == nil {
		return 0
	}
	return t.next[row-1]
}

// probeScratch is a prober's memory, by rows of the probe batch.
type probeScratch struct {
	head  []int32
	hash  []uint64
	skip  []bool
	seen  []bool
	nulls bool // some rows are marked in skip
}

func (s *probeScratch) grow(n int) {
	if cap(s.head) < n {
		s.head = make([]int32, n)
		s.skip = make([]bool, n)
		s.seen = make([]bool, n)
	}
	s.head, s.skip, s.seen = s.head[:n], s.skip[:n], s.seen[:n]
	if s.hash == nil {
		s.hash = make([]uint64, joinStep)
	}
}
