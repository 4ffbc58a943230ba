package session

import (
	"context"
	"errors"
	"hash/crc32"
	"testing"
	"time"

	"github.com/google/uuid"

	"neptune/internal/errs"
)

func condition(err error) string {
	if e, ok := errs.As(err); ok {
		return e.Condition
	}
	return ""
}

func TestConfChecksValues(t *testing.T) {
	c := NewConf(map[string]string{"spark.app.name": "x"})
	for _, x := range []struct{ key, value, want string }{
		{"spark.sql.ansi.enabled", "FALSE", ""}, {"spark.sql.ansi.enabled", "no", "INVALID_CONF_VALUE.TYPE_MISMATCH"},
		{"spark.sql.shuffle.partitions", "7", ""}, {"spark.sql.shuffle.partitions", "abc", "INVALID_CONF_VALUE.TYPE_MISMATCH"},
		{"spark.sql.shuffle.partitions", "0", "INVALID_CONF_VALUE.REQUIREMENT"},
		{"spark.sql.session.timeZone", "+18:00", ""}, {"spark.sql.session.timeZone", "Europe/Berlin", ""},
		{"spark.sql.session.timeZone", "+19:00", "INVALID_CONF_VALUE.TIME_ZONE"}, {"spark.sql.session.timeZone", "../etc", "INVALID_CONF_VALUE.TIME_ZONE"},
		{"spark.sql.timestampType", "timestamp_ntz", ""}, {"spark.sql.timestampType", "x", "INVALID_CONF_VALUE.OUT_OF_RANGE_OF_OPTIONS"},
		{"spark.sql.autoBroadcastJoinThreshold", "10MB", ""}, {"spark.sql.autoBroadcastJoinThreshold", "ten", "INVALID_CONF_VALUE.TYPE_MISMATCH"},
		{"spark.sql.warehouse.dir", "x", "CANNOT_MODIFY_STATIC_CONFIG"}, {"spark.executor.memory", "1g", "CANNOT_MODIFY_CONFIG"},
		{"spark.sql.parquet.compression.codec", "zip", "INVALID_CONF_VALUE.OUT_OF_RANGE_OF_OPTIONS"}, {"spark.sql.parquet.compression.codec", "ZSTD", ""},
		{"spark.sql.broadcastTimeout", "soon", "INVALID_CONF_VALUE.TYPE_MISMATCH"}, {"spark.sql.broadcastTimeout", "5min", ""},
		{"spark.sql.statistics.histogram.numBins", "0", "INVALID_CONF_VALUE.REQUIREMENT"}, {"spark.sql.files.maxPartitionBytes", "128MB", ""},
		{"neptune_pri", "3", ""}, {"neptune.job.type", "0", "INVALID_CONF_VALUE.REQUIREMENT"}, {"whatever", "x", ""},
	} {
		if got := condition(c.Set(x.key, x.value)); got != x.want {
			t.Errorf("%s = %s: %q, want %q", x.key, x.value, got, x.want)
		}
	}
	if j, ok, err := c.JobType(); !ok || err != nil || j.Priority != 3 || j.Origin != FromSession {
		t.Errorf("%+v %v %v", j, ok, err)
	}
	if v := c.String("spark.sql.neptune.job.type"); v != "3" {
		t.Errorf("the spellings differ: %q", v)
	}
	if n := c.Int("spark.sql.autoBroadcastJoinThreshold", 0); n != 10<<20 {
		t.Errorf("%d bytes", n)
	}
	if _, err := c.MustGet("no.such.key"); condition(err) != "SQL_CONF_NOT_FOUND" {
		t.Error(err)
	}
	d := c.Clone()
	if err := errors.Join(d.Set("whatever", "y"), c.Unset("spark.sql.shuffle.partitions")); err != nil {
		t.Fatal(err)
	}
	if c.String("whatever") != "x" || c.String("spark.sql.shuffle.partitions") != "200" || c.String("spark.app.name") != "x" {
		t.Error("clone, unset or base")
	}
}

// Keys of our own that don't exist, or that aren't a session's, are refused.
func TestOwnKeys(t *testing.T) {
	c := NewConf(nil)
	c.own = map[string]OwnKey{"neptune.a": {Session: true, Check: func(v string) error {
		if v != "1" {
			return errors.New("it must be 1")
		}
		return nil
	}}, "neptune.b": {}}
	for _, x := range []struct{ key, value, want string }{
		{"neptune.a", "1", ""}, {"neptune.a", "2", "INVALID_CONF_VALUE.REQUIREMENT"}, {"neptune.b", "1", "CANNOT_MODIFY_STATIC_CONFIG"},
		{"neptune.c", "1", "SQL_CONF_NOT_FOUND"}, {"neptune.job.type", "stream", ""},
	} {
		if got := condition(c.Clone().Set(x.key, x.value)); got != x.want {
			t.Errorf("%s = %s: %q, want %q", x.key, x.value, got, x.want)
		}
	}
}

func TestJobTypes(t *testing.T) {
	for in, want := range map[string]int{"stream": 1, "BATCH": 2, " 5 ": 5, "1": 1} {
		if p, err := ParseJobType("neptune.job.type", in); err != nil || p != want {
			t.Errorf("%q: %d %v", in, p, err)
		}
	}
	for _, in := range []string{"", "streams", "-1", "0", "1.5", "99999999999999999999"} {
		if _, err := ParseJobType("neptune.job.type", in); condition(err) != "INVALID_CONF_VALUE.REQUIREMENT" {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func manager(t *testing.T, o Options) *Manager {
	o.Dir = t.TempDir()
	m := NewManager(o)
	t.Cleanup(func() {
		if err := m.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func TestArtifacts(t *testing.T) {
	m := manager(t, Options{})
	s, done, err := m.Open(Key{"ada", uuid.NewString()}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	put := func(name, data string, crc uint32) (bool, error) {
		u, err := s.Artifacts.Begin(name)
		if err != nil {
			return false, err
		}
		if err := u.Write([]byte(data), int64(crc)); err != nil {
			return false, err
		}
		return u.Commit()
	}
	sum := func(s string) uint32 { return crc32.ChecksumIEEE([]byte(s)) }
	for _, name := range []string{"../x", "/x", "", "a/../../x", "a\x00"} {
		if _, err := put(name, "", 0); condition(err) != "INVALID_ARTIFACT_PATH" {
			t.Errorf("%q: %v", name, err)
		}
	}
	if ok, err := put("files/a", "one", 1); ok || err != nil || s.Artifacts.Has("files/a") {
		t.Error("a wrong checksum passes", err)
	}
	for _, name := range []string{"files/a", "cache/h", "classes/A.class"} {
		if ok, err := put(name, "one", sum("one")); !ok || err != nil {
			t.Error(name, ok, err)
		}
	}
	if _, err := put("files/a", "one", sum("one")); err != nil {
		t.Error(err)
	}
	if _, err := put("files/a", "two", sum("two")); condition(err) != "ARTIFACT_ALREADY_EXISTS" {
		t.Error(err)
	}
	if _, err := put("classes/A.class", "two", sum("two")); err != nil {
		t.Error(err)
	}
	c, err := m.Clone(t.Context(), s, "", func(context.Context, *Session, *Session) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if data, ok, err := c.Artifacts.Cached("h"); !ok || err != nil || string(data) != "one" {
		t.Error("the clone lacks a block", ok, err)
	}
}

func TestExpiry(t *testing.T) {
	closed := 0
	m := manager(t, Options{Timeout: time.Minute, Tombstones: 1, OnClose: func(*Session) { closed++ }})
	k := Key{"ada", uuid.NewString()}
	_, done, err := m.Open(k, "", "")
	if err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	if err := m.Expire(later); err != nil || closed != 0 {
		t.Error("a session in use expired", err)
	}
	done()
	if err := m.Expire(time.Now()); err != nil || closed != 0 {
		t.Error("expired too early", err)
	}
	if err := m.Expire(later); err != nil || closed != 1 {
		t.Error("not expired", err)
	}
	if _, _, err := m.Open(k, "", ""); condition(err) != "INVALID_HANDLE.SESSION_CLOSED" {
		t.Error(err)
	}
	// Tombstones are bounded.
	if err := m.Close(Key{"ada", uuid.NewString()}, false); err != nil {
		t.Fatal(err)
	}
	if _, done, err := m.Open(k, "", ""); err != nil {
		t.Error(err)
	} else {
		done()
	}
}

func TestPoolAndTarget(t *testing.T) {
	c := NewConf(nil)
	for _, k := range append(PoolKeys, TargetKeys...) {
		if err := c.Set(k, "250ms"); err != nil {
			t.Errorf("%s: %v", k, err)
		}
		if v, ok := c.Own(k); !ok || v != "250ms" {
			t.Errorf("%s: %q", k, v)
		}
	}
	for _, v := range []string{"soon", "0", "-1s"} {
		if err := c.Set(TargetKeys[0], v); condition(err) != "INVALID_CONF_VALUE.REQUIREMENT" {
			t.Errorf("%s: %v", v, err)
		}
	}
	if d, err := ParseTarget("k", "2s"); err != nil || d.Seconds() != 2 {
		t.Errorf("%v, %v", d, err)
	}
}

func TestZonesAreLoadedOnce(t *testing.T) {
	load := func() *time.Location {
		loc, err := LoadTimeZone("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		return loc
	}
	if load() != load() {
		t.Error("a zone was read twice")
	}
	if _, err := LoadTimeZone("Europe/Nowhere"); err == nil {
		t.Error("there is no such zone")
	}
}
