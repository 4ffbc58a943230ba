package datasource

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// Pages of all sizes come out as they went in, with a yield point at least every two steps.
func TestInflateSteps(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, inflateWhole, inflateWhole + 1, 2<<20 + 17, 5 << 20} {
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
					// One literal of megabytes is copied in one step.
					if n > inflateWhole && kind != "random" && yields < n/(3*inflateStep) {
						t.Errorf("%d yield points in %d bytes", yields, n)
					}
					if n > 100 {
						for range 200 { // broken bytes: an error or other bytes, never a panic
							bad := bytes.Clone(c.out[:1+rnd.IntN(len(c.out))])
							bad[rnd.IntN(len(bad))] ^= 1 << rnd.IntN(8)
							_, _ = inflate(c.codec, nil, bad, n, yield)
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

// fragments compresses as Google's Snappy does: every 64 KiB apart.
func fragments(raw []byte) []byte {
	out := binary.AppendUvarint(nil, uint64(len(raw)))
	for from := 0; from < len(raw); from += snappyFragment {
		b := s2.EncodeSnappy(nil, raw[from:min(len(raw), from+snappyFragment)])
		_, head := binary.Uvarint(b)
		out = append(out, b[head:]...)
	}
	return out
}
