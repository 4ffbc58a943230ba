package fn

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// A VARIANT is two binaries in the encoding that Parquet defines (its
// VariantEncoding document): the metadata hold the names of all fields, the
// value refers to them. Reading never trusts the bytes: whatever lies outside
// of them reads as a value of kind variantBad.

// variantKind is what a value is.
type variantKind uint8

const (
	variantBad variantKind = iota
	variantNull
	variantBool
	variantLong
	variantDouble
	variantFloat
	variantDecimal
	variantDate
	variantStamp
	variantStampNTZ
	variantBinary
	variantString
	variantObject
	variantArray
)

// The type ids of primitive values.
const (
	vNull = iota
	vTrue
	vFalse
	vInt8
	vInt16
	vInt32
	vInt64
	vDouble
	vDecimal4
	vDecimal8
	vDecimal16
	vDate
	vStamp
	vStampNTZ
	vFloat
	vBinary
	vString
)

// variantMost is how large a value, or its metadata, may be.
const variantMost = 128 << 20

// variant is a value and the names that it refers to.
type variant struct{ val, meta []byte }

func variantAt(v *vec.Vector, i int) variant {
	return variant{v.Child[0].Bytes(i), v.Child[1].Bytes(i)}
}

// unsigned reads a little-endian number of size bytes; -1 outside of b.
func unsigned(b []byte, at, size int) int {
	if at < 0 || at+size > len(b) {
		return -1
	}
	n := 0
	for k := size - 1; k >= 0; k-- {
		n = n<<8 | int(b[at+k])
	}
	return n
}

// kind also gives the low-level type id of a primitive.
func (v variant) kind() (variantKind, int) {
	if len(v.val) == 0 {
		return variantBad, 0
	}
	id := int(v.val[0] >> 2)
	switch v.val[0] & 3 {
	case 1:
		if 1+id > len(v.val) {
			return variantBad, id
		}
		return variantString, id
	case 2:
		return variantObject, id
	case 3:
		return variantArray, id
	}
	kinds := [...]variantKind{variantNull, variantBool, variantBool, variantLong, variantLong, variantLong, variantLong, variantDouble, variantDecimal, variantDecimal,
		variantDecimal, variantDate, variantStamp, variantStampNTZ, variantFloat, variantBinary, variantString}
	sizes := [...]int{0, 0, 0, 1, 2, 4, 8, 8, 5, 9, 17, 4, 8, 8, 4, 4, 4}
	if id >= len(kinds) || 1+sizes[id] > len(v.val) {
		return variantBad, id
	}
	if n := unsigned(v.val, 1, 4); id >= vBinary && 5+n > len(v.val) {
		return variantBad, id
	}
	return kinds[id], id
}

// long is a value of the kinds variantLong, date and timestamps.
func (v variant) long(id int) int64 {
	switch b := v.val[1:]; id {
	case vInt8:
		return int64(int8(b[0]))
	case vInt16:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case vInt32, vDate:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	default:
		return int64(binary.LittleEndian.Uint64(b))
	}
}

// decimal gives the digits and the scale.
func (v variant) decimal(id int) (types.Int128, int) {
	b := v.val[2:]
	switch scale := int(v.val[1]); id {
	case vDecimal4:
		return types.I128(int64(int32(binary.LittleEndian.Uint32(b)))), scale
	case vDecimal8:
		return types.I128(int64(binary.LittleEndian.Uint64(b))), scale
	default:
		return types.Int128{Lo: binary.LittleEndian.Uint64(b), Hi: int64(binary.LittleEndian.Uint64(b[8:]))}, scale
	}
}

// stripped is a decimal without zeros at the end of its fraction, and how many digits it has.
func (v variant) stripped(id int) (x types.Int128, precision, scale int) {
	x, scale = v.decimal(id)
	for scale > 0 {
		y, ok := types.Rescale(x, scale, scale-1)
		if !ok {
			break
		}
		if z, ok := types.Rescale(y, scale-1, scale); !ok || z != x {
			break
		}
		x, scale = y, scale-1
	}
	digits := len(strings.TrimPrefix(x.Big().String(), "-"))
	return x, max(digits, scale), scale
}

// text is the bytes of a string or binary.
func (v variant) text(id int) []byte {
	if v.val[0]&3 == 1 {
		return v.val[1 : 1+id]
	}
	return v.val[5 : 5+unsigned(v.val, 1, 4)]
}

// container is the layout of an object or an array.
type container struct {
	v                        variant
	n, idSize, offSize       int
	idStart, offStart, start int
	object                   bool
}

func (v variant) container(k variantKind, id int) (c container, ok bool) {
	c = container{v: v, object: k == variantObject, offSize: id&3 + 1}
	large := id>>2&1 == 1
	if c.object {
		c.idSize, large = id>>2&3+1, id>>4&1 == 1
	}
	c.idStart = 2
	size := 1
	if large {
		c.idStart, size = 5, 4
	}
	c.n = unsigned(v.val, 1, size)
	if c.n < 0 {
		return c, false
	}
	c.offStart = c.idStart + c.n*c.idSize
	c.start = c.offStart + (c.n+1)*c.offSize
	return c, c.start <= len(v.val)
}

func (c *container) at(i int) variant {
	from := c.start + unsigned(c.v.val, c.offStart+i*c.offSize, c.offSize)
	if from < c.start || from >= len(c.v.val) {
		return variant{}
	}
	return variant{c.v.val[from:], c.v.meta}
}

func (c *container) key(i int) []byte {
	return metaKey(c.v.meta, unsigned(c.v.val, c.idStart+i*c.idSize, c.idSize))
}

// metaKey is the name with a number; nil for none.
func metaKey(meta []byte, id int) []byte {
	if len(meta) == 0 || id < 0 {
		return nil
	}
	size := int(meta[0]>>6) + 1
	n := unsigned(meta, 1, size)
	if id >= n {
		return nil
	}
	base := 1 + (n+2)*size
	from, to := unsigned(meta, 1+(id+1)*size, size), unsigned(meta, 1+(id+2)*size, size)
	if from < 0 || to < from || base+to > len(meta) {
		return nil
	}
	return meta[base+from : base+to : base+to]
}

// field is the member of an object; ok is false when there is none.
func (v variant) field(name string) (variant, bool) {
	k, id := v.kind()
	if k != variantObject {
		return variant{}, false
	}
	c, ok := v.container(k, id)
	for i := 0; ok && i < c.n; i++ {
		if string(c.key(i)) == name {
			return c.at(i), true
		}
	}
	return variant{}, false
}

func (v variant) element(i int) (variant, bool) {
	k, id := v.kind()
	if k != variantArray {
		return variant{}, false
	}
	c, ok := v.container(k, id)
	if !ok || i >= c.n {
		return variant{}, false
	}
	return c.at(i), true
}

// follow walks along a path.
func (v variant) follow(steps []jsonStep) (variant, bool) {
	for _, s := range steps {
		var ok bool
		if s.index >= 0 {
			v, ok = v.element(s.index)
		} else {
			v, ok = v.field(s.name)
		}
		if !ok {
			return v, false
		}
	}
	return v, true
}

// json appends the value as JSON; false if it is malformed.
func (v variant) json(dst []byte, loc *time.Location) ([]byte, bool) {
	k, id := v.kind()
	switch k {
	case variantNull:
		return append(dst, "null"...), true
	case variantBool:
		return strconv.AppendBool(dst, id == vTrue), true
	case variantLong:
		return strconv.AppendInt(dst, v.long(id), 10), true
	case variantDecimal:
		x, _, scale := v.stripped(id)
		return types.AppendDecimal(dst, x, scale), true
	case variantDouble, variantFloat:
		start := len(dst)
		if k == variantFloat {
			dst = types.AppendFloat(dst, v.float32())
		} else {
			dst = types.AppendDouble(dst, v.float64())
		}
		if c := dst[len(dst)-1]; c == 'N' || c == 'y' {
			dst = append(slices.Insert(dst, start, '"'), '"')
		}
		return dst, true
	case variantDate:
		return append(types.AppendDate(append(dst, '"'), int32(v.long(id))), '"'), true
	case variantStamp:
		us := v.long(id)
		dst = types.AppendTimestamp(append(dst, '"'), us, loc)
		return append(time.UnixMicro(us).In(loc).AppendFormat(dst, "-07:00"), '"'), true
	case variantStampNTZ:
		return append(types.AppendTimestampNTZ(append(dst, '"'), v.long(id)), '"'), true
	case variantBinary:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v.text(id)), '"'), true
	case variantString:
		return appendJSONText(dst, v.text(id)), true
	case variantObject, variantArray:
		c, ok := v.container(k, id)
		if !ok {
			return dst, false
		}
		ends := "[]"
		if c.object {
			ends = "{}"
		}
		dst = append(dst, ends[0])
		for i := range c.n {
			if i > 0 {
				dst = append(dst, ',')
			}
			if c.object {
				key := c.key(i)
				if key == nil {
					return dst, false
				}
				dst = append(appendJSONText(dst, key), ':')
			}
			if dst, ok = c.at(i).json(dst, loc); !ok {
				return dst, false
			}
		}
		return append(dst, ends[1]), true
	}
	return dst, false
}

func (v variant) float64() float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(v.val[1:]))
}

func (v variant) float32() float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(v.val[1:]))
}

// schema is the type of a value, objects being structs; nil if it is malformed.
func (v variant) schema() *types.Type {
	k, id := v.kind()
	switch k {
	case variantNull:
		return types.NullType
	case variantBool:
		return types.BoolType
	case variantLong:
		return types.Int64Type
	case variantDouble:
		return types.Float64Type
	case variantFloat:
		return types.Float32Type
	case variantDecimal:
		_, p, s := v.stripped(id)
		return types.NewDecimal(p, s)
	case variantDate:
		return types.DateType
	case variantStamp:
		return types.TimestampType
	case variantStampNTZ:
		return types.TimestampNTZType
	case variantBinary:
		return types.BinaryType
	case variantString:
		return types.StringType
	case variantArray:
		c, ok := v.container(k, id)
		if !ok {
			return nil
		}
		elem := types.NullType
		for i := range c.n {
			t := c.at(i).schema()
			if t == nil {
				return nil
			}
			elem = mergeVariantTypes(elem, t)
		}
		return types.NewArray(elem, true)
	case variantObject:
		c, ok := v.container(k, id)
		if !ok {
			return nil
		}
		t := &types.Type{Kind: types.Struct}
		for i := range c.n {
			key, f := c.key(i), c.at(i).schema()
			if key == nil || f == nil {
				return nil
			}
			t.Fields = append(t.Fields, types.Field{Name: string(key), Type: f, Nullable: true})
		}
		return t
	}
	return nil
}

// mergeVariantTypes is the type of values of both types: VARIANT where they have nothing in common.
func mergeVariantTypes(a, b *types.Type) *types.Type {
	switch {
	case a.Kind == types.Struct && b.Kind == types.Struct:
		t := &types.Type{Kind: types.Struct, Fields: slices.Clone(a.Fields)}
		for _, f := range b.Fields {
			if k := t.FieldIndex(f.Name); k >= 0 && t.Fields[k].Name == f.Name {
				t.Fields[k].Type = mergeVariantTypes(t.Fields[k].Type, f.Type)
			} else {
				t.Fields = append(t.Fields, f)
			}
		}
		slices.SortFunc(t.Fields, func(x, y types.Field) int { return strings.Compare(x.Name, y.Name) })
		return t
	case a.Kind == types.Array && b.Kind == types.Array:
		return types.NewArray(mergeVariantTypes(a.Elem, b.Elem), true)
	}
	if a.Kind == types.Int64 && b.Kind == types.Decimal {
		a = types.NewDecimal(20, 0)
	} else if b.Kind == types.Int64 && a.Kind == types.Decimal {
		b = types.NewDecimal(20, 0)
	}
	if a.Kind == types.Decimal && b.Kind == types.Decimal {
		s := max(a.Scale, b.Scale)
		if p := max(a.Precision-a.Scale, b.Precision-b.Scale) + s; p <= types.MaxPrecision {
			return types.NewDecimal(p, s)
		}
		return types.Float64Type
	}
	if t := (types.Rules{}).Wider(a, b, false); t != nil && !t.IsNested() {
		return t
	}
	if types.Equal(a, b) {
		return a
	}
	if a.Kind == types.Null {
		return b
	}
	if b.Kind == types.Null {
		return a
	}
	return types.VariantType
}

// appendVariantType writes a schema as schema_of_variant does: structs are OBJECT.
func appendVariantType(dst []byte, t *types.Type) []byte {
	switch t.Kind {
	case types.Array:
		return append(appendVariantType(append(dst, "ARRAY<"...), t.Elem), '>')
	case types.Struct:
		dst = append(dst, "OBJECT<"...)
		for i, f := range t.Fields {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(append(dst, types.QuoteIfNeeded(f.Name)...), ": "...)
			dst = appendVariantType(dst, f.Type)
		}
		return append(dst, '>')
	}
	return append(dst, t.SQL()...)
}

// variantWriter makes a value and its metadata.
type variantWriter struct {
	val  []byte
	keys []string
	ids  map[string]int
}

type variantField struct {
	key     string
	id, off int
}

func (w *variantWriter) reset() {
	w.val, w.keys = w.val[:0], w.keys[:0]
	if len(w.ids) > 0 {
		clear(w.ids)
	}
}

func (w *variantWriter) id(key string) int {
	id, ok := w.ids[key]
	if !ok {
		if w.ids == nil {
			w.ids = map[string]int{}
		}
		id = len(w.keys)
		w.ids[key] = id
		w.keys = append(w.keys, key)
	}
	return id
}

// sizeOf is how many bytes a number needs.
func sizeOf(n int) int {
	switch {
	case n < 1<<8:
		return 1
	case n < 1<<16:
		return 2
	case n < 1<<24:
		return 3
	}
	return 4
}

func putUnsigned(dst []byte, n, size int) []byte {
	for range size {
		dst = append(dst, byte(n))
		n >>= 8
	}
	return dst
}

// meta appends the metadata to dst.
func (w *variantWriter) meta(dst []byte) []byte {
	total := 0
	for _, k := range w.keys {
		total += len(k)
	}
	size := sizeOf(max(total, len(w.keys)))
	dst = putUnsigned(append(dst, byte(1|(size-1)<<6)), len(w.keys), size)
	at := 0
	for _, k := range w.keys {
		dst = putUnsigned(dst, at, size)
		at += len(k)
	}
	dst = putUnsigned(dst, at, size)
	for _, k := range w.keys {
		dst = append(dst, k...)
	}
	return dst
}

func (w *variantWriter) primitive(id int, size int, bits uint64) {
	w.val = append(w.val, byte(id<<2))
	for range size {
		w.val = append(w.val, byte(bits))
		bits >>= 8
	}
}

func (w *variantWriter) null() { w.primitive(vNull, 0, 0) }

func (w *variantWriter) bool(x bool) {
	if x {
		w.primitive(vTrue, 0, 0)
	} else {
		w.primitive(vFalse, 0, 0)
	}
}

func (w *variantWriter) long(x int64) {
	switch {
	case x == int64(int8(x)):
		w.primitive(vInt8, 1, uint64(x))
	case x == int64(int16(x)):
		w.primitive(vInt16, 2, uint64(x))
	case x == int64(int32(x)):
		w.primitive(vInt32, 4, uint64(x))
	default:
		w.primitive(vInt64, 8, uint64(x))
	}
}

func (w *variantWriter) decimal(x types.Int128, scale int) {
	n := uint64(byte(scale))
	switch {
	case scale <= 9 && inPrecision(x, 9):
		w.primitive(vDecimal4, 5, n|x.Lo<<8)
	case scale <= 18 && inPrecision(x, 18):
		w.primitive(vDecimal8, 1, n)
		w.val = binary.LittleEndian.AppendUint64(w.val, x.Lo)
	default:
		w.primitive(vDecimal16, 1, n)
		w.val = binary.LittleEndian.AppendUint64(w.val, x.Lo)
		w.val = binary.LittleEndian.AppendUint64(w.val, uint64(x.Hi))
	}
}

func (w *variantWriter) text(s []byte) {
	if len(s) < 64 {
		w.val = append(w.val, byte(len(s)<<2|1))
	} else {
		w.primitive(vString, 4, uint64(len(s)))
	}
	w.val = append(w.val, s...)
}

// insert makes room for a header of n bytes in front of what was written since start.
func (w *variantWriter) insert(start int, head []byte) {
	w.val = slices.Insert(w.val, start, head...)
}

// object closes an object whose members were written since start; false: a name stands twice.
func (w *variantWriter) object(start int, fields []variantField) bool {
	size := len(w.val) - start
	slices.SortFunc(fields, func(a, b variantField) int { return compareUTF16(a.key, b.key) })
	most := 0
	for i, f := range fields {
		if i > 0 && f.key == fields[i-1].key {
			return false
		}
		most = max(most, f.id)
	}
	large, n := 0, 1
	if len(fields) > 255 {
		large, n = 1, 4
	}
	ids, offs := sizeOf(most), sizeOf(size)
	head := putUnsigned([]byte{byte((large<<4|(ids-1)<<2|(offs-1))<<2 | 2)}, len(fields), n)
	for _, f := range fields {
		head = putUnsigned(head, f.id, ids)
	}
	for _, f := range fields {
		head = putUnsigned(head, f.off, offs)
	}
	w.insert(start, putUnsigned(head, size, offs))
	return true
}

func (w *variantWriter) array(start int, at []int) {
	size := len(w.val) - start
	large, n := 0, 1
	if len(at) > 255 {
		large, n = 1, 4
	}
	offs := sizeOf(size)
	head := putUnsigned([]byte{byte((large<<2|(offs-1))<<2 | 3)}, len(at), n)
	for _, o := range at {
		head = putUnsigned(head, o, offs)
	}
	w.insert(start, putUnsigned(head, size, offs))
}

// compareUTF16 orders as Java's strings do, by UTF-16 units.
func compareUTF16(a, b string) int {
	for a != "" && b != "" {
		x, n := utf8.DecodeRuneInString(a)
		y, m := utf8.DecodeRuneInString(b)
		if x != y {
			if sx, sy := x >= 0x10000, y >= 0x10000; sx != sy && (sx && y >= 0xE000 || sy && x >= 0xE000) {
				if sx {
					return -1
				}
				return 1
			}
			if x < y {
				return -1
			}
			return 1
		}
		a, b = a[n:], b[m:]
	}
	return len(a) - len(b)
}

// json writes the value that j stands at; false: it is malformed, or an object has a name twice.
func (w *variantWriter) json(j *jsonScan, depth int) bool {
	if depth > jsonDeep {
		return false
	}
	start := len(w.val)
	switch c := j.peek(); {
	case c == '{':
		var fields []variantField
		ok := j.members(func(key []byte) bool {
			name := string(key)
			fields = append(fields, variantField{name, w.id(name), len(w.val) - start})
			return w.json(j, depth+1)
		})
		return ok && !j.lone && w.object(start, fields)
	case c == '[':
		var at []int
		ok := j.members(func([]byte) bool {
			at = append(at, len(w.val)-start)
			return w.json(j, depth+1)
		})
		if ok {
			w.array(start, at)
		}
		return ok
	case c == '"':
		t, ok := j.text([]byte{})
		w.text(t)
		return ok && !j.lone // half a surrogate pair is in no variant
	}
	t, ok := j.skip()
	if !ok {
		return false
	}
	switch t[0] {
	case noNumber:
		x, _ := nonNumeric(t)
		w.double(x)
	case 'n':
		w.null()
	case 't', 'f':
		w.bool(t[0] == 't')
	default:
		w.number(string(t))
	}
	return true
}

// number writes an integer, or what has no exponent and up to 38 digits as a decimal, else a double.
func (w *variantWriter) number(t string) {
	if x, err := strconv.ParseInt(t, 10, 64); err == nil {
		w.long(x)
		return
	}
	if !strings.ContainsAny(t, "eE") {
		whole, frac, _ := strings.Cut(t, ".")
		digits := strings.TrimLeft(strings.TrimPrefix(whole, "-")+frac, "0")
		if len(digits) <= types.MaxPrecision && len(frac) <= types.MaxPrecision {
			if x, r := types.ParseDecimal(t, len(frac)); r == types.DecimalOK {
				w.decimal(x, len(frac))
				return
			}
		}
	}
	x, _ := strconv.ParseFloat(t, 64) // out of range: infinite, as Java has it
	w.double(x)
}

func (w *variantWriter) double(x float64) {
	if math.IsNaN(x) {
		w.primitive(vDouble, 8, 0x7ff8<<48) // there is one NaN
		return
	}
	w.primitive(vDouble, 8, math.Float64bits(x))
}

// copy writes another value, with the names that it uses; false if it is malformed.
func (w *variantWriter) copy(v variant) bool {
	k, id := v.kind()
	start := len(w.val)
	switch k {
	case variantBad:
		return false
	case variantObject, variantArray:
		c, ok := v.container(k, id)
		if !ok {
			return false
		}
		var fields []variantField
		var at []int
		for i := range c.n {
			off := len(w.val) - start
			if c.object {
				key := c.key(i)
				if key == nil {
					return false
				}
				name := string(key)
				fields = append(fields, variantField{name, w.id(name), off})
			} else {
				at = append(at, off)
			}
			if !w.copy(c.at(i)) {
				return false
			}
		}
		if c.object {
			return w.object(start, fields)
		}
		w.array(start, at)
		return true
	}
	w.val = append(w.val, v.val[:v.size(k, id)]...)
	return true
}

// size is how many bytes a value that is no container takes.
func (v variant) size(k variantKind, id int) int {
	switch {
	case k == variantString && v.val[0]&3 == 1:
		return 1 + id
	case k == variantString || k == variantBinary:
		return 5 + unsigned(v.val, 1, 4)
	}
	return 1 + [...]int{0, 0, 0, 1, 2, 4, 8, 8, 5, 9, 17, 4, 8, 8, 4}[id]
}

// value writes value i of a vector; false if a variant in it is malformed.
func (w *variantWriter) value(v *vec.Vector, i int) bool {
	if v.IsNull(i) {
		w.null()
		return true
	}
	start := len(w.val)
	switch t := v.Type; t.Kind {
	case types.Bool:
		w.bool(vec.Of[bool](v)[i])
	case types.Int8, types.Int16, types.Int32, types.Int64:
		w.long(getInt(v, i))
	case types.Float32:
		w.primitive(vFloat, 4, uint64(math.Float32bits(vec.Of[float32](v)[i])))
	case types.Float64:
		w.primitive(vDouble, 8, math.Float64bits(vec.Of[float64](v)[i]))
	case types.Decimal:
		w.decimal(getDecimal(v, i), t.Scale)
	case types.Date:
		w.primitive(vDate, 4, uint64(vec.Of[int32](v)[i]))
	case types.Timestamp:
		w.primitive(vStamp, 8, uint64(vec.Of[int64](v)[i]))
	case types.TimestampNTZ:
		w.primitive(vStampNTZ, 8, uint64(vec.Of[int64](v)[i]))
	case types.Binary:
		w.primitive(vBinary, 4, uint64(len(v.Bytes(i))))
		w.val = append(w.val, v.Bytes(i)...)
	case types.String, types.Char, types.Varchar:
		w.text(v.Bytes(i))
	case types.Variant:
		return w.copy(variantAt(v, i))
	case types.Array:
		r := vec.Refs(v)[i]
		at := make([]int, r.Len())
		for k := range at {
			at[k] = len(w.val) - start
			if !w.value(v.Child[0], r.Start()+k) {
				return false
			}
		}
		w.array(start, at)
	case types.Map:
		r := vec.Refs(v)[i]
		fields := make([]variantField, r.Len())
		for k := range fields {
			name := string(v.Child[0].Bytes(r.Start() + k))
			fields[k] = variantField{name, w.id(name), len(w.val) - start}
			if !w.value(v.Child[1], r.Start()+k) {
				return false
			}
		}
		return w.object(start, fields)
	case types.Struct:
		fields := make([]variantField, len(v.Child))
		for k, c := range v.Child {
			name := t.Fields[k].Name
			fields[k] = variantField{name, w.id(name), len(w.val) - start}
			if !w.value(c, i) {
				return false
			}
		}
		return w.object(start, fields)
	default:
		return false
	}
	return true
}

// end adds what was written to a builder of variants.
func (w *variantWriter) end(b *vec.Builder) {
	b.Child(0).AppendBytes(w.val)
	b.Child(1).AppendBytes(w.meta(nil))
	b.EndGroup()
}
