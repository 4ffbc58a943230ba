package datasource

import (
	"net/url"
	"path/filepath"
	"slices"

	"neptune/internal/plan"
	"neptune/internal/types"
)

// MetadataColumn is the hidden column of file sources that says where a row is from.
const MetadataColumn = "_metadata"

// MetadataFields are the fields of the hidden column, each by the name that
// WithMetadata's columns have; nil: the source has no files.
func (f *Files) MetadataFields() []types.Field {
	if f.inline != nil {
		return nil
	}
	fields := []types.Field{
		{Name: "file_path", Type: types.StringType},
		{Name: "file_name", Type: types.StringType},
		{Name: "file_size", Type: types.Int64Type},
		{Name: "file_block_start", Type: types.Int64Type},
		{Name: "file_block_length", Type: types.Int64Type},
		{Name: "file_modification_time", Type: types.TimestampType},
	}
	if f.format == "parquet" {
		fields = append(fields, types.Field{Name: "row_index", Type: types.Int64Type, Nullable: true})
	}
	return fields
}

// WithMetadata is the source with a column for each of MetadataFields behind
// its own, named _metadata.<field>. Like partition columns they are constant
// within a file, but for the index of a row.
func (f *Files) WithMetadata() plan.Source {
	c := *f
	for _, x := range f.MetadataFields() {
		x.Name = MetadataColumn + "." + x.Name
		c.rowIndex = c.addColumn(x)
	}
	if f.format != "parquet" { // the last one is another
		c.rowIndex = 0
	}
	c.values = make([][]any, len(f.files))
	for i, file := range f.files {
		path := "file:" + (&url.URL{Path: file.path}).EscapedPath()
		v := append(slices.Clone(f.values[i]), path, (&url.URL{Path: filepath.Base(file.path)}).EscapedPath(), file.size, int64(0), file.size, file.mtime/1_000_000*1000)
		if c.rowIndex > 0 {
			v = append(v, nil)
		}
		c.values[i] = v
	}
	return &c
}
