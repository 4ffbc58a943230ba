package datasource

import (
	"encoding/binary"
	"unsafe"

	"neptune/arrowexec/vec"
)

// word is 8 bytes of b from byte at on; the caller has checked the bounds.
func word(p unsafe.Pointer, at int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(p, at))[:])
}

// wordSteps is how many steps of step bits, from bit on, begin where a whole word can be read.
func wordSteps(b []byte, bit, step int) int {
	last := 8*(len(b)-8) + 7
	if bit > last || step == 0 {
		return 0
	}
	return (last-bit)/step + 1
}

// lookUp writes the dictionary's values for len(dst) codes of width bits (at
// most 32), from bit on, without a stop at the codes. It reports whether all
// codes were the dictionary's. b must hold all of them.
func lookUp[T vec.Fixed](dst, dict []T, b []byte, bit int, width uint) bool {
	mask := uint64(1)<<width - 1
	n := uint64(len(dict))
	p := unsafe.Pointer(unsafe.SliceData(b))
	i := 0
	w := int(width)
	switch {
	case w == 0:
		if n == 0 {
			return len(dst) == 0
		}
		x := dict[0]
		for i := range dst {
			dst[i] = x
		}
		return true
	case w <= 7: // eight values of a word, which holds at least 57 bits
		for range min(len(dst)/8, wordSteps(b, bit, 8*w)) {
			x := word(p, bit>>3) >> (bit & 7)
			k0, k1, k2, k3 := x&mask, x>>(width&63)&mask, x>>(2*width&63)&mask, x>>(3*width&63)&mask
			x >>= 4 * width & 63
			k4, k5, k6, k7 := x&mask, x>>(width&63)&mask, x>>(2*width&63)&mask, x>>(3*width&63)&mask
			if k0 >= n || k1 >= n || k2 >= n || k3 >= n || k4 >= n || k5 >= n || k6 >= n || k7 >= n {
				return false
			}
			d := (*[8]T)(dst[i:])
			d[0], d[1], d[2], d[3] = dict[k0], dict[k1], dict[k2], dict[k3]
			d[4], d[5], d[6], d[7] = dict[k4], dict[k5], dict[k6], dict[k7]
			i += 8
			bit += 8 * w
		}
	case w <= 14:
		for range min(len(dst)/4, wordSteps(b, bit, 4*w)) {
			x := word(p, bit>>3) >> (bit & 7)
			k0, k1, k2, k3 := x&mask, x>>(width&63)&mask, x>>(2*width&63)&mask, x>>(3*width&63)&mask
			if k0 >= n || k1 >= n || k2 >= n || k3 >= n {
				return false
			}
			d := (*[4]T)(dst[i:])
			d[0], d[1], d[2], d[3] = dict[k0], dict[k1], dict[k2], dict[k3]
			i += 4
			bit += 4 * w
		}
	case w <= 19:
		for range min(len(dst)/3, wordSteps(b, bit, 3*w)) {
			x := word(p, bit>>3) >> (bit & 7)
			k0, k1, k2 := x&mask, x>>(width&63)&mask, x>>(2*width&63)&mask
			if k0 >= n || k1 >= n || k2 >= n {
				return false
			}
			d := (*[3]T)(dst[i:])
			d[0], d[1], d[2] = dict[k0], dict[k1], dict[k2]
			i += 3
			bit += 3 * w
		}
	case w <= 28:
		for range min(len(dst)/2, wordSteps(b, bit, 2*w)) {
			x := word(p, bit>>3) >> (bit & 7)
			k0, k1 := x&mask, x>>(width&63)&mask
			if k0 >= n || k1 >= n {
				return false
			}
			d := (*[2]T)(dst[i:])
			d[0], d[1] = dict[k0], dict[k1]
			i += 2
			bit += 2 * w
		}
	}
	for ; i < len(dst); i++ {
		k := codeAt(b, bit, mask)
		if k >= n {
			return false
		}
		dst[i] = dict[k]
		bit += w
	}
	return true
}

// codeAt is the code at bit; bytes behind the end of b count as zeros.
func codeAt(b []byte, bit int, mask uint64) uint64 {
	at := bit >> 3
	if at+8 <= len(b) {
		return binary.LittleEndian.Uint64(b[at:]) >> (bit & 7) & mask
	}
	var x uint64
	for k, c := range b[min(len(b), at):] {
		x |= uint64(c) << (8 * k)
	}
	return x >> (bit & 7) & mask
}

// lookUpAt is lookUp of the codes at positions at, which rise, counted from first.
func lookUpAt[T vec.Fixed](dst, dict []T, b []byte, bit int, width uint, at []int32, first int32) bool {
	mask := uint64(1)<<width - 1
	n := uint64(len(dict))
	dst = dst[:len(at)]
	w := int(width)
	fast := wordSteps(b, bit, max(w, 1)) // codes that can be read as a word
	p := unsafe.Pointer(unsafe.SliceData(b))
	for i, r := range at {
		var k uint64
		if j := int(r - first); j < fast {
			pos := bit + j*w
			k = word(p, pos>>3) >> (pos & 7) & mask
		} else {
			k = codeAt(b, bit+j*w, mask)
		}
		if k >= n {
			return false
		}
		dst[i] = dict[k]
	}
	return true
}

// unpack reads len(dst) values of width bits (at most 32) from bit on.
func unpack(dst []int32, b []byte, bit int, width uint) {
	mask := uint64(1)<<width - 1
	p := unsafe.Pointer(unsafe.SliceData(b))
	w := int(width)
	i := 0
	switch {
	case w == 0:
		clear(dst)
		return
	case w <= 7: // eight values of a word, which holds at least 57 bits
		for range min(len(dst)/8, wordSteps(b, bit, 8*w)) {
			x := word(p, bit>>3) >> (bit & 7)
			d := (*[8]int32)(dst[i:])
			d[0], d[1], d[2], d[3] = int32(x&mask), int32(x>>(width&63)&mask), int32(x>>(2*width&63)&mask), int32(x>>(3*width&63)&mask)
			x >>= 4 * width & 63
			d[4], d[5], d[6], d[7] = int32(x&mask), int32(x>>(width&63)&mask), int32(x>>(2*width&63)&mask), int32(x>>(3*width&63)&mask)
			i += 8
			bit += 8 * w
		}
	case w <= 14:
		for range min(len(dst)/4, wordSteps(b, bit, 4*w)) {
			x := word(p, bit>>3) >> (bit & 7)
			d := (*[4]int32)(dst[i:])
			d[0], d[1], d[2], d[3] = int32(x&mask), int32(x>>(width&63)&mask), int32(x>>(2*width&63)&mask), int32(x>>(3*width&63)&mask)
			i += 4
			bit += 4 * w
		}
	case w <= 28:
		for range min(len(dst)/2, wordSteps(b, bit, 2*w)) {
			x := word(p, bit>>3) >> (bit & 7)
			d := (*[2]int32)(dst[i:])
			d[0], d[1] = int32(x&mask), int32(x>>(width&63)&mask)
			i += 2
			bit += 2 * w
		}
	}
	for ; i < len(dst); i++ {
		dst[i] = int32(codeAt(b, bit, mask))
		bit += w
	}
}
