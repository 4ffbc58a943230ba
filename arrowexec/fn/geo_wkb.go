package fn

import (
	"encoding/binary"
	"math"
)

// wkb reads a geometry in well-known binary (OGC 06-103r4, clause 8) and
// writes it again in one order of bytes. With geographic set coordinates are
// degrees: longitudes up to 180, latitudes up to 90.
type wkb struct {
	in         []byte
	i          int
	out        []byte
	to         binary.ByteOrder
	geographic bool
	// What is wrong, and where.
	problem string
	at      int
}

// wkbDeep is how deep collections may be nested.
const wkbDeep = 256

func (w *wkb) fail(at int, problem string) bool {
	if w.problem == "" {
		w.problem, w.at = problem, at
	}
	return false
}

// geometry copies one geometry; only lists the kinds that it may be (0: any).
func (w *wkb) geometry(only uint32, dims, depth int) bool {
	start := w.i
	if len(w.in)-start < 5 {
		return w.fail(start, "Unexpected end of WKB buffer")
	}
	var from binary.ByteOrder = binary.LittleEndian
	switch w.in[start] {
	case 0:
		from = binary.BigEndian
	case 1:
	default:
		return w.fail(start, "Invalid byte order")
	}
	kind := from.Uint32(w.in[start+1:])
	base := kind % 1000
	has := 2
	switch kind / 1000 {
	case 0:
	case 1, 2:
		has = 3
	case 3:
		has = 4
	default:
		return w.fail(start+1, "Invalid or unsupported type")
	}
	if base < 1 || base > 7 || depth > wkbDeep || only != 0 && base != only || dims != 0 && dims != has {
		return w.fail(start+1, "Invalid or unsupported type")
	}
	w.i += 5
	if w.to == binary.ByteOrder(binary.BigEndian) {
		w.out = append(w.out, 0)
	} else {
		w.out = append(w.out, 1)
	}
	w.put32(kind)
	switch base {
	case 1:
		return w.points(from, 1, has, true)
	case 2:
		n, ok := w.count(from, 8*has)
		if ok && n == 1 {
			return w.fail(w.i-4, "Too few points in linestring")
		}
		return ok && w.points(from, n, has, false)
	case 3:
		rings, ok := w.count(from, 4)
		for ; ok && rings > 0; rings-- {
			var n int
			if n, ok = w.count(from, 8*has); !ok {
				return false
			}
			at := w.i - 4
			if n < 4 {
				return w.fail(at, "Too few points in ring")
			}
			first := w.i
			ok = w.points(from, n, has, false)
			last := w.i - 8*has
			if ok && (from.Uint64(w.in[first:]) != from.Uint64(w.in[last:]) || from.Uint64(w.in[first+8:]) != from.Uint64(w.in[last+8:])) {
				return w.fail(at, "Found non-closed ring")
			}
		}
		return ok
	}
	member := [...]uint32{4: 1, 5: 2, 6: 3, 7: 0}[base]
	n, ok := w.count(from, 5)
	for ; ok && n > 0; n-- {
		ok = w.geometry(member, has, depth+1)
	}
	return ok
}

func (w *wkb) put32(x uint32) {
	w.out = append(w.out, 0, 0, 0, 0)
	w.to.PutUint32(w.out[len(w.out)-4:], x)
}

// count reads how many things of at least so many bytes follow.
func (w *wkb) count(from binary.ByteOrder, each int) (int, bool) {
	if len(w.in)-w.i < 4 {
		return 0, w.fail(w.i, "Unexpected end of WKB buffer")
	}
	n := int(int32(from.Uint32(w.in[w.i:])))
	if n < 0 || n > (len(w.in)-w.i-4)/each {
		return 0, w.fail(w.i, "Invalid count")
	}
	w.i += 4
	w.put32(uint32(n))
	return n, true
}

// points copies n points of so many coordinates; a single one may be empty, which is written with NaNs.
func (w *wkb) points(from binary.ByteOrder, n, has int, single bool) bool {
	if (len(w.in)-w.i)/(8*has) < n {
		return w.fail(w.i, "Unexpected end of WKB buffer")
	}
	for range n {
		x, y := math.Float64frombits(from.Uint64(w.in[w.i:])), math.Float64frombits(from.Uint64(w.in[w.i+8:]))
		empty := single && x != x && y != y
		switch {
		case !single && (x != x || y != y || math.IsInf(x, 0) || math.IsInf(y, 0)):
			return w.fail(w.i, "Invalid coordinate value found")
		case w.geographic && !empty && !(math.Abs(x) <= 180 && math.Abs(y) <= 90):
			return w.fail(w.i, "Invalid coordinate value found")
		}
		for range has {
			w.out = append(w.out, 0, 0, 0, 0, 0, 0, 0, 0)
			w.to.PutUint64(w.out[len(w.out)-8:], from.Uint64(w.in[w.i:]))
			w.i += 8
		}
	}
	return true
}
