package fn

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// rowHash folds values into a hash, as Spark's hash expressions do: null leaves it as it is.
type rowHash interface {
	int(x int32, h uint64) uint64
	long(x int64, h uint64) uint64
	bytes(b []byte, h uint64) uint64
}

// murmur is Murmur3_x86_32 with Spark's tail: each byte left over is mixed like a word.
type murmur struct{}

func mixK1(k uint32) uint32 { return bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593 }

func mixH1(h, k uint32) uint32 { return bits.RotateLeft32(h^k, 13)*5 + 0xe6546b64 }

func finish32(h, n uint32) uint32 {
	h ^= n
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

func (murmur) int(x int32, h uint64) uint64 {
	return uint64(finish32(mixH1(uint32(h), mixK1(uint32(x))), 4))
}

func (murmur) long(x int64, h uint64) uint64 {
	g := mixH1(uint32(h), mixK1(uint32(x)))
	return uint64(finish32(mixH1(g, mixK1(uint32(x>>32))), 8))
}

func (murmur) bytes(b []byte, h uint64) uint64 {
	g, n := uint32(h), len(b)
	for ; len(b) >= 4; b = b[4:] {
		g = mixH1(g, mixK1(binary.LittleEndian.Uint32(b)))
	}
	for _, c := range b {
		g = mixH1(g, mixK1(uint32(int32(int8(c)))))
	}
	return uint64(finish32(g, uint32(n)))
}

// xx is xxHash64.
type xx struct{}

const (
	xx1 = 0x9E3779B185EBCA87
	xx2 = 0xC2B2AE3D27D4EB4F
	xx3 = 0x165667B19E3779F9
	xx4 = 0x85EBCA77C2B2AE63
	xx5 = 0x27D4EB2F165667C5
)

func xxFinish(h uint64) uint64 {
	h = (h ^ h>>33) * xx2
	h = (h ^ h>>29) * xx3
	return h ^ h>>32
}

func xxRound(h, x uint64) uint64 { return bits.RotateLeft64(h+x*xx2, 31) * xx1 }

func (xx) int(x int32, seed uint64) uint64 {
	h := seed + xx5 + 4
	h ^= uint64(uint32(x)) * xx1
	return xxFinish(bits.RotateLeft64(h, 23)*xx2 + xx3)
}

func (xx) long(x int64, seed uint64) uint64 {
	h := seed + xx5 + 8
	h ^= xxRound(0, uint64(x))
	return xxFinish(bits.RotateLeft64(h, 27)*xx1 + xx4)
}

func (xx) bytes(b []byte, seed uint64) uint64 {
	n := uint64(len(b))
	h := seed + xx5
	if len(b) >= 32 {
		var c1, c2 uint64 = xx1, xx2
		v := [4]uint64{seed + c1 + c2, seed + c2, seed, seed - c1}
		for ; len(b) >= 32; b = b[32:] {
			for k := range v {
				v[k] = xxRound(v[k], binary.LittleEndian.Uint64(b[8*k:]))
			}
		}
		h = bits.RotateLeft64(v[0], 1) + bits.RotateLeft64(v[1], 7) + bits.RotateLeft64(v[2], 12) + bits.RotateLeft64(v[3], 18)
		for k := range v {
			h = (h^xxRound(0, v[k]))*xx1 + xx4
		}
	}
	h += n
	for ; len(b) >= 8; b = b[8:] {
		h = bits.RotateLeft64(h^xxRound(0, binary.LittleEndian.Uint64(b)), 27)*xx1 + xx4
	}
	if len(b) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(b))*xx1, 23)*xx2 + xx3
		b = b[4:]
	}
	for _, c := range b {
		h = bits.RotateLeft64(h^uint64(c)*xx5, 11) * xx1
	}
	return xxFinish(h)
}

// hashOne folds value i of v into h.
func hashOne(f rowHash, v *vec.Vector, i int, h uint64) uint64 {
	if v.IsNull(i) {
		return h
	}
	switch v.Layout {
	case vec.Byte:
		return f.int(int32(vec.Of[uint8](v)[i]), h)
	case vec.I8, vec.I16, vec.I32:
		return f.int(int32(getInt(v, i)), h)
	case vec.I64:
		return f.long(vec.Of[int64](v)[i], h)
	case vec.F32:
		x := vec.Of[float32](v)[i]
		switch {
		case x == 0:
			x = 0
		case x != x:
			return f.int(0x7fc00000, h)
		}
		return f.int(int32(math.Float32bits(x)), h)
	case vec.F64:
		x := vec.Of[float64](v)[i]
		switch {
		case x == 0:
			x = 0
		case x != x:
			return f.long(0x7ff8000000000000, h)
		}
		return f.long(int64(math.Float64bits(x)), h)
	case vec.I128:
		return f.bytes(bigEndian(vec.Of[types.Int128](v)[i]), h)
	case vec.CalI:
		x := vec.Of[types.CalendarValue](v)[i]
		return f.int(x.Months, f.int(x.Days, f.long(x.Micros, h)))
	case vec.Bytes:
		return f.bytes(v.Bytes(i), h)
	case vec.List:
		r := vec.Refs(v)[i]
		for k := r.Start(); k < r.Start()+r.Len(); k++ {
			for _, c := range v.Child {
				h = hashOne(f, c, k, h)
			}
		}
	case vec.Group:
		for _, c := range v.Child {
			h = hashOne(f, c, i, h)
		}
	}
	return h
}

// bigEndian is the shortest two's complement of x, as Java's BigInteger.toByteArray.
func bigEndian(x types.Int128) []byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(x.Hi))
	binary.BigEndian.PutUint64(b[8:], x.Lo)
	s := b[:]
	for len(s) > 1 && (s[0] == 0 && s[1] < 0x80 || s[0] == 0xff && s[1] >= 0x80) {
		s = s[1:]
	}
	return s
}

func hashKernel(f rowHash) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := vec.Make(a.Ret, a.N)
		for i := range a.N {
			h := uint64(42)
			for _, v := range a.V {
				h = hashOne(f, v, i, h)
			}
			if out.Layout == vec.I32 {
				vec.Of[int32](out)[i] = int32(uint32(h))
			} else {
				vec.Of[int64](out)[i] = int64(h)
			}
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
}

func digestHex(f func([]byte) []byte) Kernel {
	return textKernel(func(a *Args, i int, dst []byte) []byte { return hex.AppendEncode(dst, f(a.V[0].Bytes(i))) })
}

func sha2(a *Args) (*vec.Vector, error) {
	b := newStrings(a.N, 64*a.N)
	for i := range a.N {
		if a.skipped(i) {
			b.addNull(a.N)
			continue
		}
		in, start := a.V[0].Bytes(i), len(b.buf)
		switch a.i32(1, i) {
		case 224:
			s := sha256.Sum224(in)
			b.buf = hex.AppendEncode(b.buf, s[:])
		case 0, 256:
			s := sha256.Sum256(in)
			b.buf = hex.AppendEncode(b.buf, s[:])
		case 384:
			s := sha512.Sum384(in)
			b.buf = hex.AppendEncode(b.buf, s[:])
		case 512:
			s := sha512.Sum512(in)
			b.buf = hex.AppendEncode(b.buf, s[:])
		default:
			b.addNull(a.N)
			continue
		}
		b.end(start)
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return b.finish(a.Ret), nil
}

// xorShift is Spark's generator of random numbers, seeded by the seed and the partition.
type xorShift struct {
	seed  uint64
	spare float64
	have  bool
}

func newXorShift(seed int64) *xorShift {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(seed))
	// Here the hash is the plain Murmur3, which for whole words is Spark's too.
	lo := uint32(murmur{}.bytes(b[:], 0x3c074a61))
	hi := uint32(murmur{}.bytes(b[:], uint64(lo)))
	return &xorShift{seed: uint64(hi)<<32 | uint64(lo)}
}

func (x *xorShift) next(n uint) int64 {
	x.seed ^= x.seed << 21
	x.seed ^= x.seed >> 35
	x.seed ^= x.seed << 4
	return int64(x.seed & (1<<n - 1))
}

func (x *xorShift) double() float64 { return float64(x.next(26)<<27+x.next(27)) * 0x1p-53 }

// gaussian is java.util.Random's polar method.
func (x *xorShift) gaussian() float64 {
	if x.have {
		x.have = false
		return x.spare
	}
	for {
		u, v := 2*x.double()-1, 2*x.double()-1
		s := u*u + v*v
		if s >= 1 || s == 0 {
			continue
		}
		m := math.Sqrt(-2 * math.Log(s) / s)
		x.spare, x.have = v*m, true
		return u * m
	}
}

func random(f func(*xorShift) float64) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		x, err := xorShiftOf(a, 0)
		if err != nil {
			return nil, err
		}
		out := make([]float64, a.N)
		for i := range out {
			out[i] = f(x)
		}
		return vec.FromSlice(a.Ret, out, nil), nil
	}
}

func misc() []Def {
	str, i32, big := gives(types.StringType), gives(types.Int32Type), gives(types.Int64Type)
	def := func(group, name, since, usage string, nulls NullRule, sql, want string, o ...Overload) Def {
		return Def{Name: name, Since: since, Group: group, Usage: usage, Kind: plan.FnScalar, Nulls: nulls, Overloads: o, Examples: []Example{{sql, want}}}
	}
	many := func(ret retFn, k Kernel) Overload {
		return Overload{Params: params(anyP), Variadic: true, Ret: ret, Eval: k}
	}
	alias := func(d Def, names ...string) Def { d.Aliases = names; return d }
	rnd := func(name, usage string, f func(*xorShift) float64, want string) Def {
		d := def("math_funcs", name, "1.5.0", usage, NullNever, "SELECT "+name+"(0)", want, Overload{RetExpr: retRandom, Eval: random(f)}, Overload{Params: params(seedP), RetExpr: retRandom, Eval: random(f)})
		d.Random = true
		if name == "rand" {
			d.Aliases = []string{"random"}
		}
		return d
	}
	hexInt := textKernel(func(a *Args, i int, dst []byte) []byte {
		return append(dst, strings.ToUpper(strconv.FormatUint(uint64(getInt(a.V[0], i)), 16))...)
	})
	hexBytes := textKernel(func(a *Args, i int, dst []byte) []byte {
		from := len(dst)
		dst = hex.AppendEncode(dst, a.V[0].Bytes(i))
		copy(dst[from:], strings.ToUpper(string(dst[from:])))
		return dst
	})
	md := func(b []byte) []byte { s := md5.Sum(b); return s[:] }
	sh := func(b []byte) []byte { s := sha1.Sum(b); return s[:] }
	return []Def{
		def("hash_funcs", "hash", "2.0.0", "Gives a 32-bit hash of the arguments.", NullNever, "SELECT hash('Spark', array(123), 2)", "-1321691492", many(i32, hashKernel(murmur{}))),
		def("hash_funcs", "xxhash64", "3.0.0", "Gives a 64-bit hash of the arguments.", NullNever, "SELECT xxhash64('Spark', array(123), 2)", "5602566077635097486", many(big, hashKernel(xx{}))),
		def("hash_funcs", "md5", "1.5.0", "Gives the MD5 digest in hexadecimal.", NullIn, "SELECT md5('Spark')", "8cde774d6f7333752ed72cacddb05126", sig(str, digestHex(md), binaryP)),
		alias(def("hash_funcs", "sha1", "1.5.0", "Gives the SHA-1 digest in hexadecimal.", NullIn, "SELECT sha1('Spark')", "85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c", sig(str, digestHex(sh), binaryP)), "sha"),
		def("hash_funcs", "sha2", "1.5.0", "Gives a SHA-2 digest of 224, 256, 384 or 512 bits in hexadecimal.", NullMaybe, "SELECT sha2('Spark', 256)", "529bc3b07127ecb7e53a4dcf1991d9152c24537d919178022b2c42657f79a26b", sig(str, sha2, binaryP, int32P)),
		def("hash_funcs", "crc32", "1.5.0", "Gives the CRC-32 checksum.", NullIn, "SELECT crc32('Spark')", "1557323817", sig(big, func(a *Args) (*vec.Vector, error) {
			out := make([]int64, a.N)
			for i := range out {
				if !a.skipped(i) {
					out[i] = int64(crc32.ChecksumIEEE(a.V[0].Bytes(i)))
				}
			}
			return vec.FromSlice(a.Ret, out, nil), nil
		}, binaryP)),
		rnd("rand", "Gives random numbers between 0 and 1.", (*xorShift).double, "0.7604953758285915"),
		rnd("randn", "Gives random numbers of the standard normal distribution.", (*xorShift).gaussian, "1.6034991609278433"),
		def("math_funcs", "hex", "1.5.0", "Writes a number or bytes in hexadecimal.", NullIn, "SELECT hex('Spark SQL')", "537061726B2053514C", sig(str, hexInt, int64P), sig(str, hexBytes, binaryP), sig(str, hexBytes, stringP)),
		def("math_funcs", "unhex", "1.5.0", "Reads hexadecimal digits; NULL for anything else.", NullMaybe, "SELECT decode(unhex('537061726B2053514C'), 'UTF-8')", "Spark SQL", sig(gives(types.BinaryType), func(a *Args) (*vec.Vector, error) {
			b := newStrings(a.N, 0)
			for i := range a.N {
				if a.skipped(i) {
					b.addNull(a.N)
					continue
				}
				s := a.V[0].Str(i)
				if len(s)%2 == 1 {
					s = "0" + s
				}
				raw, err := hex.DecodeString(s)
				if err != nil {
					b.addNull(a.N) // not digits: null is the answer
					continue
				}
				b.add(raw)
			}
			return b.finish(a.Ret), nil
		}, stringP)),
		def("math_funcs", "bin", "1.5.0", "Writes a number in binary.", NullIn, "SELECT bin(13)", "1101", sig(str, textKernel(func(a *Args, i int, dst []byte) []byte {
			return strconv.AppendUint(dst, uint64(vec.Of[int64](a.V[0])[i]), 2)
		}), int64P)),
		def("math_funcs", "factorial", "1.5.0", "Gives the factorial of 0 to 20, else NULL.", NullMaybe, "SELECT factorial(5)", "120", sig(big, func(a *Args) (*vec.Vector, error) {
			out := make([]int64, a.N)
			v := vec.FromSlice(a.Ret, out, nil)
			for i, n := range vec.Of[int32](a.V[0]) {
				if n < 0 || n > 20 {
					setNull(v, i)
					continue
				}
				out[i] = 1
				for k := int64(2); k <= int64(n); k++ {
					out[i] *= k
				}
			}
			return v, nil
		}, int32P)),
		def("bitwise_funcs", "bit_count", "3.0.0", "Counts the bits that are set.", NullIn, "SELECT bit_count(0)", "0", sig(i32, func(a *Args) (*vec.Vector, error) {
			out := make([]int32, a.N)
			for i := range out {
				out[i] = int32(bits.OnesCount64(uint64(getInt(a.V[0], i))))
			}
			return vec.FromSlice(a.Ret, out, nil), nil
		}, Accept{Name: `("INTEGRAL" or "BOOLEAN")`, Exact: true, Types: []*types.Type{types.Int64Type}, Test: func(t *types.Type) bool { return t.IsIntegral() || t.Kind == types.Bool }})),
	}
}
