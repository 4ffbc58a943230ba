package op

import (
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// groupTable numbers the distinct keys that it sees, densely from 0. It is
// open addressing over flat slices. Keys whose columns pack into words are
// compared as words; others by value, against the columns of keys.
type groupTable struct {
	types   []*types.Type
	words   int           // 0: compare by value
	nulls   bool          // packed keys have null bits
	short   bool          // strings are packed too (agg_short.go)
	mayCode bool          // strings may be numbered, if the first rows say so
	codes   []*groupTable // numbers of strings, nil for other columns (agg_codes.go); nil: not numbered
	coded   []*vec.Vector // the keys that hashes was last asked about, with numbers for strings
	cells   []int32       // by the numbers of all columns, the group + 1; nil: there are too many
	cell    []int32       // the rows' places in cells
	known   bool          // the rows that hashes was last asked about have all their groups in cells
	// Of number: the rows' numbers, and where strings lie that several rows have.
	rows, once, found []int32
	refs              *refCache
	batch             uint32
	skip              int // batches not to look at places in
	// One 8-byte column is packed without a null bit: null has a group of its own.
	nullGroup int32 // +1

	slots1 []slot1 // words == 1
	direct []int32 // instead of slots1: by key - base, the group + 1 (agg_direct.go)
	base   uint64
	most   int // places that direct may have; 0: it isn't to be
	slots  []slotN
	packed []uint64 // of groups, words each; words > 1
	keys   []*vec.Builder
	n      int // groups

	// scratch, by batch
	hash  []uint64
	pack  []uint64
	part  []uint64
	cur   []uint64 // packed keys of the rows that hashes was last asked about
	fresh []int32  // rows that made new groups
	yield func() error
}

// slot1 holds a one-word key itself; group is its number + 1, 0 is free.
type slot1 struct {
	key   uint64
	group int32
}

// slotN holds a part of the hash, and the group's number + 1.
type slotN struct {
	tag   uint32
	group int32
}

// maxPackedWords bounds packed keys; longer ones are compared by value.
const maxPackedWords = 4

func newGroupTable(ts []*types.Type, yield func() error) *groupTable {
	t := &groupTable{types: ts, yield: yield}
	if w, ok := vec.PackedWords(ts, true); ok && w <= maxPackedWords {
		t.words, t.nulls = w, true
	}
	if len(ts) == 1 && vec.PackBits(ts[0]) == 64 {
		t.words, t.nulls = 1, false
	}
	t.reset()
	return t
}

// reset forgets all groups and gives back the slots' memory if it is large.
func (t *groupTable) reset() {
	t.n, t.nullGroup = 0, 0
	t.packed = t.packed[:0]
	t.keys = t.keys[:0]
	for _, k := range t.types {
		t.keys = append(t.keys, vec.NewBuilder(k, 0))
	}
	t.direct = nil
	if t.words == 1 {
		if len(t.slots1) > 4096 {
			t.slots1 = nil
		}
		clear(t.slots1)
		return
	}
	if len(t.slots) > 4096 {
		t.slots = nil
	}
	clear(t.slots)
}

// empty forgets all groups and keeps the slots.
func (t *groupTable) empty() error {
	t.n, t.nullGroup = 0, 0
	t.packed, t.direct = t.packed[:0], nil
	clear(t.cells)
	for c, k := range t.types {
		if t.codes != nil && t.codes[c] != nil {
			k = types.Int32Type
		}
		t.keys[c] = vec.NewBuilder(k, 0) // what was made is elsewhere now
	}
	for from := 0; from < len(t.slots1); from += rehashStep {
		clear(t.slots1[from:min(from+rehashStep, len(t.slots1))])
		if err := t.yield(); err != nil {
			return err
		}
	}
	for from := 0; from < len(t.slots); from += 2 * rehashStep {
		clear(t.slots[from:min(from+2*rehashStep, len(t.slots))])
		if err := t.yield(); err != nil {
			return err
		}
	}
	return nil
}

// size is the memory held, in bytes, scratch left out.
func (t *groupTable) size() int64 {
	n := int64(len(t.slots1))*16 + int64(len(t.direct))*4 + int64(len(t.slots))*8 + int64(cap(t.packed))*8 + int64(len(t.cells))*4
	for _, k := range t.keys {
		n += k.Size()
	}
	for _, d := range t.codes {
		if d != nil {
			n += d.size()
		}
	}
	return n
}

// hashes computes the rows' hashes, good until the next call: those that
// partitions and slots are chosen by. A table that is an array has no use for them: they are left out.
func (t *groupTable) hashes(cols []*vec.Vector, n int) ([]uint64, error) {
	t.hash = scratch(t.hash, n)
	if err := t.startCodes(cols, n); err != nil {
		return nil, err
	}
	if t.short && !t.packShort(cols, n) {
		if err := t.lengthen(); err != nil {
			return nil, err
		}
		if err := t.startCodes(cols, n); err != nil {
			return nil, err
		}
	}
	if t.codes != nil {
		if err := t.encode(cols, n); err != nil {
			return nil, err
		}
		if t.codes != nil {
			if cols = t.coded; t.locate(n) {
				return t.hash, nil
			}
		}
	}
	switch {
	case t.words == 0:
		vec.Hash(cols, n, t.hash)
		return t.hash, nil
	case t.short:
		t.cur = t.pack
	case t.words == 1 && !t.nulls && cols[0].Layout == vec.I64 && cols[0].Null == nil:
		t.cur = vec.Of[uint64](cols[0])[:n]
	default:
		t.pack = scratch(t.pack, n*t.words)
		vec.Pack(cols, n, t.words, t.nulls, t.pack)
		t.cur = t.pack
	}
	if t.direct == nil {
		vec.HashWords(t.cur, n, t.words, t.hash)
	}
	return t.hash, nil
}

func scratch[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

// find writes each row's group to out, making groups for keys not seen before.
// hash is of these rows, by the last call of hashes. The result is the rows that made new
// groups, in the order of those groups' numbers, good until the next call.
func (t *groupTable) find(cols []*vec.Vector, hash []uint64, n int, out []int32) ([]int32, error) {
	t.fresh = t.fresh[:0]
	var err error
	switch {
	case len(cols) == 0:
		if t.n == 0 && n > 0 {
			t.n = 1
			t.fresh = append(t.fresh, 0)
		}
		clear(out[:n])
		return t.fresh, nil
	case t.known:
		for i, k := range t.cell[:n] {
			out[i] = t.cells[k] - 1
		}
		return t.fresh, nil
	case t.words == 1:
		err = t.findWord(cols, hash, n, out)
	case t.words > 1:
		err = t.findWords(cols, hash, n, out)
	default:
		err = t.findValues(cols, hash, n, out)
	}
	if err != nil {
		return nil, err
	}
	if t.codes != nil {
		cols = t.coded
	}
	if t.cells != nil {
		for i, k := range t.cell[:n] {
			t.cells[k] = out[i] + 1
		}
	}
	if len(t.fresh) > 0 {
		for c, k := range t.keys {
			if err := k.Room(cols[c], t.fresh, t.yield); err != nil {
				return nil, err
			}
			for from := 0; from < len(t.fresh); from += findStep {
				k.AppendRows(cols[c], t.fresh[from:min(len(t.fresh), from+findStep)])
				if err := t.yield(); err != nil {
					return nil, err
				}
			}
		}
	}
	return t.fresh, nil
}

func (t *groupTable) findWord(cols []*vec.Vector, hash []uint64, n int, out []int32) error {
	keys := t.cur[:n]
	var null []bool
	if !t.nulls {
		null = cols[0].Null
	}
	hash, out = hash[:n], out[:n]
	first := 0
	if t.direct != nil {
		var err error
		if first, err = t.findDirect(null, 0, n, out); first == n || err != nil {
			return err
		}
		vec.HashWords(keys, n, 1, hash)
	}
	if len(t.slots1) == 0 {
		t.slots1 = make([]slot1, 16)
	}
	slots := t.slots1
	mask := uint64(len(slots) - 1)
	for i := first; i < n; i++ {
		k := keys[i]
		if i%findStep == findStep-1 {
			if err := t.yield(); err != nil {
				return err
			}
		}
		if null != nil && null[i] {
			out[i] = t.groupOfNull(i)
			continue
		}
		at := hash[i] & mask
		for {
			s := &slots[at]
			if s.group == 0 {
				t.n++
				s.key, s.group = k, int32(t.n)
				out[i] = int32(t.n - 1)
				t.fresh = append(t.fresh, int32(i))
				if t.n*2 > len(slots) {
					if t.n >= directGroups && t.most > 0 {
						if ok, err := t.tryDirect(); err != nil {
							return err
						} else if ok {
							if i, err = t.findDirect(null, i+1, n, out); i == n || err != nil {
								return err
							}
							slots, mask = t.slots1, uint64(len(t.slots1)-1)
							i--
							break
						}
					}
					if err := t.grow1(); err != nil {
						return err
					}
					slots = t.slots1
					mask = uint64(len(slots) - 1)
				}
				break
			}
			if s.key == k {
				out[i] = s.group - 1
				break
			}
			at = (at + 1) & mask
		}
	}
	return nil
}

// rehashStep is how many slots a resize moves between two yield points, findStep how
// many rows are looked up: each may be a miss of the cache.
const (
	rehashStep = 4096
	findStep   = 1024
)

func (t *groupTable) grow1() error {
	old := t.slots1
	n := len(old) * 2
	if len(old) <= 8192 || len(old) >= 65536 { // few, to be moved at once; or so many that moving them is dear
		n *= 2
	}
	slots, err := vec.Zeroed[slot1](n, t.yield)
	if err != nil {
		return err
	}
	mask := uint64(len(slots) - 1)
	for i, s := range old {
		if i%rehashStep == rehashStep-1 {
			if err := t.yield(); err != nil {
				return err
			}
		}
		if s.group == 0 {
			continue
		}
		at := vec.Hash64(s.key) & mask
		for slots[at].group != 0 {
			at = (at + 1) & mask
		}
		slots[at] = s
	}
	t.slots1 = slots
	return nil
}

func (t *groupTable) findWords(cols []*vec.Vector, hash []uint64, n int, out []int32) error {
	keys := t.cur
	if len(t.slots) == 0 {
		t.slots = make([]slotN, 16)
	}
	w := t.words
	mask := uint64(len(t.slots) - 1)
rows:
	for i := 0; i < n; i++ {
		if i%findStep == findStep-1 {
			if err := t.yield(); err != nil {
				return err
			}
		}
		h := hash[i]
		tag := uint32(h >> 20)
		k := keys[i*w : i*w+w]
		at := h & mask
		for {
			s := t.slots[at]
			if s.group == 0 {
				break
			}
			if s.tag == tag {
				other := t.packed[int(s.group-1)*w : int(s.group)*w]
				same := true
				for j := range k {
					same = same && k[j] == other[j]
				}
				if same {
					out[i] = s.group - 1
					continue rows
				}
			}
			at = (at + 1) & mask
		}
		t.n++
		t.slots[at] = slotN{tag, int32(t.n)}
		t.packed = append(t.packed, k...)
		out[i] = int32(t.n - 1)
		t.fresh = append(t.fresh, int32(i))
		if t.n*2 > len(t.slots) {
			if err := t.growN(func(from, to int, h []uint64) {
				vec.HashWords(t.packed[from*w:], to-from, w, h)
			}); err != nil {
				return err
			}
			mask = uint64(len(t.slots) - 1)
		}
	}
	return nil
}

func (t *groupTable) findValues(cols []*vec.Vector, hash []uint64, n int, out []int32) error {
	if len(t.slots) == 0 {
		t.slots = make([]slotN, 16)
	}
	kept := make([]*vec.Vector, len(t.keys))
	for c, k := range t.keys {
		kept[c] = k.View()
	}
	base := t.n
	mask := uint64(len(t.slots) - 1)
rows:
	for i := 0; i < n; i++ {
		if i%findStep == findStep-1 {
			if err := t.yield(); err != nil {
				return err
			}
		}
		h := hash[i]
		tag := uint32(h >> 20)
		at := h & mask
		for {
			s := t.slots[at]
			if s.group == 0 {
				break
			}
			if s.tag == tag {
				g := int(s.group - 1)
				other := kept
				if g >= base {
					other, g = cols, int(t.fresh[g-base])
				}
				if sameRow(cols, i, other, g) {
					out[i] = s.group - 1
					continue rows
				}
			}
			at = (at + 1) & mask
		}
		t.n++
		t.slots[at] = slotN{tag, int32(t.n)}
		out[i] = int32(t.n - 1)
		t.fresh = append(t.fresh, int32(i))
		t.packed = append(t.packed, h) // of values: the hash, for resizes
		if t.n*2 > len(t.slots) {
			if err := t.growN(func(from, to int, h []uint64) { copy(h, t.packed[from:to]) }); err != nil {
				return err
			}
			mask = uint64(len(t.slots) - 1)
		}
	}
	return nil
}

func sameRow(a []*vec.Vector, i int, b []*vec.Vector, j int) bool {
	for c, v := range a {
		w := b[c]
		if v.Layout == vec.Bytes && v.Null == nil && w.Null == nil {
			if v.Str(i) != w.Str(j) {
				return false
			}
			continue
		}
		if !vec.EqualAt(v, i, w, j) {
			return false
		}
	}
	return true
}

// growN doubles the slots; hashOf gives the hashes of groups.
func (t *groupTable) growN(hashOf func(from, to int, h []uint64)) error {
	slots, err := vec.Zeroed[slotN](len(t.slots)*2, t.yield)
	if err != nil {
		return err
	}
	mask := uint64(len(slots) - 1)
	var buf [1024]uint64
	for from := 0; from < t.n; from += len(buf) {
		to := min(from+len(buf), t.n)
		hashOf(from, to, buf[:to-from])
		for k, h := range buf[:to-from] {
			at := h & mask
			for slots[at].group != 0 {
				at = (at + 1) & mask
			}
			slots[at] = slotN{uint32(h >> 20), int32(from + k + 1)}
		}
		if err := t.yield(); err != nil {
			return err
		}
	}
	t.slots = slots
	return nil
}

// keyCols returns the keys of groups from..to.
func (t *groupTable) keyCols(from, to int) []*vec.Vector {
	out := make([]*vec.Vector, len(t.keys))
	for c, k := range t.keys {
		if t.codes != nil && t.codes[c] != nil {
			out[c] = t.codeKey(c, from, to)
			continue
		}
		v := *k.View().Slice(from, to)
		out[c] = &v
		out[c].Type = t.types[c]
	}
	return out
}
