package analyze

import (
	"context"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// RowSources opens texts as if they were the lines of a file. A Sources may implement it.
type RowSources interface {
	OpenRows(ctx context.Context, format string, options map[string]string, rows []string, schema *types.Type, conf map[string]string) (plan.Source, error)
}

// parsed is spark.read.json and csv of a data frame of texts, each of which is
// a record. The texts are read while the plan is analyzed, as the columns may follow from them.
func (r *run) parsed(n *plan.Parsed, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	open, ok := r.Sources.(RowSources)
	if !ok || n.Format == "xml" {
		return nil, errs.NotSupported("relation Parse of format " + n.Format)
	}
	if len(child.out) != 1 {
		return nil, aerr("DATAFRAME_INPUT_NOT_SINGLE_COLUMN", "numColumns", itoa(len(child.out))).At(n.Origin)
	}
	text := child.out[0]
	if !text.T.IsString() {
		return nil, aerr("CANNOT_UP_CAST_DATATYPE", "expression", errs.Quote(text.Name), "sourceType", errs.Quote(text.T.SQL()), "targetType", errs.Quote("STRING"), "details", "").At(n.Origin)
	}
	data, err := r.ask("relation Parse", child.node)
	if err != nil {
		return nil, err
	}
	lines := make([]string, 0, len(data))
	for _, row := range data {
		if s, ok := row[0].(string); ok {
			lines = append(lines, s)
		}
	}
	schema := n.Schema
	if schema != nil {
		schema = types.AsNullable(schema)
	}
	opts := map[string]string{}
	for k, v := range n.Options {
		if k = strings.ToLower(k); k != "multiline" && k != "linesep" && k != "encoding" && k != "charset" {
			opts[k] = v
		}
	}
	src, err := open.OpenRows(r.ctx, n.Format, opts, lines, schema, r.Conf.Keys)
	if err != nil {
		return nil, err
	}
	return relationOf(&plan.Relation{Common: n.Common, Name: n.Format, Handle: src, Options: n.Options}), nil
}
