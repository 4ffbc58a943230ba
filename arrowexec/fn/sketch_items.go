package fn

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"neptune/arrowexec/sketch"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Of sketches of frequent items: what they count with unless a call says so, and at most.
const (
	topDefault   = 5
	itemsDefault = 10000
	itemsMost    = 1000000
)

// itemType reads, writes and hashes the items of a type as Spark does for sketches of frequent items. Items are bytes:
// booleans 1, integers and dates up to 32 bits 4, BIGINT and timestamps 8, floats their bits, decimals 16, strings
// themselves (their collation's key).
type itemType struct{ t *types.Type }

func (it itemType) supported() bool {
	switch it.t.Kind {
	case types.Bool, types.Int8, types.Int16, types.Int32, types.Int64, types.Float32, types.Float64, types.Date, types.Timestamp, types.TimestampNTZ, types.Decimal:
		return true
	}
	return it.t.IsString()
}

// item appends value i of v.
func (it itemType) item(dst []byte, v *vec.Vector, i int) []byte {
	switch it.t.Kind {
	case types.Bool:
		if vec.Of[bool](v)[i] {
			return append(dst, 1)
		}
		return append(dst, 0)
	case types.Int8, types.Int16, types.Int32, types.Date:
		return binary.LittleEndian.AppendUint32(dst, uint32(getInt(v, i)))
	case types.Int64, types.Timestamp, types.TimestampNTZ:
		return binary.LittleEndian.AppendUint64(dst, uint64(vec.Of[int64](v)[i]))
	case types.Float32:
		x := vec.Of[float32](v)[i]
		if x != x {
			x = math.Float32frombits(0x7fc00000)
		}
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(x))
	case types.Float64:
		x := vec.Of[float64](v)[i]
		if x != x {
			x = math.Float64frombits(0x7ff8000000000000)
		}
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(x))
	case types.Decimal:
		x := getDecimal(v, i)
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, x.Lo), uint64(x.Hi))
	}
	if c := collationOf(it.t); c != nil {
		return c.Key(dst, v.Bytes(i))
	}
	return append(dst, v.Bytes(i)...)
}

func itemDecimal(key []byte) types.Int128 {
	return types.Int128{Lo: binary.LittleEndian.Uint64(key), Hi: int64(binary.LittleEndian.Uint64(key[8:]))}
}

// hash is Java's hashCode of an item.
func (it itemType) hash(key []byte) int32 {
	switch it.t.Kind {
	case types.Bool:
		if key[0] != 0 {
			return 1231
		}
		return 1237
	case types.Int8, types.Int16, types.Int32, types.Date, types.Float32:
		return int32(binary.LittleEndian.Uint32(key))
	case types.Int64, types.Timestamp, types.TimestampNTZ, types.Float64:
		return foldLong(binary.LittleEndian.Uint64(key))
	case types.Decimal:
		return decimalHash(itemDecimal(key), it.t.Scale)
	}
	h := int32(0)
	for i := 0; i < len(key); {
		r, n := utf8.DecodeRune(key[i:])
		i += n
		if r > 0xffff {
			hi, lo := utf16.EncodeRune(r)
			h = 31*(31*h+hi) + lo
		} else {
			h = 31*h + r
		}
	}
	return h
}

func foldLong(x uint64) int32 { return int32(x ^ x>>32) }

// decimalHash is the hashCode of Scala's BigDecimal: numbers that are equal have one hash, whatever their type.
func decimalHash(x types.Int128, scale int) int32 {
	for scale > 0 {
		q, r := x.DivMod10(1)
		if r.Sign() != 0 {
			break
		}
		x, scale = q, scale-1
	}
	if scale <= 0 {
		if x.IsInt64() {
			if v := int64(x.Lo); v != int64(int32(v)) {
				return foldLong(uint64(v))
			}
			return int32(x.Lo)
		}
		return bigHash(x)
	}
	text := string(types.AppendDecimal(nil, x, scale))
	d, err := strconv.ParseFloat(text, 64)
	exact, ok := new(big.Rat).SetString(text)
	short, ok2 := new(big.Rat).SetString(strconv.FormatFloat(d, 'e', -1, 64))
	if err == nil && ok && ok2 && exact.Cmp(short) == 0 {
		if f := float32(d); float64(f) == d {
			return int32(math.Float32bits(f))
		}
		return foldLong(math.Float64bits(d))
	}
	return murmurMixLast(bigHash(x), int32(scale))
}

// bigHash is the hashCode of Java's BigInteger.
func bigHash(x types.Int128) int32 {
	lo, hi, neg := x.Abs()
	h, begun := int32(0), false
	for _, w := range []uint32{uint32(hi >> 32), uint32(hi), uint32(lo >> 32), uint32(lo)} {
		if begun = begun || w != 0; begun {
			h = 31*h + int32(w)
		}
	}
	if neg {
		return -h
	}
	return h
}

// murmurMixLast is mixLast of Scala's MurmurHash3.
func murmurMixLast(hash, data int32) int32 {
	k := uint32(data) * 0xcc9e2d51
	return hash ^ int32(bits.RotateLeft32(k, 15)*0x1b873593)
}

// wide reports whether decimals are written as bytes: they don't fit 64 bits.
func (it itemType) wide() bool { return it.t.Kind == types.Decimal && it.t.Precision > 18 }

// tag is the mark of a number in front of it; 0: there is none.
func (it itemType) tag() (mark byte, size int) {
	switch it.t.Kind {
	case types.Int8:
		return 2, 1
	case types.Int16:
		return 3, 2
	case types.Int32, types.Date:
		return 9, 4
	case types.Float32:
		return 6, 4
	case types.Decimal:
		if it.t.Precision <= 9 {
			return 9, 4
		}
	}
	return 0, 8
}

// put appends items as DataSketches' and Spark's serializers write them.
func (it itemType) put(dst []byte, keys []string) []byte {
	switch {
	case it.t.Kind == types.Bool:
		from := len(dst)
		dst = append(dst, make([]byte, (len(keys)+7)/8)...)
		for i, k := range keys {
			dst[from+i/8] |= k[0] << (i % 8)
		}
	case it.t.IsString():
		for _, k := range keys {
			dst = append(binary.LittleEndian.AppendUint32(dst, uint32(len(k))), k...)
		}
	case it.wide():
		for _, k := range keys {
			b := twosComplement(itemDecimal([]byte(k)))
			dst = append(binary.LittleEndian.AppendUint32(dst, uint32(len(b))), b...)
		}
	default:
		mark, size := it.tag()
		for _, k := range keys {
			if mark != 0 {
				dst = append(dst, mark)
			}
			dst = append(dst, k[:size]...)
		}
	}
	return dst
}

// twosComplement is x in as few bytes as hold it and its sign, the greatest first.
func twosComplement(x types.Int128) []byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(x.Hi))
	binary.BigEndian.PutUint64(b[8:], x.Lo)
	i := 0
	for i < 15 && (b[i] == 0 && b[i+1] < 0x80 || b[i] == 0xff && b[i+1] >= 0x80) {
		i++
	}
	return b[i:]
}

// take reads what put wrote.
func (it itemType) take(b []byte, n int, add func(key []byte, hash int32)) error {
	broken := fmt.Errorf("broken items of a sketch")
	mark, size := it.tag()
	var key []byte
	for i := range n {
		switch {
		case it.t.Kind == types.Bool:
			if i/8 >= len(b) {
				return broken
			}
			key = append(key[:0], b[i/8]>>(i%8)&1)
		case it.t.IsString(), it.wide():
			if len(b) < 4 {
				return broken
			}
			l := int(binary.LittleEndian.Uint32(b))
			if b = b[4:]; l < 0 || l > len(b) || it.wide() && (l == 0 || l > 16) {
				return broken
			}
			key = append(key[:0], b[:l]...)
			if b = b[l:]; it.wide() {
				x := types.I128(int64(int8(key[0])))
				for _, c := range key[1:] {
					x = types.Int128{Lo: x.Lo<<8 | uint64(c), Hi: x.Hi<<8 | int64(x.Lo>>56)}
				}
				key = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(key[:0], x.Lo), uint64(x.Hi))
			}
		default:
			if mark != 0 {
				if len(b) == 0 || b[0] != mark {
					return broken
				}
				b = b[1:]
			}
			if len(b) < size {
				return broken
			}
			key = append(key[:0], b[:size]...)
			b = b[size:]
			switch it.t.Kind {
			case types.Int8:
				key = binary.LittleEndian.AppendUint32(key[:0], uint32(int8(key[0])))
			case types.Int16:
				key = binary.LittleEndian.AppendUint32(key[:0], uint32(int16(binary.LittleEndian.Uint16(key))))
			case types.Decimal:
				v := int64(0)
				if size == 4 {
					v = int64(int32(binary.LittleEndian.Uint32(key)))
				} else {
					v = int64(binary.LittleEndian.Uint64(key))
				}
				key = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(key[:0], uint64(v)), uint64(v>>63))
			}
		}
		add(key, it.hash(key))
	}
	return nil
}

// appendTo appends an item to a column of its type.
func (it itemType) appendTo(b *vec.Builder, key string) {
	k := []byte(key)
	switch it.t.Kind {
	case types.Bool:
		vec.Append(b, k[0] != 0)
	case types.Int8:
		vec.Append(b, int8(k[0]))
	case types.Int16:
		vec.Append(b, int16(binary.LittleEndian.Uint16(k)))
	case types.Int32, types.Date:
		vec.Append(b, int32(binary.LittleEndian.Uint32(k)))
	case types.Int64, types.Timestamp, types.TimestampNTZ:
		vec.Append(b, int64(binary.LittleEndian.Uint64(k)))
	case types.Float32:
		vec.Append(b, math.Float32frombits(binary.LittleEndian.Uint32(k)))
	case types.Float64:
		vec.Append(b, math.Float64frombits(binary.LittleEndian.Uint64(k)))
	case types.Decimal:
		x := itemDecimal(k)
		if vec.LayoutOf(it.t) == vec.I64 {
			vec.Append(b, int64(x.Lo))
		} else {
			vec.Append(b, x)
		}
	default:
		b.AppendBytes(k)
	}
}

// ddl is how Spark names the type beside a sketch.
func (it itemType) ddl() string {
	if it.t.IsString() {
		return "item string not null"
	}
	return "item " + it.t.SQL() + " NOT NULL"
}

// itemsState is a sketch of frequent items and how many NULLs came beside them.
type itemsState struct {
	it    itemType
	s     *sketch.Items
	nulls int64
	// Of a combination: the parameter of what was combined, the type's name, "" before the first.
	most int32
	ddl  string
	buf  []byte
	// merged: from partial states. Spark always merges: the places of items, and so the order of equal counts, follow from it.
	merged bool
}

// settled is k as merged from one partial state, if it isn't merged from some.
func (k *itemsState) settled(fresh *itemsState) (*itemsState, error) {
	if k.merged {
		return k, nil
	}
	fresh.most, fresh.ddl, fresh.merged = k.most, k.ddl, true
	return fresh, fresh.add(k.sketchBytes(nil))
}

func (k *itemsState) Size() int64 { return 64 + k.s.Size() }

// sketchBytes is the sketch as Spark writes it, the number of NULLs behind.
func (k *itemsState) sketchBytes(dst []byte) []byte {
	return binary.BigEndian.AppendUint64(k.s.Bytes(dst, k.it.put), uint64(k.nulls))
}

func (k *itemsState) bytes() []byte {
	dst := binary.BigEndian.AppendUint32(nil, uint32(k.most))
	dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(k.ddl))), k.ddl...)
	return k.sketchBytes(dst)
}

// add merges a sketch as sketchBytes wrote it.
func (k *itemsState) add(b []byte) error {
	if len(b) < 8 {
		return fmt.Errorf("no sketch of frequent items")
	}
	o, err := sketch.ReadItems(b[:len(b)-8], k.it.take)
	if err != nil {
		return err
	}
	k.s.Merge(o)
	k.nulls += int64(binary.BigEndian.Uint64(b[len(b)-8:]))
	return nil
}

// agree checks the parameter and the type of what is combined. most 0: nothing was.
func (k *itemsState) agree(c *plan.Call, most int32, ddl string) error {
	if len(c.Args) < 2 {
		if k.most > 0 && most > 0 && k.most != most {
			return errs.New(errs.Runtime, "APPROX_TOP_K_SKETCH_SIZE_NOT_MATCH", "size1", strconv.Itoa(int(k.most)), "size2", strconv.Itoa(int(most))).At(c.Pos())
		}
		if most > 0 {
			k.most = most
		}
	}
	if k.ddl != "" && ddl != "" && k.ddl != ddl {
		name := func(s string) string {
			return errs.Quote(strings.ToUpper(strings.TrimPrefix(s[:max(0, len(s)-len(" not null"))], "item ")))
		}
		return errs.New(errs.Runtime, "APPROX_TOP_K_SKETCH_TYPE_NOT_MATCH", "type1", name(k.ddl), "type2", name(ddl)).At(c.Pos())
	}
	if ddl != "" {
		k.ddl = ddl
	}
	return nil
}

// top appends the n most frequent items to b, NULL among them.
func (k *itemsState) top(b *vec.Builder, n int) {
	list, out := k.s.Frequent(), 0
	entry := b.Child(0)
	null := k.nulls > 0
	put := func(count int64) {
		vec.Append(entry.Child(1), count)
		entry.EndGroup()
		out++
	}
	for _, f := range list {
		if out < n && null && k.nulls > f.Estimate {
			null = false
			entry.Child(0).AppendNull()
			put(k.nulls)
		}
		if out < n {
			k.it.appendTo(entry.Child(0), f.Key)
			put(f.Estimate)
		}
	}
	if out < n && null {
		entry.Child(0).AppendNull()
		put(k.nulls)
	}
	b.EndList(out)
}

// itemsTable is the logarithm of the size of a table that holds so many items.
func itemsTable(most int32) int {
	return int(math.Ceil(math.Log(math.Ceil(float64(most)/0.75)) / math.Log(2)))
}

// topParam is the constant argument at, or def where it isn't given.
func topParam(c *plan.Call, at int, name string, def int32) (int32, error) {
	if at < 0 || at >= len(c.Args) {
		return def, nil
	}
	v, _ := constant(c.Args[at])
	x, ok := v.(int32)
	if !ok {
		return 0, errs.New(errs.Runtime, "APPROX_TOP_K_NULL_ARG", "argName", errs.ID(name)).At(c.Pos())
	}
	if name == "maxItemsTracked" && x > itemsMost {
		return 0, errs.New(errs.Runtime, "APPROX_TOP_K_MAX_ITEMS_TRACKED_EXCEEDS_LIMIT", "maxItemsTracked", strconv.Itoa(int(x)), "limit", strconv.Itoa(itemsMost)).At(c.Pos())
	}
	if x <= 0 {
		return 0, errs.New(errs.Runtime, "APPROX_TOP_K_NON_POSITIVE_ARG", "argName", errs.ID(name), "argValue", strconv.Itoa(int(x))).At(c.Pos())
	}
	return x, nil
}

func notBelow(c *plan.Call, most, k int32) error {
	if most < k {
		return errs.New(errs.Runtime, "APPROX_TOP_K_MAX_ITEMS_TRACKED_LESS_THAN_K", "maxItemsTracked", strconv.Itoa(int(most)), "k", strconv.Itoa(int(k))).At(c.Pos())
	}
	return nil
}

// topParams are k and maxItemsTracked of approx_top_k.
func topParams(c *plan.Call) (k, most int32, err error) {
	if k, err = topParam(c, 1, "k", topDefault); err != nil {
		return 0, 0, err
	}
	if most, err = topParam(c, 2, "maxItemsTracked", itemsDefault); err != nil {
		return 0, 0, err
	}
	return k, most, notBelow(c, most, k)
}

func topType(t *types.Type) *types.Type {
	return types.NewArray(types.NewStruct(types.Field{Name: "item", Type: t, Nullable: true}, types.Field{Name: "count", Type: types.Int64Type}), false)
}

func itemsType(t *types.Type) *types.Type {
	return types.NewStruct(types.Field{Name: "sketch", Type: types.BinaryType}, types.Field{Name: "maxItemsTracked", Type: types.Int32Type},
		types.Field{Name: "itemDataType", Type: t, Nullable: true}, types.Field{Name: "itemDataTypeDDL", Type: types.StringType})
}

// checkTop refuses what isn't constant, and types that aren't counted.
func checkTop(c *plan.Call, t *types.Type, constants ...string) error {
	fail := func(msg string) error {
		return errs.New(errs.Analysis, "DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT", "sqlExpr", errs.Quote(c.Name), "msg", msg, "hint", "").At(c.Pos())
	}
	if !(itemType{t}).supported() {
		name, _, _ := strings.Cut(t.String(), "<")
		return fail(name + " columns are not supported")
	}
	for i, what := range constants {
		if i+1 < len(c.Args) {
			if _, ok := constant(c.Args[i+1]); !ok {
				return fail(what + " must be a constant literal")
			}
		}
	}
	return nil
}

// checkItems refuses what is no state of approx_top_k_accumulate; t is the type of its items.
func checkItems(c *plan.Call, what string) (t *types.Type, err error) {
	fail := func(msg string) error {
		return errs.New(errs.Analysis, "DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT", "sqlExpr", errs.Quote(c.Name), "msg", msg, "hint", "").At(c.Pos())
	}
	s := c.Args[0].Type()
	if s.Kind == types.Null {
		s = types.NewStruct()
	}
	got := func(i int) string { return "Got: " + s.Fields[i].Type.String() }
	switch {
	case len(s.Fields) != 4:
		return nil, fail("State must be a struct with 4 fields. Expected struct: struct<sketch:binary,maxItemsTracked:int,itemDataType:any,itemDataTypeDDL:string>. Got: " + s.String())
	case s.Fields[0].Type.Kind != types.Binary:
		return nil, fail("State struct must have the first field to be binary. " + got(0))
	case s.Fields[1].Type.Kind != types.Int32:
		return nil, fail("State struct must have the second field to be int. " + got(1))
	case !itemType{s.Fields[2].Type}.supported():
		return nil, fail("State struct must have the third field to be a supported data type. " + got(2))
	case !s.Fields[3].Type.IsString():
		return nil, fail("State struct must have the fourth field to be string. " + got(3))
	}
	if len(c.Args) > 1 {
		if _, ok := constant(c.Args[1]); !ok {
			return nil, fail(what + " must be a constant literal")
		}
	}
	return s.Fields[2].Type, nil
}

func itemsAcc(a AggArgs, it itemType, most int32, result func(b *vec.Builder, k *itemsState) error) *objectAcc[*itemsState] {
	acc := &objectAcc[*itemsState]{ret: a.Ret, every: true,
		fresh: func() *itemsState {
			return &itemsState{it: it, s: sketch.NewItems(itemsTable(most)), most: most, ddl: it.ddl()}
		},
		update: func(k *itemsState, args []*vec.Vector, i int) error {
			if args[0].IsNull(i) {
				k.nulls++
				return nil
			}
			k.buf = it.item(k.buf[:0], args[0], i)
			k.s.Update(k.buf, it.hash(k.buf), 1)
			return nil
		},
		merge: func(k *itemsState, b []byte) error {
			if len(b) < 8 || len(b) < 8+int(binary.BigEndian.Uint32(b[4:])) {
				return errs.Internalf("a broken state of %s", a.Call.Name)
			}
			n := 8 + int(binary.BigEndian.Uint32(b[4:]))
			k.merged = true
			if err := k.agree(a.Call, int32(binary.BigEndian.Uint32(b)), string(b[8:n])); err != nil {
				return err
			}
			return k.add(b[n:])
		}}
	acc.result = func(b *vec.Builder, k *itemsState) error {
		k, err := k.settled(acc.fresh())
		if err != nil {
			return err
		}
		return result(b, k)
	}
	return acc
}

// combineAcc merges states; without a parameter of its own it has that of what it merges.
func combineAcc(a AggArgs) (Accumulator, error) {
	t, err := checkItems(a.Call, "")
	if err != nil {
		return nil, err
	}
	given, err := topParam(a.Call, 1, "maxItemsTracked", 0)
	if err != nil {
		return nil, err
	}
	acc := itemsAcc(a, itemType{t}, given, putItems)
	acc.every = false
	acc.fresh = func() *itemsState {
		most := given
		if most == 0 {
			most = itemsMost
		}
		return &itemsState{it: itemType{t}, s: sketch.NewItems(itemsTable(most)), most: given}
	}
	acc.update = func(k *itemsState, args []*vec.Vector, i int) error {
		s := args[0]
		ddl := string(s.Child[3].Bytes(i))
		if err := k.agree(a.Call, vec.Of[int32](s.Child[1])[i], ddl); err != nil {
			return err
		}
		if own := k.it.ddl(); ddl != own { // a union made the types of the columns one, and not those of the sketches
			return k.agree(a.Call, 0, own)
		}
		if err := k.add(s.Child[0].Bytes(i)); err != nil {
			return errs.Refused(errs.IllegalArgument, "%s: %v", a.Call.Name, err)
		}
		return nil
	}
	return acc, nil
}

// putItems appends a state as a struct.
func putItems(b *vec.Builder, k *itemsState) error {
	b.Child(0).AppendBytes(k.sketchBytes(nil))
	vec.Append(b.Child(1), k.most)
	b.Child(2).AppendNull()
	b.Child(3).AppendString(k.ddl)
	b.EndGroup()
	return nil
}

// topEstimate is approx_top_k_estimate.
func topEstimate(a *Args) (*vec.Vector, error) {
	n, err := topParam(a.Call, 1, "k", topDefault)
	if err != nil {
		return nil, err
	}
	b := vec.NewBuilder(a.Ret, a.N)
	s := a.V[0]
	for i := range a.N {
		if a.skipped(i) || s.IsNull(i) {
			b.AppendNull()
			continue
		}
		most := vec.Of[int32](s.Child[1])[i]
		if err := notBelow(a.Call, most, n); err != nil {
			return nil, err
		}
		it := itemType{s.Type.Fields[2].Type}
		k := &itemsState{it: it, s: sketch.NewItems(itemsTable(min(max(most, 1), itemsMost)))}
		if err := k.add(s.Child[0].Bytes(i)); err != nil {
			return nil, errs.Refused(errs.IllegalArgument, "%s: %v", a.Call.Name, err)
		}
		k.top(b, int(n))
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return b.Finish(), nil
}

// frequentItems are the functions of sketches of frequent items.
func frequentItems() []Def {
	count := Accept{Types: []*types.Type{types.Int32Type}}
	state := Accept{Name: "STRUCT", Untyped: types.NewStruct(), Test: func(t *types.Type) bool { return t.Kind == types.Struct }}
	overloads := func(ret func(c *plan.Call) (*types.Type, bool, error), p ...Accept) []Overload {
		o := optional(1, nil, nil, p...)
		for i := range o {
			o[i].RetExpr = ret
		}
		return o
	}
	of := func(c *plan.Call) *types.Type { return c.Args[0].Type() }
	estimate := overloads(func(c *plan.Call) (*types.Type, bool, error) {
		t, err := checkItems(c, "K")
		if err != nil {
			return nil, false, err
		}
		return topType(t), of(c).Kind == types.Null || c.Args[0].Nullable(), nil
	}, state, count)
	for i := range estimate {
		estimate[i].Eval = topEstimate
	}
	return []Def{
		aggDef(Def{Name: "approx_top_k", Since: "4.1.0", Nulls: NullNever, Pretty: withDefaults("approx_top_k", 1, strconv.Itoa(topDefault), strconv.Itoa(itemsDefault)),
			Usage: "Gives the `k` (5) most frequent values and their counts, exactly unless there are more than `maxItemsTracked` (10000).",
			Overloads: overloads(func(c *plan.Call) (*types.Type, bool, error) {
				return topType(of(c)), false, checkTop(c, of(c), "K", "Number of items tracked")
			}, anyP, count, count),
			Examples: []Example{{"SELECT approx_top_k(expr, 2) FROM VALUES 'a', 'b', 'c', 'c', 'c', 'c', 'd', 'd' AS tab(expr)", `[{"item":"c","count":4},{"item":"d","count":2}]`}}},
			nil, AggDef{State: stateConst(types.BinaryType), EmptyOf: func(*plan.Call) any { return []any{} }, New: func(a AggArgs) (Accumulator, error) {
				n, most, err := topParams(a.Call)
				if err != nil {
					return nil, err
				}
				return itemsAcc(a, itemType{a.Args[0]}, most, func(b *vec.Builder, k *itemsState) error {
					k.top(b, int(n))
					return nil
				}), nil
			}}),
		aggDef(Def{Name: "approx_top_k_accumulate", Since: "4.1.0", Nulls: NullNever, Pretty: withDefaults("approx_top_k_accumulate", 1, strconv.Itoa(itemsDefault)),
			Usage: "Makes a sketch of the most frequent values, of which it counts `maxItemsTracked` (10000) at most.",
			Overloads: overloads(func(c *plan.Call) (*types.Type, bool, error) {
				return itemsType(of(c)), false, checkTop(c, of(c), "Number of items tracked")
			}, anyP, count),
			Examples: []Example{{"SELECT approx_top_k_estimate(approx_top_k_accumulate(expr, 100), 2) FROM VALUES 'a', 'b', 'c', 'c', 'c', 'c', 'd', 'd' AS tab(expr)", `[{"item":"c","count":4},{"item":"d","count":2}]`}}},
			nil, AggDef{State: stateConst(types.BinaryType), EmptyOf: func(c *plan.Call) any {
				most, err := topParam(c, 1, "maxItemsTracked", itemsDefault)
				if err != nil {
					most = itemsDefault // what runs refuses it
				}
				it := itemType{of(c)}
				k := &itemsState{it: it, s: sketch.NewItems(itemsTable(most))}
				return types.StructValue{k.sketchBytes(nil), most, nil, it.ddl()}
			}, New: func(a AggArgs) (Accumulator, error) {
				most, err := topParam(a.Call, 1, "maxItemsTracked", itemsDefault)
				if err != nil {
					return nil, err
				}
				return itemsAcc(a, itemType{a.Args[0]}, most, putItems), nil
			}}),
		aggDef(Def{Name: "approx_top_k_combine", Since: "4.1.0", Nulls: NullNever, Pretty: withDefaults("approx_top_k_combine", 1, "-1"),
			Usage: "Merges sketches of the most frequent values; without `maxItemsTracked` they must have been made with the same.",
			Overloads: overloads(func(c *plan.Call) (*types.Type, bool, error) {
				t, err := checkItems(c, "Number of items tracked")
				if err != nil {
					return nil, false, err
				}
				return itemsType(t), false, nil
			}, state, count),
			Examples: []Example{{"SELECT approx_top_k_estimate(approx_top_k_combine(sketch, 10000), 5) FROM (SELECT approx_top_k_accumulate(expr) AS sketch FROM VALUES (0), (0), (1), (1) AS tab(expr) UNION ALL SELECT approx_top_k_accumulate(expr) AS sketch FROM VALUES (2), (3), (4), (4) AS tab(expr))",
				`[{"item":0,"count":2},{"item":4,"count":2},{"item":1,"count":2},{"item":2,"count":1},{"item":3,"count":1}]`}}},
			nil, AggDef{State: stateConst(types.BinaryType), New: combineAcc}),
		{Name: "approx_top_k_estimate", Since: "4.1.0", Group: "misc_funcs", Kind: plan.FnScalar, Pretty: withDefaults("approx_top_k_estimate", 1, strconv.Itoa(topDefault)),
			Usage: "Gives the `k` (5) most frequent values of a sketch and their counts.", Overloads: estimate,
			Examples: []Example{{"SELECT approx_top_k_estimate(approx_top_k_accumulate(expr)) FROM VALUES (0), (0), (1), (1), (2), (3), (4), (4) AS tab(expr)",
				`[{"item":0,"count":2},{"item":4,"count":2},{"item":1,"count":2},{"item":2,"count":1},{"item":3,"count":1}]`}}},
	}
}
