package datasource

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// pack lays codes of width bits end to end from bit on.
func pack(codes []uint64, bit int, width uint) []byte {
	b := make([]byte, (bit+len(codes)*int(width)+7)/8)
	for i, c := range codes {
		for k := range int(width) {
			if c>>k&1 == 1 {
				at := bit + i*int(width) + k
				b[at/8] |= 1 << (at % 8)
			}
		}
	}
	return b
}

func TestUnpackAllWidths(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for width := uint(0); width <= 32; width++ {
		for _, n := range []int{0, 1, 3, 7, 8, 9, 31, 64, 1000} {
			for _, bit := range []int{0, 1, 5, 7} {
				codes := make([]uint64, n)
				top := uint64(1)<<min(width, 12) - 1
				dict := make([]int64, top+1)
				for i := range dict {
					dict[i] = int64(i) * 1000003
				}
				want := make([]int64, n)
				for i := range codes {
					codes[i] = r.Uint64() & top
					want[i] = dict[codes[i]]
				}
				b := pack(codes, bit, width)
				got32 := make([]int32, n)
				unpack(got32, b, bit, width)
				for i, c := range codes {
					if uint64(uint32(got32[i])) != c {
						t.Fatalf("width %d, %d values from bit %d: value %d is %d, want %d", width, n, bit, i, got32[i], c)
					}
				}
				got := make([]int64, n)
				if !lookUp(got, dict, b, bit, width) || !slices.Equal(got, want) {
					t.Fatalf("width %d, %d values from bit %d: wrong values", width, n, bit)
				}
				var at []int32
				var some []int64
				for i := range want {
					if r.IntN(3) == 0 {
						at, some = append(at, int32(i+7)), append(some, want[i])
					}
				}
				picked := make([]int64, len(at))
				if !lookUpAt(picked, dict, b, bit, width, at, 7) || !slices.Equal(picked, some) {
					t.Fatalf("width %d, %d values from bit %d: wrong values picked", width, n, bit)
				}
				if n > 0 && width > 0 && width <= 12 && lookUp(got, dict[:slices.Max(codes)], b, bit, width) {
					t.Fatalf("width %d, %d values: a code behind the dictionary passed", width, n)
				}
			}
		}
	}
}

// TestDecodeAllocations counts what the loops of a scan allocate: nothing for
// a row, and for a batch no more than its vector.
func TestDecodeAllocations(t *testing.T) {
	const n = 1 << 16
	codes := make([]uint64, n)
	dict := make([]int64, 1<<10)
	for i := range codes {
		codes[i] = uint64(i*7) & 1023
	}
	packed := pack(codes, 0, 10)
	header := []byte{}
	for h := uint64(n/8)<<1 | 1; ; h >>= 7 {
		if h < 0x80 {
			header = append(header, byte(h))
			break
		}
		header = append(header, byte(h)|0x80)
	}
	page := append(header, packed...)
	at := []int32{5, 77, 500, 4001, 8190}
	c := &typed[int64]{base: base{t: types.Int64Type, pool: &vec.Pool{}, yield: func() error { return nil }}, width: 8}
	perBatch := func(f func() (*vec.Vector, error)) float64 {
		c.dict, c.isDict, c.ready = dict, true, true
		return testing.AllocsPerRun(20, func() {
			c.left, c.idx = n, newRLE(page, 10)
			for range n / vec.DefaultRows {
				v, err := f()
				if err != nil {
					t.Fatal(err)
				}
				c.pool.Recycle(v)
			}
		}) / (n / vec.DefaultRows)
	}
	if got := perBatch(func() (*vec.Vector, error) { return c.read(vec.DefaultRows) }); got > 2 {
		t.Errorf("reading a batch allocates %.1f times", got)
	}
	if got := perBatch(func() (*vec.Vector, error) { return c.pick(vec.DefaultRows, at) }); got > 2 {
		t.Errorf("picking from a batch allocates %.1f times", got)
	}
}

// Values per second of the loops that read dictionary codes, by width.
func BenchmarkLookUp(b *testing.B)   { benchmarkCodes(b, false) }
func BenchmarkLookUpAt(b *testing.B) { benchmarkCodes(b, true) }

func benchmarkCodes(b *testing.B, some bool) {
	for _, width := range []uint{1, 4, 7, 8, 12, 16, 20} {
		b.Run(strconv.Itoa(int(width))+"bits", func(b *testing.B) {
			const n = vec.DefaultRows
			dict := make([]int64, 1<<width)
			codes := make([]uint64, n)
			r := rand.New(rand.NewPCG(1, 2))
			var at []int32
			for i := range codes {
				codes[i] = r.Uint64() & (1<<width - 1)
				if i%10 == 3 {
					at = append(at, int32(i))
				}
			}
			packed := pack(codes, 0, width)
			dst := make([]int64, n)
			b.SetBytes(8 * n)
			for b.Loop() {
				if some {
					lookUpAt(dst, dict, packed, 0, width, at, 0)
				} else {
					lookUp(dst, dict, packed, 0, width)
				}
			}
		})
	}
}
