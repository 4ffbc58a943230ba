package session

import (
	_ "embed"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the binary must know time zones on hosts that have no zoneinfo

	"neptune/internal/errs"
)

// confTable is one known key a line: key, kind of value, "static" or
// "undefined" (no default) or nothing, and the default. Keys, kinds and
// defaults are those of Spark 4.3.0.
//
//go:embed confs.tsv
var confTable string

// ConfKey is what is known of a configuration key.
type ConfKey struct {
	Kind    string // "bool", "int", "float", "bytes", "time", "string"
	Static  bool   // only the server's own configuration can set it
	Default string
	Defined bool // has a default
}

var confKeys = sync.OnceValue(func() map[string]ConfKey {
	keys := map[string]ConfKey{}
	for line := range strings.Lines(confTable) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 4)
		if len(f) == 4 {
			keys[f[0]] = ConfKey{Kind: f[1], Static: f[2] == "static", Default: f[3], Defined: f[2] != "undefined"}
		}
	}
	return keys
})

// readTable has the keys of the table that the code reads, one a line; a test keeps it.
//
//go:embed confread.txt
var readTable string

var readKeys = sync.OnceValue(func() map[string]bool {
	keys := map[string]bool{}
	for _, k := range strings.Fields(readTable) {
		keys[k] = true
	}
	return keys
})

// clientPrefixes begin keys that clients and their Python workers read.
var clientPrefixes = []string{"spark.sql.execution.arrow.", "spark.sql.execution.pandas.", "spark.sql.execution.pythonU", "spark.sql.pyspark.", "spark.sql.repl.", "spark.sql.legacy.execution.pandas.",
	"spark.sql.legacy.execution.python", "spark.sql.session.localRelation", "spark.connect.", "spark.python."}

// LookupConf says what is known of a key.
func LookupConf(key string) (ConfKey, bool) {
	k, ok := confKeys()[key]
	return k, ok
}

// corePrefixes are the keys of Spark's core, which a running session can't change.
var corePrefixes = []string{
	"spark.app.", "spark.master", "spark.driver.", "spark.executor.", "spark.memory.", "spark.shuffle.", "spark.ui.", "spark.eventLog.",
	"spark.serializer", "spark.task.", "spark.cores.", "spark.dynamicAllocation.", "spark.network.", "spark.rpc.", "spark.scheduler.", "spark.storage.",
	"spark.submit.", "spark.yarn.", "spark.kubernetes.", "spark.local.", "spark.broadcast.", "spark.speculation", "spark.kryo", "spark.io.", "spark.authenticate",
	"spark.decommission.", "spark.history.", "spark.deploy.", "spark.rdd.", "spark.unsafe.", "spark.default.parallelism", "spark.jars", "spark.files", "spark.archives",
}

// coreExceptions start like a core key, and any session may set them.
var coreExceptions = map[string]bool{"spark.scheduler.pool": true, "spark.scheduler.mode": true}

const canonicalJobType = "neptune.job.type"

func canonicalKey(key string) string {
	if IsJobTypeKey(key) {
		return canonicalJobType
	}
	return key
}

// Conf is a session's configuration: what the session set, over what the
// server was started with, over the defaults. The spellings of the job type's
// key are one key. It is safe for concurrent use.
type Conf struct {
	base map[string]string // never changes
	own  map[string]OwnKey // of neptune.* keys; nil: any will do

	mu  sync.RWMutex
	set map[string]string
	// told are the keys that the session was told are ignored.
	told map[string]bool
}

// NewConf returns a configuration over the server's own settings, which it keeps.
func NewConf(base map[string]string) *Conf {
	return &Conf{base: base, set: map[string]string{}}
}

// Clone returns a copy that shares nothing that changes.
func (c *Conf) Clone() *Conf {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return &Conf{base: c.base, own: c.own, set: maps.Clone(c.set)}
}

// Get returns a key's value: as set, else the server's, else the default. ok is false when there is none of them.
func (c *Conf) Get(key string) (value string, ok bool) {
	key = canonicalKey(key)
	c.mu.RLock()
	defer c.mu.RUnlock()
	if v, ok := c.set[key]; ok {
		return v, true
	}
	if v, ok := c.base[key]; ok {
		return v, true
	}
	return c.fallback(key)
}

// fallback is a key's default, which may be that of another key; c.mu is held.
func (c *Conf) fallback(key string) (string, bool) {
	k, known := confKeys()[key]
	if !known || !k.Defined {
		return "", false
	}
	if other, ok := strings.CutPrefix(k.Default, "<value of "); ok {
		other = strings.TrimSuffix(other, ">")
		if v, ok := c.set[other]; ok {
			return v, true
		}
		if v, ok := c.base[other]; ok {
			return v, true
		}
		return c.fallback(other)
	}
	return k.Default, true
}

// Explicit returns a key's value if the session or the server set it; defaults don't count.
func (c *Conf) Explicit(key string) (value string, ok bool) {
	key = canonicalKey(key)
	c.mu.RLock()
	defer c.mu.RUnlock()
	if v, ok := c.set[key]; ok {
		return v, true
	}
	v, ok := c.base[key]
	return v, ok
}

// Own returns a key's value if the session itself set it.
func (c *Conf) Own(key string) (value string, ok bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	v, ok := c.set[canonicalKey(key)]
	return v, ok
}

// MustGet is Get that raises SQL_CONF_NOT_FOUND.
func (c *Conf) MustGet(key string) (string, error) {
	if v, ok := c.Get(key); ok {
		return v, nil
	}
	return "", errs.New(errs.NoSuchElement, "SQL_CONF_NOT_FOUND", "sqlConf", errs.Quote(key))
}

// String returns the value, "" if there is none.
func (c *Conf) String(key string) string { v, _ := c.Get(key); return v }

// Bool returns whether the value is true.
func (c *Conf) Bool(key string) bool {
	return strings.EqualFold(strings.TrimSpace(c.String(key)), "true")
}

// Int returns the value as a number; sizes ("64MB") are in bytes, and durations ("10s") in milliseconds. def is for keys without value, or with another one.
func (c *Conf) Int(key string, def int64) int64 {
	v, ok := c.Get(key)
	if !ok {
		return def
	}
	if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil {
		return n
	}
	if k, known := LookupConf(key); known && k.Kind == "time" {
		if d, ok := parseDuration(v); ok {
			return d.Milliseconds()
		}
	}
	if n, ok := parseBytes(v); ok {
		return n
	}
	return def
}

// Set sets a key after checking the value: CANNOT_MODIFY_STATIC_CONFIG,
// CANNOT_MODIFY_CONFIG and INVALID_CONF_VALUE.* are its errors. Keys that
// nobody knows are fine, but for neptune.* ones: SQL_CONF_NOT_FOUND.
func (c *Conf) Set(key, value string) error {
	if err := checkModifiable(key); err != nil {
		return err
	}
	if err := checkValue(key, value); err != nil {
		return err
	}
	if strings.HasPrefix(key, "neptune.") && !IsJobTypeKey(key) {
		if err := c.checkOwn(key, &value); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set[canonicalKey(key)] = value
	return nil
}

// Ignored is a sentence about a key that is set and that nothing here reads,
// the first time that the session sets it to something else than its default; else "".
func (c *Conf) Ignored(key, value string) string {
	k, known := LookupConf(key)
	if !known || readKeys()[key] || k.Defined && strings.EqualFold(strings.TrimSpace(value), k.Default) ||
		slices.ContainsFunc(clientPrefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told[key] {
		return ""
	}
	if c.told == nil {
		c.told = map[string]bool{}
	}
	c.told[key] = true
	return "The configuration " + key + " changes nothing here."
}

// Unset takes the session's value away; the server's or the default shows again.
func (c *Conf) Unset(key string) error {
	if err := checkModifiable(key); err != nil {
		return err
	}
	if strings.HasPrefix(key, "neptune.") && !IsJobTypeKey(key) {
		if err := c.checkOwn(key, nil); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.set, canonicalKey(key))
	return nil
}

// Reset takes all of the session's values away.
func (c *Conf) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.set)
}

// All returns the keys that are set, by the session or the server, sorted.
func (c *Conf) All() (keys []string, values map[string]string) {
	c.mu.RLock()
	values = maps.Clone(c.base)
	if values == nil {
		values = map[string]string{}
	}
	maps.Copy(values, c.set)
	c.mu.RUnlock()
	return slices.Sorted(maps.Keys(values)), values
}

// Known returns all keys that have a place in the table, sorted (SET -v).
func Known() []string { return slices.Sorted(maps.Keys(confKeys())) }

// JobType returns the job type that the session's configuration says, if it says one.
func (c *Conf) JobType() (JobType, bool, error) {
	c.mu.RLock()
	v, ok := c.set[canonicalJobType]
	c.mu.RUnlock()
	if !ok {
		return JobType{}, false, nil
	}
	p, err := ParseJobType(canonicalJobType, v)
	return JobType{Priority: p, Origin: FromSession}, err == nil, err
}

// IsModifiable reports whether a session can set the key (spark.conf.isModifiable).
func IsModifiable(key string) bool {
	if IsJobTypeKey(key) {
		return true
	}
	k, ok := LookupConf(key)
	return ok && !k.Static
}

func checkModifiable(key string) error {
	if IsJobTypeKey(key) {
		return nil
	}
	if k, ok := LookupConf(key); ok {
		if k.Static {
			return errs.New(errs.Analysis, "CANNOT_MODIFY_STATIC_CONFIG", "key", errs.Quote(key))
		}
		return nil
	}
	if coreExceptions[key] {
		return nil
	}
	for _, p := range corePrefixes {
		if key == p || strings.HasPrefix(key, p) && strings.HasSuffix(p, ".") {
			return errs.New(errs.Analysis, "CANNOT_MODIFY_CONFIG", "key", errs.Quote(key), "docroot", "https://spark.apache.org/docs/latest")
		}
	}
	return nil
}

var (
	bytesRE    = regexp.MustCompile(`(?i)^(-?\d+)\s*([kmgtp]?)i?b?$`)
	durationRE = regexp.MustCompile(`(?i)^(-?\d+)\s*(us|ms|s|m|min|h|d)?$`)
	offsetRE   = regexp.MustCompile(`^(?:(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2}))?(?::(\d{2}))?)$`)
)

func parseBytes(v string) (int64, bool) {
	m := bytesRE.FindStringSubmatch(strings.TrimSpace(v))
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0, false
	}
	shift := 10 * (strings.Index("kmgtp", strings.ToLower(m[2])) + 1)
	if m[2] == "" {
		shift = 0
	}
	if n<<shift>>shift != n {
		return 0, false
	}
	return n << shift, true
}

// parseDuration reads Spark's time strings; a bare number is milliseconds.
func parseDuration(v string) (time.Duration, bool) {
	m := durationRE.FindStringSubmatch(strings.TrimSpace(v))
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0, false
	}
	unit := map[string]time.Duration{
		"us": time.Microsecond, "": time.Millisecond, "ms": time.Millisecond, "s": time.Second,
		"m": time.Minute, "min": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
	}[strings.ToLower(m[2])]
	if d := time.Duration(n) * unit; d/unit == time.Duration(n) {
		return d, true
	}
	return 0, false
}

// ValidTimeZone reports whether Spark knows the zone: a region, UTC, or an offset up to 18 hours.
func ValidTimeZone(zone string) bool {
	_, err := LoadTimeZone(zone)
	return err == nil
}

// LoadTimeZone returns a zone by its name or offset ("Europe/Berlin", "UTC", "Z", "+02:00", "GMT+2").
func LoadTimeZone(zone string) (*time.Location, error) {
	switch zone {
	case "Z", "UTC", "GMT", "UT":
		return time.UTC, nil
	case "", "Local":
		return nil, errs.New(errs.IllegalArgument, "INVALID_CONF_VALUE.TIME_ZONE", "confName", "spark.sql.session.timeZone", "confValue", zone)
	}
	if m := offsetRE.FindStringSubmatch(zone); m != nil {
		h, _ := strconv.Atoi(m[2])
		mi, _ := strconv.Atoi(m[3])
		s, _ := strconv.Atoi(m[4])
		total := h*3600 + mi*60 + s
		if mi < 60 && s < 60 && total <= 18*3600 {
			if m[1] == "-" {
				total = -total
			}
			return time.FixedZone(zone, total), nil
		}
	}
	if loc, ok := zones.Load(zone); ok {
		return loc.(*time.Location), nil
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return nil, errs.New(errs.IllegalArgument, "INVALID_CONF_VALUE.TIME_ZONE", "confName", "spark.sql.session.timeZone", "confValue", zone)
	}
	zones.Store(zone, loc)
	return loc, nil
}

// zones are the zones loaded so far, by name: each query asks, and a zone is a file to read.
var zones sync.Map
