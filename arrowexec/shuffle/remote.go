package shuffle

import (
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/internal/errs"
)

// Remote is an exchange between processes. What this process's tasks write stays
// here, in memory first and on disk when that is short (it is a Local), and
// others read it over Arrow Flight; readers take what is here without a copy.
//
// In a Remote an exchange is known by query and Exchange.ID, as each process
// has decoded its own copy of the plan.
//
// Where rows are is told by the driver, task by task: see With. It is safe for
// concurrent use.
type Remote struct {
	conf   RemoteConfig
	local  *Local
	server *grpc.Server
	addr   string
	dial   dialer
	wg     sync.WaitGroup

	mu      sync.Mutex
	queries map[string]*remoteQuery
}

// RemoteConfig fixes a Remote.
type RemoteConfig struct {
	// Executor names this process. A process that is started again has another
	// name, so that nobody takes its empty memory for the old one's.
	Executor string
	// Listen is the address for other executors, host:port; ":0" takes any port.
	Listen string
	// Host is what others dial, when it isn't what Listen says.
	Host string
	// ServerTLS and ClientTLS protect both directions; nil: plain text. A server that
	// is to know its clients sets ClientAuth and ClientCAs.
	ServerTLS, ClientTLS *tls.Config
	// Compress says when rows are compressed with LZ4. It costs more than it
	// saves within a host, where a core copies more than a gigabyte a second.
	Compress Compress
	// Window is how many bytes a reader fetches ahead from each executor; 0: 1 MiB.
	Window int64
}

// Compress says when rows are compressed.
type Compress uint8

// The choices.
const (
	CompressAcrossHosts Compress = iota
	CompressNever
	CompressAlways
)

// Location is where the rows of one writer (a task of the stage under the exchange) are.
type Location struct {
	Writer   int // partition of the task that wrote
	Executor string
	Addr     string // host:port of its exchange service
}

// Sources tells where the rows of exchanges are, by Exchange.ID: one location
// for each writer that committed.
type Sources map[int][]Location

// FetchError says that another executor doesn't give the rows that it should
// have: it is gone, or has lost them. The task failed for want of them, and
// will succeed when they have been made again.
type FetchError struct {
	Query    string
	Exchange int // id
	Executor string
	Addr     string
	Writers  []int // whose rows were asked for
	Err      error
}

func (e *FetchError) Error() string {
	return fmt.Sprintf("the rows of exchange %d, writers %v, can't be read from executor %s at %s: %v", e.Exchange, e.Writers, e.Executor, e.Addr, e.Err)
}

// Unwrap returns the cause.
func (e *FetchError) Unwrap() error { return e.Err }

// remoteQuery is what a Remote knows of a query beside its rows.
type remoteQuery struct {
	exchanges map[int]*physical.Exchange // the first copy that came; Local knows it by that
	conf      map[int]*task.Conf         // of its writers
	released  chan struct{}              // closed by Release
}

// NewRemote starts the service. Close ends it.
func NewRemote(pool *mem.Pool, conf RemoteConfig) (*Remote, error) {
	if conf.Executor == "" {
		return nil, errs.Internalf("an exchange service without an executor's name")
	}
	if conf.Window <= 0 {
		conf.Window = defaultWindow
	}
	r := &Remote{conf: conf, local: NewLocal(pool), queries: map[string]*remoteQuery{}}
	r.dial.tls = conf.ClientTLS
	lis, err := net.Listen("tcp", conf.Listen)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(lis.Addr().String())
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	if conf.Host != "" {
		host = conf.Host
	}
	r.addr = net.JoinHostPort(host, port)
	r.serve(lis)
	return r, nil
}

var (
	_ Service = (*Remote)(nil)
	_ Service = (*view)(nil)
)

// Addr is what other executors dial, host:port.
func (r *Remote) Addr() string { return r.addr }

// Executor is this process's name.
func (r *Remote) Executor() string { return r.conf.Executor }

// Close ends the service. Readers elsewhere get FetchErrors.
func (r *Remote) Close() {
	r.server.Stop()
	r.dial.close()
	r.wg.Wait()
	r.mu.Lock()
	names := make([]string, 0, len(r.queries))
	for name := range r.queries {
		names = append(names, name)
	}
	r.mu.Unlock()
	for _, name := range names {
		r.Release(name)
	}
}

// Lost says that an executor is gone: whoever reads from it gets a FetchError
// at once, rather than when the connection has been silent for too long.
func (r *Remote) Lost(executor string) { r.dial.lost(executor) }

// Found takes Lost back.
func (r *Remote) Found(executor string) { r.dial.found(executor) }

// With is the service as one task sees it, which finds the rows of its inputs
// where sources says. Reading an exchange that isn't in it is an error; without
// sources (nil) all exchanges are in this process alone.
func (r *Remote) With(sources Sources) Service { return &view{r, sources} }

type view struct {
	*Remote
	sources Sources
}

// query returns what is known of a query, made if need be. mu is held.
func (r *Remote) query(name string) *remoteQuery {
	q := r.queries[name]
	if q == nil {
		q = &remoteQuery{exchanges: map[int]*physical.Exchange{}, conf: map[int]*task.Conf{}, released: make(chan struct{})}
		r.queries[name] = q
	}
	return q
}

// known returns the copy of x by which Local knows it.
func (r *Remote) known(name string, x *physical.Exchange) *physical.Exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.query(name)
	if k := q.exchanges[x.ID]; k != nil {
		return k
	}
	q.exchanges[x.ID] = x
	return x
}

// Writer implements Service.
func (r *Remote) Writer(c *task.Ctx, query string, x *physical.Exchange, writer, parts int) (Writer, error) {
	k := r.known(query, x)
	r.mu.Lock()
	r.query(query).conf[x.ID] = c.Conf
	r.mu.Unlock()
	return r.local.Writer(c, query, k, writer, parts)
}

// Shared implements op.Exchanges.
func (r *Remote) Shared(c *task.Ctx, query string, x *physical.Exchange, what string, build func(*task.Ctx) (any, int64, error)) (any, error) {
	return r.local.Shared(c, query, r.known(query, x), what, build)
}

// Reader implements op.Exchanges: of what is in this process.
func (r *Remote) Reader(c *task.Conf, query string, x *physical.Exchange, piece physical.Piece) (op.Operator, error) {
	return r.local.Reader(c, query, r.known(query, x), piece)
}

// Spent gives back what this process holds of an exchange that nobody will read again.
func (r *Remote) Spent(query string, x *physical.Exchange) {
	r.local.Spent(query, r.known(query, x))
}

// Sizes returns how many bytes a writer of this process committed for each
// partition (RangeBy: in all), nil if it hasn't.
func (r *Remote) Sizes(query string, x *physical.Exchange, writer int) []int64 {
	return r.local.Sizes(query, r.known(query, x), writer)
}

// Release implements Service. Whoever is being served rows of the query gets an error.
func (r *Remote) Release(query string) {
	r.mu.Lock()
	q := r.queries[query]
	delete(r.queries, query)
	r.mu.Unlock()
	if q != nil {
		close(q.released)
	}
	r.local.Release(query)
}

// Reader implements op.Exchanges.
func (v *view) Reader(c *task.Conf, query string, x *physical.Exchange, piece physical.Piece) (op.Operator, error) {
	if v.sources == nil {
		return v.Remote.Reader(c, query, x, piece)
	}
	piece, err := pieceOf(x, piece)
	if err != nil {
		return nil, err
	}
	list, ok := v.sources[x.ID]
	if !ok {
		return nil, errs.Internalf("nobody said where the rows of exchange %d are", x.ID)
	}
	x = v.known(query, x)
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Location) int { return a.Writer - b.Writer })
	for i := 1; i < len(list); i++ {
		if list[i].Writer == list[i-1].Writer {
			return nil, errs.Internalf("exchange %d has two places for writer %d", x.ID, list[i].Writer)
		}
	}
	all := len(list)
	list = slices.DeleteFunc(list, func(l Location) bool { return !within(piece, l.Writer) })
	base := reader{l: v.local, query: query, x: x, piece: piece, schema: physical.Types(x.Schema())}
	over := func(list []Location) *reader {
		r := base
		r.remote = &fetch{r: v.Remote, query: query, x: x, piece: piece, schema: r.schema, sources: list, all: all}
		return &r
	}
	if !x.Merge && x.Kind != physical.RangeBy {
		return over(list), nil
	}
	keys, order, err := op.CompileOrder(x.Order, op.NewEnv(c, piece.From))
	if err != nil {
		return nil, err
	}
	if x.Kind == physical.RangeBy {
		base.keys, base.order = keys, order
		return over(list), nil
	}
	if len(list) < 2 {
		return over(list), nil
	}
	inputs := make([]op.Operator, len(list))
	for i := range list {
		one := over(list[i : i+1])
		one.remote.one = true
		inputs[i] = one
	}
	return op.NewMerge(inputs, keys, order), nil
}

// place names a list of locations, for what is computed once for all who read there.
func place(list []Location) string {
	var b strings.Builder
	for _, l := range list {
		fmt.Fprintf(&b, "%d@%s ", l.Writer, l.Executor)
	}
	return b.String()
}

// pin keeps the rows of writers of an exchange from being dropped until unpin.
// missing is a writer whose rows aren't here, or -1.
func (l *Local) pin(query string, x *physical.Exchange, writers []int) (list []*output, missing int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.queries[query]
	if q == nil || q.exchanges[x] == nil {
		return nil, writers[0]
	}
	for _, w := range writers {
		o := q.exchanges[x].writers[w]
		if o == nil {
			return nil, w
		}
		list = append(list, o)
	}
	for _, o := range list {
		o.pins++
	}
	return list, -1
}

func (l *Local) unpin(query string, list []*output) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range list {
		if o.pins--; o.pins == 0 && o.dead {
			_ = l.drop(query, o) // a file without a name, nothing is left to tell of
		}
	}
}
