package op

import (
	"math/bits"

	"neptune/arrowexec/vec"
)

// Several integer keys (and dates, timestamps, small decimals, booleans) are
// often so near together, each for itself, that their distances from the least,
// side by side, fit in one word. It is sorted as one key then, without encoding.

// keyField is where the codes of a key are in packed keys.
type keyField struct {
	low, high int64
	bits      int
}

// packedKeys finds how the keys are packed, in how many bits; ok if they fit in a word.
func packedKeys(keys []*vec.Vector, yield func() error) (fields []keyField, total int, ok bool, err error) {
	fields = make([]keyField, len(keys))
	for k, v := range keys {
		f := &fields[k]
		switch v.Layout {
		case vec.Byte:
			f.low, f.high = 0, 1
		case vec.I8:
			f.low, f.high, err = keyRange[int8](v, yield)
		case vec.I16:
			f.low, f.high, err = keyRange[int16](v, yield)
		case vec.I32:
			f.low, f.high, err = keyRange[int32](v, yield)
		case vec.I64:
			f.low, f.high, err = keyRange[int64](v, yield)
		default:
			return nil, 0, false, nil
		}
		if err != nil {
			return nil, 0, false, err
		}
		if f.low > f.high {
			f.low, f.high = 0, 0 // nulls only
		}
		last := uint64(f.high) - uint64(f.low) // the greatest code
		if v.Null != nil {
			if last+1 == 0 {
				return nil, 0, false, nil
			}
			last++
		}
		f.bits = bits.Len64(last)
		if total += f.bits; total > 64 {
			return nil, 0, false, nil
		}
	}
	return fields, total, true, nil
}

// packEntries makes an entry of each row.
func packEntries(keys []*vec.Vector, order []vec.KeyOrder, fields []keyField, n int, yield func() error) ([]entry, error) {
	out := vec.Uncleared[entry](n)
	words := make([]uint64, min(n, sortStep))
	for from := 0; from < n; from += sortStep {
		to := min(n, from+sortStep)
		w := words[:to-from]
		clear(w)
		packStep(keys, order, fields, from, to, w)
		for i, x := range w {
			out[from+i] = entry{x, int32(from + i)}
		}
		if err := yield(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// packRows makes a word of each row: its keys' codes, and its number in the last rowBits bits.
func packRows(keys []*vec.Vector, order []vec.KeyOrder, fields []keyField, rowBits, n int, yield func() error) ([]uint64, error) {
	out := vec.Uncleared[uint64](n)
	for from := 0; from < n; from += sortStep {
		w := out[from:min(n, from+sortStep)]
		clear(w)
		packStep(keys, order, fields, from, from+len(w), w)
		for i := range w {
			w[i] = w[i]<<rowBits | uint64(from+i)
		}
		if err := yield(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// packStep packs the keys of rows from..to.
func packStep(keys []*vec.Vector, order []vec.KeyOrder, fields []keyField, from, to int, out []uint64) {
	for k, v := range keys {
		f := fields[k]
		p := packer{low: uint64(f.low), last: uint64(f.high) - uint64(f.low), bits: f.bits, desc: order[k].Desc, nullsLast: order[k].NullsLast}
		v := v.Slice(from, to)
		switch v.Layout {
		case vec.Byte:
			packInts(p, out, vec.Of[uint8](v), v.Null)
		case vec.I8:
			packInts(p, out, vec.Of[int8](v), v.Null)
		case vec.I16:
			packInts(p, out, vec.Of[int16](v), v.Null)
		case vec.I32:
			packInts(p, out, vec.Of[int32](v), v.Null)
		default:
			packInts(p, out, vec.Of[int64](v), v.Null)
		}
	}
}

// packer says how the values of one key become codes: low's is the least, or with desc the greatest.
type packer struct {
	low, last       uint64
	bits            int
	desc, nullsLast bool
}

func packInts[T uint8 | int8 | int16 | int32 | int64](p packer, out []uint64, s []T, null []bool) {
	out = out[:len(s)]
	low, flip := p.low, uint64(0)
	if p.desc {
		low, flip = p.low+p.last, ^uint64(0) // minus the distance from the greatest, and that negated
	}
	if null == nil {
		for i, x := range s {
			d := uint64(int64(x)) - low
			out[i] = out[i]<<p.bits | ((d ^ flip) + flip&1)
		}
		return
	}
	shift, none := uint64(1), uint64(0)
	if p.nullsLast {
		shift, none = 0, p.last+1
	}
	for i, x := range s {
		code := none
		if !null[i] {
			d := uint64(int64(x)) - low
			code = (d ^ flip) + flip&1 + shift
		}
		out[i] = out[i]<<p.bits | code
	}
}
