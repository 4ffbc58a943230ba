package sidecar

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"neptune/connect/catalog"
	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/connect/sqlparse"
	"neptune/connect/translate"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/scheduler/core"
)

// Everything that queries do, on executors of their own and on the embedded one.
func TestClusterAnswers(t *testing.T) {
	k := newCrew(t)
	k.join("a")
	k.join("b")
	alone, err := NewRig("neptune.executor.slots=2")
	if err != nil {
		t.Fatal(err)
	}
	defer alone.Close()
	dir := t.TempDir()
	t.Chdir(dir)
	files := func(name string) []string {
		return []string{
			fmt.Sprintf("CREATE TABLE t USING parquet LOCATION '%s' AS SELECT id, id %% 5 AS k, cast(id AS string) AS s FROM range(0, 3000, 1, 3)", filepath.Join(dir, name)),
			"INSERT INTO t SELECT id + 3000, id % 7, 'x' FROM range(10)",
			"INSERT OVERWRITE DIRECTORY 'here' USING parquet SELECT id FROM range(0, 100, 1, 3)", // a path of the server's
			"CACHE TABLE c AS SELECT k, count(*) AS n FROM t GROUP BY k",
		}
	}
	for name, r := range map[string]*Rig{"cluster": k.Rig, "alone": alone} {
		for _, s := range files(name) {
			if err := r.Exec(k.ctx, s); err != nil {
				t.Fatalf("%s: %s: %v", name, s, err)
			}
		}
	}
	for _, q := range []string{
		"SELECT 1",
		"SELECT count(*), sum(id) FROM parquet.`here`",
		"SELECT * FROM t",
		"SELECT k, sum(id), max(s) FROM t GROUP BY k",
		"SELECT * FROM t ORDER BY s DESC LIMIT 7",
		"SELECT a.id, b.s FROM t a JOIN t b ON a.id = b.id + 1 WHERE a.k = 3",
		"SELECT id, rank() OVER (PARTITION BY k ORDER BY id) FROM t",
		"SELECT c.n, t.s FROM c JOIN t ON c.k = t.k WHERE t.id < 20",
		"SELECT (SELECT max(n) FROM c) + id FROM range(5)",
		"SELECT v.a, t.id FROM VALUES (1), (2) AS v(a) JOIN t ON v.a = t.id",
		"SELECT id FROM range(3) UNION ALL SELECT k FROM c",
		"SELECT timestamp '2020-01-01 00:00:00' + make_interval(0, 0, 0, cast(id AS int)) FROM range(3)",
	} {
		n, digest, err := k.Run(k.ctx, q, false)
		m, want, err2 := alone.Run(k.ctx, q, false)
		if err != nil || err2 != nil || n != m || digest != want {
			t.Errorf("%s: %d rows %s, %v, want %d %s, %v", q, n, digest, err, m, want, err2)
		}
	}
	// Errors arrive as they are.
	const bad = "SELECT id, 10 / (id - 2500) FROM t"
	_, _, err = k.Run(k.ctx, bad, false)
	_, _, err2 := alone.Run(k.ctx, bad, false)
	x, ok := errs.As(err)
	y, ok2 := errs.As(err2)
	if !ok || !ok2 || x.Error() != y.Error() || x.SQLState() != "22012" || x.Context == nil {
		t.Errorf("%v\nwant\n%v", err, err2)
	}
	if err := k.Exec(k.ctx, "UNCACHE TABLE c"); err != nil {
		t.Fatal(err)
	}
	k.idle("a", "b")
}

// A streaming query goes on, with the right state, when the executor that had
// it is killed between two micro-batches, and when one is killed within one.
func TestClusterStream(t *testing.T) {
	k := newCrew(t)
	x := k.join("a")
	k.join("b")
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	if err := os.Mkdir(in, 0o755); err != nil {
		t.Fatal(err)
	}
	number := 0
	put := func(rows int) {
		t.Helper()
		var text strings.Builder
		for i := range rows {
			fmt.Fprintf(&text, "%d,%d\n", i%11, i)
		}
		number++
		tmp := filepath.Join(dir, fmt.Sprint(number))
		if err := os.WriteFile(tmp, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, filepath.Join(in, fmt.Sprint(number, ".csv"))); err != nil {
			t.Fatal(err)
		}
	}
	e := k.engine
	c := e.sessionConf(k.session)
	schema, err := sqlparse.ParseSchema("k INT, v INT")
	if err != nil {
		t.Fatal(err)
	}
	source, err := e.analyze(k.ctx, k.session, c, &plan.DataSource{Format: "csv", Paths: []string{in}, Schema: schema, Streaming: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.catalogOf(k.session).CreateTempView(&catalog.View{Name: "s", Plan: source}, false, true); err != nil {
		t.Fatal(err)
	}
	n, err := sqlparse.ParseStatement("SELECT k, count(*) AS n, sum(v) AS v FROM s GROUP BY k", c.parser())
	if err != nil {
		t.Fatal(err)
	}
	q, err := e.StartStream(k.ctx, &server.Query{Session: k.session, OperationID: "stream", Plan: n, Job: session.JobType{Priority: session.StreamPriority}},
		&translate.StreamSpec{Format: "memory", Name: "out", OutputMode: "complete", Options: map[string]string{"checkpointLocation": filepath.Join(dir, "checkpoint")}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := q.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	total := 0
	check := func() {
		t.Helper()
		if err := q.ProcessAllAvailable(k.ctx); err != nil {
			t.Fatal(err)
		}
		rows, digest, err := k.Run(k.ctx, "SELECT sum(n), sum(v), count(*) FROM out", false)
		sum := 0
		for i := 1; i <= number; i++ {
			sum += 1000 * i * (1000*i - 1) / 2
		}
		_, want, err2 := k.Run(k.ctx, fmt.Sprintf("SELECT %dL, %dL, 11L", total, sum), false)
		if err != nil || err2 != nil || rows != 1 || digest != want {
			t.Errorf("after %d files: %d rows, %v, %v", number, rows, err, err2)
		}
	}
	file := func() {
		put(1000 * (number + 1))
		total += 1000 * number
	}
	file()
	check()
	file()
	check()
	e.homes.mu.Lock()
	if len(e.homes.at) == 0 {
		t.Error("nobody knows where the state is")
	}
	e.homes.mu.Unlock()
	if err := x.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	file()
	check()
	y := k.join("c")
	file()
	k.until("a micro-batch runs", func() bool { return e.driver.Active() > 0 })
	if err := y.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	check()
	k.idle("b")
}

// A write has each row once, though one of the executors that wrote was killed
// in the middle, and its tasks ran again.
func TestClusterWriteKilled(t *testing.T) {
	k := newCrew(t)
	x := k.join("a")
	k.join("b")
	path := filepath.Join(t.TempDir(), "out")
	done := make(chan error, 1)
	go func() {
		done <- k.Exec(k.ctx, fmt.Sprintf("INSERT OVERWRITE DIRECTORY '%s' USING parquet SELECT id, sha2(repeat(cast(id AS string), 40), 512) AS h FROM range(0, 100000, 1, 8)", path))
	}()
	k.until("some files are being written", func() bool {
		list, err := filepath.Glob(filepath.Join(path, "_temporary-*", "*.parquet"))
		return err == nil && len(list) >= 3 && k.is("a", func(s ExecutorState) bool { return s.Running > 0 })
	})
	if err := x.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	_, digest, err := k.Run(k.ctx, fmt.Sprintf("SELECT count(*), count(DISTINCT id), sum(id) FROM parquet.`%s`", path), false)
	_, want, err2 := k.Run(k.ctx, "SELECT count(*), count(DISTINCT id), sum(id) FROM range(100000)", false)
	if err != nil || err2 != nil || digest != want {
		t.Errorf("other rows than were written: %v, %v", err, err2)
	}
	if list, err := filepath.Glob(filepath.Join(path, "_temporary-*")); err != nil || len(list) > 0 {
		t.Errorf("%v, %v is left", list, err)
	}
	k.idle("b")
}

// The embedded executor beside others, in all modes.
func TestClusterModes(t *testing.T) {
	for _, mode := range core.Modes() {
		t.Run(mode, func(t *testing.T) {
			k := newCrew(t, "neptune.executor.embedded=true", "neptune.executor.slots=1", "neptune.scheduling.mode="+mode)
			k.join("a")
			batch := k.ask(k.ctx, serving, false)
			for range 3 {
				k.wants(k.ask(k.ctx, quick, true), want(t, quick))
			}
			k.wants(batch, want(t, serving))
			k.idle("a")
		})
	}
}

// A driver that is started again, at the same address, knows nobody: executors join anew.
func TestDriverStartsAgain(t *testing.T) {
	k := newCrew(t)
	x := k.join("a")
	before, _ := k.Find("a")
	_, port, err := net.SplitHostPort(k.Driver())
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Rig.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := NewCluster(nil, "neptune.executor.slots=2", "neptune.heartbeat.interval=100ms", "neptune.driver.port="+port)
	if err != nil {
		t.Fatal(err)
	}
	k.Rig = again.Rig
	k.until("it has joined", func() bool { _, ok := k.Find("a"); return ok })
	if after, _ := k.Find("a"); after.ID == before.ID || !strings.Contains(x.Log(), "forgotten") {
		t.Errorf("it was %s, and is %s", before.ID, after.ID)
	}
	k.wants(k.ask(k.ctx, quick, false), want(t, quick))
	k.idle("a")
}

// authority signs certificates for tests.
type authority struct {
	t    *testing.T
	dir  string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.key, a.cert = a.sign("ca", nil)
	return a
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name+".pem") }

// sign makes a certificate, of itself if there is no authority yet, and writes both files.
func (a *authority) sign(name string, by *authority) (*ecdsa.PrivateKey, *x509.Certificate) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: by == nil,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	parent, signer := c, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name: {Type: "CERTIFICATE", Bytes: raw}, name + "-key": {Type: "EC PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(a.file(file), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	made, err := x509.ParseCertificate(raw)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, made
}

// conf makes a certificate and returns the settings by which it is used.
func (a *authority) conf(name string, trust *authority) []string {
	a.sign(name, a)
	return []string{"neptune.tls.cert=" + a.file(name), "neptune.tls.key=" + a.file(name+"-key"), "neptune.tls.ca=" + trust.file("ca")}
}

// With neptune.tls.* each side wants a certificate of its authority from the other.
func TestMutualTLS(t *testing.T) {
	good, other := newAuthority(t), newAuthority(t)
	k := newCrew(t, good.conf("driver", good)...)
	k.join("a", good.conf("a", good)...)
	k.join("b", good.conf("b", good)...)
	k.wants(k.ask(k.ctx, serving, false), want(t, serving))
	k.idle("a", "b")
	plain := newCrew(t)
	for _, c := range []struct {
		name string
		at   *crew
		set  []string
		want string
	}{
		{"no certificate", k, nil, "wants TLS: neptune.tls.cert is set there, and not for this executor"},
		{"of another authority", k, other.conf("x", good), "doesn't trust this executor's certificate"},
		{"trusts another authority", k, good.conf("y", other), "isn't trusted: tls: failed to verify certificate"},
		{"a driver without TLS", plain, good.conf("z", good), "doesn't speak TLS, and this executor has neptune.tls.cert set"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := []string{}
			for _, s := range append([]string{"neptune.executor.slots=1", "neptune.executor.memory=64m"}, c.set...) {
				args = append(args, "--conf", s)
			}
			x, err := c.at.Start("bad", args...)
			if err != nil {
				t.Fatal(err)
			}
			if err := x.Wait(c.at.ctx); err == nil || !strings.Contains(x.Log(), c.want) {
				t.Errorf("%v, want %q in\n%s", err, c.want, x.Log())
			}
		})
	}
}
