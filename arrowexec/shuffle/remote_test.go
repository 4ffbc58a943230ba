package shuffle

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	std "slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/physical/wire"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
)

// copied is an exchange as another process has it.
func copied(t testing.TB, x *physical.Exchange) *physical.Exchange {
	t.Helper()
	data, err := wire.Encode(&wire.Stage{Root: x})
	if err != nil {
		t.Fatal(err)
	}
	s, err := wire.Decode(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s.Root.(*physical.Exchange)
}

// node is an executor of the tests.
type node struct {
	*Remote
	pool *mem.Pool
	x    *physical.Exchange // its copy
}

func newNode(t testing.TB, name string, limit int64, x *physical.Exchange, conf RemoteConfig) *node {
	t.Helper()
	n := &node{pool: mem.NewPool(limit), x: copied(t, x)}
	conf.Executor, conf.Listen = name, "127.0.0.1:0"
	var err error
	if n.Remote, err = NewRemote(n.pool, conf); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

func (n *node) at(writer int) Location {
	return Location{Writer: writer, Executor: n.Executor(), Addr: n.Addr()}
}

// inTask runs f as a task on a pool.
func inTask(t testing.TB, pool *mem.Pool, partition int, f func(c *task.Ctx) error) error {
	t.Helper()
	account := pool.NewAccount("t")
	defer account.Close()
	dir := t.TempDir()
	err := task.Run(task.Info{Partition: partition}, &task.Conf{BatchRows: 100, SpillDir: dir}, account, 7, f)
	if account.Used() != 0 {
		t.Errorf("%d bytes left", account.Used())
	}
	return err
}

// put writes the rows of a writer, after an attempt that failed.
func put(t testing.TB, s Service, pool *mem.Pool, x *physical.Exchange, writer, parts int, batches []*vec.Batch) {
	t.Helper()
	for attempt := range 2 {
		err := inTask(t, pool, writer, func(c *task.Ctx) error {
			w, err := s.Writer(c, "q", x, writer, parts)
			if err != nil {
				return err
			}
			defer w.Close()
			for _, b := range batches[:len(batches)*(attempt+1)/2] {
				if err := w.Write(c, b); err != nil {
					return err
				}
			}
			if attempt == 0 {
				return nil
			}
			return w.Commit(c)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// drain reads an operator to its end, rows as text.
func drain(c *task.Ctx, r op.Operator) (rows []string, err error) {
	defer r.Close()
	if err := r.Open(c); err != nil {
		return nil, err
	}
	for {
		b, err := r.Next(c)
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		b = b.Compact()
		for i := range b.N {
			rows = append(rows, fmt.Sprint(b.Cols[0].Value(i), " ", b.Cols[1].Str(i)))
		}
	}
}

func get(t testing.TB, s Service, pool *mem.Pool, x *physical.Exchange, part int) (rows []string, err error) {
	t.Helper()
	err = inTask(t, pool, part, func(c *task.Ctx) error {
		r, err := s.Reader(c.Conf, "q", x, physical.One(part))
		if err != nil {
			return err
		}
		rows, err = drain(c, r)
		return err
	})
	return rows, err
}

func kinds() []*physical.Exchange {
	key := &plan.Bound{Index: 0, T: schema[0], Null: true}
	order := []physical.Order{{Expr: key}}
	list := []*physical.Exchange{
		{Kind: physical.Single}, {Kind: physical.Broadcast}, {Kind: physical.RoundRobin}, {Kind: physical.Hash, Keys: []plan.Expr{key}},
		{Kind: physical.RangeBy, Order: order}, {Kind: physical.Single, Order: order, Merge: true},
	}
	for i, x := range list {
		x.ID, x.Input = i+1, input()
	}
	return list
}

// written are the rows of a writer, sorted if x merges.
func written(t testing.TB, x *physical.Exchange, writer, batches int) (in []*vec.Batch) {
	t.Helper()
	for k := range batches {
		in = append(in, rowsFrom(10000*writer+250*k, 250))
	}
	if !x.Merge {
		return in
	}
	err := inTask(t, mem.NewPool(0), 0, func(c *task.Ctx) error {
		keys, ord, err := op.CompileOrder(x.Order, nil)
		if err != nil {
			return err
		}
		s := op.NewSort(op.NewLocal(schema, in), keys, ord)
		defer s.Close()
		in = nil
		for err = s.Open(c); err == nil; {
			var b *vec.Batch
			if b, err = s.Next(c); err == nil {
				in = append(in, b)
			}
		}
		if err == io.EOF {
			err = nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// spillFiles counts the open files of spilled rows in this process.
func spillFiles(t testing.TB) (n int) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("looks at /proc")
	}
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", f.Name())); err == nil && strings.Contains(to, "neptune-spill-") {
			n++
		}
	}
	return n
}

// TestRemoteIsLikeLocal writes in two processes and reads in both: the rows, and
// their order, are those of an exchange inside one.
func TestRemoteIsLikeLocal(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	for _, c := range []struct {
		limit    int64
		compress Compress
	}{{0, CompressNever}, {0, CompressAlways}, {200 << 10, CompressNever}, {200 << 10, CompressAlways}} {
		for _, parts := range []int{1, 3, 10} {
			for _, x := range kinds() {
				t.Run(fmt.Sprint(x.Kind, x.Merge, parts, c.limit, c.compress), func(t *testing.T) {
					one := NewLocal(mem.NewPool(0))
					defer one.Release("q")
					a, b := newNode(t, "a", c.limit, x, RemoteConfig{Compress: c.compress}), newNode(t, "b", c.limit, x, RemoteConfig{Compress: c.compress})
					var where []Location
					for w := range 4 {
						in := written(t, x, w, 20)
						put(t, one, mem.NewPool(0), x, w, parts, in)
						n := []*node{a, b}[w%2]
						put(t, n, n.pool, n.x, w, parts, in)
						where = append(where, n.at(w))
					}
					if c.limit > 0 && spillFiles(t) == 0 {
						t.Error("nothing went to disk")
					}
					for part := range parts {
						want, err := get(t, one, mem.NewPool(0), x, part)
						if err != nil {
							t.Fatal(err)
						}
						for _, n := range []*node{a, b} {
							// The copy of another stage, and the places in no order.
							mixed := std.Clone(where)
							std.Reverse(mixed)
							got, err := get(t, n.With(Sources{x.ID: mixed}), n.pool, copied(t, x), part)
							if err != nil {
								t.Fatalf("partition %d on %s: %v", part, n.Executor(), err)
							}
							if !std.Equal(got, want) {
								t.Errorf("partition %d on %s has %d rows, not %d, or others", part, n.Executor(), len(got), len(want))
							}
						}
					}
					a.Release("q")
					b.Release("q")
					for _, n := range []*node{a, b} {
						if used, _ := n.pool.Used(); used != 0 {
							t.Errorf("%d bytes are still reserved", used)
						}
					}
					if n := spillFiles(t); n != 0 {
						t.Errorf("%d files are still open", n)
					}
				})
			}
		}
	}
}

// wide is rows of a kilobyte that don't compress to nothing.
func wide(from, n int) *vec.Batch {
	a, b := vec.NewBuilder(schema[0], n), vec.NewBuilder(schema[1], n)
	for i := range n {
		vec.Append(a, int64(from+i))
		b.AppendString(strings.Repeat(fmt.Sprint(from+i, " "), 150))
	}
	return &vec.Batch{N: n, Cols: []*vec.Vector{a.Finish(), b.Finish()}}
}

func single() *physical.Exchange {
	return &physical.Exchange{ID: 5, Kind: physical.Single, Input: input()}
}

// sixteen has 16 MB of rows of writer 0 on b, and a to read them.
func sixteen(t testing.TB, conf RemoteConfig) (a, b *node, sources Sources) {
	x := single()
	a, b = newNode(t, "a", 0, x, conf), newNode(t, "b", 0, x, conf)
	var in []*vec.Batch
	for k := range 16 {
		in = append(in, wide(1000*k, 1000))
	}
	put(t, b, b.pool, b.x, 0, 1, in)
	return a, b, Sources{5: {b.at(0)}}
}

// pins is how many serve the rows of writer 0.
func (n *node) pins(query string) int {
	n.local.mu.Lock()
	defer n.local.mu.Unlock()
	if q := n.local.queries[query]; q != nil {
		for _, e := range q.exchanges {
			if o := e.writers[0]; o != nil {
				return o.pins
			}
		}
	}
	return 0
}

// TestSlowReader sees that the sender stops when nobody reads.
func TestSlowReader(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	a, b, sources := sixteen(t, RemoteConfig{Window: 300 << 10})
	err := inTask(t, a.pool, 0, func(c *task.Ctx) error {
		r, err := a.With(sources).Reader(c.Conf, "q", a.x, physical.One(0))
		if err != nil {
			return err
		}
		defer r.Close()
		if err := r.Open(c); err != nil {
			return err
		}
		s := r.(*reader).remote.streams["b"]
		// Until as much has come as may wait.
		for full := false; !full; {
			s.mu.Lock()
			full = s.bytes >= s.window
			if s.err != nil {
				t.Fatal(s.err)
			}
			s.mu.Unlock()
			runtime.Gosched()
		}
		for range 20 {
			time.Sleep(time.Millisecond)
			s.mu.Lock()
			if s.bytes > s.window+2*frameBytes {
				t.Errorf("%d bytes wait, %d may", s.bytes, s.window)
			}
			s.mu.Unlock()
			if b.pins("q") != 1 {
				t.Error("the sender went on")
			}
		}
		rows := 0
		for {
			batch, err := r.Next(c)
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			rows += batch.N
		}
		if rows != 16000 {
			t.Errorf("%d rows", rows)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestServerDies reads from an executor that ends in the middle, and again when
// its rows have been made anew elsewhere.
func TestServerDies(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	a, b, sources := sixteen(t, RemoteConfig{})
	all, err := get(t, a.With(sources), a.pool, a.x, 0)
	if err != nil || len(all) != 16000 {
		t.Fatalf("%d rows, %v", len(all), err)
	}
	err = inTask(t, a.pool, 0, func(c *task.Ctx) error {
		r, err := a.With(sources).Reader(c.Conf, "q", a.x, physical.One(0))
		if err != nil {
			return err
		}
		defer r.Close()
		if err := r.Open(c); err != nil {
			return err
		}
		if _, err := r.Next(c); err != nil {
			return err
		}
		b.Close()
		for err == nil {
			_, err = r.Next(c)
		}
		return err
	})
	var fe *FetchError
	if !errors.As(err, &fe) || fe.Executor != "b" || fe.Exchange != 5 || fe.Query != "q" || !std.Equal(fe.Writers, []int{0}) || fe.Addr != b.Addr() {
		t.Fatalf("%#v: %v", err, err)
	}
	if _, err := get(t, a.With(sources), a.pool, a.x, 0); !errors.As(err, &fe) {
		t.Errorf("nobody is there: %v", err)
	}
	var in []*vec.Batch
	for k := range 16 {
		in = append(in, wide(1000*k, 1000))
	}
	put(t, a, a.pool, a.x, 0, 1, in)
	again, err := get(t, a.With(Sources{5: {a.at(0)}}), a.pool, a.x, 0)
	if err != nil || !std.Equal(again, all) {
		t.Errorf("%d rows, %v", len(again), err)
	}
	a.Release("q")
	if used, _ := a.pool.Used(); used != 0 {
		t.Errorf("%d bytes are still reserved", used)
	}
}

// TestReadAgain gives up a read in the middle, as a task that is killed does.
func TestReadAgain(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	a, b, sources := sixteen(t, RemoteConfig{})
	for range 5 {
		err := inTask(t, a.pool, 0, func(c *task.Ctx) error {
			r, err := a.With(sources).Reader(c.Conf, "q", a.x, physical.One(0))
			if err != nil {
				return err
			}
			defer r.Close()
			if err := r.Open(c); err != nil {
				return err
			}
			_, err = r.Next(c)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	rows, err := get(t, a.With(sources), a.pool, a.x, 0)
	if err != nil || len(rows) != 16000 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	for b.pins("q") != 0 {
		runtime.Gosched()
	}
}

// TestReleaseEndsReaders releases a query whose rows are on disk while a reader
// elsewhere has stopped reading.
func TestReleaseEndsReaders(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	x := single()
	a, b := newNode(t, "a", 0, x, RemoteConfig{}), newNode(t, "b", 1<<20, x, RemoteConfig{})
	var in []*vec.Batch
	for k := range 16 {
		in = append(in, wide(1000*k, 1000))
	}
	put(t, b, b.pool, b.x, 0, 1, in)
	if spillFiles(t) != 1 {
		t.Fatalf("%d files", spillFiles(t))
	}
	err := inTask(t, a.pool, 0, func(c *task.Ctx) error {
		r, err := a.With(Sources{5: {b.at(0)}}).Reader(c.Conf, "q", a.x, physical.One(0))
		if err != nil {
			return err
		}
		defer r.Close()
		if err := r.Open(c); err != nil {
			return err
		}
		if _, err := r.Next(c); err != nil {
			return err
		}
		b.Release("q")
		for spillFiles(t) != 0 { // though nobody reads
			runtime.Gosched()
		}
		for err == nil {
			_, err = r.Next(c)
		}
		return err
	})
	var fe *FetchError
	if !errors.As(err, &fe) || fe.Executor != "b" {
		t.Errorf("%v", err)
	}
	if used, _ := b.pool.Used(); used != 0 {
		t.Errorf("%d bytes are still reserved", used)
	}
}

// TestBlockedReaderHasNoSlot reads from something that never answers.
func TestBlockedReaderHasNoSlot(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close()
	for _, lost := range []bool{false, true} {
		x := single()
		a := newNode(t, "a", 0, x, RemoteConfig{})
		account := a.pool.NewAccount("t")
		tk := task.New(task.Info{}, &task.Conf{}, account, func(c *task.Ctx) error {
			r, err := a.With(Sources{5: {{Executor: "b", Addr: lis.Addr().String()}}}).Reader(c.Conf, "q", a.x, physical.One(0))
			if err != nil {
				return err
			}
			_, err = drain(c, r)
			return err
		})
		if e := tk.Resume(); e.Kind != task.Blocked {
			t.Fatalf("%+v", e)
		} else if lost {
			a.Lost("b")
			<-e.Wake
		} else {
			tk.Kill()
		}
		e := tk.Resume()
		var fe *FetchError
		if e.Kind != task.Done || lost && !errors.As(e.Err, &fe) || !lost && !errors.Is(e.Err, task.ErrKilled) {
			t.Errorf("%+v", e)
		}
		account.Close()
		if !lost {
			continue
		}
		if _, err := get(t, a.With(Sources{5: {{Executor: "b", Addr: lis.Addr().String()}}}), a.pool, a.x, 0); !errors.As(err, &fe) {
			t.Errorf("an executor that is lost: %v", err)
		}
	}
}

// TestReplacedRowsAreReadToTheEnd commits another attempt while the rows of the
// first are read, here and elsewhere.
func TestReplacedRowsAreReadToTheEnd(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	x := single()
	a, b := newNode(t, "a", 0, x, RemoteConfig{}), newNode(t, "b", 1<<20, x, RemoteConfig{})
	var in []*vec.Batch
	for k := range 16 {
		in = append(in, wide(1000*k, 1000))
	}
	put(t, b, b.pool, b.x, 0, 1, in)
	for _, n := range []*node{a, b} {
		err := inTask(t, n.pool, 0, func(c *task.Ctx) error {
			r, err := n.With(Sources{5: {b.at(0)}}).Reader(c.Conf, "q", n.x, physical.One(0))
			if err != nil {
				return err
			}
			defer r.Close()
			if err := r.Open(c); err != nil {
				return err
			}
			rows := 0
			for {
				batch, err := r.Next(c)
				if err == io.EOF {
					break
				}
				if err != nil {
					return err
				}
				if rows == 0 {
					put(t, b, b.pool, b.x, 0, 1, in)
				}
				rows += batch.N
			}
			if rows != 16000 {
				t.Errorf("%d rows", rows)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	b.Release("q")
	for spillFiles(t) != 0 {
		runtime.Gosched()
	}
}

func TestFetchRefusals(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	a, b, _ := sixteen(t, RemoteConfig{})
	for name, l := range map[string]Location{
		"writer 3":    b.at(3),
		"executor b2": {Executor: "b2", Addr: b.Addr()},
		"aren't":      a.at(0),
	} {
		var fe *FetchError
		_, err := get(t, a.With(Sources{5: {l}}), a.pool, a.x, 0)
		if !errors.As(err, &fe) || fe.Executor != l.Executor || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := get(t, a.With(Sources{5: {b.at(0), a.at(0)}}), a.pool, a.x, 0); err == nil || !strings.Contains(err.Error(), "two places") {
		t.Error(err)
	}
	// Of two writers only one is named.
	for _, n := range []*node{a, b} {
		for writer := range 2 {
			err := inTask(t, b.pool, writer, func(c *task.Ctx) error {
				c.Info.Partitions = 2
				w, err := b.Writer(c, "q", b.x, writer, 1)
				if err != nil {
					return err
				}
				defer w.Close()
				return w.Commit(c)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := get(t, n.With(Sources{5: {b.at(1)}}), n.pool, n.x, 0); err == nil || !strings.Contains(err.Error(), "2 writers") {
			t.Errorf("a writer of two: %v", err)
		}
	}
	if _, err := get(t, a.With(Sources{4: nil}), a.pool, a.x, 0); err == nil || !strings.Contains(err.Error(), "exchange 5") {
		t.Errorf("an exchange whose places nobody told: %v", err)
	}
	put(t, b, b.pool, b.x, 0, 1, []*vec.Batch{wide(0, 10), wide(10, 10)})
	if rows, err := get(t, b.With(nil), b.pool, b.x, 0); err != nil || len(rows) != 20 {
		t.Errorf("all in one process: %d rows, %v", len(rows), err)
	}
	if rows, err := get(t, a.With(Sources{5: nil}), a.pool, a.x, 0); err != nil || rows != nil {
		t.Errorf("no writers: %d rows, %v", len(rows), err)
	}
}

// authority issues certificates for 127.0.0.1.
func authority(t testing.TB) (pool *x509.CertPool, issue func() tls.Certificate) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	must(err)
	root, err := x509.ParseCertificate(der)
	must(err)
	pool = x509.NewCertPool()
	pool.AddCert(root)
	return pool, func() tls.Certificate {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(err)
		c := &x509.Certificate{SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
		der, err := x509.CreateCertificate(rand.Reader, c, root, &k.PublicKey, key)
		must(err)
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: k}
	}
}

func TestMutualTLS(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	roots, issue := authority(t)
	_, foreign := authority(t)
	server := &tls.Config{Certificates: []tls.Certificate{issue()}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots}
	client := func(list ...tls.Certificate) *tls.Config {
		return &tls.Config{RootCAs: roots, Certificates: list}
	}
	x := single()
	b := newNode(t, "b", 0, x, RemoteConfig{ServerTLS: server})
	put(t, b, b.pool, b.x, 0, 1, []*vec.Batch{wide(0, 10), wide(10, 10)})
	for name, c := range map[string]struct {
		conf *tls.Config
		ok   bool
	}{
		"right": {client(issue()), true}, "none": {client(), false}, "foreign": {client(foreign()), false}, "plain": {nil, false},
		"unknown server": {&tls.Config{RootCAs: x509.NewCertPool(), Certificates: []tls.Certificate{issue()}}, false},
	} {
		a := newNode(t, "a", 0, x, RemoteConfig{ClientTLS: c.conf})
		rows, err := get(t, a.With(Sources{5: {b.at(0)}}), a.pool, a.x, 0)
		var fe *FetchError
		if c.ok && (err != nil || len(rows) != 20) || !c.ok && !errors.As(err, &fe) {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
	}
}

// TestBroadcastTables builds a table once in each process.
func TestBroadcastTables(t *testing.T) {
	x := &physical.Exchange{ID: 8, Kind: physical.Broadcast, Input: input()}
	a, b := newNode(t, "a", 0, x, RemoteConfig{}), newNode(t, "b", 0, x, RemoteConfig{})
	put(t, b, b.pool, b.x, 0, 1, []*vec.Batch{rowsFrom(0, 10), rowsFrom(10, 10)})
	built := 0
	for range 3 {
		err := inTask(t, a.pool, 0, func(c *task.Ctx) error {
			s, own := a.With(Sources{8: {b.at(0)}}), copied(t, x) // each task has a copy of its own here
			v, err := s.Shared(c, "q", own, "table", func(c *task.Ctx) (any, int64, error) {
				built++
				r, err := s.Reader(c.Conf, "q", own, physical.One(0))
				if err != nil {
					return nil, 0, err
				}
				rows, err := drain(c, r)
				return rows, 100, err
			})
			if err == nil && len(v.([]string)) != 20 {
				err = fmt.Errorf("%d rows", len(v.([]string)))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if built != 1 {
		t.Errorf("built %d times", built)
	}
	a.Release("q")
	if used, _ := a.pool.Used(); used != 0 {
		t.Errorf("%d bytes are still reserved", used)
	}
}

// TestSizes counts rows in memory and on disk alike.
func TestSizes(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	x := &physical.Exchange{ID: 6, Kind: physical.RoundRobin, Input: input()}
	var first []int64
	for _, limit := range []int64{0, 100 << 10} {
		a := newNode(t, "a", limit, x, RemoteConfig{})
		if got := a.Sizes("q", copied(t, x), 2); got != nil {
			t.Error(got)
		}
		put(t, a, a.pool, a.x, 2, 3, []*vec.Batch{wide(0, 300), wide(300, 300)})
		got := a.Sizes("q", copied(t, x), 2)
		if len(got) != 3 || std.Min(got) < 90<<10 || std.Max(got) > 400<<10 || first != nil && !std.Equal(first, got) {
			t.Errorf("limit %d: %d, and before %d", limit, got, first)
		}
		first = got
		if a.Release("q"); a.Sizes("q", x, 2) != nil {
			t.Error("sizes of a query that has ended")
		}
		a.Release("q")
	}
}

func TestSampleCrosses(t *testing.T) {
	want := []sample{{Parts: 3, Seen: 9, Keys: [][]byte{{1}, {}}}, {}}
	data, err := wire.Marshal(&want)
	if err != nil {
		t.Fatal(err)
	}
	var got []sample
	if err := wire.Unmarshal(data, &got, nil); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func BenchmarkRemoteRead(b *testing.B) {
	for name, c := range map[string]Compress{"plain": CompressNever, "lz4": CompressAlways} {
		b.Run(name, func(b *testing.B) {
			a, _, sources := sixteen(b, RemoteConfig{Compress: c})
			b.SetBytes(16 << 20)
			for b.Loop() {
				err := inTask(b, a.pool, 0, func(c *task.Ctx) error {
					r, err := a.With(sources).Reader(c.Conf, "q", a.x, physical.One(0))
					if err != nil {
						return err
					}
					defer r.Close()
					for err = r.Open(c); err == nil; {
						_, err = r.Next(c)
					}
					if err == io.EOF {
						err = nil
					}
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
