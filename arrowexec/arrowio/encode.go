package arrowio

import (
	"bytes"
	"encoding/binary"
	"math"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/ipc"
	flatbuffers "github.com/google/flatbuffers/go"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// Encoder writes batches of one schema as Arrow IPC messages: each value is
// copied once, from its vector into the message. It is safe for concurrent use.
type Encoder struct {
	t      *types.Type
	o      Options
	schema []byte // the schema message, framed
	nodes  int
	bufs   int
	metaN  int // bytes of a batch message's framing and metadata: the same for all batches
}

// eos ends an IPC stream.
var eos = []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}

// NewEncoder makes an encoder of batches whose columns are the fields of the struct t.
func NewEncoder(t *types.Type, o Options) (*Encoder, error) {
	s, err := Schema(t, o)
	if err != nil {
		return nil, err
	}
	var w bytes.Buffer
	iw := ipc.NewWriter(&w, ipc.WithSchema(s))
	if err := iw.Close(); err != nil {
		return nil, errs.Internalf("arrow schema: %v", err)
	}
	e := &Encoder{t: t, o: o, schema: bytes.TrimSuffix(w.Bytes(), eos)}
	for i := range t.Fields {
		e.count(t.Fields[i].Type)
	}
	e.metaN = len(e.metadata(0, make([]node, e.nodes), make([]span, e.bufs), 0))
	return e, nil
}

func (e *Encoder) count(t *types.Type) {
	e.nodes++
	switch t.Kind {
	case types.Null:
	case types.Struct:
		e.bufs++
		for i := range t.Fields {
			e.count(t.Fields[i].Type)
		}
	case types.Geometry, types.Geography:
		e.bufs++
		e.count(types.Int32Type)
		e.count(types.BinaryType)
	case types.Variant:
		e.bufs++
		e.count(types.BinaryType)
		e.count(types.BinaryType)
	case types.Array:
		e.bufs += 2
		e.count(t.Elem)
	case types.Map:
		e.bufs += 3
		e.nodes++
		e.count(t.Key)
		e.count(t.Elem)
	case types.String, types.Char, types.Varchar, types.Binary:
		e.bufs += 3
	default:
		e.bufs += 2
	}
}

// SchemaMessage is the framed schema message. The caller must not change it.
func (e *Encoder) SchemaMessage() []byte { return e.schema }

// BatchMessage is the framed record batch message of b.
func (e *Encoder) BatchMessage(b *vec.Batch) ([]byte, error) { return e.encode(nil, b, 0) }

// Stream is a whole IPC stream: the schema, b (unless it is nil) and the end
// marker, as ExecutePlanResponse.ArrowBatch.data holds it.
func (e *Encoder) Stream(b *vec.Batch) ([]byte, error) {
	if b == nil {
		return append(append(make([]byte, 0, len(e.schema)+len(eos)), e.schema...), eos...), nil
	}
	out, err := e.encode(e.schema, b, len(eos))
	if err != nil {
		return nil, err
	}
	return append(out, eos...), nil
}

type node struct{ length, nulls int64 }
type span struct{ offset, length int64 }

// body collects a record batch's buffers behind what is already in out.
type body struct {
	e     *Encoder
	out   []byte
	start int // where the body begins in out
	nodes []node
	bufs  []span
	raw   []byte // scratch for a buffer that gets compressed
	zw    *zstd.Encoder
}

func (e *Encoder) encode(prefix []byte, b *vec.Batch, tail int) ([]byte, error) {
	// Messages are aligned to 8 bytes from the start of the stream; prefix is a whole number of those.
	w, err := e.body(b, len(prefix)+e.metaN, tail)
	if err != nil {
		return nil, err
	}
	copy(w.out, prefix)
	meta := e.metadata(int64(b.N), w.nodes, w.bufs, int64(len(w.out)-w.start))
	if len(meta) != e.metaN {
		return nil, errs.Internalf("arrow metadata of %d bytes, expected %d", len(meta), e.metaN)
	}
	copy(w.out[len(prefix):], meta)
	return w.out, nil
}

// body encodes a batch's buffers behind before bytes, and leaves room for after.
func (e *Encoder) body(b *vec.Batch, before, after int) (*body, error) {
	b = b.Compact()
	if len(b.Cols) != len(e.t.Fields) {
		return nil, errs.Internalf("a batch of %d columns for an Arrow schema of %d", len(b.Cols), len(e.t.Fields))
	}
	size := 0
	for _, c := range b.Cols {
		size += estimate(c)
	}
	w := &body{e: e, nodes: make([]node, 0, e.nodes), bufs: make([]span, 0, e.bufs)}
	w.out = make([]byte, before, before+size+after)
	w.start = before
	for i, c := range b.Cols {
		if err := w.column(c.Slice(0, b.N), e.t.Fields[i].Type); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// estimate is an upper bound of a column's bytes in the body, paddings included.
func estimate(v *vec.Vector) int {
	n := 64 + v.N/8
	switch v.Layout {
	case vec.None:
		return n
	case vec.Byte:
		return n + v.N/8
	case vec.I64:
		if v.Type.Kind == types.Decimal {
			return n + 16*v.N
		}
		return n + 8*v.N
	case vec.Bytes:
		n += 8 * (v.N + 1)
		for _, r := range vec.Refs(v) {
			n += r.Len()
		}
		return n
	case vec.List:
		n += 8 * (v.N + 1)
		for _, c := range v.Child {
			n += estimate(c)
		}
		return n
	case vec.Group:
		for _, c := range v.Child {
			n += estimate(c)
		}
		return n
	}
	return n + v.N*v.Layout.Width()
}

// add appends one buffer of n bytes that fill writes into a zeroed slice.
func (w *body) add(n int, fill func([]byte)) error {
	if w.e.o.Codec == Plain || n == 0 {
		from := len(w.out)
		w.grow(n + pad8(n))
		fill(w.out[from : from+n])
		w.bufs = append(w.bufs, span{int64(from - w.start), int64(n)})
		return nil
	}
	if cap(w.raw) < n {
		w.raw = make([]byte, n)
	}
	raw := w.raw[:n]
	clear(raw)
	fill(raw)
	from := len(w.out)
	w.out = binary.LittleEndian.AppendUint64(w.out, uint64(n))
	var err error
	switch w.e.o.Codec {
	case LZ4:
		var buf bytes.Buffer
		lw := lz4.NewWriter(&buf)
		if _, err = lw.Write(raw); err == nil {
			err = lw.Close()
		}
		w.out = append(w.out, buf.Bytes()...)
	case Zstd:
		if w.zw == nil {
			level := zstd.SpeedFastest
			if w.e.o.Level > 0 {
				level = zstd.EncoderLevelFromZstd(w.e.o.Level)
			}
			w.zw, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(level))
		}
		if err == nil {
			w.out = w.zw.EncodeAll(raw, w.out)
		}
	}
	if err != nil {
		return errs.Internalf("compressing an Arrow buffer: %v", err)
	}
	if len(w.out)-from >= n+8 { // not worth it: -1 says plain
		w.out = append(w.out[:from], 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
		w.out = append(w.out, raw...)
	}
	w.bufs = append(w.bufs, span{int64(from - w.start), int64(len(w.out) - from)})
	w.grow(pad8(len(w.out) - w.start))
	return nil
}

// grow appends n zero bytes.
func (w *body) grow(n int) {
	if len(w.out)+n > cap(w.out) {
		bigger := make([]byte, len(w.out), 2*cap(w.out)+n)
		copy(bigger, w.out)
		w.out = bigger
	}
	w.out = w.out[:len(w.out)+n]
}

func pad8(n int) int { return -n & 7 }

func (w *body) copy(b []byte) error { return w.add(len(b), func(dst []byte) { copy(dst, b) }) }

// packBits writes src[i] == want as bit i. Source bytes are 0 or 1.
func packBits(dst []byte, src []bool, invert bool) {
	raw := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(src))), len(src))
	flip := uint64(0)
	if invert {
		flip = 0x0101010101010101
	}
	i := 0
	for ; i+8 <= len(raw); i += 8 {
		// Multiplying gathers the low bits of eight bytes into the top byte.
		x := binary.LittleEndian.Uint64(raw[i:]) ^ flip
		dst[i>>3] = byte(x * 0x0102040810204080 >> 56)
	}
	for ; i < len(raw); i++ {
		if src[i] != invert {
			dst[i>>3] |= 1 << (i & 7)
		}
	}
}

// head writes the field node and the validity buffer of v.
func (w *body) head(v *vec.Vector) error {
	nulls := 0
	if v.Null != nil {
		for _, x := range v.Null[:v.N] {
			nulls += int(*(*byte)(unsafe.Pointer(&x)))
		}
	}
	w.nodes = append(w.nodes, node{int64(v.N), int64(nulls)})
	if nulls == 0 {
		w.bufs = append(w.bufs, span{int64(len(w.out) - w.start), 0})
		return nil
	}
	return w.add((v.N+7)/8, func(dst []byte) { packBits(dst, v.Null[:v.N], true) })
}

func (w *body) column(v *vec.Vector, t *types.Type) error {
	if v.Layout != vec.LayoutOf(t) {
		return errs.Internalf("a vector of %s where Arrow has %s", v.Type, t)
	}
	if v.Layout == vec.None {
		w.nodes = append(w.nodes, node{int64(v.N), int64(v.N)})
		return nil
	}
	if err := w.head(v); err != nil {
		return err
	}
	switch v.Layout {
	case vec.Byte:
		return w.add((v.N+7)/8, func(dst []byte) { packBits(dst, vec.Of[bool](v), false) })
	case vec.I64:
		if t.Kind != types.Decimal {
			break
		}
		return w.add(16*v.N, func(dst []byte) {
			for i, x := range vec.Of[int64](v) {
				binary.LittleEndian.PutUint64(dst[16*i:], uint64(x))
				binary.LittleEndian.PutUint64(dst[16*i+8:], uint64(x>>63))
			}
		})
	case vec.CalI:
		return w.calendar(v)
	case vec.Bytes:
		if t.IsSpatial() {
			return w.spatial(v)
		}
		return w.strings(v)
	case vec.List:
		return w.list(v, t)
	case vec.Group:
		if t.Kind == types.Variant {
			for _, c := range v.Child {
				if err := w.column(nonNull(c), types.BinaryType); err != nil {
					return err
				}
			}
			return nil
		}
		for i, c := range v.Child {
			if err := w.column(c, t.Fields[i].Type); err != nil {
				return err
			}
		}
		return nil
	}
	return w.copy(v.Data[:v.N*v.Layout.Width()])
}

// nonNull drops nulls: a variant's parts are not nullable in Arrow, though they are null with it here.
func nonNull(v *vec.Vector) *vec.Vector {
	if v.Null == nil {
		return v
	}
	refs := make([]vec.Ref, v.N)
	for i, r := range vec.Refs(v) {
		if !v.Null[i] {
			refs[i] = r
		}
	}
	o := vec.FromSlice(v.Type, refs, nil)
	o.Buf = v.Buf
	return o
}

func (w *body) calendar(v *vec.Vector) error {
	for i, x := range vec.Of[types.CalendarValue](v) {
		if (x.Micros > math.MaxInt64/1000 || x.Micros < math.MinInt64/1000) && !v.IsNull(i) {
			return errs.New(errs.Arithmetic, "ARITHMETIC_OVERFLOW", "message", "long overflow", "alternative", "", "config", "")
		}
	}
	return w.add(16*v.N, func(dst []byte) {
		for i, x := range vec.Of[types.CalendarValue](v) {
			binary.LittleEndian.PutUint32(dst[16*i:], uint32(x.Months))
			binary.LittleEndian.PutUint32(dst[16*i+4:], uint32(x.Days))
			binary.LittleEndian.PutUint64(dst[16*i+8:], uint64(x.Micros*1000))
		}
	})
}

// runs returns the length of each value, nulls as empty, the total, and
// whether the values that count lie one behind the other from first on.
func runs(v *vec.Vector) (total, first int, dense bool) {
	dense = true
	next := -1
	for i, r := range vec.Refs(v) {
		n := r.Len()
		if n == 0 || v.Null != nil && v.Null[i] {
			continue
		}
		if next < 0 {
			first, next = r.Start(), r.Start()
		}
		if r.Start() != next {
			dense = false
		}
		next = r.Start() + n
		total += n
	}
	return total, first, dense
}

func (w *body) offsets(v *vec.Vector, total int, large bool) error {
	refs := vec.Refs(v)
	if large {
		return w.add(8*(v.N+1), func(dst []byte) {
			at := 0
			for i, r := range refs {
				if v.Null == nil || !v.Null[i] {
					at += r.Len()
				}
				binary.LittleEndian.PutUint64(dst[8*i+8:], uint64(at))
			}
		})
	}
	if total > math.MaxInt32 {
		return errs.NotSupported("an Arrow column of more than 2 GiB in one batch (set spark.sql.execution.arrow.useLargeVarTypes)")
	}
	return w.add(4*(v.N+1), func(dst []byte) {
		at := 0
		for i, r := range refs {
			if v.Null == nil || !v.Null[i] {
				at += r.Len()
			}
			binary.LittleEndian.PutUint32(dst[4*i+4:], uint32(at))
		}
	})
}

func (w *body) strings(v *vec.Vector) error {
	total, first, dense := runs(v)
	if err := w.offsets(v, total, w.e.o.LargeVar); err != nil {
		return err
	}
	if dense {
		return w.copy(v.Buf[first : first+total])
	}
	return w.add(total, func(dst []byte) {
		at := 0
		for i, r := range vec.Refs(v) {
			if v.Null == nil || !v.Null[i] {
				at += copy(dst[at:], v.Buf[r.Start():r.Start()+r.Len()])
			}
		}
	})
}

func (w *body) list(v *vec.Vector, t *types.Type) error {
	total, first, dense := runs(v)
	if err := w.offsets(v, total, false); err != nil {
		return err
	}
	child := func(c *vec.Vector) *vec.Vector { return c.Slice(first, first+total) }
	if !dense {
		idx := make([]int32, 0, total)
		for i, r := range vec.Refs(v) {
			if v.Null == nil || !v.Null[i] {
				for k := r.Start(); k < r.Start()+r.Len(); k++ {
					idx = append(idx, int32(k))
				}
			}
		}
		child = func(c *vec.Vector) *vec.Vector { return c.Gather(idx) }
	}
	if t.Kind == types.Array {
		return w.column(child(v.Child[0]), t.Elem)
	}
	// The entries struct of a map.
	w.nodes = append(w.nodes, node{int64(total), 0})
	w.bufs = append(w.bufs, span{int64(len(w.out) - w.start), 0})
	if err := w.column(child(v.Child[0]), t.Key); err != nil {
		return err
	}
	return w.column(child(v.Child[1]), t.Elem)
}

// Numbers of Arrow's Message.fbs and Schema.fbs.
const (
	metadataV5       = 4
	headerSchema     = 1
	headerDictionary = 2
	headerBatch      = 3
)

// metadata is the framed flatbuffer Message of a record batch.
func (e *Encoder) metadata(rows int64, nodes []node, bufs []span, bodyLen int64) []byte {
	b := flatbuffers.NewBuilder(256 + 16*(len(nodes)+len(bufs)))
	var compression flatbuffers.UOffsetT
	if e.o.Codec != Plain {
		b.StartObject(2)
		b.PrependByteSlot(0, byte(e.o.Codec-LZ4), 99) // always written: sizes don't depend on values
		b.PrependByteSlot(1, 0, 99)
		compression = b.EndObject()
	}
	b.StartVector(16, len(bufs), 8)
	for i := len(bufs) - 1; i >= 0; i-- {
		b.Prep(8, 16)
		b.PrependInt64(bufs[i].length)
		b.PrependInt64(bufs[i].offset)
	}
	bv := b.EndVector(len(bufs))
	b.StartVector(16, len(nodes), 8)
	for i := len(nodes) - 1; i >= 0; i-- {
		b.Prep(8, 16)
		b.PrependInt64(nodes[i].nulls)
		b.PrependInt64(nodes[i].length)
	}
	nv := b.EndVector(len(nodes))
	b.StartObject(5)
	b.PrependInt64Slot(0, rows, -1)
	b.PrependUOffsetTSlot(1, nv, 0)
	b.PrependUOffsetTSlot(2, bv, 0)
	if compression != 0 {
		b.PrependUOffsetTSlot(3, compression, 0)
	}
	batch := b.EndObject()
	b.StartObject(5)
	b.PrependInt64Slot(3, bodyLen, -1)
	b.PrependUOffsetTSlot(2, batch, 0)
	b.PrependInt16Slot(0, metadataV5, -1)
	b.PrependByteSlot(1, headerBatch, 0)
	b.Finish(b.EndObject())
	fb := b.FinishedBytes()
	n := len(fb) + pad8(len(fb))
	out := make([]byte, 8+n)
	binary.LittleEndian.PutUint32(out, 0xffffffff)
	binary.LittleEndian.PutUint32(out[4:], uint32(n))
	copy(out[8:], fb)
	return out
}

// spatial writes a GEOMETRY or GEOGRAPHY as a struct of its SRID and its well-known binary, which stand one after
// the other in memory.
func (w *body) spatial(v *vec.Vector) error {
	srid := make([]int32, v.N)
	refs := make([]vec.Ref, v.N)
	for i, r := range vec.Refs(v)[:v.N] {
		if v.IsNull(i) {
			continue
		}
		srid[i] = int32(binary.LittleEndian.Uint32(v.Buf[r.Start():]))
		refs[i] = vec.MakeRef(r.Start()+4, r.Len()-4)
	}
	if err := w.column(vec.FromSlice(types.Int32Type, srid, nil), types.Int32Type); err != nil {
		return err
	}
	b := vec.FromSlice(types.BinaryType, refs, nil)
	b.Buf = v.Buf
	return w.column(b, types.BinaryType)
}
