package datasource

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"neptune/arrowexec/physical/wire"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// wireKind is what Files are called when they go to another process.
const wireKind = "files"

// filesState is Files as they cross: what they were opened with and what was
// found then, so that nothing is listed or inferred a second time. What only
// planning and refreshing need stays behind: statistics, the catalog's partitions.
type filesState struct {
	Format   string
	Options  map[string]string
	Paths    []string
	Roots    []string
	Files    []fileState
	Data     *types.Type
	Schema   *types.Type
	Order    []int
	Parts    int
	Zone     *time.Location
	Corrupt  string // the session's name of the column for malformed records
	Values   [][]any
	Absent   []any
	RowIndex int
	Dates    uint8 // rebaseMode
	Int96    uint8
	Exact    bool
	IDs      bool
	IDsMaybe bool // readSettings.idsMissing
	Wall     bool // readSettings.wall is Zone
	NoStruct bool // readSettings.nullStructs
}

type fileState struct {
	Path, Root  string
	Size, Mtime int64
	Parts       []string
}

var _ wire.Source = (*Files)(nil)

// Wire implements wire.Source.
func (f *Files) Wire() (kind string, state []byte, err error) {
	if err := f.refuseInline(); err != nil {
		return "", nil, err
	}
	s := filesState{Format: f.format, Options: f.opts, Paths: f.paths, Roots: f.roots, Data: f.data, Schema: f.schema, Order: f.order, Parts: f.parts, Zone: f.zone, Values: f.values, Absent: f.absent, RowIndex: f.rowIndex,
		Dates: uint8(f.reads.dates), Int96: uint8(f.reads.int96), Exact: f.reads.exact, IDs: f.reads.ids, IDsMaybe: f.reads.idsMissing, Wall: f.reads.wall != nil, NoStruct: f.reads.nullStructs}
	if f.text != nil {
		s.Corrupt = f.text.corrupt
	}
	for _, x := range f.files {
		// Other processes run in other folders.
		if x.path, err = filepath.Abs(x.path); err != nil {
			return "", nil, err
		}
		if x.root, err = filepath.Abs(x.root); err != nil {
			return "", nil, err
		}
		s.Files = append(s.Files, fileState{Path: x.path, Root: x.root, Size: x.size, Mtime: x.mtime, Parts: x.parts})
	}
	state, err = wire.Marshal(&s)
	return wireKind, state, err
}

// WireSources are the kinds of sources that this package opens again.
func WireSources() wire.Sources { return wire.Sources{wireKind: openState} }

// ordered reports whether each column of the schema has a place, and each partition column one in the schema.
func (s *filesState) ordered() bool {
	first := len(s.Data.Fields)
	if s.Order == nil {
		return first+s.Parts == len(s.Schema.Fields)
	}
	for k := range s.Parts {
		if !slices.Contains(s.Order, first+k) {
			return false
		}
	}
	return len(s.Order) == len(s.Schema.Fields) && slices.Min(s.Order) >= 0 && slices.Max(s.Order) < first+s.Parts
}

func openState(state []byte) (plan.Source, error) {
	var s filesState
	if err := wire.Unmarshal(state, &s, nil); err != nil {
		return nil, err
	}
	if _, ok := formats[s.Format]; !ok || s.Data == nil || s.Schema == nil || s.Zone == nil || s.Parts < 0 || !s.ordered() ||
		len(s.Values) != len(s.Files) || len(s.Absent) > len(s.Data.Fields) || s.RowIndex < 0 || s.RowIndex > 0 && s.RowIndex != len(s.Data.Fields)+s.Parts-1 {
		return nil, fmt.Errorf("%w: a source of format %q", wire.ErrCorrupt, s.Format)
	}
	f := &Files{format: s.Format, opts: s.Options, paths: s.Paths, roots: s.Roots, data: s.Data, schema: s.Schema, order: s.Order, parts: s.Parts, zone: s.Zone,
		values: s.Values, absent: s.Absent, rowIndex: s.RowIndex}
	f.reads.exact = s.Exact
	if f.format == "parquet" {
		f.reads = readSettings{dates: rebaseMode(s.Dates), int96: rebaseMode(s.Int96), zone: s.Zone, exact: s.Exact, ids: s.IDs, idsMissing: s.IDsMaybe, nullStructs: s.NoStruct}
		if s.Wall {
			f.reads.wall = s.Zone
		}
	}
	var err error
	f.text, err = newTextOptions(f.format, f.opts, map[string]string{"spark.sql.columnNameOfCorruptRecord": s.Corrupt}, f.zone)
	if err != nil {
		return nil, err
	}
	for i, x := range s.Files {
		if len(s.Values[i]) != s.Parts {
			return nil, fmt.Errorf("%w: a file with %d values for %d partition columns", wire.ErrCorrupt, len(s.Values[i]), s.Parts)
		}
		f.files = append(f.files, fileInfo{path: x.Path, root: x.Root, size: x.Size, mtime: x.Mtime, parts: x.Parts})
	}
	return f, nil
}
