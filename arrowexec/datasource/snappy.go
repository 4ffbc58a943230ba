package datasource

import (
	"encoding/binary"
	"unsafe"
)

// inflateStep is how many bytes are inflated between two yield points, some 30
// us. Writers make pages of about 1 MiB, which are too much for one step.
const inflateStep = 64 << 10

// snappy inflates a Snappy block (format_description.txt of google/snappy) in steps.
type snappy struct {
	dst, src []byte // src is without the block's head
	d, s     int
	lit      int // bytes left of a literal that a step has begun
}

// unsnap inflates a Snappy block into dst, which must be as long as what the block says.
func unsnap(dst, src []byte, yield func() error) error {
	n, at := binary.Uvarint(src)
	if at <= 0 || n != uint64(len(dst)) {
		return errCorrupt
	}
	z := snappy{dst: dst, src: src[at:]}
	for z.d < len(dst) || z.s < len(z.src) {
		if !z.step(min(len(dst), z.d+inflateStep)) {
			return errCorrupt
		}
		if err := yield(); err != nil {
			return err
		}
	}
	return nil
}

// snappyTags has, for the tags of copies, the length and, from bit 8 on, the high
// bits of the distance.
var snappyTags = func() (t [256]uint16) {
	for i := range t {
		switch i & 3 {
		case 1:
			t[i] = uint16(i>>2&7) + 4 | uint16(i>>5)<<8
		case 2:
			t[i] = uint16(i>>2) + 1
		}
	}
	return t
}()

// snappyMasks cut the bytes behind the tag that belong to the distance out of two.
var snappyMasks = [4]uint32{0, 0xff, 0xffff, 0}

// Away from the ends the elements are copied in whole blocks, which may read and
// write up to blockSlack bytes beyond the element.
const blockSlack = 64

type block16 = [16]byte

// step goes on until at least limit bytes are there, or the block is at its end. It
// reports whether the block is sound so far.
func (z *snappy) step(limit int) bool {
	dst, src := z.dst, z.src
	d, s := z.d, z.s
	if z.lit > 0 {
		n := min(z.lit, limit-d)
		copy(dst[d:d+n], src[s:s+n])
		d, s, z.lit = d+n, s+n, z.lit-n
	}
	// The fast part reads before srcEnd + blockSlack + 1 and writes before dstEnd + 2 blockSlack.
	dstEnd, srcEnd := min(limit, len(dst)-2*blockSlack), len(src)-blockSlack-1
	dp, sp := unsafe.Pointer(unsafe.SliceData(dst)), unsafe.Pointer(unsafe.SliceData(src))
	for {
		if d < dstEnd && s < srcEnd {
			to, from := snappyFast(dp, unsafe.Add(dp, d), unsafe.Add(dp, dstEnd), unsafe.Add(sp, s), unsafe.Add(sp, srcEnd))
			d, s = int(uintptr(to)-uintptr(dp)), int(uintptr(from)-uintptr(sp))
		}
		if d >= limit || s >= len(src) {
			break
		}
		// One element with care: a long literal, or one near the ends.
		tag := src[s]
		s++
		if tag&3 == 0 {
			n := int(tag >> 2)
			if n >= 60 {
				w := n - 59
				if len(src)-s < w {
					return false
				}
				n = 0
				for i := range w {
					n |= int(src[s+i]) << (8 * i)
				}
				s += w
			}
			n++
			if n > len(src)-s || n > len(dst)-d {
				return false
			}
			now := min(n, limit-d)
			copy(dst[d:d+now], src[s:s+now])
			d, s, z.lit = d+now, s+now, n-now
			continue
		}
		n, w := int(tag>>2)+1, 2
		switch tag & 3 {
		case 1:
			n, w = int(tag>>2&7)+4, 1
		case 3:
			w = 4
		}
		if len(src)-s < w {
			return false
		}
		back := 0
		for i := range w {
			back |= int(src[s+i]) << (8 * i)
		}
		if w == 1 {
			back |= int(tag>>5) << 8
		}
		s += w
		if back == 0 || back > d || n > len(dst)-d {
			return false
		}
		copyWithin(dst, d, back, n)
		d += n
	}
	z.d, z.s = d, s
	return (d < len(dst) || s == len(src)) && (s < len(src) || d == len(dst))
}

// snappyFast does elements from ip on until it is at ipEnd, what it makes at opEnd,
// or it meets one that it leaves to others: a long literal, a distance of four
// bytes, or one that points before base.
func snappyFast(base, op, opEnd, ip, ipEnd unsafe.Pointer) (unsafe.Pointer, unsafe.Pointer) {
	for uintptr(op) < uintptr(opEnd) && uintptr(ip) < uintptr(ipEnd) {
		w := *(*uint32)(ip)
		kind := w & 3
		if kind == 0 {
			n := uintptr(w&0xff)>>2 + 1
			*(*block16)(op) = *(*block16)(unsafe.Add(ip, 1))
			if n > 16 {
				if n > 60 {
					break
				}
				*(*block16)(unsafe.Add(op, 16)) = *(*block16)(unsafe.Add(ip, 17))
				*(*block16)(unsafe.Add(op, 32)) = *(*block16)(unsafe.Add(ip, 33))
				*(*block16)(unsafe.Add(op, 48)) = *(*block16)(unsafe.Add(ip, 49))
			}
			op, ip = unsafe.Add(op, n), unsafe.Add(ip, n+1)
			continue
		}
		// The two kinds of copies go one way: which it is would be guessed wrong every other time.
		e := uint32(snappyTags[w&0xff])
		back := uintptr(e&0x700 + w>>8&snappyMasks[kind])
		if back-1 >= uintptr(op)-uintptr(base) {
			break
		}
		n := uintptr(e & 0xff)
		from := unsafe.Add(op, -int(back))
		ip = unsafe.Add(ip, kind+1)
		switch {
		case n <= 16 && back >= 8:
			*(*uint64)(op) = *(*uint64)(from)
			*(*uint64)(unsafe.Add(op, 8)) = *(*uint64)(unsafe.Add(from, 8))
		case back >= 16:
			*(*block16)(op) = *(*block16)(from)
			*(*block16)(unsafe.Add(op, 16)) = *(*block16)(unsafe.Add(from, 16))
			if n > 32 {
				*(*block16)(unsafe.Add(op, 32)) = *(*block16)(unsafe.Add(from, 32))
				*(*block16)(unsafe.Add(op, 48)) = *(*block16)(unsafe.Add(from, 48))
			}
		default:
			// What repeats is doubled until it is 8 bytes long.
			to, left := op, int(n)
			for back < 8 && left > 0 {
				*(*uint64)(to) = *(*uint64)(from)
				left -= int(back)
				to = unsafe.Add(to, back)
				back += back
			}
			for left > 0 {
				*(*uint64)(to) = *(*uint64)(from)
				*(*uint64)(unsafe.Add(to, 8)) = *(*uint64)(unsafe.Add(from, 8))
				to, from = unsafe.Add(to, 16), unsafe.Add(from, 16)
				left -= 16
			}
		}
		op = unsafe.Add(op, n)
	}
	return op, ip
}

// copyBack copies n bytes, 64 at most, from back bytes before to; they may overlap. It may
// write blockSlack bytes more than n.
func copyBack(to unsafe.Pointer, back, n int) {
	from := unsafe.Add(to, -back)
	if back >= 16 {
		*(*block16)(to) = *(*block16)(from)
		for i := 16; i < n; i += 16 {
			*(*block16)(unsafe.Add(to, i)) = *(*block16)(unsafe.Add(from, i))
		}
		return
	}
	// What repeats is doubled until it is 8 bytes long.
	for back < 8 && n > 0 {
		*(*uint64)(to) = *(*uint64)(from)
		n -= back
		to = unsafe.Add(to, back)
		back += back
	}
	for n > 0 {
		*(*uint64)(to) = *(*uint64)(from)
		to, from = unsafe.Add(to, 8), unsafe.Add(from, 8)
		n -= 8
	}
}

// copyWithin copies n bytes of b to at from back bytes before it; they may overlap.
func copyWithin(b []byte, at, back, n int) {
	if back >= n {
		copy(b[at:at+n], b[at-back:])
		return
	}
	for i := at; i < at+n; i++ {
		b[i] = b[i-back]
	}
}
