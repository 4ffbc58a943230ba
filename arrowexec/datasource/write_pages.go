package datasource

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"
	"github.com/klauspost/compress/s2"

	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// A page ends after pageValues values, nulls included, or pageRoom of them.
const (
	pageValues = 1 << 16
	pageRoom   = 1 << 20
	dictBytes  = 1 << 20 // a dictionary that is larger is given up
	blockBytes = 64 << 10
	slabHead   = 8 // bytes at the beginning of a slab that nothing lies in
)

// leafWriter encodes the values of one leaf of the schema. Values go to raw,
// and, if the codec is Snappy, compressed to the chunk's slabs block by block, while
// they lie in the cache: Snappy's blocks don't look behind 64 KiB, so that
// compressed blocks may simply follow one another. Other codecs get a page at once.
type leafWriter struct {
	sink           *parquetSink
	col            *schema.Column
	t              *types.Type
	phys           parquet.Type
	width          int // of fixed-length byte arrays
	maxDef, maxRep uint16

	// The page.
	rep, def  levels
	raw       []byte
	bools     []byte
	size      int // bytes of values before compression, of blocks that have left raw
	packed    int // and after
	firstSlab int // where its values begin
	firstByte int

	// The chunk.
	seen       bool // the first values have come: whether there is a dictionary is known
	coding     bool // values are written as codes of dict
	dict       *dictWriter
	bounds     bounds
	nulls      int64
	values     int64 // nulls included
	pieces     [][]byte
	slabs      [][]byte
	compressed int64 // bytes of finished pages, with their heads
	inflated   int64
	dictPages  int32 // finished data pages by their encoding
	plainPages int32

	scratch, narrow []byte

	// How values are changed before they are written; mode and zone matter to days and instants long ago.
	change func(dst, src []int64) error
	days   func(dst, src []int32) error
	wide   []int64
}

func (w *leafWriter) memory() int64 {
	n := int64(cap(w.raw) + cap(w.bools) + cap(w.scratch) + cap(w.narrow) + 2*cap(w.rep.all) + 2*cap(w.def.all) + 8*cap(w.wide))
	for _, s := range w.slabs {
		n += int64(cap(s))
	}
	if w.dict != nil {
		n += w.dict.memory()
	}
	return n
}

// flat appends the values of a column that isn't nested.
func (w *leafWriter) flat(c *task.Ctx, v *vec.Vector, optional bool) error {
	n := v.N
	if w.t.Kind == types.Null {
		w.def.repeat(0, n)
		w.nulls += int64(n)
		return yieldTo(c)
	}
	if optional && v.Null != nil && v.HasNulls() {
		def, idx := make([]uint16, n), make([]int32, 0, n)
		for i, null := range v.Null[:n] {
			if !null {
				def[i] = 1
				idx = append(idx, int32(i))
			}
		}
		w.def.add(def)
		v = v.Gather(idx)
	} else if optional {
		w.def.repeat(1, n)
	} else {
		w.def.repeat(0, n)
	}
	w.nulls += int64(n - v.N)
	return w.append(c, v)
}

// nested appends the values of v at the slots.
func (w *leafWriter) nested(c *task.Ctx, v *vec.Vector, at slots) error {
	w.rep.add(at.rep)
	w.def.add(at.def)
	idx := make([]int32, 0, len(at.pos))
	for _, p := range at.pos {
		if p >= 0 {
			idx = append(idx, p)
		}
	}
	w.nulls += int64(len(at.pos) - len(idx))
	return w.append(c, v.Gather(idx))
}

// append adds values of which none is null.
func (w *leafWriter) append(c *task.Ctx, v *vec.Vector) error {
	if v.N == 0 {
		return yieldTo(c)
	}
	if !w.seen {
		w.seen = true
		if w.phys != parquet.Types.Boolean && w.sink.set.dict && !mostlyUnique(v) {
			w.dict, w.coding = &dictWriter{most: w.sink.set.dictBytes}, true
		}
	}
	var err error
	switch w.phys {
	case parquet.Types.Boolean:
		x := vec.Of[uint8](v)
		w.bounds.bools(x)
		w.bools = append(w.bools, x...)
	case parquet.Types.Int32:
		x := w.int32s(v)
		if w.days != nil {
			moved := make([]int32, len(x))
			if err = w.days(moved, x); err != nil {
				return err
			}
			x = moved
		}
		err = fixed(c, w, x)
	case parquet.Types.Int64, parquet.Types.Int96:
		x := vec.Of[int64](v)
		if w.change != nil {
			if cap(w.wide) < len(x) {
				w.wide = make([]int64, max(len(x), vec.DefaultRows))
			}
			moved := w.wide[:len(x)]
			if err = w.change(moved, x); err != nil {
				return err
			}
			x = moved
		}
		if w.phys == parquet.Types.Int96 {
			err = w.int96s(c, x)
			break
		}
		err = fixed(c, w, x)
	case parquet.Types.Float:
		err = fixed(c, w, vec.Of[float32](v))
	case parquet.Types.Double:
		err = fixed(c, w, vec.Of[float64](v))
	case parquet.Types.FixedLenByteArray:
		if v.Layout == vec.I64 {
			err = w.decimals(c, toInt128(vec.Of[int64](v)))
			break
		}
		err = w.decimals(c, vec.Of[types.Int128](v))
	case parquet.Types.ByteArray:
		err = w.strings(c, v)
	}
	if err != nil {
		return err
	}
	return yieldTo(c)
}

// int32s widens or narrows what Parquet has as INT32.
func (w *leafWriter) int32s(v *vec.Vector) []int32 {
	if v.Layout == vec.I32 {
		return vec.Of[int32](v)
	}
	if cap(w.narrow) < 4*v.N {
		w.narrow = vec.AsBytes(make([]int32, max(v.N, vec.DefaultRows)))
	}
	out := unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(w.narrow))), v.N)
	switch v.Layout {
	case vec.I8:
		toInt32(out, vec.Of[int8](v))
	case vec.I16:
		toInt32(out, vec.Of[int16](v))
	case vec.I64:
		toInt32(out, vec.Of[int64](v))
	}
	return out
}

// toInt32 copies numbers that fit.
func toInt32[T int8 | int16 | int64](dst []int32, src []T) {
	for i, x := range src {
		dst[i] = int32(x)
	}
}

// coded gives values to the dictionary while there is one; rest are those that are written as they are.
func coded[T int32 | int64 | float32 | float64](c *task.Ctx, w *leafWriter, x []T) (rest []T, err error) {
	if w.coding {
		if x = x[addFixed(w.dict, x):]; len(x) > 0 {
			err = w.giveUpDict(c)
		}
	}
	return x, err
}

func fixed[T int32 | int64 | float32 | float64](c *task.Ctx, w *leafWriter, x []T) error {
	x, err := coded(c, w, x)
	if err != nil || len(x) == 0 {
		return err
	}
	addBounds(&w.bounds, x)
	return w.put(c, vec.AsBytes(x))
}

func toInt128(x []int64) []types.Int128 {
	out := make([]types.Int128, len(x))
	for i, n := range x {
		out[i] = types.I128(n)
	}
	return out
}

// int96s appends instants as Impala's timestamps, of which there are no bounds: readers don't agree on their order.
func (w *leafWriter) int96s(c *task.Ctx, x []int64) error {
	x, err := coded(c, w, x)
	if err != nil {
		return err
	}
	for len(x) > 0 {
		n := min(len(x), blockBytes/12)
		w.scratch = appendInt96(w.scratch[:0], x[:n])
		if err := w.put(c, w.scratch); err != nil {
			return err
		}
		x = x[n:]
	}
	return nil
}

// appendInt96 appends nanoseconds of the day and Julian days.
func appendInt96(dst []byte, x []int64) []byte {
	at := len(dst)
	dst = slices.Grow(dst, 12*len(x))[:at+12*len(x)]
	for _, us := range x {
		day := us / microsPerDay
		rest := us % microsPerDay
		if rest < 0 {
			day, rest = day-1, rest+microsPerDay
		}
		b := dst[at : at+12 : at+12]
		binary.LittleEndian.PutUint64(b, uint64(rest*1000))
		binary.LittleEndian.PutUint32(b[8:], uint32(day+julianEpoch))
		at += 12
	}
	return dst
}

// moves says how the values are changed before they are written.
func (w *leafWriter) moves(set *parquetSettings) {
	mode, key, format := set.dates, "spark.sql.parquet.datetimeRebaseModeInWrite", "Parquet"
	if w.phys == parquet.Types.Int96 {
		mode, key, format = set.int96, "spark.sql.parquet.int96RebaseModeInWrite", "Parquet INT96"
	}
	switch w.t.Kind {
	case types.Date:
		switch mode {
		case rebaseLegacy:
			w.days = func(dst, src []int32) error {
				for i, d := range src {
					dst[i] = julianDay(d)
				}
				return nil
			}
		case rebaseException:
			w.days = func(dst, src []int32) error {
				for i, d := range src {
					if dst[i] = d; d < firstGregorian {
						return ancientWrite(format, key)
					}
				}
				return nil
			}
		}
	case types.Time:
		w.change = func(dst, src []int64) error {
			for i, x := range src {
				dst[i] = x / 1000
			}
			return nil
		}
	case types.Timestamp:
		millis := w.phys == parquet.Types.Int64 && set.timestamps == "TIMESTAMP_MILLIS"
		if mode == rebaseCorrected && !millis {
			return
		}
		r := newRebaser(set.zone)
		w.change = func(dst, src []int64) error {
			for i, x := range src {
				if x < beginOf1900 && mode != rebaseCorrected {
					if mode == rebaseException {
						return ancientWrite(format, key)
					}
					x = r.toJulian(x)
				}
				dst[i] = x
			}
			if millis {
				for i, x := range dst {
					dst[i] = types.FloorDiv(x, 1000)
				}
			}
			return nil
		}
	}
}

func (w *leafWriter) decimals(c *task.Ctx, x []types.Int128) error {
	buf := make([]byte, 0, w.width*len(x))
	for _, d := range x {
		buf = appendDecimal(buf, d, w.width)
	}
	if w.coding {
		n := 0
		for n < len(x) && w.dict.add(buf[n*w.width:(n+1)*w.width], false) {
			n++
		}
		if n == len(x) {
			return nil
		}
		x, buf = x[n:], buf[n*w.width:]
		if err := w.giveUpDict(c); err != nil {
			return err
		}
	}
	for i := range x {
		w.bounds.bytes(buf[i*w.width:(i+1)*w.width], true)
	}
	return w.put(c, buf)
}

// appendDecimal appends the low bytes of d, the highest first.
func appendDecimal(dst []byte, d types.Int128, width int) []byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(d.Hi))
	binary.BigEndian.PutUint64(b[8:], d.Lo)
	return append(dst, b[16-width:]...)
}

func (w *leafWriter) strings(c *task.Ctx, v *vec.Vector) error {
	refs := vec.Refs(v)
	if w.coding {
		n := 0
		for n < len(refs) && w.dict.add(v.Buf[refs[n].Start():refs[n].Start()+refs[n].Len()], true) {
			n++
		}
		if n == len(refs) {
			return nil
		}
		refs = refs[n:]
		if err := w.giveUpDict(c); err != nil {
			return err
		}
	}
	w.bounds.strings(v.Buf, refs)
	for len(refs) > 0 {
		// As many as make a block.
		raw, n := w.raw, 0
		for n < len(refs) && (len(raw) < blockBytes || !w.blocks()) {
			s := v.Buf[refs[n].Start() : refs[n].Start()+refs[n].Len()]
			raw = binary.LittleEndian.AppendUint32(raw, uint32(len(s)))
			raw = append(raw, s...)
			n++
		}
		w.raw, refs = raw, refs[n:]
		if w.blocks() && len(raw) >= blockBytes {
			if err := w.flush(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// giveUpDict writes the values of the page as they are, and all to come.
func (w *leafWriter) giveUpDict(c *task.Ctx) error {
	w.coding = false
	d := w.dict
	for i, code := range d.codes {
		value := d.value(code)
		if w.phys == parquet.Types.Int96 {
			w.scratch = appendInt96(w.scratch[:0], []int64{int64(d.words[code])})
			value = w.scratch
		}
		if err := w.put(c, value); err != nil {
			return err
		}
		if i&4095 == 4095 {
			if err := yieldTo(c); err != nil {
				return err
			}
		}
	}
	d.codes = d.codes[:0]
	return nil
}

// blocks reports whether values are compressed, or stored, block by block.
func (w *leafWriter) blocks() bool {
	return w.sink.codec == compress.Codecs.Snappy || w.sink.codec == compress.Codecs.Uncompressed
}

// put appends encoded values to the page.
func (w *leafWriter) put(c *task.Ctx, b []byte) error {
	if !w.blocks() {
		w.raw = append(w.raw, b...)
		return nil
	}
	for len(b) > 0 {
		if len(w.raw) == 0 && len(b) >= blockBytes {
			if err := w.block(c, b[:blockBytes]); err != nil {
				return err
			}
			b = b[blockBytes:]
			continue
		}
		n := min(len(b), blockBytes-len(w.raw))
		w.raw = append(w.raw, b[:n]...)
		b = b[n:]
		if len(w.raw) == blockBytes {
			if err := w.flush(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush sends raw to the slabs.
func (w *leafWriter) flush(c *task.Ctx) error {
	for b := w.raw; len(b) > 0; {
		n := min(len(b), blockBytes)
		if err := w.block(c, b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	w.raw = w.raw[:0]
	return nil
}

func (w *leafWriter) block(c *task.Ctx, b []byte) error {
	w.size += len(b)
	if w.sink.codec == compress.Codecs.Uncompressed {
		w.store(b)
	} else {
		w.snap(b)
	}
	return yieldTo(c)
}

// snap compresses a block to the end of the slabs, without the length that a
// Snappy block begins with: the encoder writes that over the bytes before,
// which are put back.
func (w *leafWriter) snap(b []byte) {
	head := uvarintLen(len(b))
	s := w.room(s2.MaxEncodedLen(len(b)))
	from := len(*s) - head
	var before [slabHead]byte
	copy(before[:head], (*s)[from:])
	out := s2.EncodeSnappy((*s)[from:cap(*s)], b)
	copy((*s)[from:], before[:head])
	*s = (*s)[:from+len(out)]
	w.packed += len(out) - head
}

func uvarintLen(n int) int { return (bits.Len(uint(n)|1) + 6) / 7 }

// store appends bytes to the slabs as they are.
func (w *leafWriter) store(b []byte) {
	w.packed += len(b)
	for len(b) > 0 {
		s := w.room(1)
		n := min(len(b), cap(*s)-len(*s))
		*s = append(*s, b[:n]...)
		b = b[n:]
	}
}

// room is the last slab, or a new one, if it has room for n bytes behind what lies in it.
func (w *leafWriter) room(n int) *[]byte {
	if k := len(w.slabs) - 1; k < 0 || cap(w.slabs[k])-len(w.slabs[k]) < n {
		w.slabs = append(w.slabs, w.sink.slabs.get(len(w.slabs), slabHead+n)[:slabHead])
	}
	return &w.slabs[len(w.slabs)-1]
}

// endPageIfFull ends a page that has its size. Pages end between rows.
func (w *leafWriter) endPageIfFull(c *task.Ctx) error {
	size := w.size + len(w.raw) // of codes it is small
	if w.def.n < pageValues && size < w.sink.set.pageBytes {
		return nil
	}
	return w.endPage(c)
}

// endPage makes a page of what has come since the last one.
func (w *leafWriter) endPage(c *task.Ctx) error {
	n := w.def.n
	if n == 0 {
		return nil
	}
	encoding := int32(encPlain)
	switch {
	case w.coding:
		encoding = encRLEDict
		w.dictPages++
		width := max(1, bits.Len(uint(w.dict.n-1)))
		w.scratch = append(w.scratch[:0], byte(width))
		w.scratch = appendHybrid(w.scratch, w.dict.codes, width)
		w.dict.codes = w.dict.codes[:0]
		if err := w.put(c, w.scratch); err != nil {
			return err
		}
	case len(w.bools) > 0:
		w.scratch = append(w.scratch[:0], make([]byte, (len(w.bools)+7)/8)...)
		for i, b := range w.bools {
			w.scratch[i>>3] |= b << (i & 7)
		}
		w.bools = w.bools[:0]
		if err := w.put(c, w.scratch); err != nil {
			return err
		}
		fallthrough
	default:
		w.plainPages++
	}
	w.scratch = w.rep.append(w.scratch[:0], w.maxRep)
	w.scratch = w.def.append(w.scratch, w.maxDef)
	w.values += int64(n)
	w.rep.reset()
	w.def.reset()
	body, err := w.seal(c, w.scratch)
	if err != nil {
		return err
	}
	w.page(pageHead{kind: dataPage, size: body.size, packed: body.packed, values: n, encoding: encoding}, body)
	w.pieces = append(w.pieces, body.pieces...)
	return nil
}

// sealed is the compressed body of a page.
type sealed struct {
	size, packed int
	pieces       [][]byte
}

// seal compresses what is left of a page, of which front comes first.
func (w *leafWriter) seal(c *task.Ctx, front []byte) (sealed, error) {
	if !w.blocks() {
		return w.sealWhole(c, front)
	}
	if err := w.flush(c); err != nil {
		return sealed{}, err
	}
	out := sealed{size: w.size + len(front)}
	head := front
	if w.sink.codec == compress.Codecs.Snappy {
		packed := s2.EncodeSnappy(nil, front)
		head = append(binary.AppendUvarint(nil, uint64(out.size)), packed[uvarintLen(len(front)):]...)
	} else {
		head = append([]byte(nil), front...)
	}
	out.packed = len(head) + w.packed
	out.pieces = append([][]byte{head}, w.body()...)
	w.size, w.packed = 0, 0
	return out, nil
}

// body is what lies in the slabs behind the last page; the next begins there.
func (w *leafWriter) body() (out [][]byte) {
	for k := w.firstSlab; k < len(w.slabs); k++ {
		from := slabHead
		if k == w.firstSlab && w.firstByte > 0 {
			from = w.firstByte
		}
		if s := w.slabs[k]; len(s) > from {
			out = append(out, s[from:])
		}
	}
	if k := len(w.slabs) - 1; k >= 0 {
		w.firstSlab, w.firstByte = k, len(w.slabs[k])
	}
	return out
}

func (w *leafWriter) sealWhole(c *task.Ctx, front []byte) (sealed, error) {
	codec, err := compress.GetCodec(w.sink.codec)
	if err != nil {
		return sealed{}, err
	}
	all := w.raw
	if len(front) > 0 {
		all = append(append(make([]byte, 0, len(front)+len(w.raw)), front...), w.raw...)
	}
	out := sealed{size: len(all)}
	var packed []byte
	if err := w.sink.io(c, func() error {
		packed = codec.EncodeLevel(make([]byte, codec.CompressBound(int64(max(1, len(all))))), all, compress.DefaultCompressionLevel)
		return nil
	}); err != nil {
		return sealed{}, err
	}
	w.raw = w.raw[:0]
	w.store(packed)
	out.packed = w.packed
	out.pieces = w.body()
	w.size, w.packed = 0, 0
	return out, nil
}

// page accounts for a page, and puts its head before it.
func (w *leafWriter) page(h pageHead, body sealed) {
	head := h.append(nil)
	w.pieces = append(w.pieces, head)
	w.compressed += int64(len(head) + body.packed)
	w.inflated += int64(len(head) + body.size)
}

// endChunk ends the column's part of the row group: the pages, heads and bodies,
// that lie at the sink's position, which it moves on.
func (w *leafWriter) endChunk(c *task.Ctx, meta *metadata.ColumnChunkMetaDataBuilder) ([][]byte, error) {
	if err := w.endPage(c); err != nil {
		return nil, err
	}
	info := metadata.ChunkMetaInfo{NumValues: w.values, IndexPageOffset: -1, DataPageOffset: w.sink.at}
	stats := metadata.EncodingStats{DictEncodingStats: map[parquet.Encoding]int32{}, DataEncodingStats: map[parquet.Encoding]int32{}}
	pieces := w.pieces
	if w.dict != nil {
		w.dict.bounds(w)
	}
	if w.dictPages > 0 {
		w.pieces = nil
		before := w.compressed
		if err := w.put(c, w.dict.plain(w.phys)); err != nil {
			return nil, err
		}
		body, err := w.seal(c, nil)
		if err != nil {
			return nil, err
		}
		w.page(pageHead{kind: dictPage, size: body.size, packed: body.packed, values: w.dict.n, encoding: encPlain}, body)
		pieces = append(append(w.pieces, body.pieces...), pieces...)
		info.DictPageOffset = w.sink.at
		info.DataPageOffset += w.compressed - before
		stats.DictEncodingStats[parquet.Encodings.Plain] = 1
		stats.DataEncodingStats[parquet.Encodings.RLEDict] = w.dictPages
	}
	if w.plainPages > 0 {
		stats.DataEncodingStats[parquet.Encodings.Plain] = w.plainPages
	}
	info.CompressedSize, info.UncompressedSize = w.compressed, w.inflated
	meta.SetStats(w.bounds.encode(w, w.nulls))
	err := meta.Finish(info, w.dictPages > 0, w.dictPages > 0 && w.plainPages > 0, stats)
	w.sink.at += w.compressed
	w.seen, w.coding, w.dict, w.bounds = false, false, nil, bounds{}
	w.nulls, w.values, w.compressed, w.inflated, w.dictPages, w.plainPages = 0, 0, 0, 0, 0, 0
	w.pieces, w.firstSlab, w.firstByte = nil, 0, 0
	return pieces, err
}

// Kinds of pages.
const (
	dataPage = 0
	dictPage = 2
)

// pageHead is the PageHeader of parquet.thrift.
type pageHead struct {
	kind, size, packed int
	values             int
	encoding           int32
}

// append writes it in Thrift's compact protocol, whose fields are a byte,
// the distance to the last field's number << 4 | the type, and the value.
func (h pageHead) append(b []byte) []byte {
	const i32, structure = 5, 12
	field := func(head byte, x int) {
		b = append(b, head)
		b = binary.AppendVarint(b, int64(x))
	}
	field(1<<4|i32, h.kind)
	field(1<<4|i32, h.size)
	field(1<<4|i32, h.packed)
	if h.kind == dictPage {
		b = append(b, 4<<4|structure) // 7
		field(1<<4|i32, h.values)
		field(1<<4|i32, int(h.encoding))
		return append(b, 0, 0)
	}
	b = append(b, 2<<4|structure) // 5
	field(1<<4|i32, h.values)
	field(1<<4|i32, int(h.encoding))
	field(1<<4|i32, encRLE)
	field(1<<4|i32, encRLE)
	return append(b, 0, 0)
}

// slabs is memory for pages that is used again by the next row group.
type slabs struct {
	free [slabKinds][][]byte
	held int64
}

// Slabs have 128 KiB to 1 MiB: a column's first ones are short, as its chunk may be.
const (
	slabLeast = 128 << 10
	slabKinds = 4
	slabsHeld = 32 << 20
)

// get is the k-th slab of a chunk, with room for n bytes.
func (s *slabs) get(k, n int) []byte {
	k = min(k, slabKinds-1)
	for k < slabKinds-1 && slabLeast<<k < n {
		k++
	}
	if n > slabLeast<<k {
		return vec.Uncleared[byte](n)
	}
	if f := s.free[k]; len(f) > 0 {
		b := f[len(f)-1]
		s.free[k] = f[:len(f)-1]
		s.held -= int64(cap(b))
		return b
	}
	return vec.Uncleared[byte](slabLeast << k)
}

func (s *slabs) put(list [][]byte) {
	for _, b := range list {
		for k := range slabKinds {
			if cap(b) == slabLeast<<k && s.held+int64(cap(b)) <= slabsHeld {
				s.free[k] = append(s.free[k], b)
				s.held += int64(cap(b))
			}
		}
	}
}

func (s *slabs) drop() { *s = slabs{} }
