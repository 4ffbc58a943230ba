package datasource

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unsafe"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"neptune/arrowexec/fn"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// readNode is a column of a file, or a part of one, that is to be read as values of t.
type readNode struct {
	t        *types.Type
	def, rep uint16 // the levels of a value that is there; rep counts the lists around it
	least    uint16 // the definition level from which there is a place for it at all
	list     bool
	bare     bool      // a list that its elements alone make up, which is never null
	leaf     int       // of the values, or any leaf below, which tells where groups are; -1: the file has none
	missing  bool      // the file hasn't the column
	shredded *readNode // of a variant: the parts that it is to be made of
	kids     []*readNode
}

// leaves adds the leaves that n is read from to list, each once.
func (n *readNode) leaves(list []int) []int {
	if !n.missing && n.leaf >= 0 && !slices.Contains(list, n.leaf) {
		list = append(list, n.leaf)
	}
	if n.shredded != nil {
		list = n.shredded.leaves(list)
	}
	for _, k := range n.kids {
		list = k.leaves(list)
	}
	return list
}

// part is the chunk of a leaf: the bytes of the file from from on.
type part struct {
	leaf  int
	from  int64
	bytes []byte
}

// chunkTail is how much of what follows a chunk is read: old writers forgot to count the header of its dictionary.
const chunkTail = 100

// place finds where the chunk is, and makes room for it.
func (p *part) place(r *chunks) error {
	cc, err := r.ft.chunk(r.unit.rowGroup, p.leaf)
	if err != nil {
		return err
	}
	from, n, err := chunkRange(cc, r.info.size)
	if err != nil {
		return err
	}
	p.from, p.bytes = from, vec.Uncleared[byte](int(min(n+chunkTail, r.info.size-from)))
	return nil
}

// partFile is a file of which only parts are there, for the library.
type partFile []part

// ReadAt implements io.ReaderAt.
func (f partFile) ReadAt(b []byte, at int64) (int, error) {
	for i := range f {
		if k := at - f[i].from; k >= 0 && k <= int64(len(f[i].bytes))-int64(len(b)) {
			return copy(b, f[i].bytes[k:]), nil
		}
	}
	return 0, io.ErrUnexpectedEOF
}

// Seek implements io.Seeker, which nobody needs.
func (f partFile) Seek(int64, int) (int64, error) { return 0, errors.ErrUnsupported }

// nested reads a column of any shape, whose bytes are there. Its values take memory of the scan's.
func (s *scan) nested(c *task.Ctx, r *chunks, l *load) (v *vec.Vector, err error) {
	defer func() { // the library panics on some broken files
		if p := recover(); p != nil {
			v, err = nil, errs.Panic(p)
		}
	}()
	rows := r.ft.meta.RowGroup(r.unit.rowGroup).NumRows()
	if l.plan.missing {
		return vec.MakeNull(l.plan.t, int(rows)), nil
	}
	in, err := file.NewParquetReader(partFile(l.parts), file.WithMetadata(r.ft.meta))
	if err != nil {
		return nil, err
	}
	x := &nestReader{yield: c.Yield, reserve: func(int64) error { return nil }, ft: r.ft, row: in.RowGroup(r.unit.rowGroup), set: r.set, leaves: map[int]*leafLevels{}}
	before := int64(0)
	if s.mem != nil {
		x.reserve, before = s.mem.Grow, s.mem.Size()
	}
	if v, err = x.build(l.plan); err != nil {
		return nil, err
	}
	if int64(v.N) != rows {
		return nil, errCorrupt
	}
	l.parts = nil
	if s.mem != nil {
		err = s.mem.Resize(before + v.Size())
	}
	return v, err
}

// nestReader reads whole columns of a row group, of any shape and encoding.
type nestReader struct {
	yield   func() error
	reserve func(bytes int64) error // for what is decoded
	ft      *footer
	row     *file.RowGroupReader
	set     readSettings
	leaves  map[int]*leafLevels
}

// leafLevels are the levels of a leaf, and its values, which nulls have none of.
type leafLevels struct {
	def, rep []int16
	bools    []bool
	fixed    []byte // of a fixed width, one after the other
	refs     []vec.Ref
	buf      []byte
	n        int // values
}

// size is the memory that l takes.
func (l *leafLevels) size() int64 {
	return int64(2*cap(l.def) + 2*cap(l.rep) + cap(l.bools) + cap(l.fixed) + 8*cap(l.refs) + cap(l.buf))
}

// mismatch is the error of a column that isn't of a type that t is read from; chunksOf names the file.
type mismatch struct {
	column, expected, actual string
}

func (m *mismatch) Error() string {
	return "column " + m.column + " of type " + m.actual + " is no " + m.expected
}

// mismatchOf is the error of a column that t isn't read from. Where one of both is a group, and the other isn't or is of
// another shape, there are no types to be told.
func mismatchOf(n schema.Node, t *types.Type) error {
	g, ok := n.(*schema.GroupNode)
	if !ok && t.Kind != types.Struct && t.Kind != types.Variant {
		return leafMismatch(n, t)
	}
	err := fmt.Errorf("column %s hasn't the shape of %s", n.Path(), t)
	if ok && (isListNode(g) || isMapNode(g)) {
		err = &wrongSchema{err}
	}
	return &unreadable{err}
}

// wrongSchema is the error of a list or a map that is read as something else: the schema is wrong, whatever the file is like,
// so that ignoreCorruptFiles doesn't pass it.
type wrongSchema struct{ error }

func leafMismatch(n schema.Node, t *types.Type) error {
	return &mismatch{"[" + strings.ReplaceAll(n.Path(), ".", ", ") + "]", t.String(), physicalTypeName(n.(*schema.PrimitiveNode).PhysicalType())}
}

func physicalTypeName(t parquet.Type) string {
	if t == parquet.Types.ByteArray {
		return "BINARY"
	}
	return t.String()
}

// planNested says how field is to be read as values of t.
func planNested(ft *footer, field int, t *types.Type, set readSettings) (*readNode, error) {
	return (&nestPlanner{sc: ft.meta.Schema, set: set}).node(ft.meta.Schema.Root().Field(field), t, 0, 0, 0)
}

type nestPlanner struct {
	sc  *schema.Schema
	set readSettings
}

// firstLeaf is a leaf below n.
func (p *nestPlanner) firstLeaf(n schema.Node) int {
	for {
		g, ok := n.(*schema.GroupNode)
		if !ok {
			return p.sc.ColumnIndexByNode(n)
		}
		if g.NumFields() == 0 {
			return -1
		}
		n = g.Field(0)
	}
}

func (p *nestPlanner) node(n schema.Node, t *types.Type, def, rep, least uint16) (*readNode, error) {
	switch n.RepetitionType() {
	case parquet.Repetitions.Optional:
		def++
	case parquet.Repetitions.Repeated:
		if t.Kind != types.Array {
			return nil, mismatchOf(n, t)
		}
		out := &readNode{t: t, def: def, rep: rep, least: least, list: true, bare: true, leaf: p.firstLeaf(n)}
		kid, err := p.content(n, t.Elem, def+1, rep+1, def+1)
		if err == nil && kid.missing {
			return &readNode{t: t, missing: true}, nil
		}
		out.kids = []*readNode{kid}
		return out, err
	}
	return p.content(n, t, def, rep, least)
}

// content is node with the node's own repetition counted already.
func (p *nestPlanner) content(n schema.Node, t *types.Type, def, rep, least uint16) (*readNode, error) {
	out := &readNode{t: t, def: def, rep: rep, least: least, leaf: p.firstLeaf(n)}
	g, isGroup := n.(*schema.GroupNode)
	if !isGroup {
		if t.Kind == types.Variant && rep > 0 {
			return nil, leafMismatch(n, t)
		}
		if t.IsNested() || t.Kind == types.Variant {
			return nil, mismatchOf(n, t)
		}
		return out, nil
	}
	switch t.Kind {
	case types.Struct:
		if isListNode(g) || isMapNode(g) {
			return nil, mismatchOf(n, t)
		}
		for i := range t.Fields {
			f := &t.Fields[i]
			k, err := fieldOf(g, f, p.set)
			if err != nil {
				return nil, err
			}
			if k < 0 {
				out.kids = append(out.kids, &readNode{t: f.Type, missing: true})
				continue
			}
			kid, err := p.node(g.Field(k), f.Type, def, rep, least)
			if err != nil {
				return nil, err
			}
			out.kids = append(out.kids, kid)
		}
		if p.set.nullStructs && !slices.ContainsFunc(out.kids, func(k *readNode) bool { return !k.missing }) {
			out = &readNode{t: t, missing: true}
		}
		return out, nil
	case types.Array:
		elem, inner := listElement(g)
		if elem == nil {
			return nil, mismatchOf(n, t)
		}
		out.list = true
		var kid *readNode
		var err error
		if inner {
			kid, err = p.node(elem, t.Elem, def+1, rep+1, def+1)
		} else {
			kid, err = p.content(elem, t.Elem, def+1, rep+1, def+1)
		}
		if err == nil && kid.missing {
			return &readNode{t: t, missing: true}, nil
		}
		out.kids = []*readNode{kid}
		return out, err
	case types.Map:
		entries := mapEntries(g)
		if entries == nil {
			return nil, mismatchOf(n, t)
		}
		out.list = true
		for i, e := range []*types.Type{t.Key, t.Elem} {
			kid, err := p.node(entries.Field(i), e, def+1, rep+1, def+1)
			if err != nil {
				return nil, err
			}
			if i == 0 && kid.missing {
				return nil, &unreadable{fmt.Errorf("the keys of map %s have no field that is read", n.Path())}
			}
			out.kids = append(out.kids, kid)
		}
		return out, nil
	case types.Variant:
		parts, err := p.shreds(g)
		if err != nil {
			return nil, err
		}
		if parts == nil {
			return nil, mismatchOf(n, t)
		}
		exact := &nestPlanner{sc: p.sc, set: readSettings{exact: true}}
		if parts.FieldIndex(fn.VariantTyped) >= 0 {
			out.shredded, err = exact.content(n, parts, def, rep, least)
			return out, err
		}
		for _, name := range []string{fn.VariantValue, fn.VariantMetadata} {
			kid, err := exact.node(g.Field(g.FieldIndexByName(name)), types.BinaryType, def, rep, least)
			if err != nil {
				return nil, err
			}
			out.kids = append(out.kids, kid)
		}
		return out, nil
	}
	return nil, mismatchOf(n, t)
}

// shreds is the type of what a variant's group holds: a struct of its metadata, its value, which may have been shredded, and
// the shreds (Parquet: VariantShredding). nil: it is no variant.
func (p *nestPlanner) shreds(g *schema.GroupNode) (*types.Type, error) {
	if g.FieldIndexByName(fn.VariantMetadata) < 0 || g.FieldIndexByName(fn.VariantValue) < 0 && g.FieldIndexByName(fn.VariantTyped) < 0 {
		return nil, nil
	}
	t, err := p.shred(g)
	if err != nil || t == nil {
		return nil, err
	}
	if len(t.Fields)+1 != g.NumFields() {
		return nil, nil
	}
	t.Fields = append([]types.Field{{Name: fn.VariantMetadata, Type: types.BinaryType}}, t.Fields...)
	return t, nil
}

// shred is shreds of a value within a variant.
func (p *nestPlanner) shred(n schema.Node) (*types.Type, error) {
	g, ok := n.(*schema.GroupNode)
	if !ok {
		return nil, nil
	}
	out := types.NewStruct()
	if g.FieldIndexByName(fn.VariantValue) >= 0 {
		out.Fields = append(out.Fields, types.Field{Name: fn.VariantValue, Type: types.BinaryType, Nullable: true})
	}
	k := g.FieldIndexByName(fn.VariantTyped)
	if k < 0 {
		return out, nil
	}
	var t *types.Type
	var err error
	box, isGroup := g.Field(k).(*schema.GroupNode)
	switch {
	case !isGroup:
		t, err = leafType(p.sc.Column(p.sc.ColumnIndexByNode(g.Field(k))), inferSettings{})
	case isListNode(box):
		elem, _ := listElement(box)
		if elem == nil {
			return nil, nil
		}
		if t, err = p.shred(elem); t != nil {
			t = types.NewArray(t, true)
		}
	default:
		t = types.NewStruct()
		for i := range box.NumFields() {
			f, err := p.shred(box.Field(i))
			if f == nil || err != nil {
				return nil, err
			}
			t.Fields = append(t.Fields, types.Field{Name: box.Field(i).Name(), Type: f, Nullable: true})
		}
	}
	if t == nil || err != nil {
		return nil, err
	}
	out.Fields = append(out.Fields, types.Field{Name: fn.VariantTyped, Type: t, Nullable: true})
	return out, nil
}

// fieldOf is the position of a field by its name or number; -1: there is none.
func fieldOf(g *schema.GroupNode, f *types.Field, s readSettings) (int, error) {
	if id, ok := s.id(f); ok {
		return numbered(g, id)
	}
	var same []int
	for k := range g.NumFields() {
		if strings.EqualFold(g.Field(k).Name(), f.Name) {
			same = append(same, k)
		}
	}
	return one(g, f.Name, same, s)
}

// listElement is the node of a list's elements; inner says that it lies within the repeated group, else it
// is the repeated node itself, as old writers have it (the rules are those of Parquet's format). nil: this is no list.
func listElement(g *schema.GroupNode) (elem schema.Node, inner bool) {
	if !isListNode(g) || g.NumFields() != 1 || g.Field(0).RepetitionType() != parquet.Repetitions.Repeated {
		return nil, false
	}
	r, ok := g.Field(0).(*schema.GroupNode)
	if !ok || r.NumFields() != 1 || r.Name() == "array" || r.Name() == g.Name()+"_tuple" || r.Field(0).RepetitionType() == parquet.Repetitions.Repeated {
		return g.Field(0), false
	}
	return r.Field(0), true
}

func isListNode(g *schema.GroupNode) bool {
	_, ok := g.LogicalType().(schema.ListLogicalType)
	return ok || g.ConvertedType() == schema.ConvertedTypes.List
}

func isMapNode(g *schema.GroupNode) bool {
	_, ok := g.LogicalType().(schema.MapLogicalType)
	return ok || g.ConvertedType() == schema.ConvertedTypes.Map || g.ConvertedType() == schema.ConvertedTypes.MapKeyValue
}

// mapEntries is the repeated group of a map, nil if this is none.
func mapEntries(g *schema.GroupNode) *schema.GroupNode {
	if !isMapNode(g) || g.NumFields() != 1 {
		return nil
	}
	r, ok := g.Field(0).(*schema.GroupNode)
	if !ok || r.NumFields() != 2 || r.RepetitionType() != parquet.Repetitions.Repeated {
		return nil
	}
	return r
}

// build reads the values of n.
func (x *nestReader) build(n *readNode) (*vec.Vector, error) {
	if n.missing || n.leaf < 0 {
		return nil, errCorrupt // its parent knows how many
	}
	if n.shredded != nil {
		parts, err := x.build(n.shredded)
		if err != nil {
			return nil, err
		}
		v, err := fn.Unshred(n.t, parts, x.yield)
		if e, ok := errs.As(err); ok {
			err = &unreadable{e}
		}
		return v, err
	}
	l, err := x.levels(n.leaf)
	if err != nil {
		return nil, err
	}
	if len(n.kids) == 0 && !n.t.IsNested() && n.t.Kind != types.Variant {
		return x.values(n, l)
	}
	var null []bool
	rows := 0
	isPlace := func(p int) bool { return (l.rep == nil || uint16(l.rep[p]) <= n.rep) && uint16(l.def[p]) >= n.least }
	for p := range l.def {
		if isPlace(p) {
			rows++
		}
		if err := x.step(p); err != nil {
			return nil, err
		}
	}
	if n.def > n.least { // the group itself may be null
		if err := x.reserve(int64(rows)); err != nil {
			return nil, err
		}
		null = make([]bool, 0, rows)
		for p := range l.def {
			if isPlace(p) {
				null = append(null, uint16(l.def[p]) < n.def)
			}
			if err := x.step(p); err != nil {
				return nil, err
			}
		}
	}
	if n.list {
		if err := x.reserve(8 * int64(rows)); err != nil {
			return nil, err
		}
		refs := make([]vec.Ref, 0, rows)
		at, count := 0, 0
		for p := range l.def {
			if isPlace(p) {
				if len(refs) > 0 {
					refs[len(refs)-1] = vec.MakeRef(at, count-at)
				}
				at = count
				refs = append(refs, vec.MakeRef(at, 0))
			}
			if uint16(l.def[p]) > n.def && (l.rep == nil || uint16(l.rep[p]) <= n.rep+1) {
				count++
			}
			if err := x.step(p); err != nil {
				return nil, err
			}
		}
		if len(refs) > 0 {
			refs[len(refs)-1] = vec.MakeRef(at, count-at)
		}
		v := vec.FromSlice(n.t, refs, null)
		return v, x.children(v, n, count)
	}
	v := &vec.Vector{Type: n.t, Layout: vec.LayoutOf(n.t), N: rows, Null: null}
	return v, x.children(v, n, rows)
}

// children reads the parts of v, each of which has n values.
func (x *nestReader) children(v *vec.Vector, n *readNode, rows int) error {
	for _, k := range n.kids {
		if err := x.yield(); err != nil {
			return err
		}
		if k.missing {
			v.Child = append(v.Child, vec.MakeNull(k.t, rows))
			continue
		}
		c, err := x.build(k)
		if err != nil {
			return err
		}
		if c.N != rows {
			return errCorrupt
		}
		v.Child = append(v.Child, c)
	}
	return nil
}

// step yields now and then in a loop over levels.
func (x *nestReader) step(p int) error {
	if p%readBatch == readBatch-1 {
		return x.yield()
	}
	return nil
}

// values are those of a leaf, nulls included.
func (x *nestReader) values(n *readNode, l *leafLevels) (*vec.Vector, error) {
	leaf := x.ft.meta.Schema.Column(n.leaf)
	width := int64(vec.LayoutOf(n.t).Width())
	if err := x.reserve(int64(len(l.def)) + int64(l.n+len(l.def))*width); err != nil {
		return nil, err
	}
	dense, err := l.decode(leaf, n.t, x.set, x.yield)
	if err != nil {
		return nil, err
	}
	most := leaf.MaxDefinitionLevel()
	var null []bool
	rows := 0
	for p, d := range l.def {
		if there := d == most; there || uint16(d) >= n.least {
			if !there && null == nil {
				null = make([]bool, rows, len(l.def))
			}
			if rows++; null != nil {
				null = append(null, !there)
			}
		}
		if err := x.step(p); err != nil {
			return nil, err
		}
	}
	if null == nil {
		return dense, nil
	}
	if dense.N == 0 || n.t.Kind == types.Null {
		return vec.MakeNull(n.t, rows), nil
	}
	var v *vec.Vector
	switch width {
	case 1:
		v, err = spread[uint8](x, dense, null)
	case 2:
		v, err = spread[int16](x, dense, null)
	case 4:
		v, err = spread[int32](x, dense, null)
	case 8:
		v, err = spread[int64](x, dense, null)
	case 16:
		v, err = spread[types.Int128](x, dense, null)
	default:
		return nil, errs.Internalf("values of %d bytes of Parquet", width)
	}
	return v, err
}

// spread puts the values of dense where there is no null.
func spread[T vec.Fixed](x *nestReader, dense *vec.Vector, null []bool) (*vec.Vector, error) {
	from, to := vec.Of[T](dense), make([]T, len(null))
	at := 0
	for i, isNull := range null {
		if !isNull {
			if at == len(from) {
				return nil, errCorrupt
			}
			to[i] = from[at]
			at++
		}
		if err := x.step(i); err != nil {
			return nil, err
		}
	}
	v := vec.FromSlice(dense.Type, to, null)
	v.Buf = dense.Buf
	return v, nil
}

// decode turns the values as the file has them into those of t.
func (l *leafLevels) decode(leaf *schema.Column, t *types.Type, set readSettings, yield func() error) (*vec.Vector, error) {
	if t.Kind == types.Null {
		return vec.MakeNull(t, l.n), nil
	}
	lay := vec.LayoutOf(t)
	if leaf.PhysicalType() == parquet.Types.Boolean && lay == vec.Byte {
		return vec.FromSlice(t, l.bools, nil), nil
	}
	if leaf.PhysicalType() == parquet.Types.ByteArray && lay == vec.Bytes && t.Kind != types.Variant {
		v := vec.FromSlice(t, l.refs, nil)
		v.Buf = l.buf
		return v, nil
	}
	if leaf.PhysicalType() == parquet.Types.FixedLenByteArray && t.Kind == types.Binary {
		w := leaf.TypeLength()
		refs := make([]vec.Ref, l.n)
		for i := range refs {
			refs[i] = vec.MakeRef(i*w, w)
		}
		v := vec.FromSlice(t, refs, nil)
		v.Buf = l.fixed
		return v, nil
	}
	if dec, ok := leaf.LogicalType().(schema.DecimalLogicalType); ok && leaf.PhysicalType() == parquet.Types.ByteArray && t.Kind == types.Decimal && decimalFits(dec, t) {
		return l.byteDecimals(t, int(dec.Scale()), yield)
	}
	if c := decoderOf(leaf, t, base{t: t}, set); c != nil {
		return c.(wholeColumn).whole(l.fixed, l.n, yield)
	}
	return nil, mismatchOf(leaf.SchemaNode(), t)
}

// wholeColumn converts values that lie one after the other.
type wholeColumn interface {
	whole(b []byte, n int, yield func() error) (*vec.Vector, error)
}

func (c *typed[T]) whole(b []byte, n int, yield func() error) (*vec.Vector, error) {
	if n*c.width > len(b) {
		return nil, errCorrupt
	}
	out := make([]T, n)
	for i := 0; i < n; i += convStep {
		c.convert(out[i:min(n, i+convStep)], b[i*c.width:])
		if err := yield(); err != nil {
			return nil, err
		}
	}
	return vec.FromSlice(c.t, out, nil), c.wrong()
}

// byteDecimals are decimals of any length, the highest byte first.
func (l *leafLevels) byteDecimals(t *types.Type, scale int, yield func() error) (*vec.Vector, error) {
	out := make([]types.Int128, l.n)
	for i, r := range l.refs {
		b := l.buf[r.Start() : r.Start()+r.Len()]
		for len(b) > 16 {
			if b[0] != 0 && b[0] != 0xff {
				return nil, errCorrupt
			}
			b = b[1:]
		}
		if len(b) > 0 {
			bigEndian128(out[i:i+1], b, len(b))
		}
		out[i] = scaleUp(out[i], t.Scale-scale)
		if i%convStep == convStep-1 {
			if err := yield(); err != nil {
				return nil, err
			}
		}
	}
	if vec.LayoutOf(t) == vec.I64 {
		short := make([]int64, len(out))
		for i, d := range out {
			short[i] = int64(d.Lo)
		}
		return vec.FromSlice(t, short, nil), nil
	}
	return vec.FromSlice(t, out, nil), nil
}

func scaleUp(x types.Int128, digits int) types.Int128 {
	if digits > 0 {
		x, _ = x.Mul(types.Pow10Wide[digits]) // it has room for the digits
	}
	return x
}

// decimalFits reports whether Spark reads the file's decimals as t: neither digits before nor behind the point may be lost.
func decimalFits(d schema.DecimalLogicalType, t *types.Type) bool {
	more := t.Scale - int(d.Scale())
	return more >= 0 && t.Precision-int(d.Precision()) >= more
}

// readBatch is how many values are read at once.
const readBatch = 8192

// levels reads a leaf.
func (x *nestReader) levels(leaf int) (*leafLevels, error) {
	if l := x.leaves[leaf]; l != nil {
		return l, nil
	}
	cr, err := x.row.Column(leaf)
	if err != nil {
		return nil, err
	}
	l, tooLong := &leafLevels{}, false
	switch r := cr.(type) {
	case *file.BooleanColumnChunkReader:
		err = readLeaf(x, l, leaf, r, func(v []bool) { l.bools = append(l.bools, v...) })
	case *file.Int32ColumnChunkReader:
		err = readLeaf(x, l, leaf, r, func(v []int32) { l.fixed = append(l.fixed, vec.AsBytes(v)...) })
	case *file.Int64ColumnChunkReader:
		err = readLeaf(x, l, leaf, r, func(v []int64) { l.fixed = append(l.fixed, vec.AsBytes(v)...) })
	case *file.Float32ColumnChunkReader:
		err = readLeaf(x, l, leaf, r, func(v []float32) { l.fixed = append(l.fixed, vec.AsBytes(v)...) })
	case *file.Float64ColumnChunkReader:
		err = readLeaf(x, l, leaf, r, func(v []float64) { l.fixed = append(l.fixed, vec.AsBytes(v)...) })
	case *file.Int96ColumnChunkReader:
		err = readLeaf(x, l, leaf, r, func(v []parquet.Int96) {
			l.fixed = append(l.fixed, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 12*len(v))...)
		})
	case *file.FixedLenByteArrayColumnChunkReader:
		err = readLeaf(x, l, leaf, r, func(v []parquet.FixedLenByteArray) {
			for _, b := range v {
				l.fixed = append(l.fixed, b...)
			}
		})
	case *file.ByteArrayColumnChunkReader:
		err = readLeaf(x, l, leaf, r, func(v []parquet.ByteArray) {
			for _, b := range v {
				if len(l.buf)+len(b) > vec.MaxBuf {
					tooLong = true
					return
				}
				l.refs = append(l.refs, vec.MakeRef(len(l.buf), len(b)))
				l.buf = append(l.buf, b...)
			}
		})
	default:
		return nil, errCorrupt
	}
	if tooLong {
		return nil, errs.NotSupported("a row group of Parquet with more than 4 GiB in a nested column")
	}
	if err != nil {
		return nil, err
	}
	x.leaves[leaf] = l
	return l, nil
}

func readLeaf[T any](x *nestReader, l *leafLevels, leaf int, r interface {
	HasNext() bool
	Err() error
	ReadBatch(n int64, values []T, def, rep []int16) (int64, int, error)
}, keep func([]T)) error {
	col := x.ft.meta.Schema.Column(leaf)
	values, def, rep := make([]T, readBatch), make([]int16, readBatch), make([]int16, readBatch)
	if col.MaxRepetitionLevel() > 0 {
		l.rep = []int16{}
	}
	counted := int64(0)
	for r.HasNext() {
		if err := x.yield(); err != nil {
			return err
		}
		total, n, err := r.ReadBatch(readBatch, values, def, rep)
		if err != nil {
			return err
		}
		if total == 0 && n == 0 {
			return errCorrupt
		}
		if col.MaxDefinitionLevel() == 0 {
			clear(def)
			total = max(total, int64(n))
		}
		l.def = append(l.def, def[:total]...)
		if l.rep != nil {
			l.rep = append(l.rep, rep[:total]...)
		}
		l.n += n
		keep(values[:n])
		if now := l.size(); now > counted {
			if err := x.reserve(now - counted); err != nil {
				return err
			}
			counted = now
		}
	}
	return r.Err()
}
