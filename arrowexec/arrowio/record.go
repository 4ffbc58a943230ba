package arrowio

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
)

// Record returns a batch as a record of arrow-go, for libraries that take those. schema is
// what Schema gives for the encoder's type and options, which must not ask for compression. The
// record's memory is its own.
func (e *Encoder) Record(schema *arrow.Schema, b *vec.Batch) (arrow.RecordBatch, error) {
	if e.o.Codec != Plain {
		return nil, errs.Internalf("a record of compressed buffers")
	}
	w, err := e.body(b, 0, 0)
	if err != nil {
		return nil, err
	}
	r := &recorder{w: w}
	cols := make([]arrow.Array, schema.NumFields())
	for i, f := range schema.Fields() {
		cols[i] = array.MakeFromData(r.data(f.Type))
	}
	if r.node != len(w.nodes) || r.buf != len(w.bufs) {
		return nil, errs.Internalf("a record of %d buffers where there are %d", r.buf, len(w.bufs))
	}
	return array.NewRecordBatch(schema, cols, int64(b.N)), nil
}

// recorder hands a body's nodes and buffers out in their order.
type recorder struct {
	w         *body
	node, buf int
}

func (r *recorder) next() *memory.Buffer {
	s := r.w.bufs[r.buf]
	r.buf++
	return memory.NewBufferBytes(r.w.out[s.offset : s.offset+s.length])
}

func (r *recorder) data(t arrow.DataType) arrow.ArrayData {
	n := r.w.nodes[r.node]
	storage := t
	if x, ok := t.(arrow.ExtensionType); ok {
		storage = x.StorageType()
	}
	r.node++
	if storage.ID() == arrow.NULL {
		return array.NewData(t, int(n.length), []*memory.Buffer{nil}, nil, int(n.nulls), 0)
	}
	bufs := []*memory.Buffer{r.next()} // validity
	if n.nulls == 0 {
		bufs[0] = nil
	}
	var children []arrow.ArrayData
	switch x := storage.(type) {
	case *arrow.StructType:
		for _, f := range x.Fields() {
			children = append(children, r.data(f.Type))
		}
	case arrow.ListLikeType:
		bufs = append(bufs, r.next())
		children = []arrow.ArrayData{r.data(x.Elem())}
	case arrow.BinaryDataType:
		bufs = append(bufs, r.next(), r.next())
	default:
		bufs = append(bufs, r.next())
	}
	return array.NewData(t, int(n.length), bufs, children, int(n.nulls), 0)
}
