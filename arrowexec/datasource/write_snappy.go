package datasource

import (
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/klauspost/compress/s2"
)

// plainSnappy compresses as Google's Snappy does. Arrow-go's own codec looks for better
// matches, which takes twice the time; the format is the same.
type plainSnappy struct{ snappyCodec }

// snappyCodec is what arrow-go's own codec can do.
type snappyCodec interface {
	compress.ErrorCodec
	compress.StreamingCodec
}

func (plainSnappy) Encode(dst, src []byte) []byte { return s2.EncodeSnappy(dst, src) }

func (plainSnappy) EncodeLevel(dst, src []byte, _ int) []byte { return s2.EncodeSnappy(dst, src) }

// The registry isn't safe for concurrent use: it is written before anything runs.
func init() {
	if c, err := compress.GetCodec(compress.Codecs.Snappy); err == nil {
		if old, ok := c.(snappyCodec); ok {
			compress.RegisterCodec(compress.Codecs.Snappy, plainSnappy{old})
		}
	}
}
