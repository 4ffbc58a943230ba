package datasource

import (
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"neptune/arrowexec/arrowio"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// parquetSink hands batches to arrow-go's writer as Arrow records.
type parquetSink struct {
	fh    *os.File
	t     *types.Type
	codec compress.Compression
	enc   *arrowio.Encoder
	sc    *arrow.Schema
	w     *pqarrow.FileWriter // made for the first batch
}

func newParquetSink(fh *os.File, t *types.Type, codec compress.Compression) (sink, error) {
	enc, err := arrowio.NewEncoder(t, arrowio.Options{})
	if err != nil {
		return nil, err
	}
	sc, err := arrowio.Schema(t, arrowio.Options{})
	if err != nil {
		return nil, err
	}
	return &parquetSink{fh: fh, t: t, codec: codec, enc: enc, sc: sc}, nil
}

// open makes the writer. Columns of which nearly each value of the first batch
// is another one get no dictionary: it would be given up anyway, once it is too large.
func (s *parquetSink) open(first *vec.Batch) error {
	props := []parquet.WriterProperty{parquet.WithCompression(s.codec), parquet.WithCreatedBy("neptune"), parquet.WithStats(true), parquet.WithMaxRowGroupLength(1 << 20)}
	if first != nil {
		for i, f := range s.t.Fields {
			if v := first.Cols[i]; mostlyUnique(v, first.Sel, first.N) {
				props = append(props, parquet.WithDictionaryFor(f.Name, false))
			}
		}
	}
	var err error
	if s.w, err = pqarrow.NewFileWriter(s.sc, s.fh, parquet.NewWriterProperties(props...), pqarrow.NewArrowWriterProperties()); err != nil {
		return err
	}
	return s.w.AppendKeyValueMetadata(rowMetadata, s.t.JSON())
}

// uniqueShare of the values of a batch are different where a column has some
// 200,000 values of its own, more than fit into a dictionary page of 1 MiB.
const (
	uniqueShare = 0.98
	uniqueRows  = 4096 // fewer rows say nothing
)

func mostlyUnique(v *vec.Vector, sel []int32, n int) bool {
	switch v.Layout {
	case vec.List, vec.Group, vec.None, vec.Byte:
		return false
	}
	if n < uniqueRows {
		return false
	}
	if sel != nil {
		v = v.Gather(sel)
	}
	n = min(n, vec.DefaultRows)
	hash := make([]uint64, n)
	vec.Hash([]*vec.Vector{v.Slice(0, n)}, n, hash)
	seen := make([]uint64, 1<<14) // a million bits: hardly two values share one
	again := 0
	for _, h := range hash {
		at, bit := h>>44>>6, uint64(1)<<(h>>44&63)
		if seen[at]&bit != 0 {
			again++
		}
		seen[at] |= bit
	}
	return float64(n-again) >= uniqueShare*float64(n)
}

func (s *parquetSink) write(b *vec.Batch) error {
	if s.w == nil {
		if err := s.open(b); err != nil {
			return err
		}
	}
	if b.N == 0 {
		return nil
	}
	r, err := s.enc.Record(s.sc, b)
	if err != nil {
		return err
	}
	defer r.Release()
	return s.w.WriteBuffered(r)
}

// close closes the file too: arrow-go's writer owns it.
func (s *parquetSink) close() error {
	if s.w == nil {
		if err := s.open(nil); err != nil {
			return err
		}
	}
	return s.w.Close()
}
