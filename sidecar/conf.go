package sidecar

import (
	"strings"
	"time"

	"neptune/arrowexec/fn"
	"neptune/arrowexec/task"
	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/connect/sqlparse"
)

// sessionConf is a session's configuration as one query sees it from start to end.
type sessionConf struct {
	keys          map[string]string
	ansi          bool
	caseSensitive bool
	zone          *time.Location
	zoneName      string
	now           time.Time
}

func (e *Engine) sessionConf(s *session.Session) *sessionConf {
	_, keys := s.Conf.All()
	c := &sessionConf{keys: keys, now: time.Now(), zone: time.UTC}
	c.ansi = s.Conf.Bool("spark.sql.ansi.enabled")
	c.caseSensitive = s.Conf.Bool("spark.sql.caseSensitive")
	c.zoneName = s.Conf.String("spark.sql.session.timeZone")
	if z, err := session.LoadTimeZone(c.zoneName); err == nil { // checked when it was set
		c.zone = z
	}
	return c
}

func (c *sessionConf) fn() *fn.Conf { return &fn.Conf{TimeZone: c.zone, ANSI: c.ansi, Keys: c.keys} }

func (c *sessionConf) task(spillDir string) *task.Conf {
	return &task.Conf{TimeZone: c.zone, ANSI: c.ansi, CaseSensitive: c.caseSensitive, SpillDir: spillDir, Keys: c.keys}
}

func (c *sessionConf) flag(key string) bool { return strings.EqualFold(c.keys[key], "true") }

// parser returns the SQL parser's options of the session.
func (c *sessionConf) parser() sqlparse.Options {
	o := server.ParserOptions(func(k string) (string, bool) { v, ok := c.keys[k]; return v, ok })
	o.ANSI, o.TimeZone = c.ansi, c.zone
	return o
}
