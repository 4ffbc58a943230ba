package fn

import (
	"bytes"
	"math/bits"
	"strconv"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Bitmaps of 32,768 positions: a number is the bit bitmap_bit_position of the
// bitmap bitmap_bucket_number.
const (
	bitmapBytes = 4096
	bitmapBits  = 8 * bitmapBytes
)

// bitmapAgg makes bitmaps of positions, or joins bitmaps by OR or AND. State: the bitmap.
type bitmapAgg struct {
	op  byte // 'c' of positions, '|', '&'
	buf []byte
	n   int // groups
	pos *errs.Origin
}

func (b *bitmapAgg) Grow(g int) {
	if g <= b.n {
		return
	}
	from := b.n * bitmapBytes
	b.buf = aggGrow(b.buf, g*bitmapBytes)
	if b.op == '&' {
		for k := range b.buf[from:] {
			b.buf[from+k] = 0xff
		}
	}
	b.n = g
}

func (b *bitmapAgg) of(g int32) []byte { return b.buf[int(g)*bitmapBytes : (int(g)+1)*bitmapBytes] }

func (b *bitmapAgg) join(to, x []byte) {
	for k := range to {
		y := byte(0)
		if k < len(x) {
			y = x[k]
		}
		if b.op == '&' {
			to[k] &= y
		} else {
			to[k] |= y
		}
	}
}

func (b *bitmapAgg) Update(group []int32, args []*vec.Vector, n int) error {
	v := args[0]
	for i := range n {
		if v.IsNull(i) {
			continue
		}
		if b.op != 'c' {
			b.join(b.of(group[i]), v.Bytes(i))
			continue
		}
		p := getInt(v, i)
		if p < 0 || p >= bitmapBits {
			return errs.New(errs.Runtime, "INVALID_BITMAP_POSITION", "bitPosition", strconv.FormatInt(p, 10), "bitmapNumBytes", strconv.Itoa(bitmapBytes), "bitmapNumBits", strconv.Itoa(bitmapBits)).At(b.pos)
		}
		b.of(group[i])[p/8] |= 1 << (p % 8)
	}
	return nil
}

func (b *bitmapAgg) Merge(group []int32, state []*vec.Vector, n int) error {
	for i := range n {
		b.join(b.of(group[i]), state[0].Bytes(i))
	}
	return nil
}

func (b *bitmapAgg) Result(from, to int) (*vec.Vector, error) {
	s := newStrings(to-from, (to-from)*bitmapBytes)
	for g := from; g < to; g++ {
		s.add(b.of(int32(g)))
	}
	return s.finish(types.BinaryType), nil
}

func (b *bitmapAgg) State(from, to int) ([]*vec.Vector, error) {
	v, err := b.Result(from, to)
	return []*vec.Vector{v}, err
}

func (b *bitmapAgg) Size() int64 { return int64(cap(b.buf)) }

func (b *bitmapAgg) Reset() {
	clear(b.buf[:cap(b.buf)])
	b.buf, b.n = b.buf[:0], 0
}

func bitmapFunctions() []Def {
	big := gives(types.Int64Type)
	scalar := func(name, since, usage, sql, want string, f func(x int64) int64) Def {
		return Def{Name: name, Since: since, Group: "misc_funcs", Usage: usage, Kind: plan.FnScalar, Examples: []Example{{sql, want}}, Overloads: []Overload{sig(big, func(a *Args) (*vec.Vector, error) {
			out := make([]int64, a.N)
			for i, x := range vec.Of[int64](a.V[0]) {
				out[i] = f(x)
			}
			return vec.FromSlice(a.Ret, out, nil), nil
		}, int64P)}}
	}
	agg := func(name, since, usage string, op byte, p Accept, sql, want string) Def {
		empty := make([]byte, bitmapBytes)
		if op == '&' {
			empty = bytes.Repeat([]byte{0xff}, bitmapBytes)
		}
		return Def{Name: name, Since: since, Group: "agg_funcs", Usage: usage, Kind: plan.FnAggregate, Overloads: []Overload{{Params: params(p), Ret: gives(types.BinaryType)}}, Examples: []Example{{sql, want}},
			Agg: &AggDef{Empty: empty, State: stateConst(types.BinaryType), New: func(a AggArgs) (Accumulator, error) {
				b := &bitmapAgg{op: op}
				if a.Call != nil {
					b.pos = a.Call.Pos()
				}
				return b, nil
			}}}
	}
	return []Def{
		scalar("bitmap_bit_position", "3.5.0", "Gives the position of a number in its bitmap, from 0.", "SELECT bitmap_bit_position(123)", "122", func(x int64) int64 {
			if x > 0 {
				return (x - 1) % bitmapBits
			}
			return -x % bitmapBits
		}),
		scalar("bitmap_bucket_number", "3.5.0", "Gives the number of the bitmap that a number is in.", "SELECT bitmap_bucket_number(123)", "1", func(x int64) int64 {
			if x > 0 {
				return 1 + (x-1)/bitmapBits
			}
			return x / bitmapBits
		}),
		{Name: "bitmap_count", Since: "3.5.0", Group: "misc_funcs", Usage: "Counts the bits that a bitmap has set.", Kind: plan.FnScalar, Examples: []Example{{"SELECT bitmap_count(X'FFFF')", "16"}},
			Overloads: []Overload{sig(big, func(a *Args) (*vec.Vector, error) {
				out := make([]int64, a.N)
				for i := range out {
					if a.skipped(i) {
						continue
					}
					for _, c := range a.V[0].Bytes(i) {
						out[i] += int64(bits.OnesCount8(c))
					}
					if err := a.yields(i); err != nil {
						return nil, err
					}
				}
				return vec.FromSlice(a.Ret, out, nil), nil
			}, onlyBinaryP)}},
		agg("bitmap_construct_agg", "3.5.0", "Makes a bitmap of positions.", 'c', int64P, "SELECT substring(hex(bitmap_construct_agg(bitmap_bit_position(col))), 0, 6) FROM VALUES (1), (2), (3) AS tab(col)", "070000"),
		agg("bitmap_or_agg", "3.5.0", "Joins bitmaps: the bits that any of them has.", '|', onlyBinaryP, "SELECT substring(hex(bitmap_or_agg(col)), 0, 6) FROM VALUES (X'10'), (X'20'), (X'40') AS tab(col)", "700000"),
		agg("bitmap_and_agg", "4.1.0", "Joins bitmaps: the bits that all of them have.", '&', onlyBinaryP, "SELECT substring(hex(bitmap_and_agg(col)), 0, 6) FROM VALUES (X'F0'), (X'70'), (X'30') AS tab(col)", "300000"),
	}
}
