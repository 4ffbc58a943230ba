package op

import (
	"math/bits"

	"neptune/arrowexec/vec"
)

// Several integer keys (and dates, timestamps, small decimals, booleans) are
// often so near together, each for itself, that their distances from the least,
// side by side, fit in one word. It is sorted as one key then, without encoding.

// packedEntries makes an entry of each row; ok if the keys fit in a word.
func packedEntries(keys []*vec.Vector, order []vec.KeyOrder, n int, yield func() error) (out []entry, ok bool, err error) {
	type field struct {
		low, high int64
		bits      int
	}
	fields := make([]field, len(keys))
	total := 0
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
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		if f.low > f.high {
			f.low, f.high = 0, 0 // nulls only
		}
		last := uint64(f.high) - uint64(f.low) // the greatest code
		if v.Null != nil {
			if last+1 == 0 {
				return nil, false, nil
			}
			last++
		}
		f.bits = bits.Len64(last)
		if total += f.bits; total > 64 {
			return nil, false, nil
		}
	}
	out = make([]entry, n)
	for from := 0; from < n; from += sortStep {
		to := min(n, from+sortStep)
		part := out[from:to]
		for i := range part {
			part[i].row = int32(from + i)
		}
		for k, v := range keys {
			f := fields[k]
			p := packer{low: uint64(f.low), last: uint64(f.high) - uint64(f.low), bits: f.bits, desc: order[k].Desc, nullsLast: order[k].NullsLast}
			v := v.Slice(from, to)
			switch v.Layout {
			case vec.Byte:
				packInts(p, part, vec.Of[uint8](v), v.Null)
			case vec.I8:
				packInts(p, part, vec.Of[int8](v), v.Null)
			case vec.I16:
				packInts(p, part, vec.Of[int16](v), v.Null)
			case vec.I32:
				packInts(p, part, vec.Of[int32](v), v.Null)
			default:
				packInts(p, part, vec.Of[int64](v), v.Null)
			}
		}
		if err := yield(); err != nil {
			return nil, false, err
		}
	}
	return out, true, nil
}

// packer says how the values of one key become codes: low's is the least, or with desc the greatest.
type packer struct {
	low, last       uint64
	bits            int
	desc, nullsLast bool
}

func packInts[T uint8 | int8 | int16 | int32 | int64](p packer, out []entry, s []T, null []bool) {
	out = out[:len(s)]
	low, flip := p.low, uint64(0)
	if p.desc {
		low, flip = p.low+p.last, ^uint64(0) // minus the distance from the greatest, and that negated
	}
	if null == nil {
		for i, x := range s {
			d := uint64(int64(x)) - low
			out[i].key = out[i].key<<p.bits | ((d ^ flip) + flip&1)
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
		out[i].key = out[i].key<<p.bits | code
	}
}
