package datasource

import (
	"context"
	"fmt"
	"os"
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

// nestReader reads whole columns of a row group, of any shape and encoding.
type nestReader struct {
	ctx    context.Context
	ft     *footer
	row    *file.RowGroupReader
	set    readSettings
	leaves map[int]*leafLevels
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
	if _, ok := n.(*schema.PrimitiveNode); !ok || t.Kind == types.Struct || t.Kind == types.Variant {
		return &unreadable{fmt.Errorf("column %s hasn't the shape of %s", n.Path(), t)}
	}
	return leafMismatch(n, t)
}

func leafMismatch(n schema.Node, t *types.Type) error {
	return &mismatch{"[" + strings.ReplaceAll(n.Path(), ".", ", ") + "]", t.String(), physicalTypeName(n.(*schema.PrimitiveNode).PhysicalType())}
}

func physicalTypeName(t parquet.Type) string {
	if t == parquet.Types.ByteArray {
		return "BINARY"
	}
	return t.String()
}

// readNested reads field of row group g as values of t.
func readNested(ctx context.Context, fh *os.File, ft *footer, field, g int, t *types.Type, set readSettings) (*vec.Vector, error) {
	r, err := file.NewParquetReader(fh, file.WithMetadata(ft.meta))
	if err != nil {
		return nil, err
	}
	x := &nestReader{ctx: ctx, ft: ft, row: r.RowGroup(g), set: set, leaves: map[int]*leafLevels{}}
	n, err := planNested(ft, field, t, set)
	if err != nil {
		return nil, err
	}
	return x.build(n)
}

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
		v, err := fn.Unshred(n.t, parts, x.stopped)
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
	}
	if n.def > n.least { // the group itself may be null
		null = make([]bool, 0, rows)
		for p := range l.def {
			if isPlace(p) {
				null = append(null, uint16(l.def[p]) < n.def)
			}
		}
	}
	if n.list {
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

// stopped is an error when the task has been stopped.
func (x *nestReader) stopped() error {
	if x.ctx.Err() != nil {
		return task.ErrKilled
	}
	return nil
}

// children reads the parts of v, each of which has n values.
func (x *nestReader) children(v *vec.Vector, n *readNode, rows int) error {
	for _, k := range n.kids {
		if err := x.stopped(); err != nil {
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

// values are those of a leaf, nulls included.
func (x *nestReader) values(n *readNode, l *leafLevels) (*vec.Vector, error) {
	leaf := x.ft.meta.Schema.Column(n.leaf)
	dense, err := l.decode(leaf, n.t, x.set)
	if err != nil {
		return nil, err
	}
	most := leaf.MaxDefinitionLevel()
	idx := make([]int32, 0, len(l.def))
	var null []bool
	at := int32(0)
	for _, d := range l.def {
		there := d == most
		if there || uint16(d) >= n.least {
			if !there && null == nil {
				null = make([]bool, len(idx), len(l.def))
			}
			idx = append(idx, at)
			if null != nil {
				null = append(null, !there)
			}
		}
		if there {
			at++
		}
	}
	if null == nil {
		return dense, nil
	}
	if dense.N == 0 {
		return vec.MakeNull(n.t, len(idx)), nil
	}
	for i, isNull := range null {
		if isNull {
			idx[i] = 0
		}
	}
	v := dense.Gather(idx)
	v.Null = null
	return v, nil
}

// decode turns the values as the file has them into those of t.
func (l *leafLevels) decode(leaf *schema.Column, t *types.Type, set readSettings) (*vec.Vector, error) {
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
		return l.byteDecimals(t, int(dec.Scale()))
	}
	if c := decoderOf(leaf, t, base{t: t}, set); c != nil {
		return c.(wholeColumn).whole(l.fixed, l.n)
	}
	return nil, mismatchOf(leaf.SchemaNode(), t)
}

// wholeColumn converts values that lie one after the other.
type wholeColumn interface {
	whole(b []byte, n int) (*vec.Vector, error)
}

func (c *typed[T]) whole(b []byte, n int) (*vec.Vector, error) {
	if n*c.width > len(b) {
		return nil, errCorrupt
	}
	out := make([]T, n)
	c.convert(out, b)
	return vec.FromSlice(c.t, out, nil), c.wrong()
}

// byteDecimals are decimals of any length, the highest byte first.
func (l *leafLevels) byteDecimals(t *types.Type, scale int) (*vec.Vector, error) {
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
	for r.HasNext() {
		if err := x.stopped(); err != nil {
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
	}
	return r.Err()
}
