package datasource

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// encoder turns UTF-8 into another encoding. Without append it is UTF-8 itself.
type encoder struct {
	mark   string // what a file begins with
	append func(dst, s []byte) []byte
}

// encoders are the encodings that JSON and CSV are written in, those that Spark allows.
var encoders = map[string]encoder{
	"utf-8":      {},
	"utf8":       {},
	"iso-8859-1": {append: func(dst, s []byte) []byte { return narrow(dst, s, 0xff) }},
	"us-ascii":   {append: func(dst, s []byte) []byte { return narrow(dst, s, 0x7f) }},
	"utf-16":     {mark: "\xfe\xff", append: func(dst, s []byte) []byte { return wide16(dst, s, binary.BigEndian) }},
	"utf-16be":   {append: func(dst, s []byte) []byte { return wide16(dst, s, binary.BigEndian) }},
	"utf-16le":   {append: func(dst, s []byte) []byte { return wide16(dst, s, binary.LittleEndian) }},
	"utf-32":     {append: wide32},
}

// narrow writes a byte a character, a question mark for those above most.
func narrow(dst, s []byte, most rune) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		if r > most {
			r = '?'
		}
		dst = append(dst, byte(r))
		s = s[n:]
	}
	return dst
}

func wide16(dst, s []byte, order binary.AppendByteOrder) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		if r > 0xffff {
			hi, lo := utf16.EncodeRune(r)
			dst, r = order.AppendUint16(dst, uint16(hi)), lo
		}
		dst = order.AppendUint16(dst, uint16(r))
		s = s[n:]
	}
	return dst
}

func wide32(dst, s []byte) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		dst = binary.BigEndian.AppendUint32(dst, uint32(r))
		s = s[n:]
	}
	return dst
}
