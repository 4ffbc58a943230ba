package op

import (
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// Keys of several columns with few different strings (brands, types, segments) are compared as
// words too: each string column has a table of its own that numbers its values, and the
// groups' keys are packed from the numbers. A row's strings are then hashed and compared within a small table, no group
// keeps a copy of them, and keys that are given out share one. A column that turns out to have
// many values makes the table one that compares values.

const (
	// codeMost is how many values a column may have.
	codeMost = 1 << 13
	// cellBits is how many bits the numbers of all key columns have at most for groups to be found by them in an array.
	cellBits = 12
	// codeRows is from how many rows on the first batch tells whether strings come again, on average codeShare times.
	codeRows, codeShare = 256, 2
)

// codable reports whether keys are worth numbering: several, one of them a string, and short when packed.
func (t *groupTable) codable() bool {
	if len(t.types) < 2 {
		return false
	}
	words, ok := vec.PackedWords(t.codeTypes(), true)
	return ok && words <= maxPackedWords
}

// codeTypes are the columns' types when strings are numbers.
func (t *groupTable) codeTypes() []*types.Type {
	out := append([]*types.Type{}, t.types...)
	for c, k := range out {
		if vec.LayoutOf(k) == vec.Bytes {
			out[c] = types.Int32Type
		}
	}
	return out
}

// startCodes begins to number the strings of an empty table, if the n rows' come again. Short strings are
// numbered only if the rows share them: they are words otherwise.
func (t *groupTable) startCodes(cols []*vec.Vector, n int) error {
	if !t.mayCode || t.n > 0 {
		return nil
	}
	if n < codeRows {
		t.mayCode = false
		return nil
	}
	codes := make([]*groupTable, len(t.types))
	all := true // columns are strings
	for c, k := range t.types {
		if vec.LayoutOf(k) != vec.Bytes {
			all = false
			continue
		}
		codes[c] = newGroupTable(t.types[c:c+1], t.yield).shorten()
		if err := codes[c].number(cols[c], n); err != nil {
			return err
		}
		if codes[c].n*codeShare > n {
			t.mayCode = false
			return nil
		}
		if t.short && codes[c].skip > 0 {
			return nil // asked again if they turn out not to be short
		}
	}
	ts := t.codeTypes()
	t.mayCode, t.short, t.codes = false, false, codes
	t.words, _ = vec.PackedWords(ts, true)
	t.nulls = true
	for c, k := range ts {
		t.keys[c] = vec.NewBuilder(k, 0)
	}
	if all {
		t.cells = make([]int32, 1<<cellBits)
	}
	return nil
}

// locate looks the rows that encode was last asked about up by their numbers, and reports whether all groups are known.
func (t *groupTable) locate(n int) bool {
	t.known = false
	if t.cells == nil {
		return false
	}
	bits := cellBits / len(t.codes)
	for _, d := range t.codes {
		if d.n > 1<<bits {
			t.cells = nil
			return false
		}
	}
	t.cell = scratch(t.cell, n)
	copy(t.cell, t.codes[0].rows)
	for c, d := range t.codes[1:] {
		shift := bits * (c + 1)
		for i, k := range d.rows[:n] {
			t.cell[i] |= k << shift
		}
	}
	cells := t.cells[:1<<cellBits]
	least := int32(1)
	for _, k := range t.cell {
		least = min(least, cells[k&(1<<cellBits-1)])
	}
	t.known = least > 0
	return t.known
}

// number writes the groups of one column's rows to t.rows. Strings that lie in the same place, as those of a
// dictionary or of a build side's row do, are looked up once.
func (t *groupTable) number(col *vec.Vector, n int) error {
	t.rows = scratch(t.rows, n)
	once, err := t.sameRefs(col, n)
	if err != nil {
		return err
	}
	if once != nil {
		col = col.Gather(once)
	}
	one := []*vec.Vector{col}
	m := col.N
	if once == nil {
		m = n
	}
	hash, err := t.hashes(one, m)
	if err != nil {
		return err
	}
	if once == nil {
		_, err = t.find(one, hash, n, t.rows)
		return err
	}
	t.found = scratch(t.found, m)
	if _, err = t.find(one, hash, m, t.found); err != nil {
		return err
	}
	for i, k := range t.rows {
		t.rows[i] = t.found[k]
	}
	return nil
}

// refCache remembers by a string's place which of a batch's strings it is.
type refCache [1 << refBits]struct {
	ref   vec.Ref
	batch uint32 // of this entry; 0: none
	at    int32
}

const refBits = 9

// sameRefs returns the first rows of the places that strings lie in, and writes to t.rows which of them each
// row has; nil if most rows have a place of their own.
func (t *groupTable) sameRefs(col *vec.Vector, n int) ([]int32, error) {
	if t.skip > 0 {
		t.skip--
		return nil, nil
	}
	if t.refs == nil {
		t.refs = new(refCache)
	}
	t.batch++
	t.once = t.once[:0]
	refs := vec.Refs(col)[:n]
	rows := t.rows[:n]
	null := int32(-1)
	for i, r := range refs {
		if i%findStep == findStep-1 {
			if err := t.yield(); err != nil {
				return nil, err
			}
			if 2*len(t.once) > i {
				t.skip = 15
				return nil, nil
			}
		}
		if col.Null != nil && col.Null[i] {
			if null < 0 {
				null = int32(len(t.once))
				t.once = append(t.once, int32(i))
			}
			rows[i] = null
			continue
		}
		e := &t.refs[uint64(r)*0x9e3779b97f4a7c15>>(64-refBits)]
		if e.ref != r || e.batch != t.batch {
			e.ref, e.batch, e.at = r, t.batch, int32(len(t.once))
			t.once = append(t.once, int32(i))
		}
		rows[i] = e.at
	}
	if 2*len(t.once) > n {
		t.skip = 15
		return nil, nil
	}
	return t.once, nil
}

// encode makes t.coded the rows' keys with numbers for strings. If a column has too many
// values, it goes over to comparing values.
func (t *groupTable) encode(cols []*vec.Vector, n int) error {
	t.coded = append(t.coded[:0], cols...)
	for c, d := range t.codes {
		if d == nil {
			continue
		}
		if err := d.number(cols[c], n); err != nil {
			return err
		}
		if d.n > codeMost {
			return t.decode()
		}
		t.coded[c] = vec.FromSlice(types.Int32Type, d.rows, nil)
	}
	return nil
}

// decode goes over to comparing values.
func (t *groupTable) decode() error {
	kept := make([]*vec.Builder, len(t.keys))
	for c, k := range t.types {
		kept[c] = vec.NewBuilder(k, 0)
	}
	for from := 0; from < t.n; from += findStep {
		for c, v := range t.keyCols(from, min(t.n, from+findStep)) {
			kept[c].AppendVector(v)
		}
		if err := t.yield(); err != nil {
			return err
		}
	}
	t.keys, t.codes, t.coded, t.cells, t.known = kept, nil, nil, nil, false
	return t.byValue()
}

// codeKey is the strings of groups from..to.
func (t *groupTable) codeKey(c, from, to int) *vec.Vector {
	return t.codes[c].keys[0].View().Gather(vec.Of[int32](t.keys[c].View())[from:to])
}
