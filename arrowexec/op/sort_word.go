package op

import (
	"math"

	"neptune/arrowexec/vec"
)

// singleWord reports whether a key of that layout alone is sorted without being encoded.
func singleWord(l vec.Layout) bool {
	switch l {
	case vec.I8, vec.I16, vec.I32, vec.I64, vec.F32, vec.F64:
		return true
	}
	return false
}

// wordEntries makes an entry of each value that isn't null; the rows of nulls are apart.
func wordEntries(v *vec.Vector, desc bool, out []entry, yield func() error) ([]entry, []int32, error) {
	flip := uint64(1 << 63)
	if desc {
		flip = ^flip
	}
	switch v.Layout {
	case vec.I8:
		return words(v, out, yield, func(x int8) uint64 { return uint64(int64(x)) ^ flip })
	case vec.I16:
		return words(v, out, yield, func(x int16) uint64 { return uint64(int64(x)) ^ flip })
	case vec.I32:
		return words(v, out, yield, func(x int32) uint64 { return uint64(int64(x)) ^ flip })
	case vec.F32:
		return words(v, out, yield, func(x float32) uint64 { return ordered(float64(x)) ^ flip })
	case vec.F64:
		return words(v, out, yield, func(x float64) uint64 { return ordered(x) ^ flip })
	}
	return words(v, out, yield, func(x int64) uint64 { return uint64(x) ^ flip })
}

// ordered maps floats to int64 (as uint64) in their SQL order: NaN last, one zero.
func ordered(f float64) uint64 {
	b := vec.F64Bits(f)
	return b ^ uint64(int64(b)>>63)&math.MaxInt64
}

func words[T vec.Fixed](v *vec.Vector, out []entry, yield func() error, conv func(T) uint64) ([]entry, []int32, error) {
	s := vec.Of[T](v)
	var nulls []int32
	for from := 0; from < len(s); from += sortStep {
		to := min(len(s), from+sortStep)
		if v.Null == nil {
			for i := from; i < to; i++ {
				out = append(out, entry{key: conv(s[i]), row: int32(i)})
			}
		} else {
			for i := from; i < to; i++ {
				if v.Null[i] {
					nulls = append(nulls, int32(i))
				} else {
					out = append(out, entry{key: conv(s[i]), row: int32(i)})
				}
			}
		}
		if err := yield(); err != nil {
			return nil, nil, err
		}
	}
	return out, nulls, nil
}
