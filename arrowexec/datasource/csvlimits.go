package datasource

import (
	"fmt"
	"strings"

	"neptune/arrowexec/csvline"
	"neptune/arrowexec/task"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// csvLimits reads the options of CSV files that refuse records, and checks the flags.
func (t *textOptions) csvLimits(o, conf map[string]string) error {
	t.most, t.longest = 20480, -1
	if t.format != "csv" {
		return nil
	}
	if err := csvline.Check(o, conf); err != nil {
		return err
	}
	t.checks = strings.EqualFold(o["enforceschema"], "false")
	for name, to := range map[string]*int{"maxColumns": &t.most, "maxCharsPerColumn": &t.longest} {
		if v, ok := o[strings.ToLower(name)]; ok {
			*to, _ = csvline.ParseInt(v) // checked above
		}
	}
	return nil
}

// tooLong refuses records with more fields, or longer ones, than the options allow.
func (t *textOptions) tooLong(fields []csvline.Field, record []byte) *errs.Error {
	bad := t.format == "csv" && len(fields) > t.most
	if t.format == "csv" && t.longest >= 0 && !bad {
		for _, f := range fields {
			bad = bad || len(f.Text) > t.longest
		}
	}
	if !bad {
		return nil
	}
	return errs.New(errs.Runtime, "MALFORMED_CSV_RECORD", "badRecord", string(record))
}

func conf(c *task.Ctx, key string) string {
	if c.Conf == nil {
		return ""
	}
	return c.Conf.Keys[key]
}

// checkHeader compares l.fields, a file's header, with the names of the columns that are read (enforceSchema false).
func (l *lines) checkHeader(caseSensitive bool) error {
	var data []types.Field
	var at []int
	for k, f := range l.s.files.data.Fields {
		if k != l.corrupt {
			data, at = append(data, f), append(at, k)
		}
	}
	if len(data) != len(l.fields) {
		return fmt.Errorf("the header has %d names, and the schema %d columns", len(l.fields), len(data))
	}
	for i, f := range data {
		name, _ := l.t.csv.Value(l.fields[i])
		if l.wanted[at[i]] && string(name) != f.Name && (caseSensitive || !strings.EqualFold(string(name), f.Name)) {
			return fmt.Errorf("the header has the name %q in the place of the column %q", name, f.Name)
		}
	}
	return nil
}
