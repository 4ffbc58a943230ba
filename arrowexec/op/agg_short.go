package op

import (
	"encoding/binary"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// Keys with strings are compared as words too, as long as no string has more
// than seven bytes: codes, flags, names of months. The first that is longer turns the
// table into one that compares values.

const (
	shortBytes = 7
	shortNull  = ^uint64(0)
)

// shorten makes an empty table with string keys try words, of short strings or of numbers for
// strings. Hashes for
// partitions aren't taken from such a table: they change when it turns.
func (t *groupTable) shorten() *groupTable {
	if t.words > 0 || len(t.types) == 0 || t.n > 0 {
		return t
	}
	t.mayCode = t.codable()
	words := 0
	for _, k := range t.types {
		if vec.LayoutOf(k) == vec.Bytes {
			words++
			continue
		}
		w, ok := vec.PackedWords([]*types.Type{k}, true)
		if !ok {
			return t
		}
		words += w
	}
	if words <= maxPackedWords {
		t.words, t.nulls, t.short = words, true, true
	}
	return t
}

// packShort packs keys, each column in words of its own; false if a string is too long.
func (t *groupTable) packShort(cols []*vec.Vector, n int) bool {
	t.pack = scratch(t.pack, n*t.words)
	at := 0
	for c, v := range cols {
		if vec.LayoutOf(t.types[c]) == vec.Bytes {
			if !packStrings(v, n, t.words, t.pack[at:]) {
				return false
			}
			at++
			continue
		}
		w, _ := vec.PackedWords(t.types[c:c+1], true)
		t.part = scratch(t.part, n*w)
		vec.Pack(cols[c:c+1], n, w, true, t.part)
		for k := range w {
			for i, j := k, at+k; i < n*w; i, j = i+w, j+t.words {
				t.pack[j] = t.part[i]
			}
		}
		at += w
	}
	return true
}

// packStrings writes a word a string, every step-th of out: bytes, and the length above them.
func packStrings(v *vec.Vector, n, step int, out []uint64) bool {
	buf := v.Buf
	at := 0
	for i, r := range vec.Refs(v)[:n] {
		if v.Null != nil && v.Null[i] {
			out[at] = shortNull
			at += step
			continue
		}
		start, l := r.Start(), r.Len()
		if l > shortBytes {
			return false
		}
		word := uint64(l) << 56
		if start+8 <= len(buf) {
			word |= binary.LittleEndian.Uint64(buf[start:]) & (1<<(8*l) - 1)
		} else {
			for k, b := range buf[start : start+l] {
				word |= uint64(b) << (8 * k)
			}
		}
		out[at] = word
		at += step
	}
	return true
}

// lengthen goes over to comparing values.
func (t *groupTable) lengthen() error {
	t.short = false
	return t.byValue()
}

// byValue finds the places of all groups by the hashes of their keys' values.
func (t *groupTable) byValue() error {
	t.words, t.nulls = 0, false
	t.slots1, t.packed, t.cur = nil, t.packed[:0], nil
	size := 16
	for size < 4*t.n {
		size *= 2
	}
	kept := make([]*vec.Vector, len(t.keys))
	for c, k := range t.keys {
		kept[c] = k.View()
	}
	var err error
	if t.slots, err = vec.Zeroed[slotN](size, t.yield); err != nil {
		return err
	}
	mask := uint64(size - 1)
	hash := make([]uint64, min(t.n, 4096))
	for from := 0; from < t.n; from += 4096 {
		to := min(t.n, from+4096)
		vec.Hash(sliceAll(kept, from, to), to-from, hash)
		for k, h := range hash[:to-from] {
			at := h & mask
			for t.slots[at].group != 0 {
				at = (at + 1) & mask
			}
			t.slots[at] = slotN{uint32(h >> 20), int32(from + k + 1)}
			t.packed = append(t.packed, h)
		}
		if err := t.yield(); err != nil {
			return err
		}
	}
	return nil
}
