package datasource

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
)

// streamStep is inflateStep of the codecs that take longer for a byte.
const streamStep = 16 << 10

// streams are decoders that are used again: they are large.
var (
	zstdStreams = sync.Pool{New: func() any {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxPage))
		if err != nil {
			return err
		}
		return d
	}}
	gzipStreams = sync.Pool{New: func() any { return new(gzip.Reader) }}
)

// inflate decompresses src, which must give exactly n bytes, into dst if that
// has the room. It does so in steps with a yield between.
func inflate(codec compress.Compression, dst, src []byte, n int, yield func() error) ([]byte, error) {
	if codec == compress.Codecs.Uncompressed {
		if len(src) != n {
			return nil, errCorrupt
		}
		return src, nil
	}
	if n == 0 && len(src) == 0 {
		return dst[:0], nil
	}
	if codec != compress.Codecs.Gzip && n > 512*(len(src)+64)*64 {
		return nil, errCorrupt // no codec packs that well
	}
	if cap(dst) < n {
		dst = vec.Uncleared[byte](n)
	}
	dst = dst[:n]
	switch codec {
	case compress.Codecs.Snappy:
		return dst, unsnap(dst, src, yield)
	case compress.Codecs.Lz4Raw:
		return dst, unlz4(dst, src, yield)
	case compress.Codecs.Lz4:
		return dst, unlz4Hadoop(dst, src, yield)
	case compress.Codecs.Zstd:
		d, ok := zstdStreams.Get().(*zstd.Decoder)
		if !ok {
			return nil, errors.New("no zstd decoder")
		}
		defer zstdStreams.Put(d)
		if err := d.Reset(bytes.NewReader(src)); err != nil {
			return nil, err
		}
		return dst, readSteps(d, dst, yield)
	case compress.Codecs.Gzip:
		d := gzipStreams.Get().(*gzip.Reader)
		defer gzipStreams.Put(d)
		if err := d.Reset(bytes.NewReader(src)); err != nil {
			return nil, err
		}
		return dst, readSteps(d, dst, yield)
	}
	c, err := compress.GetCodec(codec)
	if err != nil {
		return nil, err
	}
	stream, ok := c.(compress.StreamingCodec)
	if !ok {
		return nil, errs.NotSupported("the Parquet compression " + codec.String())
	}
	r := stream.NewReader(bytes.NewReader(src))
	defer r.Close()
	return dst, readSteps(r, dst, yield)
}

// readSteps fills dst from r, which must end there.
func readSteps(r io.Reader, dst []byte, yield func() error) error {
	for at := 0; at < len(dst); {
		to := min(len(dst), at+streamStep)
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
