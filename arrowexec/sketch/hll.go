package sketch

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// Limits of lgK, the base-2 logarithm of the number of registers of HLL sketches.
const (
	MinLgK     = 4
	MaxLgK     = 21
	DefaultLgK = 12
)

// The modes of an HLL sketch: a short list of coupons, a hash set of them, or registers.
const (
	hllList = 0
	hllSet  = 1
	hllRegs = 2
)

const (
	familyHLL    = 7
	hllEmpty     = 4
	hllCompact   = 8
	hllUnordered = 16
	hllType8     = 2 << 2 // one byte a register
	lgListSize   = 3
	lgSetSize    = 5
	couponBits   = 26
	couponMask   = 1<<couponBits - 1
)

// HLL counts different values (Flajolet et al., AofA 2007), with one byte a
// register and the historic inverse probability estimate (Ting, KDD 2014) as
// long as the values came in one by one. Few values are kept as coupons: 26
// bits of hash, and above them the count of leading zeros of the rest.
type HLL struct {
	lgK     int
	mode    int
	coupons []uint32 // slots, 0 where free
	count   int      // of coupons
	regs    []byte
	merged  bool // registers came of a union: the historic estimate is lost
	hip     float64
	// sums of 2^-register: of those below 32 and of the others
	kxq0, kxq1 float64
	low        byte // what lows counts: 0 before the sums are made anew
	lows       int  // registers that are low
}

// NewHLL makes an empty sketch of 2^lgK registers.
func NewHLL(lgK int) *HLL { return &HLL{lgK: lgK, coupons: make([]uint32, 1<<lgListSize)} }

// LgK is the logarithm of the number of registers.
func (s *HLL) LgK() int { return s.lgK }

// Empty says that nothing was added.
func (s *HLL) Empty() bool { return s.mode != hllRegs && s.count == 0 }

// Size is the memory held, in bytes.
func (s *HLL) Size() int64 { return 128 + int64(cap(s.coupons))*4 + int64(cap(s.regs)) }

// Update adds a value as bytes; no bytes are no value.
func (s *HLL) Update(b []byte) {
	if len(b) == 0 {
		return
	}
	h0, h1 := hash128(b, defaultSeed)
	s.add(uint32(h0&couponMask) | uint32(min(bits.LeadingZeros64(h1), 62)+1)<<couponBits)
}

// UpdateInt64 adds an integer.
func (s *HLL) UpdateInt64(x int64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(x))
	s.Update(b[:])
}

func (s *HLL) add(c uint32) {
	switch s.mode {
	case hllRegs:
		s.register(c)
		return
	case hllList:
		if slices.Contains(s.coupons[:s.count], c) {
			return
		}
		s.coupons[s.count] = c
		s.count++
		switch {
		case s.count < len(s.coupons):
		case s.lgK < 8:
			s.promote()
		default:
			s.rehash(1 << lgSetSize)
			s.mode = hllSet
		}
		return
	}
	if !insertCoupon(s.coupons, c) {
		return
	}
	s.count++
	if 4*s.count > 3*len(s.coupons) {
		if len(s.coupons) == 1<<(s.lgK-3) {
			s.promote()
		} else {
			s.rehash(2 * len(s.coupons))
		}
	}
}

// insertCoupon puts a coupon into a hash set; false if it is there.
func insertCoupon(set []uint32, c uint32) bool {
	mask := uint32(len(set) - 1)
	stride := (c&couponMask)>>uint(bits.TrailingZeros(uint(len(set)))) | 1
	for at := c & mask; ; at = (at + stride) & mask {
		switch set[at] {
		case 0:
			set[at] = c
			return true
		case c:
			return false
		}
	}
}

func (s *HLL) rehash(slots int) {
	set := make([]uint32, slots)
	for _, c := range s.coupons {
		if c != 0 {
			insertCoupon(set, c)
		}
	}
	s.coupons = set
}

// promote goes from coupons to registers.
func (s *HLL) promote() {
	estimate, old := s.Estimate(), s.coupons
	s.mode, s.coupons, s.count = hllRegs, nil, 0
	s.regs = make([]byte, 1<<s.lgK)
	s.lows, s.kxq0 = len(s.regs), float64(len(s.regs))
	for _, c := range old {
		if c != 0 {
			s.register(c)
		}
	}
	s.hip = estimate
}

func (s *HLL) register(c uint32) {
	r, x := &s.regs[c&uint32(len(s.regs)-1)], byte(c>>couponBits)
	if x <= *r {
		return
	}
	s.hip += float64(len(s.regs)) / (s.kxq0 + s.kxq1)
	if *r == 0 {
		s.lows--
	}
	s.weigh(*r, -1)
	s.weigh(x, 1)
	*r = x
}

// weigh adds 2^-x, times sign, to the sums.
func (s *HLL) weigh(x byte, sign float64) {
	w := sign * math.Ldexp(1, -int(x))
	if x < 32 {
		s.kxq0 += w
	} else {
		s.kxq1 += w
	}
}

// recount makes the sums anew.
func (s *HLL) recount() {
	s.kxq0, s.kxq1, s.low, s.lows = 0, 0, math.MaxUint8, 0
	for _, x := range s.regs {
		s.weigh(x, 1)
		if x < s.low {
			s.low, s.lows = x, 0
		}
		if x == s.low {
			s.lows++
		}
	}
}

func (s *HLL) clone() *HLL {
	c := *s
	c.coupons, c.regs = slices.Clone(s.coupons), slices.Clone(s.regs)
	return &c
}

// shrunk is a copy with no more than 2^lgK registers.
func (s *HLL) shrunk(lgK int) *HLL {
	if s.lgK <= lgK {
		return s.clone()
	}
	o := &HLL{lgK: lgK, mode: hllRegs, regs: make([]byte, 1<<lgK), merged: s.merged, hip: s.hip}
	for i, x := range s.regs {
		r := &o.regs[i&(len(o.regs)-1)]
		*r = max(*r, x)
	}
	o.recount()
	if o.low > 0 {
		o.low, o.lows = 0, 0
	}
	return o
}

// Union adds all of another sketch. Registers become as few as the other's are; coupons take any number of them.
func (s *HLL) Union(o *HLL) {
	switch {
	case o.mode != hllRegs:
		if o.count == 0 {
			return
		}
		if s.Empty() && s.lgK == o.lgK {
			*s = *o.clone()
			return
		}
		for _, c := range o.coupons {
			if c != 0 {
				s.add(c)
			}
		}
	case s.mode != hllRegs:
		old := s.coupons
		*s = *o.shrunk(s.lgK)
		for _, c := range old {
			if c != 0 {
				s.register(c)
			}
		}
	default:
		if o.lgK < s.lgK {
			*s = *s.shrunk(o.lgK)
		}
		for i, x := range o.regs {
			r := &s.regs[i&(len(s.regs)-1)]
			*r = max(*r, x)
		}
		s.merged, s.hip = true, 0
		s.recount()
	}
}

// Bytes serializes the sketch in the form that can be updated.
func (s *HLL) Bytes() []byte {
	le := binary.LittleEndian
	var flags byte
	if s.Empty() {
		flags = hllEmpty
	}
	if s.merged {
		flags |= hllUnordered
	}
	b := []byte{2, 1, familyHLL, byte(s.lgK), lgListSize, flags, byte(s.count), byte(s.mode) | hllType8}
	switch s.mode {
	case hllSet:
		b[0], b[4], b[6] = 3, byte(bits.TrailingZeros(uint(len(s.coupons)))), 0
		b = le.AppendUint32(b, uint32(s.count))
	case hllRegs:
		b[0], b[4], b[6] = 10, 0, s.low
		for _, x := range []float64{s.hip, s.kxq0, s.kxq1} {
			b = le.AppendUint64(b, math.Float64bits(x))
		}
		b = le.AppendUint32(b, uint32(s.lows))
		return append(le.AppendUint32(b, 0), s.regs...)
	}
	b = slices.Grow(b, 4*len(s.coupons))
	for _, c := range s.coupons {
		b = le.AppendUint32(b, c)
	}
	return b
}

// ReadHLL reads a sketch in the form that can be updated or the compact one. Registers must have a byte each.
func ReadHLL(b []byte) (*HLL, error) {
	le := binary.LittleEndian
	if len(b) < 8 || b[1] != 1 || b[2] != familyHLL || b[3] < MinLgK || b[3] > MaxLgK {
		return nil, ErrFormat
	}
	s := NewHLL(int(b[3]))
	ints, compact := int(b[0]), b[5]&hllCompact != 0
	n := int(b[6])
	switch b[7] & 3 {
	case hllList:
		if ints != 2 || n > 1<<lgListSize {
			return nil, ErrFormat
		}
	case hllSet:
		if ints != 3 || len(b) < 12 || s.lgK < 8 {
			return nil, ErrFormat
		}
		n = int(le.Uint32(b[8:]))
		if n > len(b)/4 || n > 1<<s.lgK {
			return nil, ErrFormat
		}
	case hllRegs:
		if ints != 10 || b[7]>>2 != hllType8>>2 || len(b) < 40+1<<s.lgK {
			return nil, ErrFormat
		}
		f := func(at int) float64 { return math.Float64frombits(le.Uint64(b[at:])) }
		s.mode, s.coupons, s.merged = hllRegs, nil, b[5]&hllUnordered != 0
		s.hip, s.kxq0, s.kxq1 = f(8), f(16), f(24)
		s.low, s.lows = b[6], int(le.Uint32(b[32:]))
		s.regs = slices.Clone(b[40 : 40+1<<s.lgK])
		return s, nil
	default:
		return nil, ErrFormat
	}
	slots := n
	if !compact && b[5]&hllEmpty == 0 {
		slots = 1 << min(b[4], MaxLgK)
	}
	b = b[4*ints:]
	if len(b) < 4*slots {
		return nil, ErrFormat
	}
	if ints == 3 && !compact {
		if slots < 1<<lgSetSize || slots > 1<<(s.lgK-3) || 4*n > 3*slots {
			return nil, ErrFormat
		}
		s.mode, s.coupons = hllSet, make([]uint32, slots)
	}
	for i := range slots {
		switch c := le.Uint32(b[4*i:]); {
		case c == 0:
		case ints == 3 && !compact: // stays where it was
			s.coupons[i] = c
			s.count++
		default:
			s.add(c)
		}
	}
	if s.count != n || s.mode == hllRegs {
		return nil, ErrFormat
	}
	return s, nil
}
