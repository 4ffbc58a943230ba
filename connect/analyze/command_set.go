package analyze

import (
	"path/filepath"
	"slices"
	"strings"
	"time"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

var keyValue = []types.Field{{Name: "key", Type: types.StringType}, {Name: "value", Type: types.StringType}}

// set is SET, SET key and SET key = value.
func set(r *run, c *plan.Command) (plan.Node, error) {
	if r.Settings == nil {
		return nil, errs.NotSupported("command SET")
	}
	key := c.Args["key"]
	switch {
	case key == "":
		all := r.Settings.All()
		keys := make([]string, 0, len(all))
		for k := range all {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		var data [][]any
		for _, k := range keys {
			row := []any{k, all[k]}
			if c.Flags["verbose"] {
				row = append(row, "", "")
			}
			data = append(data, row)
		}
		schema := keyValue
		if c.Flags["verbose"] {
			schema = append(slices.Clone(keyValue), strCol("meaning", false), strCol("Since version", false))
		}
		return rows(schema, data)
	case c.Flags["value"]:
		if err := r.Settings.Set(key, c.Args["value"]); err != nil {
			return nil, err
		}
		return rows(keyValue, [][]any{{key, c.Args["value"]}})
	}
	v, ok := r.Settings.Get(key)
	if !ok {
		v = "<undefined>"
	}
	return rows(keyValue, [][]any{{key, v}})
}

func setTimeZone(r *run, c *plan.Command) (plan.Node, error) {
	if r.Settings == nil {
		return nil, errs.NotSupported("command SET TIME ZONE")
	}
	zone := c.Args["zone"]
	if c.Flags["local"] {
		zone = localTimeZone()
	}
	const key = "spark.sql.session.timeZone"
	if err := r.Settings.Set(key, zone); err != nil {
		return nil, err
	}
	return rows(keyValue, [][]any{{key, zone}})
}

// localTimeZone is the name of the machine's zone: that of TZ or /etc/localtime, else Etc/UTC.
func localTimeZone() string {
	if name := time.Local.String(); name != "Local" {
		return name
	}
	if to, err := filepath.EvalSymlinks("/etc/localtime"); err == nil {
		if _, name, ok := strings.Cut(filepath.ToSlash(to), "zoneinfo/"); ok {
			if _, err := time.LoadLocation(name); err == nil {
				return name
			}
		}
	}
	return "Etc/UTC"
}

func reset(r *run, c *plan.Command) (plan.Node, error) {
	if r.Settings == nil {
		return nil, errs.NotSupported("command RESET")
	}
	keys := []string{c.Args["key"]}
	if keys[0] == "" {
		keys = nil
		for k := range r.Settings.All() {
			if strings.HasPrefix(k, "spark.sql.") {
				keys = append(keys, k)
			}
		}
	}
	for _, k := range keys {
		if err := r.Settings.Unset(k); err != nil {
			return nil, err
		}
	}
	return nothing()
}
