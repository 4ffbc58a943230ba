package sidecar

import (
	"context"
	"fmt"
	"html"
	"strings"
	"unicode/utf8"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/vec"
	"neptune/connect/analyze"
	"neptune/connect/server"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// text runs show_string and html_string: one row with one column of text.
func (e *Engine) text(ctx context.Context, q *server.Query, c *sessionConf, n *plan.NA, sink server.Sink) error {
	rows, _ := n.Args["num_rows"].(int)
	truncate, _ := n.Args["truncate"].(int)
	vertical, _ := n.Args["vertical"].(bool)
	rows = min(max(rows, 0), 1<<31-16)
	limited := &plan.Limit{N: &plan.Literal{T: types.Int32Type, Value: int32(rows + 1)}, Child: n.Child}
	batches, err := e.collect(ctx, q, c, limited)
	if err != nil {
		return err
	}
	grid, more, err := cells(analyze.Schema(n.Child), batches, rows, truncate, c.fn())
	if err != nil {
		return err
	}
	var out string
	switch {
	case n.Op == "html_string":
		out = grid.html(rows, more)
	case vertical:
		out = grid.vertical(rows, more)
	default:
		out = grid.table(truncate > 0, rows, more)
	}
	return e.rows(c, sink, []string{n.Op}, [][]any{{out}})
}

// grid is a table of text; the first row is the header.
type grid [][]string

// cells casts at most n rows to text as Dataset.show does; cells longer than truncate, if that is positive, are cut.
func cells(schema *types.Type, batches []*vec.Batch, n, truncate int, conf *fn.Conf) (g grid, more bool, err error) {
	header := make([]string, len(schema.Fields))
	for i, f := range schema.Fields {
		header[i] = escape(f.Name)
	}
	g = grid{header}
	for _, b := range batches {
		b = b.Compact()
		if room := n - (len(g) - 1); b.N > room {
			b, more = b.Slice(0, room), true
		}
		if b.N == 0 {
			continue
		}
		from := len(g)
		for range b.N {
			g = append(g, make([]string, len(header)))
		}
		for c, f := range schema.Fields {
			if f.Type.IsNested() || f.Type.Kind == types.Variant {
				v := b.Cols[c]
				for r := range b.N {
					g[from+r][c] = cut(escape(string(fn.AppendPretty(nil, v, r, conf.TimeZone))), truncate)
				}
				continue
			}
			v, err := asStrings(b, c, f.Type, conf)
			if err != nil {
				return nil, false, err
			}
			for r := range b.N {
				s := "NULL"
				switch {
				case v.IsNull(r):
				case f.Type.Kind == types.Binary:
					s = hexBytes(v.Bytes(r))
				default:
					s = escape(string(v.Bytes(r)))
				}
				g[from+r][c] = cut(s, truncate)
			}
		}
	}
	return g, more, nil
}

func hexBytes(b []byte) string { return fmt.Sprintf("[% X]", b) }

var metaCharacters = strings.NewReplacer("\n", "\\n", "\r", "\\r", "\t", "\\t", "\f", "\\f", "\b", "\\b", "\v", "\\v", "\a", "\\a")

func escape(s string) string { return metaCharacters.Replace(s) }

func cut(s string, truncate int) string {
	if truncate <= 0 || utf8.RuneCountInString(s) <= truncate {
		return s
	}
	if truncate < 4 {
		return string([]rune(s)[:truncate])
	}
	return string([]rune(s)[:truncate-3]) + "..."
}

func (g grid) table(right bool, n int, more bool) string {
	width := make([]int, len(g[0]))
	for i := range width {
		width[i] = 3
		for _, row := range g {
			width[i] = max(width[i], displayWidth(row[i]))
		}
	}
	var out strings.Builder
	rule := "+"
	for _, w := range width {
		rule += strings.Repeat("-", w) + "+"
	}
	rule += "\n"
	out.WriteString(rule)
	for r, row := range g {
		out.WriteByte('|')
		for i, c := range row {
			pad := strings.Repeat(" ", width[i]-displayWidth(c))
			if right {
				out.WriteString(pad + c)
			} else {
				out.WriteString(c + pad)
			}
			out.WriteByte('|')
		}
		out.WriteByte('\n')
		if r == 0 {
			out.WriteString(rule)
		}
	}
	out.WriteString(rule)
	if more {
		out.WriteString("only showing top " + rowCount(n))
	}
	return out.String()
}

// displayWidth counts UTF-16 units, and full-width characters twice (Spark: Utils.stringHalfWidth).
func displayWidth(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xffff {
			n++
		}
		if r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0x303e || r >= 0x3041 && r <= 0x33ff || r >= 0x3400 && r <= 0x4dbf || r >= 0x4e00 && r <= 0x9fff ||
			r >= 0xa000 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 || r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe4f || r >= 0xff00 && r <= 0xff60 || r >= 0xffe0 && r <= 0xffe6) {
			n++
		}
	}
	return n
}

func (g grid) vertical(n int, more bool) string {
	names, values := 0, 0
	for i, h := range g[0] {
		names = max(names, displayWidth(h))
		for _, row := range g[1:] {
			values = max(values, displayWidth(row[i]))
		}
	}
	names, values = max(3, names), max(3, values)
	var out strings.Builder
	for r, row := range g[1:] {
		head := fmt.Sprintf("-RECORD %d", r)
		out.WriteString(head + strings.Repeat("-", max(0, names+values+5-len(head))) + "\n")
		for i, c := range row {
			out.WriteString(" " + g[0][i] + strings.Repeat(" ", names-displayWidth(g[0][i])) + " | " + c + strings.Repeat(" ", values-displayWidth(c)) + " \n")
		}
	}
	if len(g) == 1 {
		out.WriteString("(0 rows)")
	} else if more {
		out.WriteString("only showing top " + rowCount(n))
	}
	return out.String()
}

func (g grid) html(n int, more bool) string {
	var out strings.Builder
	out.WriteString("<table border='1'>\n")
	for r, row := range g {
		tag := "td"
		if r == 0 {
			tag = "th"
		}
		out.WriteString("<tr>")
		for _, c := range row {
			out.WriteString("<" + tag + ">" + html.EscapeString(c) + "</" + tag + ">")
		}
		out.WriteString("</tr>\n")
	}
	out.WriteString("</table>\n")
	if more {
		out.WriteString("only showing top " + rowCount(n) + "\n")
	}
	return out.String()
}

func rowCount(n int) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

func asStrings(b *vec.Batch, c int, t *types.Type, conf *fn.Conf) (*vec.Vector, error) {
	if t.IsString() || t.Kind == types.Binary {
		return b.Cols[c], nil
	}
	if t.Kind == types.Null {
		return b.Cols[c], nil
	}
	ev, err := expr.Compile(&plan.Cast{Child: &plan.Bound{Index: c, T: t, Null: true}, To: types.StringType, Mode: plan.ANSI}, expr.NewEnv(conf, 0, nil))
	if err != nil {
		return nil, err
	}
	v, err := ev.Eval(b)
	if err != nil {
		return nil, errs.NotSupported("showing values of type " + t.SQL()).Because(err)
	}
	return v, nil
}
