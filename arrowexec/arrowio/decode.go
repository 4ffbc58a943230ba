package arrowio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// Decode reads an Arrow IPC stream that a client sent (local relations) into
// dense batches and the struct type of its schema. The vectors own their
// memory. Broken or hostile bytes are an INVALID_LOCAL_RELATION-like error
// (InvalidPlan), never a panic; memory stays within a small multiple of the input,
// compressed bodies aside, which may claim at most maxInflated bytes.
func Decode(data []byte) (out []*vec.Batch, t *types.Type, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, t, err = nil, nil, badStream(fmt.Errorf("%v", p))
		}
	}()
	if err := checkFrames(data); err != nil {
		return nil, nil, badStream(err)
	}
	r, err := ipc.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, nil, badStream(err)
	}
	defer r.Release()
	if t, err = StructOf(r.Schema()); err != nil {
		return nil, nil, err
	}
	for r.Next() {
		rec := r.RecordBatch()
		b := &vec.Batch{N: int(rec.NumRows())}
		for i := range t.Fields {
			if rec.Column(i).Len() != b.N {
				return nil, nil, badStream(errors.New("columns of different lengths"))
			}
			v, err := FromArrow(rec.Column(i), t.Fields[i].Type)
			if err != nil {
				return nil, nil, err
			}
			b.Cols = append(b.Cols, v)
		}
		if b.N > 0 {
			out = append(out, b)
		}
	}
	if err := r.Err(); err != nil {
		return nil, nil, badStream(err)
	}
	return out, t, nil
}

func badStream(err error) error {
	e := errs.New(errs.InvalidPlan, "INTERNAL_ERROR", "message", "the Arrow stream is broken: "+err.Error())
	return e.Because(err)
}

// maxInflated bounds what the compressed buffers of one stream may claim to inflate to.
const maxInflated = 1 << 31

// checkFrames walks the messages without decoding them: lengths within the
// input, and claims of uncompressed sizes within reason, so that the reader
// behind never allocates what a few hostile bytes ask for.
func checkFrames(data []byte) error {
	inflated := int64(0)
	for len(data) > 0 {
		if len(data) < 8 {
			if len(data) == 4 && binary.LittleEndian.Uint32(data) == 0 {
				return nil
			}
			return errors.New("a message is cut off")
		}
		n := int64(binary.LittleEndian.Uint32(data))
		data = data[4:]
		if n == 0xffffffff {
			n = int64(binary.LittleEndian.Uint32(data))
			data = data[4:]
		}
		if n == 0 {
			return nil // end of stream
		}
		if n > int64(len(data)) {
			return errors.New("a message is cut off")
		}
		m := flat(data[:n])
		data = data[n:]
		root := m.deref(0)
		bodyLen := m.int64At(m.field(root, 3))
		if bodyLen < 0 || bodyLen > int64(len(data)) {
			return errors.New("a message body is cut off")
		}
		kind := m.byteAt(m.field(root, 1))
		at := m.field(root, 2)
		if at == 0 {
			return errors.New("a message has no header")
		}
		h := m.deref(at)
		if kind == headerDictionary {
			if at = m.field(h, 1); at == 0 {
				return errors.New("a dictionary has no data")
			}
			h = m.deref(at)
		}
		if kind == headerBatch || kind == headerDictionary {
			if rows := m.int64At(m.field(h, 0)); rows < 0 || rows > math.MaxInt32 {
				return errors.New("a batch has an impossible number of rows")
			}
			before := inflated
			if err := checkBuffers(m, h, data[:bodyLen], &inflated); err != nil {
				return err
			}
			if err := checkNodes(m, h, bodyLen+inflated-before); err != nil {
				return err
			}
		} else if kind == headerSchema {
			budget := len(m) / 4
			if err := checkVector(m, h, 2, &budget); err != nil {
				return err
			}
			if err := checkFields(m, h, 1, 0, &budget); err != nil {
				return err
			}
		} else {
			return fmt.Errorf("a message of unknown kind %d", kind)
		}
		data = data[bodyLen:]
	}
	return nil
}

// checkVector charges the elements of a vector of tables to budget.
func checkVector(m flat, table, i int, budget *int) error {
	at := m.field(table, i)
	if at == 0 {
		return nil
	}
	count := int64(m.uint32At(m.deref(at)))
	if count > int64(*budget) {
		return errors.New("a schema claims more fields than it has bytes for")
	}
	*budget -= int(count)
	return nil
}

// checkFields checks the fields in slot i of a table (a schema or a field) and those below.
// Offsets may share tables, hence one budget for all.
func checkFields(m flat, table, i, depth int, budget *int) error {
	if depth > 500 {
		return errors.New("a schema is nested too deep")
	}
	if err := checkVector(m, table, i, budget); err != nil {
		return err
	}
	at := m.field(table, i)
	if at == 0 {
		return nil
	}
	vecAt := m.deref(at)
	for k := range int(m.uint32At(vecAt)) {
		f := m.deref(vecAt + 4 + 4*k)
		if err := checkVector(m, f, 6, budget); err != nil {
			return err
		}
		if err := checkFields(m, f, 5, depth+1, budget); err != nil {
			return err
		}
	}
	return nil
}

// checkNodes bounds the columns' lengths by the bytes that are there: a value takes
// at least a bit, but for nulls and empty structs, of which a million are allowed.
func checkNodes(m flat, h int, bytes int64) error {
	limit := 8*bytes + 1<<20
	if m.int64At(m.field(h, 0)) > limit {
		return errors.New("a batch claims more rows than it can hold")
	}
	at := m.field(h, 1)
	if at == 0 {
		return nil
	}
	vecAt := m.deref(at)
	count := int64(m.uint32At(vecAt))
	if count*16 > int64(len(m)) {
		return errors.New("a batch claims too many columns")
	}
	for i := range count {
		p := vecAt + 4 + int(i)*16
		if n, nulls := m.int64At(p), m.int64At(p+8); n < 0 || n > limit || nulls < 0 || nulls > n {
			return errors.New("a column claims an impossible number of values")
		}
	}
	return nil
}

func checkBuffers(m flat, h int, body []byte, inflated *int64) error {
	compressed := m.field(h, 3) != 0
	if at := m.field(h, 2); at != 0 {
		vecAt := m.deref(at)
		count := int64(m.uint32At(vecAt))
		if count*16 > int64(len(m)) {
			return errors.New("a batch claims too many buffers")
		}
		for i := range count {
			p := vecAt + 4 + int(i)*16
			off, n := m.int64At(p), m.int64At(p+8)
			if off < 0 || n < 0 || off > int64(len(body)) || n > int64(len(body))-off {
				return errors.New("a buffer lies outside its message")
			}
			if compressed && n > 0 {
				if n < 8 {
					return errors.New("a compressed buffer without a length")
				}
				raw := int64(binary.LittleEndian.Uint64(body[off:]))
				if raw < -1 {
					return errors.New("a compressed buffer of negative length")
				}
				if *inflated += max(raw, 0); *inflated > maxInflated {
					return errors.New("compressed buffers claim more than 2 GiB")
				}
			}
		}
	}
	return nil
}

// flat reads flatbuffers with bounds checks by Go's slices: a bad offset
// panics, and Decode turns that into an error. Position 0 of a field is "absent" and reads as 0.
type flat []byte

func (m flat) uint32At(p int) uint32 { return binary.LittleEndian.Uint32(m[p:]) }
func (m flat) deref(p int) int       { return p + int(m.uint32At(p)) }

func (m flat) byteAt(p int) byte {
	if p == 0 {
		return 0
	}
	return m[p]
}

func (m flat) int64At(p int) int64 {
	if p == 0 {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(m[p:]))
}

// field is the position of field i of the table at, 0 if it is absent.
func (m flat) field(at, i int) int {
	vt := at - int(int32(m.uint32At(at)))
	if 4+2*i+2 > int(binary.LittleEndian.Uint16(m[vt:])) {
		return 0
	}
	if off := int(binary.LittleEndian.Uint16(m[vt+4+2*i:])); off != 0 {
		return at + off
	}
	return 0
}

// FromArrow copies an array into a vector of t. t must be what TypeOf says of
// the array's type, or a type of the same layout (CHAR for STRING, other interval fields); an array of
// another type is an UNSUPPORTED_ARROWTYPE error. Offsets are checked.
func FromArrow(a arrow.Array, t *types.Type) (v *vec.Vector, err error) {
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, badStream(fmt.Errorf("%v", p))
		}
	}()
	return fromArrow(a, t)
}

func fromArrow(a arrow.Array, t *types.Type) (*vec.Vector, error) {
	n := a.Len()
	lay := vec.LayoutOf(t)
	v := &vec.Vector{Type: t, Layout: lay, N: n}
	if lay == vec.None {
		return v, nil
	}
	if a.DataType().ID() == arrow.NULL {
		return vec.MakeNull(t, n), nil
	}
	if d, ok := a.(*array.Dictionary); ok {
		return fromDictionary(d, t)
	}
	v.Null = nullsOf(a)
	wrong := func() (*vec.Vector, error) {
		return nil, unsupported(typeName(a.DataType()) + " as " + t.String())
	}
	var ok bool
	switch lay {
	case vec.Byte:
		b, isBool := a.(*array.Boolean)
		if !isBool {
			return wrong()
		}
		out := make([]bool, n)
		for i := range out {
			out[i] = b.Value(i)
		}
		set(v, out)
		ok = true
	case vec.I8:
		ok = copyOf[int8](v, a, arrow.INT8)
	case vec.I16:
		ok = copyOf[int16](v, a, arrow.INT16)
	case vec.I32:
		switch x := a.(type) {
		case *array.Date64:
			out := make([]int32, n)
			for i := range out {
				out[i] = int32(floorDiv(int64(x.Value(i)), 86400000))
			}
			set(v, out)
			ok = true
		default:
			want := arrow.INT32
			switch t.Kind {
			case types.Date:
				want = arrow.DATE32
			case types.YearMonthInterval:
				want = arrow.INTERVAL_MONTHS
			}
			ok = copyOf[int32](v, a, want)
		}
	case vec.I64:
		return fromInt64(v, a, t)
	case vec.F32:
		ok = copyOf[float32](v, a, arrow.FLOAT32)
	case vec.F64:
		ok = copyOf[float64](v, a, arrow.FLOAT64)
	case vec.I128:
		return fromDecimal(v, a, t)
	case vec.CalI:
		x, isCal := a.(*array.MonthDayNanoInterval)
		if !isCal {
			return wrong()
		}
		out := make([]types.CalendarValue, n)
		for i := range out {
			c := x.Value(i)
			out[i] = types.CalendarValue{Months: c.Months, Days: c.Days, Micros: c.Nanoseconds / 1000}
		}
		set(v, out)
		ok = true
	case vec.Bytes:
		return fromStrings(v, a)
	case vec.List:
		return fromList(v, a, t)
	case vec.Group:
		return fromStruct(v, a, t)
	}
	if !ok {
		return wrong()
	}
	return v, nil
}

// set puts a slice as the data of v.
func set[T vec.Fixed](v *vec.Vector, s []T) { v.Data = vec.FromSlice(v.Type, s, nil).Data }

// raw views buffer k of a as values of T, with bounds checked.
func raw[T vec.Fixed](a arrow.Array, k int) []T {
	d := a.Data()
	var z T
	w := int(unsafe.Sizeof(z))
	if d.Len() == 0 {
		return nil
	}
	var b []byte
	if buf := d.Buffers()[k]; buf != nil {
		b = buf.Bytes()
	}
	b = b[d.Offset()*w : (d.Offset()+d.Len())*w] // panics when short
	if uintptr(unsafe.Pointer(unsafe.SliceData(b)))%unsafe.Alignof(z) != 0 {
		b = append(make([]byte, 0, len(b)+8), b...)
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), d.Len())
}

func copyOf[T vec.Fixed](v *vec.Vector, a arrow.Array, id arrow.Type) bool {
	if a.DataType().ID() != id {
		return false
	}
	set(v, append(make([]T, 0, v.N), raw[T](a, 1)...))
	return true
}

func nullsOf(a arrow.Array) []bool {
	d := a.Data()
	if d.Len() == 0 || len(d.Buffers()) == 0 || d.Buffers()[0] == nil || d.NullN() == 0 {
		return nil
	}
	bits := d.Buffers()[0].Bytes()
	out := make([]bool, d.Len())
	any := false
	for i := range out {
		j := d.Offset() + i
		if bits[j>>3]>>(j&7)&1 == 0 {
			out[i] = true
			any = true
		}
	}
	if !any {
		return nil
	}
	return out
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func fromInt64(v *vec.Vector, a arrow.Array, t *types.Type) (*vec.Vector, error) {
	num, den := int64(1), int64(1)
	unit := func(u arrow.TimeUnit, to arrow.TimeUnit) {
		// From unit u to unit `to`: powers of 1000.
		for ; u < to; u++ {
			num *= 1000
		}
		for ; u > to; u-- {
			den *= 1000
		}
	}
	match := false
	switch dt := a.DataType().(type) {
	case *arrow.Int64Type:
		match = t.Kind == types.Int64
	case *arrow.TimestampType:
		match = t.Kind == types.Timestamp || t.Kind == types.TimestampNTZ
		unit(dt.Unit, arrow.Microsecond)
	case *arrow.DurationType:
		match = t.Kind == types.DayTimeInterval
		unit(dt.Unit, arrow.Microsecond)
	case *arrow.Time64Type:
		match = t.Kind == types.Time
		unit(dt.Unit, arrow.Nanosecond)
	case *arrow.Time32Type:
		if t.Kind != types.Time {
			break
		}
		unit(dt.Unit, arrow.Nanosecond)
		out := make([]int64, v.N)
		for i, x := range raw[int32](a, 1) {
			out[i] = int64(x) * num
		}
		set(v, out)
		return v, nil
	case *arrow.Decimal128Type, *arrow.Decimal256Type:
		return fromDecimal(v, a, t)
	}
	if !match {
		return nil, unsupported(typeName(a.DataType()) + " as " + t.String())
	}
	out := append(make([]int64, 0, v.N), raw[int64](a, 1)...)
	switch {
	case num > 1:
		for i, x := range out {
			if (x > math.MaxInt64/num || x < math.MinInt64/num) && (v.Null == nil || !v.Null[i]) {
				return nil, badStream(fmt.Errorf("a time of %d is out of range", x))
			}
			out[i] = x * num
		}
	case den > 1:
		for i, x := range out {
			out[i] = floorDiv(x, den)
		}
	}
	set(v, out)
	return v, nil
}

func fromDecimal(v *vec.Vector, a arrow.Array, t *types.Type) (*vec.Vector, error) {
	var wide []types.Int128
	switch dt := a.DataType().(type) {
	case *arrow.Decimal128Type:
		if t.Kind != types.Decimal || int(dt.Scale) != t.Scale {
			return nil, unsupported(typeName(dt) + " as " + t.String())
		}
		wide = append(make([]types.Int128, 0, v.N), raw[types.Int128](a, 1)...)
	case *arrow.Decimal256Type:
		if t.Kind != types.Decimal || int(dt.Scale) != t.Scale {
			return nil, unsupported(typeName(dt) + " as " + t.String())
		}
		x := a.(*array.Decimal256)
		wide = make([]types.Int128, v.N)
		for i := range wide {
			if x.IsNull(i) {
				continue
			}
			var ok bool
			if wide[i], ok = types.FromBig(x.Value(i).BigInt()); !ok {
				return nil, badStream(errors.New("a decimal has more than 38 digits"))
			}
		}
	default:
		return nil, unsupported(typeName(a.DataType()) + " as " + t.String())
	}
	if v.Layout == vec.I128 {
		set(v, wide)
		return v, nil
	}
	out := make([]int64, v.N)
	for i, x := range wide {
		if !x.IsInt64() && (v.Null == nil || !v.Null[i]) {
			return nil, badStream(fmt.Errorf("a decimal does not fit %s", t))
		}
		out[i] = int64(x.Lo)
	}
	set(v, out)
	return v, nil
}

// spans turns offsets into refs, checked against limit, and returns the range they cover.
func spans[O int32 | int64](off []O, n int, limit int, null []bool) ([]vec.Ref, error) {
	refs := make([]vec.Ref, n)
	if n == 0 {
		return refs, nil
	}
	off = off[:n+1]
	for i := range refs {
		from, to := int64(off[i]), int64(off[i+1])
		if null != nil && null[i] && (from < 0 || from > to || to > int64(limit)) {
			continue
		}
		if from < 0 || from > to || to > int64(limit) || to > math.MaxUint32 {
			return nil, badStream(errors.New("an offset lies outside its buffer"))
		}
		refs[i] = vec.MakeRef(int(from), int(to-from))
	}
	return refs, nil
}

// offsetsOf views buffer 1 as len+1 offsets.
func offsetsOf[O int32 | int64](a arrow.Array) []O {
	d := a.Data()
	if d.Len() == 0 {
		return nil
	}
	var z O
	w := int(unsafe.Sizeof(z))
	b := d.Buffers()[1].Bytes()[d.Offset()*w : (d.Offset()+d.Len()+1)*w]
	out := make([]O, d.Len()+1)
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&out[0])), len(b)), b)
	return out
}

func fromStrings(v *vec.Vector, a arrow.Array) (*vec.Vector, error) {
	var refs []vec.Ref
	var err error
	text := v.Type.Kind != types.Binary
	id := a.DataType().ID()
	isText := id == arrow.STRING || id == arrow.LARGE_STRING || id == arrow.STRING_VIEW
	if v.Type.IsSpatial() || text != isText && v.Type.Kind != types.Object {
		return nil, unsupported(typeName(a.DataType()) + " as " + v.Type.String())
	}
	values := func() []byte {
		if b := a.Data().Buffers()[2]; b != nil {
			return b.Bytes()
		}
		return nil
	}
	switch x := a.(type) {
	case *array.String, *array.Binary:
		v.Buf = values()
		refs, err = spans(offsetsOf[int32](a), v.N, len(v.Buf), v.Null)
	case *array.LargeString, *array.LargeBinary:
		v.Buf = values()
		refs, err = spans(offsetsOf[int64](a), v.N, len(v.Buf), v.Null)
	case *array.FixedSizeBinary:
		refs = make([]vec.Ref, v.N)
		for i := range refs {
			if !x.IsNull(i) {
				b := x.Value(i)
				refs[i] = vec.MakeRef(len(v.Buf), len(b))
				v.Buf = append(v.Buf, b...)
			}
		}
	case *array.StringView:
		refs = make([]vec.Ref, v.N)
		for i := range refs {
			if !x.IsNull(i) {
				s := x.Value(i)
				refs[i] = vec.MakeRef(len(v.Buf), len(s))
				v.Buf = append(v.Buf, s...)
			}
		}
	case *array.BinaryView:
		refs = make([]vec.Ref, v.N)
		for i := range refs {
			if !x.IsNull(i) {
				s := x.Value(i)
				refs[i] = vec.MakeRef(len(v.Buf), len(s))
				v.Buf = append(v.Buf, s...)
			}
		}
	default:
		return nil, unsupported(typeName(a.DataType()))
	}
	if err != nil {
		return nil, err
	}
	v.Buf = append([]byte(nil), v.Buf...)
	set(v, refs)
	return v, nil
}

func fromList(v *vec.Vector, a arrow.Array, t *types.Type) (*vec.Vector, error) {
	var refs []vec.Ref
	var err error
	wrong := func() (*vec.Vector, error) {
		return nil, unsupported(typeName(a.DataType()) + " as " + t.String())
	}
	var child arrow.Array
	switch x := a.(type) {
	case *array.Map:
		if t.Kind != types.Map {
			return wrong()
		}
		k, i := x.Keys(), x.Items()
		if k.Len() != i.Len() || k.NullN() > 0 {
			return nil, badStream(errors.New("a map's keys and values don't match"))
		}
		if refs, err = spans(offsetsOf[int32](a), v.N, k.Len(), v.Null); err != nil {
			return nil, err
		}
		kv, err := fromArrow(k, t.Key)
		if err != nil {
			return nil, err
		}
		iv, err := fromArrow(i, t.Elem)
		if err != nil {
			return nil, err
		}
		v.Child = []*vec.Vector{kv, iv}
		set(v, refs)
		return v, nil
	case *array.List:
		child = x.ListValues()
		refs, err = spans(offsetsOf[int32](a), v.N, child.Len(), v.Null)
	case *array.LargeList:
		child = x.ListValues()
		refs, err = spans(offsetsOf[int64](a), v.N, child.Len(), v.Null)
	case *array.FixedSizeList:
		child = x.ListValues()
		refs = make([]vec.Ref, v.N)
		w := int(x.DataType().(*arrow.FixedSizeListType).Len())
		for i := range refs {
			from := (x.Data().Offset() + i) * w
			if from+w > child.Len() {
				return nil, badStream(errors.New("a list lies outside its values"))
			}
			refs[i] = vec.MakeRef(from, w)
		}
	default:
		return wrong()
	}
	if err != nil {
		return nil, err
	}
	if t.Kind != types.Array {
		return wrong()
	}
	ev, err := fromArrow(child, t.Elem)
	if err != nil {
		return nil, err
	}
	v.Child = []*vec.Vector{ev}
	set(v, refs)
	return v, nil
}

func fromStruct(v *vec.Vector, a arrow.Array, t *types.Type) (*vec.Vector, error) {
	s, ok := a.(*array.Struct)
	if !ok {
		return nil, unsupported(typeName(a.DataType()) + " as " + t.String())
	}
	if t.Kind == types.Variant {
		for _, name := range []string{"value", "metadata"} {
			i, ok := s.DataType().(*arrow.StructType).FieldIdx(name)
			if !ok {
				return nil, unsupported("struct as variant")
			}
			c, err := fromArrow(s.Field(i), types.BinaryType)
			if err != nil {
				return nil, err
			}
			v.Child = append(v.Child, c)
		}
		return v, nil
	}
	if s.NumField() != len(t.Fields) {
		return nil, unsupported(typeName(a.DataType()) + " as " + t.String())
	}
	for i := range t.Fields {
		f := s.Field(i)
		if f.Len() < v.N {
			return nil, badStream(errors.New("a struct's fields have different lengths"))
		}
		c, err := fromArrow(f, t.Fields[i].Type)
		if err != nil {
			return nil, err
		}
		if c = c.Slice(0, v.N); v.Null != nil {
			c = withNulls(c, v.Null)
		}
		v.Child = append(v.Child, c)
	}
	return v, nil
}

// withNulls makes a field null where its struct is, as vectors have it.
func withNulls(c *vec.Vector, null []bool) *vec.Vector {
	if c.Layout == vec.None {
		return c
	}
	o := *c
	o.Null = make([]bool, c.N)
	for i := range o.Null {
		o.Null[i] = null[i] || c.Null != nil && c.Null[i]
	}
	return &o
}

// fromDictionary puts the values in the codes' places.
func fromDictionary(d *array.Dictionary, t *types.Type) (*vec.Vector, error) {
	values, err := fromArrow(d.Dictionary(), t)
	if err != nil {
		return nil, err
	}
	idx := make([]int32, d.Len())
	for i := range idx {
		if d.IsNull(i) {
			idx[i] = -1
			continue
		}
		k := d.GetValueIndex(i)
		if k < 0 || k >= values.N {
			return nil, badStream(errors.New("a dictionary code lies outside its dictionary"))
		}
		idx[i] = int32(k)
	}
	return values.GatherNulls(idx), nil
}
