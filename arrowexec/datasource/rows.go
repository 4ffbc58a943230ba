package datasource

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"neptune/arrowexec/physical/wire"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// rowSep parts the texts of OpenRows; no record of a text format has it inside.
const rowSep = "\x00"

// OpenRows opens texts in memory as if they were the lines of one file: the format is "csv" or "json", the rest is as in
// Open. Line ends inside a text don't end a record.
func OpenRows(ctx context.Context, a OpenArgs, rows []string) (plan.Source, error) {
	opts := map[string]string{}
	for k, v := range a.Options {
		opts[strings.ToLower(k)] = v
	}
	opts["linesep"] = rowSep
	a.Options, a.Paths = opts, nil
	size := 0
	for _, s := range rows {
		size += len(s) + len(rowSep)
	}
	a.inline = make([]byte, 0, size)
	for _, s := range rows {
		if strings.TrimSpace(s) != "" {
			a.inline = append(append(a.inline, s...), rowSep...)
		}
	}
	return Open(ctx, a)
}

// digest tells texts in memory apart.
func digest(b []byte) string {
	if b == nil {
		return ""
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// refuseInline is what Wire gives for texts in memory: plans that read them run where they are.
func (f *Files) refuseInline() error {
	if f.inline == nil {
		return nil
	}
	return &wire.RefusedError{What: "texts in memory"}
}

// WithFileColumn is the source with one more column, the last: what input_file_name, input_file_block_start or
// input_file_block_length give of the file that a row is from, its URI or where the block that was read begins and how
// many bytes it has. Every file is one block.
func (f *Files) WithFileColumn(column, function string) plan.Source {
	c := *f
	t := types.Int64Type
	if function == "input_file_name" {
		t = types.StringType
	}
	c.addColumn(types.Field{Name: column, Type: t})
	c.values = make([][]any, len(f.files))
	for i, file := range f.files {
		var v any = int64(0)
		switch function {
		case "input_file_block_length":
			v = file.size
		case "input_file_name":
			path := file.path
			if abs, err := filepath.Abs(path); err == nil && f.inline == nil {
				path = abs
			}
			v = (&url.URL{Scheme: "file", Path: path}).String()
		}
		c.values[i] = append(slices.Clone(f.values[i]), v)
	}
	return &c
}
