package fn

import (
	"math"
	"slices"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// firstHashed is the one of the rows tied whose value comes first in Spark's
// OpenHashMap of the different values, whose first rows are heads. The table
// has a power of two of places, begins with 64, doubles when more than 7/10
// are taken, and probes by steps of 1, 2, 3 ... from Murmur3 of the Java hash.
// Types without a Java hash that is known keep the first of tied.
func firstHashed(v *vec.Vector, heads, tied []int32) int32 {
	if _, ok := javaHash(v, int(heads[0])); !ok {
		return tied[0]
	}
	slices.Sort(heads) // values come in by their first row
	cells := make([]int32, 64)
	put := func(cells []int32, row int32) {
		h, _ := javaHash(v, int(row))
		mask := uint32(len(cells) - 1)
		at := finish32(mixH1(0, mixK1(uint32(h))), 4) & mask
		for d := uint32(1); cells[at] != 0; d++ {
			at = (at + d) & mask
		}
		cells[at] = row + 1
	}
	for n, row := range heads {
		put(cells, row)
		if n+1 > len(cells)*7/10 {
			grown := make([]int32, 2*len(cells))
			for _, c := range cells {
				if c != 0 {
					put(grown, c-1)
				}
			}
			cells = grown
		}
	}
	cmp := comparer(v.Type)
	for _, c := range cells {
		if c == 0 {
			continue
		}
		for _, t := range tied {
			if cmp(v, int(c-1), v, int(t)) == 0 {
				return t
			}
		}
	}
	return tied[0]
}

// javaHash is hashCode of the object that the JVM keeps a value in; ok is false for nested types.
func javaHash(v *vec.Vector, i int) (h int32, ok bool) {
	long := func(x uint64) int32 { return int32(x ^ x>>32) }
	switch v.Layout {
	case vec.Byte:
		if vec.Of[uint8](v)[i] != 0 {
			return 1231, true
		}
		return 1237, true
	case vec.F32:
		return int32(math.Float32bits(vec.Of[float32](v)[i])), true
	case vec.F64:
		return long(math.Float64bits(vec.Of[float64](v)[i])), true
	case vec.Bytes:
		if v.Type.IsString() {
			return int32(murmur{}.bytes(v.Bytes(i), 42)), true
		}
	case vec.I8, vec.I16, vec.I32:
		return int32(getInt(v, i)), true
	case vec.I64, vec.I128:
		if v.Type.Kind == types.Decimal {
			return decimalHash(wide(v)[i], v.Type.Scale), true
		}
		return long(uint64(vec.Of[int64](v)[i])), true
	}
	return 0, false
}
