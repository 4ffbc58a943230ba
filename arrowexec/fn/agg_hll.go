package fn

import (
	"encoding/binary"
	"math"
	"math/bits"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// hllAcc is approx_count_distinct: HyperLogLog++ (Heule, Nunkesser, Hall, EDBT
// 2013) over xxHash64 with seed 42, one byte a register. Groups of few values
// cost no registers: they begin as a short list of hashes.
type hllAcc struct {
	p     uint
	m     int
	regs  []byte   // dense groups, m bytes each
	dense []int32  // by group, index+1 of its registers; 0: sparse
	few   []uint64 // sparse groups, fewPer hashes each
	count []uint8  // of hashes of a sparse group
}

const fewPer = 6

func newHLL(a AggArgs) (Accumulator, error) {
	rsd := 0.05
	if len(a.Call.Args) > 1 {
		v, ok := constant(a.Call.Args[1])
		f, num := number(v, a.Args[1])
		if !ok || !num {
			return nil, foldable(a.Call, "relativeSD", a.Args[1], a.Call.Args[1])
		}
		rsd = f
	}
	p := uint(math.Ceil(2 * math.Log(1.106/rsd) / math.Log(2)))
	if rsd <= 0 || rsd > 0.39 || p < 4 || p > 25 {
		e := errs.New(errs.Analysis, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "exprName", "relativeSD", "valueRange", "(0.0, 0.39]",
			"currentValue", aggFloatText(rsd), "sqlExpr", errs.Quote(a.Call.Name))
		e.State, e.Text = "42K09", "The relative standard deviation of approx_count_distinct must be within (0.0, 0.39]."
		return nil, e.At(a.Call.Pos())
	}
	return &hllAcc{p: p, m: 1 << p}, nil
}

func (a *hllAcc) Grow(g int) {
	a.dense, a.count, a.few = aggGrow(a.dense, g), aggGrow(a.count, g), aggGrow(a.few, g*fewPer)
}

func (a *hllAcc) Update(group []int32, args []*vec.Vector, n int) error {
	v := args[0]
	for i := 0; i < n; i++ {
		if v.IsNull(i) {
			continue
		}
		h, ok := xxValue(v, i, 42)
		if !ok {
			return errs.NotSupported("approx_count_distinct over " + v.Type.SQL())
		}
		a.insert(group[i], h)
	}
	return nil
}

func (a *hllAcc) insert(g int32, h uint64) {
	d := a.dense[g]
	if d == 0 {
		few := a.few[int(g)*fewPer : int(g)*fewPer+int(a.count[g])]
		for _, x := range few {
			if x == h {
				return
			}
		}
		if len(few) < fewPer {
			a.few[int(g)*fewPer+len(few)] = h
			a.count[g]++
			return
		}
		d = a.promote(g)
	}
	a.register(d, h)
}

func (a *hllAcc) promote(g int32) int32 {
	a.regs = aggGrow(a.regs, len(a.regs)+a.m)
	d := int32(len(a.regs) / a.m)
	a.dense[g] = d
	for _, x := range a.few[int(g)*fewPer : int(g)*fewPer+int(a.count[g])] {
		a.register(d, x)
	}
	a.count[g] = 0
	return d
}

func (a *hllAcc) register(d int32, h uint64) {
	idx := int(h >> (64 - a.p))
	rank := byte(bits.LeadingZeros64(h<<a.p|1<<(a.p-1)) + 1)
	r := &a.regs[(int(d)-1)*a.m+idx]
	if *r < rank {
		*r = rank
	}
}

func (a *hllAcc) Merge(group []int32, state []*vec.Vector, n int) error {
	for i := 0; i < n; i++ {
		b := state[0].Bytes(i)
		g := group[i]
		if len(b) == 0 {
			continue
		}
		if b[0] == 0 {
			for k := 1; k+8 <= len(b); k += 8 {
				a.insert(g, binary.LittleEndian.Uint64(b[k:]))
			}
			continue
		}
		if len(b) != a.m+1 {
			return errs.Internalf("approx_count_distinct: a state of %d bytes", len(b))
		}
		b = b[1:]
		d := a.dense[g]
		if d == 0 {
			d = a.promote(g)
		}
		regs := a.regs[(int(d)-1)*a.m : int(d)*a.m]
		for k, x := range b {
			regs[k] = max(regs[k], x)
		}
	}
	return nil
}

// State: a byte 0 and hashes, or a byte 1 and registers.
func (a *hllAcc) State(from, to int) ([]*vec.Vector, error) {
	b := vec.NewBuilder(types.BinaryType, to-from)
	var buf []byte
	for g := from; g < to; g++ {
		buf = buf[:0]
		if d := a.dense[g]; d > 0 {
			buf = append(append(buf, 1), a.regs[(int(d)-1)*a.m:int(d)*a.m]...)
		} else {
			buf = append(buf, 0)
			for _, x := range a.few[g*fewPer : g*fewPer+int(a.count[g])] {
				buf = binary.LittleEndian.AppendUint64(buf, x)
			}
		}
		b.AppendBytes(buf)
	}
	return []*vec.Vector{b.Finish()}, nil
}

func (a *hllAcc) Result(from, to int) (*vec.Vector, error) {
	out := make([]int64, to-from)
	few := &hllAcc{p: a.p, m: a.m}
	few.Grow(1)
	for i := range out {
		g := from + i
		if d := a.dense[g]; d > 0 {
			out[i] = a.estimate(a.regs[(int(d)-1)*a.m : int(d)*a.m])
			continue
		}
		if a.count[g] == 0 {
			continue
		}
		few.Reset()
		few.Grow(1)
		copy(few.few, a.few[g*fewPer:g*fewPer+int(a.count[g])])
		few.count[0] = a.count[g]
		few.promote(0)
		out[i] = few.estimate(few.regs)
	}
	return vec.FromSlice(types.Int64Type, out, nil), nil
}

// thresholds below which linear counting is the better estimate, by precision from 4 (paper, appendix).
var hllThreshold = [...]float64{10, 20, 40, 80, 220, 400, 900, 1800, 3100, 6500, 11500, 20000, 50000, 120000, 350000}

func (a *hllAcc) estimate(regs []byte) int64 {
	z, zeros := 0.0, 0
	for _, r := range regs {
		z += 1 / float64(uint64(1)<<r)
		if r == 0 {
			zeros++
		}
	}
	m := float64(a.m)
	alpha := 0.0
	switch a.p {
	case 4:
		alpha = 0.673
	case 5:
		alpha = 0.697
	case 6:
		alpha = 0.709
	default:
		alpha = 0.7213 / (1 + 1.079/m)
	}
	e := alpha * m * m / z
	if a.p < 19 && e < 5*m {
		e -= hllBias(a.p, e)
	}
	if zeros > 0 {
		h := m * math.Log(m/float64(zeros))
		if a.p >= 19 || h <= hllThreshold[a.p-4] {
			e = h
		}
	}
	return int64(math.Round(e))
}

func (a *hllAcc) Size() int64 {
	return int64(cap(a.regs)) + int64(cap(a.dense))*4 + int64(cap(a.few))*8 + int64(cap(a.count))
}

func (a *hllAcc) Reset() {
	a.regs, a.dense, a.few, a.count = a.regs[:0], a.dense[:0], a.few[:0], a.count[:0]
}

// hllBias is the estimator's mean error for an estimate e of m = 2^p registers,
// relative to linear counting's range: a smooth fit, since the paper's tables
// were made by simulation. At e = m ln 2 ... 5m it is within the estimator's noise.
func hllBias(p uint, e float64) float64 {
	m := float64(uint64(1) << p)
	// The raw estimator of n values over m registers has the expectation
	// alpha*m*m / E[sum 2^-M]; solve for n by bisection.
	lo, hi := 0.0, e
	for range 60 {
		mid := (lo + hi) / 2
		if hllExpected(mid/m)*m < e {
			lo = mid
		} else {
			hi = mid
		}
	}
	return e - (lo+hi)/2
}

// hllExpected is the raw estimate's expectation a register at a load of l values a register (Poisson).
func hllExpected(l float64) float64 {
	// E[2^-M] = sum_k 2^-k P(M=k), P(M<=k) = exp(-l 2^-k).
	s, prev := 0.0, 0.0
	for k := 0; k <= 60; k++ {
		cdf := math.Exp(-l * math.Pow(2, -float64(k)))
		s += (cdf - prev) * math.Pow(2, -float64(k))
		prev = cdf
	}
	return 0.7213 / s
}

// xxHash64 constants (Yann Collet's public specification).
const (
	xxP1 = 0x9E3779B185EBCA87
	xxP2 = 0xC2B2AE3D27D4EB4F
	xxP3 = 0x165667B19E3779F9
	xxP4 = 0x85EBCA77C2B2AE63
	xxP5 = 0x27D4EB2F165667C5
)

func xxFinal(h uint64) uint64 {
	h ^= h >> 33
	h *= xxP2
	h ^= h >> 29
	h *= xxP3
	return h ^ h>>32
}

// xxInt and xxLong hash 4 and 8 bytes.
func xxInt(x int32, seed uint64) uint64 {
	h := seed + xxP5 + 4
	h ^= uint64(uint32(x)) * xxP1
	return xxFinal(bits.RotateLeft64(h, 23)*xxP2 + xxP3)
}

func xxLong(x int64, seed uint64) uint64 {
	h := seed + xxP5 + 8
	k := bits.RotateLeft64(uint64(x)*xxP2, 31) * xxP1
	h ^= k
	return xxFinal(bits.RotateLeft64(h, 27)*xxP1 + xxP4)
}

func xxBytes(b []byte, seed uint64) uint64 {
	n := uint64(len(b))
	round := func(acc, x uint64) uint64 { return bits.RotateLeft64(acc+x*xxP2, 31) * xxP1 }
	var h uint64
	if len(b) >= 32 {
		v1, v2, v3, v4 := seed, seed, seed, seed
		v1 += xxP1
		v1 += xxP2
		v2 += xxP2
		v4 -= xxP1
		for len(b) >= 32 {
			v1 = round(v1, binary.LittleEndian.Uint64(b))
			v2 = round(v2, binary.LittleEndian.Uint64(b[8:]))
			v3 = round(v3, binary.LittleEndian.Uint64(b[16:]))
			v4 = round(v4, binary.LittleEndian.Uint64(b[24:]))
			b = b[32:]
		}
		h = bits.RotateLeft64(v1, 1) + bits.RotateLeft64(v2, 7) + bits.RotateLeft64(v3, 12) + bits.RotateLeft64(v4, 18)
		for _, v := range [...]uint64{v1, v2, v3, v4} {
			h = (h^round(0, v))*xxP1 + xxP4
		}
	} else {
		h = seed + xxP5
	}
	h += n
	for ; len(b) >= 8; b = b[8:] {
		h = bits.RotateLeft64(h^round(0, binary.LittleEndian.Uint64(b)), 27)*xxP1 + xxP4
	}
	if len(b) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(b))*xxP1, 23)*xxP2 + xxP3
		b = b[4:]
	}
	for _, x := range b {
		h = bits.RotateLeft64(h^uint64(x)*xxP5, 11) * xxP1
	}
	return xxFinal(h)
}

// xxValue is Spark's xxHash64 of a value that isn't null; ok is false for types that have no hash.
func xxValue(v *vec.Vector, i int, seed uint64) (uint64, bool) {
	switch v.Layout {
	case vec.Byte, vec.I8:
		return xxInt(int32(vec.Of[int8](v)[i]), seed), true
	case vec.I16:
		return xxInt(int32(vec.Of[int16](v)[i]), seed), true
	case vec.I32:
		return xxInt(vec.Of[int32](v)[i], seed), true
	case vec.I64:
		return xxLong(vec.Of[int64](v)[i], seed), true
	case vec.F32:
		f := vec.Of[float32](v)[i]
		switch {
		case f != f:
			return xxInt(0x7fc00000, seed), true
		case f == 0:
			return xxInt(0, seed), true
		}
		return xxInt(int32(math.Float32bits(f)), seed), true
	case vec.F64:
		return xxLong(int64(normalBits(vec.Of[float64](v)[i])), seed), true
	case vec.I128:
		return xxBytes(bigBytes(vec.Of[types.Int128](v)[i]), seed), true
	case vec.CalI:
		x := vec.Of[types.CalendarValue](v)[i]
		return xxInt(x.Months, xxInt(x.Days, xxLong(x.Micros, seed))), true
	case vec.Bytes:
		return xxBytes(v.Bytes(i), seed), true
	case vec.List:
		r := vec.Refs(v)[i]
		for k := r.Start(); k < r.Start()+r.Len(); k++ {
			for _, c := range v.Child {
				if !c.IsNull(k) {
					var ok bool
					if seed, ok = xxValue(c, k, seed); !ok {
						return 0, false
					}
				}
			}
		}
		return seed, true
	case vec.Group:
		if v.Type.Kind == types.Variant {
			return 0, false
		}
		for _, c := range v.Child {
			if !c.IsNull(i) {
				var ok bool
				if seed, ok = xxValue(c, i, seed); !ok {
					return 0, false
				}
			}
		}
		return seed, true
	}
	return 0, false
}

// bigBytes is java.math.BigInteger's toByteArray: big endian, as short as the sign allows.
func bigBytes(x types.Int128) []byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(x.Hi))
	binary.BigEndian.PutUint64(b[8:], x.Lo)
	k := 0
	for k < 15 && (b[k] == 0 && b[k+1] < 0x80 || b[k] == 0xff && b[k+1] >= 0x80) {
		k++
	}
	return append([]byte{}, b[k:]...)
}
