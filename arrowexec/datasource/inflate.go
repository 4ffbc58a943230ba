package datasource

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// Pages of more than inflateWhole bytes are inflated in steps of inflateStep,
// some 200 us of Snappy, with a yield point between two. (Writers make pages of
// about 1 MiB; dictionaries, and pages of writers that don't care, are larger.)
const (
	inflateWhole = 1<<20 + 64<<10
	inflateStep  = 256 << 10
)

// unsnap inflates a Snappy block into dst, which is as long as the block says.
//
// The block is cut between two elements, and each part decoded as a block of its
// own. Encoders that compress fragments of 64 KiB apart allow that (Google's and
// those made after it, though the format, format_description.txt of
// google/snappy, doesn't ask for it); a part that refers to one before it is
// decoded the slow way.
func unsnap(dst, src []byte, yield func() error) error {
	_, at := binary.Uvarint(src)
	if at <= 0 {
		return errCorrupt
	}
	var part []byte
	apart := true
	for done := 0; done < len(dst); {
		end, size, err := snappyElements(src[at:], inflateStep)
		if err != nil {
			return err
		}
		if size == 0 || size > len(dst)-done {
			return errCorrupt
		}
		if apart {
			part = append(binary.AppendUvarint(part[:0], uint64(size)), src[at:at+end]...)
			_, err := s2.Decode(dst[done:done+size:done+size], part)
			apart = err == nil
		}
		if !apart {
			if err := unsnapAfter(dst[:done+size], done, src[at:at+end]); err != nil {
				return err
			}
		}
		at, done = at+end, done+size
		if err := yield(); err != nil {
			return err
		}
	}
	if at != len(src) {
		return errCorrupt
	}
	return nil
}

// unsnapAfter decodes elements, which snappyElements has measured, into dst from at on.
func unsnapAfter(dst []byte, at int, src []byte) error {
	for n := 0; n < len(src); {
		tag := src[n]
		var size, back int
		switch tag & 3 {
		case 0:
			size = int(tag >> 2)
			n++
			if size >= 60 {
				w := size - 59
				size = 0
				for i := range w {
					size |= int(src[n+i]) << (8 * i)
				}
				n += w
			}
			size++
			copy(dst[at:], src[n:n+size])
			n += size
			at += size
			continue
		case 1:
			size, back = int(tag>>2&7)+4, int(tag>>5)<<8|int(src[n+1])
			n += 2
		case 2:
			size, back = int(tag>>2)+1, int(binary.LittleEndian.Uint16(src[n+1:]))
			n += 3
		case 3:
			size, back = int(tag>>2)+1, int(binary.LittleEndian.Uint32(src[n+1:]))
			n += 5
		}
		if back == 0 || back > at {
			return errCorrupt
		}
		if back >= size {
			copy(dst[at:at+size], dst[at-back:])
		} else { // what it repeats overlaps what it makes
			for i := at; i < at+size; i++ {
				dst[i] = dst[i-back]
			}
		}
		at += size
	}
	return nil
}

// snappyFragment is what encoders compress apart.
const snappyFragment = 64 << 10

// snappyElements passes over elements of a Snappy block until they make at
// least want bytes and end at a fragment, or twice as much, or the block ends; n
// is their length in src, size the length of what they make.
func snappyElements(src []byte, want int) (n, size int, err error) {
	for n < len(src) && (size < want || size%snappyFragment != 0 && size < 2*want) {
		tag := src[n]
		switch tag & 3 {
		case 0:
			k := int(tag >> 2)
			n++
			if k >= 60 {
				w := k - 59
				if len(src)-n < w {
					return 0, 0, errCorrupt
				}
				k = 0
				for i := range w {
					k |= int(src[n+i]) << (8 * i)
				}
				n += w
			}
			k++
			if k > len(src)-n {
				return 0, 0, errCorrupt
			}
			n += k
			size += k
		case 1:
			n += 2
			size += int(tag>>2&7) + 4
		case 2:
			n += 3
			size += int(tag>>2) + 1
		case 3:
			n += 5
			size += int(tag>>2) + 1
		}
	}
	if n > len(src) {
		return 0, 0, errCorrupt
	}
	return n, size, nil
}

// unzstd inflates zstd frames into dst.
func unzstd(dst, src []byte, yield func() error) error {
	d, err := zstd.NewReader(bytes.NewReader(src), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		return err
	}
	defer d.Close()
	return readSteps(d, dst, yield)
}

// readSteps fills dst from r, which must end there.
func readSteps(r io.Reader, dst []byte, yield func() error) error {
	for at := 0; at < len(dst); {
		to := min(len(dst), at+32<<10)
		if _, err := io.ReadFull(r, dst[at:to]); err != nil {
			return err
		}
		at = to
		if err := yield(); err != nil {
			return err
		}
	}
	var one [1]byte
	if n, err := r.Read(one[:]); n > 0 || err != nil && err != io.EOF {
		return errCorrupt
	}
	return nil
}
