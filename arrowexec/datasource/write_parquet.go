package datasource

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// A row group ends after groupRows rows, or once groupBytes of pages wait to be written.
const (
	groupRows  = 1 << 20
	groupBytes = 128 << 20
)

// magic begins and ends a Parquet file.
const magic = "PAR1"

// parquetSink encodes pages by itself; arrow-go makes the schema and the footer.
// The pages of a row group wait in memory until it is complete, since the columns
// of a file lie one behind the other.
type parquetSink struct {
	fh     *os.File
	slabs  *slabs
	t      *types.Type
	set    *parquetSettings
	codec  compress.Compression
	schema *schema.Schema
	props  *parquet.WriterProperties
	footer *metadata.FileMetaDataBuilder
	cols   []*writeNode
	leaves []*leafWriter
	at     int64 // bytes written
	rows   int   // of the row group that is open
	groups int16
	begun  bool
}

// writeNode is a node of the file's schema: a column or a part of one.
type writeNode struct {
	optional bool
	def, rep uint16 // the levels of a value that is there, with its ancestors
	list     bool   // of arrays and maps; else a group or a leaf
	kids     []*writeNode
	leaf     *leafWriter
}

func newParquetSink(fh *os.File, t *types.Type, set *parquetSettings, pages *slabs) (sink, error) {
	props := parquet.NewWriterProperties(parquet.WithCompression(set.codec), parquet.WithCreatedBy("neptune"))
	s := &parquetSink{fh: fh, t: t, set: set, codec: set.codec, props: props, slabs: pages}
	var err error
	if s.schema, err = set.schema(t); err != nil {
		return nil, err
	}
	kv := metadata.NewKeyValueMetadata()
	for _, x := range s.marks() {
		if err := kv.Append(x[0], x[1]); err != nil {
			return nil, err
		}
	}
	s.footer = metadata.NewFileMetadataBuilder(s.schema, props, kv)
	root := s.schema.Root()
	for i := range t.Fields {
		n, err := s.node(root.Field(i), t.Fields[i].Type, 0, 0)
		if err != nil {
			return nil, err
		}
		s.cols = append(s.cols, n)
	}
	return s, nil
}

// marks are the footer's keys and values.
func (s *parquetSink) marks() [][2]string {
	out := [][2]string{{rowMetadata, storedSchema(s.t)}, {sparkVersion, writtenAs}}
	if s.set.int96 == rebaseLegacy {
		out = append(out, [2]string{legacyInt96, ""})
	}
	if s.set.dates == rebaseLegacy {
		out = append(out, [2]string{legacyDateTime, ""})
	}
	if len(out) > 2 {
		id := s.set.zoneID
		if id == "" {
			id = "UTC"
		}
		out = append(out, [2]string{rebaseZone, id})
	}
	return out
}

// node walks the schema of a column, leaves in order.
func (s *parquetSink) node(n schema.Node, t *types.Type, def, rep uint16) (*writeNode, error) {
	out := &writeNode{optional: n.RepetitionType() == parquet.Repetitions.Optional}
	if out.optional {
		def++
	}
	out.def, out.rep = def, rep
	kid := func(n schema.Node, t *types.Type) error {
		k, err := s.node(n, t, out.def, out.rep)
		out.kids = append(out.kids, k)
		return err
	}
	g, _ := n.(*schema.GroupNode)
	switch {
	case g == nil:
		leaf, err := newLeafWriter(s, s.schema.Column(len(s.leaves)), t)
		out.leaf = leaf
		s.leaves = append(s.leaves, leaf)
		return out, err
	case t.Kind == types.Struct:
		for i := range t.Fields {
			if err := kid(g.Field(i), t.Fields[i].Type); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	if t.Kind == types.Variant {
		for i := range 2 {
			if err := kid(g.Field(i), types.BinaryType); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	out.list, out.def, out.rep = true, def+1, rep+1
	if t.Kind == types.Array && g.Field(0).Name() == "array" { // the old form, whose elements are what is repeated
		return out, kid(g.Field(0), t.Elem)
	}
	entries := g.Field(0).(*schema.GroupNode) // the repeated group of a list or map
	parts := []*types.Type{t.Elem}
	if t.Kind == types.Map {
		parts = []*types.Type{t.Key, t.Elem}
	}
	for i, p := range parts {
		if err := kid(entries.Field(i), p); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// io runs what blocks on the disk: beside the task's slot, or, where c is nil, at once.
func (s *parquetSink) io(c *task.Ctx, f func() error) error {
	if c == nil {
		return f()
	}
	return c.Do(func(context.Context) error { return f() })
}

// nestedRows is how many rows of nested columns are taken apart at once.
const nestedRows = 1024

func (s *parquetSink) write(c *task.Ctx, b *vec.Batch) error {
	for from := 0; from < b.N; {
		to := min(b.N, from+vec.DefaultRows, from+groupRows-s.rows)
		for i, n := range s.cols {
			if err := s.column(c, n, b.Cols[i].Slice(from, to)); err != nil {
				return err
			}
		}
		s.rows += to - from
		from = to
		if s.rows >= groupRows || s.waiting() >= s.set.groupBytes {
			if err := s.endGroup(c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *parquetSink) column(c *task.Ctx, n *writeNode, v *vec.Vector) error {
	if n.leaf != nil {
		if err := n.leaf.flat(c, v, n.optional); err != nil {
			return err
		}
		return n.leaf.endPageIfFull(c)
	}
	for from := 0; from < v.N; from += nestedRows {
		part := v.Slice(from, min(v.N, from+nestedRows))
		if err := s.shred(c, n, part, rootSlots(part.N)); err != nil {
			return err
		}
		// Pages end where rows do.
		if err := n.leavesOf(func(w *leafWriter) error { return w.endPageIfFull(c) }); err != nil {
			return err
		}
	}
	return nil
}

func (n *writeNode) leavesOf(f func(*leafWriter) error) error {
	if n.leaf != nil {
		return f(n.leaf)
	}
	for _, k := range n.kids {
		if err := k.leavesOf(f); err != nil {
			return err
		}
	}
	return nil
}

// waiting is the number of bytes of pages that aren't written yet.
func (s *parquetSink) waiting() (n int64) {
	for _, w := range s.leaves {
		n += w.compressed
	}
	return n
}

// memory is what the sink holds.
func (s *parquetSink) memory() (n int64) {
	for _, w := range s.leaves {
		n += w.memory()
	}
	return n
}

// endGroup writes the row group that is open. With a nil c it neither yields nor waits.
func (s *parquetSink) endGroup(c *task.Ctx) error {
	if s.rows == 0 {
		return nil
	}
	var pieces [][]byte
	if !s.begun {
		pieces, s.begun = append(pieces, []byte(magic)), true
		s.at = int64(len(magic))
	}
	group := s.footer.AppendRowGroup()
	group.SetNumRows(s.rows)
	for _, w := range s.leaves {
		p, err := w.endChunk(c, group.NextColumnChunk())
		if err != nil {
			return err
		}
		pieces = append(pieces, p...)
	}
	if err := group.Finish(0, s.groups); err != nil {
		return err
	}
	s.groups++
	s.rows = 0
	err := s.io(c, func() error {
		for _, p := range pieces {
			if _, err := s.fh.Write(p); err != nil {
				return err
			}
		}
		return nil
	})
	for _, w := range s.leaves {
		s.slabs.put(w.slabs)
		w.slabs = nil
	}
	return err
}

func (s *parquetSink) close(c *task.Ctx) error {
	if err := s.endGroup(c); err != nil {
		s.fh.Close()
		return err
	}
	return s.io(c, func() error {
		defer s.fh.Close()
		meta, err := s.footer.Finish()
		if err != nil {
			return err
		}
		var tail bytes.Buffer
		if !s.begun {
			tail.WriteString(magic)
		}
		n, err := meta.WriteTo(&tail, nil)
		if err != nil {
			return err
		}
		tail.Write(binary.LittleEndian.AppendUint32(nil, uint32(n)))
		tail.WriteString(magic)
		if _, err := s.fh.Write(tail.Bytes()); err != nil {
			return err
		}
		return s.fh.Close()
	})
}

func (s *parquetSink) abort() { s.fh.Close() }

// uniqueShare of the values of a batch are different where a column has some
// 200,000 values of its own, more than fit into a dictionary page of 1 MiB.
const (
	uniqueShare = 0.98
	uniqueRows  = 4096 // fewer rows say nothing
)

// mostlyUnique reports whether nearly each value of v is another one: a
// dictionary would be given up anyway, once it is too large.
func mostlyUnique(v *vec.Vector) bool {
	if v.N < uniqueRows {
		return false
	}
	n := min(v.N, vec.DefaultRows)
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

// encoders that a column's type decides.
func newLeafWriter(s *parquetSink, col *schema.Column, t *types.Type) (*leafWriter, error) {
	w := &leafWriter{sink: s, col: col, t: t, phys: col.PhysicalType(), maxDef: uint16(col.MaxDefinitionLevel()), maxRep: uint16(col.MaxRepetitionLevel())}
	lay, ok := vec.LayoutOf(t), false
	switch w.phys {
	case parquet.Types.Boolean:
		ok = lay == vec.Byte || t.Kind == types.Null
	case parquet.Types.Int32:
		ok = lay == vec.I8 || lay == vec.I16 || lay == vec.I32 || lay == vec.I64 && t.Kind == types.Decimal
	case parquet.Types.Int64:
		ok = lay == vec.I64
	case parquet.Types.Float:
		ok = lay == vec.F32
	case parquet.Types.Double:
		ok = lay == vec.F64
	case parquet.Types.ByteArray:
		ok = lay == vec.Bytes
	case parquet.Types.Int96:
		ok = lay == vec.I64
	case parquet.Types.FixedLenByteArray:
		w.width = col.TypeLength()
		ok = (lay == vec.I128 || lay == vec.I64) && w.width <= 16
	}
	w.moves(s.set)
	if !ok {
		return nil, errs.Internalf("no Parquet column of %s for %s", w.phys, t)
	}
	return w, nil
}
