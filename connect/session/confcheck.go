package session

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"neptune/internal/errs"
	"neptune/internal/sqlpath"
)

// checkTable is one key a line: key, type of value and least value, if there
// is one; or key, "options" or "words", and what the value may be. Keys, types
// and options are those of Spark 4.3.0, which raises INVALID_CONF_VALUE.OUT_OF_RANGE_OF_OPTIONS
// for options and INVALID_CONF_VALUE.REQUIREMENT for words.
//
//go:embed confchecks.tsv
var checkTable string

type confCheck struct{ kind, arg string }

var confChecks = sync.OnceValue(func() map[string]confCheck {
	checks := map[string]confCheck{}
	for line := range strings.Lines(checkTable) {
		if f := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3); len(f) == 3 {
			checks[f[0]] = confCheck{f[1], f[2]}
		}
	}
	return checks
})

// kindTypes are the kinds of package session's own table as Spark names them in errors.
var kindTypes = map[string]string{"bool": "boolean", "int": "long", "float": "double", "bytes": "bytes in BYTE", "time": "time in MILLISECONDS"}

func invalidConf(sub, key, value string, params ...string) *errs.Error {
	return errs.New(errs.IllegalArgument, "INVALID_CONF_VALUE."+sub, append([]string{"confName", key, "confValue", value}, params...)...)
}

// checkValue checks a value as Spark checks it.
func checkValue(key, value string) error {
	if IsJobTypeKey(key) {
		_, err := ParseJobType(key, value)
		return err
	}
	if slices.Contains(TargetKeys, key) {
		_, err := ParseTarget(key, value)
		return err
	}
	if key == "spark.sql.session.timeZone" {
		if !ValidTimeZone(value) {
			return invalidConf("TIME_ZONE", key, value)
		}
		return nil
	}
	if key == "spark.sql.defaultPath" {
		list, ok := sqlpath.Parse(value)
		if value != "" && (!ok || slices.ContainsFunc(list, func(e sqlpath.Entry) bool { return e.Word == sqlpath.Path })) {
			return invalidConf("REQUIREMENT", key, value, "confRequirement", "It must be a list as SET PATH takes it, without PATH, or nothing.")
		}
		return nil
	}
	c, ok := confChecks()[key]
	if !ok {
		k, known := LookupConf(key)
		if !known {
			return nil
		}
		if c.kind = kindTypes[k.Kind]; k.Kind == "int" && k.Default != "" {
			c.kind = "int"
		}
	}
	v := strings.TrimSpace(value)
	switch c.kind {
	case "options", "words":
		for _, o := range strings.Split(c.arg, ", ") {
			if strings.EqualFold(o, v) {
				return nil
			}
		}
		if c.kind == "options" {
			return invalidConf("OUT_OF_RANGE_OF_OPTIONS", key, value, "confOptions", c.arg)
		}
		return invalidConf("REQUIREMENT", key, value, "confRequirement", "It must be one of "+c.arg+".")
	case "":
		return nil
	}
	n, ok := confNumber(c.kind, v)
	if !ok {
		return invalidConf("TYPE_MISMATCH", key, value, "confType", c.kind)
	}
	if least, err := strconv.ParseFloat(c.arg, 64); err == nil && n < least {
		return invalidConf("REQUIREMENT", key, value, "confRequirement", fmt.Sprintf("It must be at least %s.", c.arg))
	}
	return nil
}

// confNumber reads a value of a type; truth values are 0.
func confNumber(kind, v string) (n float64, ok bool) {
	switch {
	case kind == "boolean":
		return 0, strings.EqualFold(v, "true") || strings.EqualFold(v, "false")
	case kind == "int":
		i, err := strconv.ParseInt(v, 10, 32)
		return float64(i), err == nil
	case kind == "long":
		i, err := strconv.ParseInt(v, 10, 64)
		return float64(i), err == nil
	case kind == "double":
		f, err := strconv.ParseFloat(v, 64)
		return f, err == nil
	case strings.HasPrefix(kind, "bytes"):
		i, ok := parseBytes(v)
		return float64(i), ok
	}
	d, ok := parseDuration(v)
	return float64(d), ok
}

// OwnKey is a neptune.* key: whether a session may set it, and which values it takes.
type OwnKey struct {
	Session bool
	Check   func(value string) error
}

// checkOwn refuses neptune.* keys that only the server's own configuration
// sets, and those that nobody reads: a misspelt one would do nothing.
func (c *Conf) checkOwn(key string, value *string) error {
	k, ok := c.own[key]
	switch {
	case c.own == nil:
		return nil
	case !ok:
		return errs.New(errs.NoSuchElement, "SQL_CONF_NOT_FOUND", "sqlConf", errs.Quote(key))
	case !k.Session:
		return errs.New(errs.Analysis, "CANNOT_MODIFY_STATIC_CONFIG", "key", errs.Quote(key))
	case value != nil && k.Check != nil:
		if err := k.Check(*value); err != nil {
			return invalidConf("REQUIREMENT", key, *value, "confRequirement", err.Error()+".")
		}
	}
	return nil
}
