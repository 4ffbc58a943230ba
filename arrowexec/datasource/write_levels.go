package datasource

import (
	"encoding/binary"
	"math/bits"

	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
)

// levels are the repetition or definition levels of a page's values.
type levels struct {
	n     int
	first uint16
	all   []uint16 // nil: every level so far is first
}

func (l *levels) reset() {
	l.n, l.all = 0, l.all[:0]
}

// spread writes the levels down one by one: the next one may be another.
func (l *levels) spread() {
	for len(l.all) < l.n {
		l.all = append(l.all, l.first)
	}
}

// repeat appends n times x.
func (l *levels) repeat(x uint16, n int) {
	if l.n == 0 {
		l.first = x
	}
	if x == l.first && len(l.all) == 0 {
		l.n += n
		return
	}
	l.spread()
	l.n += n
	for range n {
		l.all = append(l.all, x)
	}
}

func (l *levels) add(x []uint16) {
	l.spread()
	l.all = append(l.all, x...)
	l.n += len(x)
}

// append encodes the levels as pages of version 1 have them: their length in
// bytes, and the runs. Levels go up to most; where that is 0 there are none.
func (l *levels) append(dst []byte, most uint16) []byte {
	if most == 0 {
		return dst
	}
	width := bits.Len16(most)
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	if len(l.all) == 0 {
		dst = appendRun(dst, uint64(l.first), l.n, width)
	} else {
		dst = appendHybrid(dst, l.all, width)
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// appendRun encodes n times x.
func appendRun(dst []byte, x uint64, n, width int) []byte {
	dst = binary.AppendUvarint(dst, uint64(n)<<1)
	for k := 0; k < width; k += 8 {
		dst = append(dst, byte(x>>k))
	}
	return dst
}

// leastRun is the length from which equal values are a run rather than packed.
const leastRun = 8

// appendHybrid encodes values of width bits as Parquet's hybrid of runs and packed bits.
func appendHybrid[T uint16 | uint32](dst []byte, v []T, width int) []byte {
	for i := 0; i < len(v); {
		if r := runLength(v[i:]); r >= leastRun {
			dst = appendRun(dst, uint64(v[i]), r, width)
			i += r
			continue
		}
		end := i
		for end < len(v) && (end == i || !startsRun(v[end:])) {
			end += 8
		}
		groups := (end - i) / 8
		dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
		dst = appendPacked(dst, v[i:min(end, len(v))], groups, width)
		i = min(end, len(v))
	}
	return dst
}

func runLength[T uint16 | uint32](v []T) int {
	n := 1
	for n < len(v) && v[n] == v[0] {
		n++
	}
	return n
}

func startsRun[T uint16 | uint32](v []T) bool {
	if len(v) < leastRun {
		return false
	}
	for _, x := range v[1:leastRun] {
		if x != v[0] {
			return false
		}
	}
	return true
}

// appendPacked packs values into groups of eight, the last one filled with zeros.
func appendPacked[T uint16 | uint32](dst []byte, v []T, groups, width int) []byte {
	word, have := uint64(0), 0
	for _, x := range v {
		word |= uint64(x) << have
		have += width
		if have >= 32 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(word))
			word >>= 32
			have -= 32
		}
	}
	for left := (groups*8 - len(v)) * width; left > 0; {
		n := min(left, 32-have)
		left -= n
		have += n
		if have == 32 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(word))
			word, have = 0, 0
		}
	}
	for ; have > 0; have -= 8 {
		dst = append(dst, byte(word))
		word >>= 8
	}
	return dst
}

// slots are the places of a column for a number of rows, as Dremel has them: the
// levels so far, and which value of the vector at hand lies there (-1: none).
type slots struct {
	rep, def []uint16
	pos      []int32
}

func rootSlots(n int) slots {
	s := slots{rep: make([]uint16, n), def: make([]uint16, n), pos: make([]int32, n)}
	for i := range s.pos {
		s.pos[i] = int32(i)
	}
	return s
}

// shred takes nested values apart, into the leaves below n.
func (s *parquetSink) shred(c *task.Ctx, n *writeNode, v *vec.Vector, at slots) error {
	if err := yieldTo(c); err != nil {
		return err
	}
	if n.optional {
		at = at.present(v)
	}
	switch {
	case n.leaf != nil:
		return n.leaf.nested(c, v, at)
	case n.list:
		at = at.entries(v, n.rep)
	}
	for i, k := range n.kids {
		if err := s.shred(c, k, v.Child[i], at); err != nil {
			return err
		}
	}
	return nil
}

// present is a level deeper: one more for values that are there.
func (at slots) present(v *vec.Vector) slots {
	out := slots{rep: at.rep, def: make([]uint16, len(at.def)), pos: make([]int32, len(at.pos))}
	for i, p := range at.pos {
		out.def[i], out.pos[i] = at.def[i], p
		if p < 0 {
			continue
		}
		if v.IsNull(int(p)) {
			out.pos[i] = -1
		} else {
			out.def[i]++
		}
	}
	return out
}

// entries are the places of the elements of lists: those after the first repeat at level rep.
func (at slots) entries(v *vec.Vector, rep uint16) slots {
	refs := vec.Refs(v)
	n := 0
	for _, p := range at.pos {
		if p < 0 {
			n++
		} else {
			n += max(1, refs[p].Len())
		}
	}
	out := slots{rep: make([]uint16, 0, n), def: make([]uint16, 0, n), pos: make([]int32, 0, n)}
	for i, p := range at.pos {
		if p < 0 || refs[p].Len() == 0 {
			out.rep, out.def, out.pos = append(out.rep, at.rep[i]), append(out.def, at.def[i]), append(out.pos, -1)
			continue
		}
		r := at.rep[i]
		for k := range refs[p].Len() {
			out.rep, out.def, out.pos = append(out.rep, r), append(out.def, at.def[i]+1), append(out.pos, int32(refs[p].Start()+k))
			r = rep
		}
	}
	return out
}

// yieldTo is a yield point, or none where c is nil.
func yieldTo(c *task.Ctx) error {
	if c == nil {
		return nil
	}
	return c.Yield()
}
