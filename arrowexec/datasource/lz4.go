package datasource

import (
	"encoding/binary"
	"unsafe"

	"github.com/apache/arrow-go/v18/parquet/compress"
)

// lz4 inflates an LZ4 block (lz4_Block_format.md of lz4/lz4) in steps.
type lz4 struct {
	dst, src []byte
	d, s     int
	lit      int  // bytes left of literals that a step has begun
	match    int  // bytes left of a match that a step has begun, or, while lit > 0, the match's part of the token
	back     int  // its distance; 0: not yet read
	some     bool // dst may be longer than what there is
}

// unlz4 inflates an LZ4 block into dst, which must be as long as what it gives.
func unlz4(dst, src []byte, yield func() error) error {
	z := lz4{dst: dst, src: src, match: -1}
	return z.run(yield)
}

// unlz4Hadoop inflates what Hadoop's codec writes: blocks, each with its length and then LZ4 blocks that make it up, each
// with its compressed length.
func unlz4Hadoop(dst, src []byte, yield func() error) error {
	length := func() int {
		if len(src) < 4 {
			return -1
		}
		n := binary.BigEndian.Uint32(src)
		src = src[4:]
		return int(n)
	}
	for len(dst) > 0 {
		n := length()
		if n < 0 || n > len(dst) {
			return errCorrupt
		}
		block := dst[:n]
		dst = dst[n:]
		for len(block) > 0 {
			n := length()
			if n < 0 || n > len(src) {
				return errCorrupt
			}
			z := lz4{dst: block, src: src[:n], match: -1, some: true}
			if err := z.run(yield); err != nil {
				return err
			}
			if z.d == 0 {
				return errCorrupt
			}
			block, src = block[z.d:], src[n:]
		}
	}
	for len(src) > 0 { // large pages end with an empty block
		if length() != 0 {
			return errCorrupt
		}
	}
	return nil
}

// hadoopLZ4 is that for the general reader.
type hadoopLZ4 struct{}

func init() { compress.RegisterCodec(compress.Codecs.Lz4, hadoopLZ4{}) }

func (hadoopLZ4) Encode(_, src []byte) []byte {
	raw, err := compress.GetCodec(compress.Codecs.Lz4Raw)
	if err != nil || len(src) == 0 {
		return nil
	}
	block := raw.Encode(nil, src)
	out := binary.BigEndian.AppendUint32(nil, uint32(len(src)))
	out = binary.BigEndian.AppendUint32(out, uint32(len(block)))
	return append(out, block...)
}

func (c hadoopLZ4) EncodeLevel(dst, src []byte, _ int) []byte { return c.Encode(dst, src) }

func (hadoopLZ4) CompressBound(n int64) int64 { return n + n/255 + 24 }

// Decode is DecodeWithError for callers that know the bytes to be sound.
func (c hadoopLZ4) Decode(dst, src []byte) []byte {
	out, err := c.DecodeWithError(dst, src)
	if err != nil {
		panic(err)
	}
	return out
}

// DecodeWithError fills dst.
func (hadoopLZ4) DecodeWithError(dst, src []byte) ([]byte, error) {
	return dst, unlz4Hadoop(dst, src, func() error { return nil })
}

// run inflates all.
func (z *lz4) run(yield func() error) error {
	dst := z.dst
	for {
		done, ok := z.step(min(len(dst), z.d+inflateStep))
		if !ok {
			return errCorrupt
		}
		if err := yield(); err != nil {
			return err
		}
		if done {
			return nil
		}
	}
}

// length adds the bytes that go on with a length to it; -1: they are missing.
func (z *lz4) length(n int) int {
	if n < 15 {
		return n
	}
	for z.s < len(z.src) {
		b := z.src[z.s]
		z.s++
		n += int(b)
		if b != 255 {
			return n
		}
	}
	return -1
}

// step goes on until limit bytes are there, or the block is at its end (done). It
// reports whether the block is sound so far.
func (z *lz4) step(limit int) (done, ok bool) {
	dst, src := z.dst, z.src
	for {
		// A sequence: literals, then a match, which the last one doesn't have.
		if z.match < 0 {
			z.fast(limit)
			if z.d >= limit && z.d < len(dst) {
				return false, true
			}
			if z.s == len(src) {
				return false, false // it ends in the middle of a sequence
			}
			token := src[z.s]
			z.s++
			if z.lit = z.length(int(token >> 4)); z.lit < 0 || z.lit > len(src)-z.s || z.lit > len(dst)-z.d {
				return false, false
			}
			z.match, z.back = int(token&15), 0
		}
		if z.lit > 0 {
			n := min(z.lit, limit-z.d)
			copy(dst[z.d:z.d+n], src[z.s:z.s+n])
			z.d, z.s, z.lit = z.d+n, z.s+n, z.lit-n
			if z.lit > 0 {
				return false, true
			}
		}
		if z.back == 0 {
			if z.s == len(src) {
				return true, (z.some || z.d == len(dst)) && z.match == 0
			}
			if len(src)-z.s < 2 {
				return false, false
			}
			z.back = int(binary.LittleEndian.Uint16(src[z.s:]))
			z.s += 2
			if z.match = z.length(z.match); z.match < 0 {
				return false, false
			}
			z.match += 4
			if z.back == 0 || z.back > z.d || z.match > len(dst)-z.d {
				return false, false
			}
		}
		n := min(z.match, limit-z.d)
		copyLong(dst, z.d, z.back, n)
		z.d, z.match = z.d+n, z.match-n
		if z.match > 0 {
			return false, true
		}
		z.match = -1
	}
}

// fast does whole sequences of short literals and matches, as long as it is away from the ends.
func (z *lz4) fast(limit int) {
	dst, src := z.dst, z.src
	d, s := z.d, z.s
	dstEnd, srcEnd := min(limit, len(dst)-2*blockSlack), len(src)-blockSlack
	dp, sp := unsafe.Pointer(unsafe.SliceData(dst)), unsafe.Pointer(unsafe.SliceData(src))
	for d < dstEnd && s < srcEnd {
		token := *(*byte)(unsafe.Add(sp, s))
		n, m := int(token>>4), int(token&15)+4
		if n == 15 || m == 19 {
			break
		}
		*(*block16)(unsafe.Add(dp, d)) = *(*block16)(unsafe.Add(sp, s+1))
		back := int(binary.LittleEndian.Uint16((*[2]byte)(unsafe.Add(sp, s+1+n))[:]))
		if uint(back-1) >= uint(d+n) {
			break // said to be broken by the caller
		}
		d += n
		s += n + 3
		copyBack(unsafe.Add(dp, d), back, m)
		d += m
	}
	z.d, z.s = d, s
}

// copyLong is copyWithin for long runs: what repeats is doubled.
func copyLong(b []byte, at, back, n int) {
	for n > 0 {
		k := min(n, back)
		copy(b[at:at+k], b[at-back:at-back+k])
		at, n, back = at+k, n-k, back+k
	}
}
