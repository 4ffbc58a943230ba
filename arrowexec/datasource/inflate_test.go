package datasource

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	lz4lib "github.com/pierrec/lz4/v4"
)

// Pages of all sizes come out as they went in, with a yield point each step.
func TestInflateSteps(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 63, inflateStep - 1, inflateStep, inflateStep + 1, 1 << 20, 2<<20 + 17} {
		for _, kind := range []string{"random", "same", "words"} {
			raw := make([]byte, n)
			for i := range raw {
				switch kind {
				case "random":
					raw[i] = byte(rnd.Uint32())
				case "words":
					raw[i] = "carefully final deposits sleep "[(i*7+int(rnd.Uint32()%3))%31]
				}
			}
			for name, c := range map[string]struct {
				codec compress.Compression
				out   []byte
			}{
				"fragments":   {compress.Codecs.Snappy, fragments(raw)},
				"snappy":      {compress.Codecs.Snappy, s2.EncodeSnappy(nil, raw)},
				"best snappy": {compress.Codecs.Snappy, s2.EncodeSnappyBest(nil, raw)},
				"zstd":        {compress.Codecs.Zstd, enc.EncodeAll(raw, nil)},
				"gzip":        {compress.Codecs.Gzip, encode(t, compress.Codecs.Gzip, raw)},
				"brotli":      {compress.Codecs.Brotli, encode(t, compress.Codecs.Brotli, raw)},
				"lz4":         {compress.Codecs.Lz4Raw, encode(t, compress.Codecs.Lz4Raw, raw)},
				"hadoop lz4":  {compress.Codecs.Lz4, hadoopBlocks(t, raw)},
			} {
				t.Run(fmt.Sprint(name, " ", kind, " ", n), func(t *testing.T) {
					yields := 0
					yield := func() error { yields++; return nil }
					got, err := inflate(c.codec, nil, c.out, n, yield)
					if err != nil {
						t.Fatal(err)
					}
					if !bytes.Equal(got, raw) {
						t.Fatal("differs")
					}
					if yields < n/(inflateStep+blockSlack) {
						t.Errorf("%d yield points in %d bytes", yields, n)
					}
					if n > 100 {
						for range 200 { // broken bytes: an error or other bytes, never a panic
							bad := bytes.Clone(c.out[:1+rnd.IntN(len(c.out))])
							bad[rnd.IntN(len(bad))] ^= 1 << rnd.IntN(8)
							broken(c.codec, bad, n)
							if n > 1<<20 {
								break
							}
						}
					}
				})
			}
		}
	}
}

// broken inflates what may be no page: only Brotli may panic, as its package does.
func broken(codec compress.Compression, b []byte, n int) {
	defer func() {
		if p := recover(); p != nil && codec != compress.Codecs.Brotli {
			panic(p)
		}
	}()
	_, _ = inflate(codec, nil, b, n, func() error { return nil })
}

func encode(t *testing.T, codec compress.Compression, raw []byte) []byte {
	c, err := compress.GetCodec(codec)
	if err != nil {
		t.Fatal(err)
	}
	return c.Encode(nil, raw)
}

// fragments compresses as Google's Snappy does: every 64 KiB apart.
func fragments(raw []byte) []byte {
	const fragment = 64 << 10
	out := binary.AppendUvarint(nil, uint64(len(raw)))
	for from := 0; from < len(raw); from += fragment {
		b := s2.EncodeSnappy(nil, raw[from:min(len(raw), from+fragment)])
		_, head := binary.Uvarint(b)
		out = append(out, b[head:]...)
	}
	return out
}

// repeats reports whether a block has a copy of distance 0, which S2 has and Snappy hasn't.
func repeats(b []byte) bool {
	_, at := binary.Uvarint(b)
	for at < len(b) {
		switch tag := b[at]; tag & 3 {
		case 0:
			n := int(tag >> 2)
			at++
			if n >= 60 {
				w := n - 59
				n = 0
				for i := range w {
					if at+i < len(b) {
						n |= int(b[at+i]) << (8 * i)
					}
				}
				at += w
			}
			at += n + 1
		case 1:
			if at+1 < len(b) && tag>>5 == 0 && b[at+1] == 0 {
				return true
			}
			at += 2
		case 2:
			if at+2 < len(b) && b[at+1]|b[at+2] == 0 {
				return true
			}
			at += 3
		case 3:
			if at+4 < len(b) && b[at+1]|b[at+2]|b[at+3]|b[at+4] == 0 {
				return true
			}
			at += 5
		}
	}
	return false
}

// The decoder of Snappy gives what that of the library gives, and refuses what that refuses.
func FuzzSnappy(f *testing.F) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 60, 61, 300, 5000, 70000} {
		raw := make([]byte, n)
		for i := range raw {
			raw[i] = "abcabcabdefghij"[rnd.IntN(1+i%15)]
		}
		f.Add(s2.EncodeSnappy(nil, raw))
		f.Add(s2.EncodeSnappyBest(nil, raw))
	}
	for _, tail := range []string{"\x0baaa\x11\x01", "\x00a\xfe\x01\x00\x05\x01\x09\x01", "\xf0\x00a\xff\x01\x00\x00\x00", "\xf4\x00\x00a", "\xfc\xff\xff\xff\xffa"} {
		f.Add(append([]byte{200, 1}, tail...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := s2.DecodedLen(b)
		if err != nil || n > 1<<20 {
			return
		}
		want, wantErr := s2.Decode(nil, b)
		got := bytes.Repeat([]byte{0xa5}, n+300)
		err = unsnap(got[:n:n], b, func() error { return nil })
		for _, x := range got[n:] {
			if x != 0xa5 {
				t.Fatal("it wrote behind the end")
			}
		}
		switch {
		case err == nil && (wantErr != nil || !bytes.Equal(got[:n], want)):
			t.Fatalf("the library says %v", wantErr)
		case err != nil && wantErr == nil && !repeats(b):
			t.Fatalf("%v, but the library knows what it means", err)
		}
	})
}

// The same of LZ4.
func FuzzLZ4(f *testing.F) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{0, 1, 14, 15, 300, 5000, 70000, 200000} {
		raw := make([]byte, n)
		for i := range raw {
			raw[i] = "abcabcabdefghij"[rnd.IntN(1+i/7%15)]
		}
		out := make([]byte, lz4lib.CompressBlockBound(n))
		k, err := lz4lib.CompressBlock(raw, out, nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(out[:k], n)
	}
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		if n < 0 || n > 1<<20 || len(b) == 0 {
			return
		}
		want := make([]byte, n)
		k, wantErr := lz4lib.UncompressBlock(b, want)
		got := bytes.Repeat([]byte{0xa5}, n+300)
		err := unlz4(got[:n:n], b, func() error { return nil })
		for _, x := range got[n:] {
			if x != 0xa5 {
				t.Fatal("it wrote behind the end")
			}
		}
		if (err == nil) != (wantErr == nil && k == n) || err == nil && !bytes.Equal(got[:n], want) {
			t.Fatalf("%v; the library says %v, %d of %d bytes", err, wantErr, k, n)
		}
	})
}

// BenchmarkSnappy inflates the Snappy pages of the Parquet file NEPTUNE_BENCH_FILE.
func BenchmarkSnappy(b *testing.B) {
	path := os.Getenv("NEPTUNE_BENCH_FILE")
	if path == "" {
		b.Skip("NEPTUNE_BENCH_FILE is not set")
	}
	file, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	ft, err := readFooter(fileInfo{path: path, size: int64(len(file))})
	if err != nil {
		b.Fatal(err)
	}
	for col := range ft.meta.Schema.NumColumns() {
		var pages [][]byte
		total := 0
		for g := range min(ft.meta.NumRowGroups(), 4) {
			cc, err := ft.meta.RowGroup(g).ColumnChunk(col)
			if err != nil || cc.Compression() != compress.Codecs.Snappy {
				b.Fatal(cc.Compression(), err)
			}
			from, n, err := chunkRange(cc, int64(len(file)))
			if err != nil {
				b.Fatal(err)
			}
			for chunk := file[from : from+n]; len(chunk) > 0; {
				h, at, err := readHeader(chunk)
				if err != nil {
					b.Fatal(err)
				}
				if h.kind != 3 {
					pages = append(pages, chunk[at:at+int(h.packed)])
					total += int(h.raw)
				}
				chunk = chunk[at+int(h.packed):]
			}
		}
		dst := make([]byte, maxOf(pages))
		for _, how := range []struct {
			name string
			f    func(dst, src []byte) error
		}{
			{"ours", func(dst, src []byte) error { return unsnap(dst, src, func() error { return nil }) }},
			{"s2", func(dst, src []byte) error { _, err := s2.Decode(dst, src); return err }},
		} {
			b.Run(ft.meta.Schema.Column(col).Name()+"/"+how.name, func(b *testing.B) {
				b.SetBytes(int64(total))
				for b.Loop() {
					for _, p := range pages {
						n, _ := s2.DecodedLen(p)
						if err := how.f(dst[:n], p); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}

func maxOf(pages [][]byte) (most int) {
	for _, p := range pages {
		n, _ := s2.DecodedLen(p)
		most = max(most, n)
	}
	return most
}

// hadoopBlocks is raw as Hadoop's codec has it: a block of several parts, then one of a single part, then an empty one.
func hadoopBlocks(t *testing.T, raw []byte) (out []byte) {
	for _, block := range [][]byte{raw[:len(raw)/2], raw[len(raw)/2:]} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(block)))
		for most := len(block)/3 + 1; len(block) > 0; {
			part := block[:min(most, len(block))]
			b := encode(t, compress.Codecs.Lz4Raw, part)
			out = append(binary.BigEndian.AppendUint32(out, uint32(len(b))), b...)
			block = block[len(part):]
		}
	}
	return binary.BigEndian.AppendUint32(out, 0)
}
