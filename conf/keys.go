// Package conf is the server's typed configuration: one table of keys, from
// which the flags of `neptune server`, the environment, the configuration file
// and docs/configuration.md are made.
//
// A value comes from the first of: a flag, the environment, the configuration
// file, spark-defaults.conf, the default.
package conf

import (
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Key is one configuration key.
type Key struct {
	Name    string // neptune.server.port
	Flag    string // port: the flag of neptune server; "" has none but --conf
	Default string
	Kind    Kind
	OneOf   []string // allowed values, when not empty
	// Session: may be changed for one session, by spark.conf.set and its kin.
	Session bool
	// Spark names the Spark key that means the same, read too when the own one isn't set.
	Spark string
	Doc   string
}

// Kind is the type of a key's value.
type Kind uint8

// The kinds. Bytes take k, m, g suffixes; Duration takes 250ms, 10s, 5m.
const (
	Text Kind = iota
	Int
	Bool
	Bytes
	Duration
	Fraction // 0 to 1
	Number
)

func (k Kind) String() string {
	return [...]string{"text", "integer", "true or false", "size (512m, 4g)", "duration (250ms, 10s)", "number from 0 to 1", "number"}[k]
}

// Env is the environment variable of the key: NEPTUNE_SERVER_PORT.
func (k Key) Env() string { return strings.ToUpper(strings.ReplaceAll(k.Name, ".", "_")) }

// Keys is the table, in the order of documentation.
func Keys() []Key {
	return []Key{
		{Name: "neptune.server.host", Flag: "host", Default: "127.0.0.1", Spark: "spark.connect.grpc.binding.address",
			Doc: "Address that the Spark Connect port is opened on. 0.0.0.0 opens it to other hosts; there is no authentication then unless a token is set."},
		{Name: "neptune.server.port", Flag: "port", Default: "15002", Kind: Int, Spark: "spark.connect.grpc.binding.port",
			Doc: "Port of Spark Connect. 0 takes a free one, which the log names."},
		{Name: "neptune.server.token", Flag: "token", Default: "", Spark: "spark.connect.authenticate.token",
			Doc: "If set, clients must give it in their connection string: sc://host:15002/;token=..."},
		{Name: "neptune.ui.host", Default: "127.0.0.1", Doc: "Address of the status port."},
		{Name: "neptune.ui.port", Flag: "ui-port", Default: "4040", Kind: Int, Spark: "spark.ui.port",
			Doc: "Port of /metrics (Prometheus), /api/v1/neptune (what `neptune top` shows, as JSON), /healthz and /debug/pprof. 0 takes a free one; -1 opens none. If it is taken, the next 16 are tried."},
		{Name: "neptune.eventLog.enabled", Default: "false", Kind: Bool, Spark: "spark.eventLog.enabled",
			Doc: "Write what jobs, stages and tasks do to files that Spark's history server reads; suspensions are events of their own there."},
		{Name: "neptune.eventLog.dir", Default: "/tmp/spark-events", Spark: "spark.eventLog.dir",
			Doc: "Folder of the event log; it must exist. A folder eventlog_v2_<application> for each run of the server."},
		{Name: "neptune.eventLog.maxFileSize", Default: "128m", Kind: Bytes, Spark: "spark.eventLog.rolling.maxFileSize",
			Doc: "Size at which the event log goes on in a new file."},
		{Name: "neptune.executor.slots", Flag: "slots", Default: "0", Kind: Int,
			Doc: "Tasks that run at once. 0: as many as there are cores."},
		{Name: "neptune.executor.memory", Flag: "memory", Default: "0", Kind: Bytes,
			Doc: "Memory that operators may reserve; beyond it they spill to disk. 0: 60 % of the machine's or the container's. The process takes up to a quarter more, and what suspended tasks hold; the Go run time (GOMEMLIMIT) is told to stay within that, and within 90 % of the container's limit if there is one (cgroup v1 or v2), unless GOMEMLIMIT is set."},
		{Name: "neptune.suspend.maxMemory", Flag: "suspend-memory", Default: "0", Kind: Bytes,
			Doc: "Memory that suspended tasks may hold beside neptune.executor.memory, so that those they make room for find it free. A task that would hold more spills when it is suspended, and what it can't spill counts in neptune.executor.memory. 0: a quarter of that."},
		{Name: "neptune.scan.pageCache", Default: "0.007", Kind: Fraction,
			Doc: "Memory for inflated pages of compressed Parquet files, as a share of neptune.executor.memory, beside it. Pages are kept from their second reading on; those asked for most often stay. 0: none are kept."},
		{Name: "neptune.driver.port", Flag: "executors-port", Default: "-1", Kind: Int,
			Doc: "Port for executors that are processes of their own (`neptune executor --driver host:port`). 0 takes a free one, which the log names; -1: there are none, and all tasks run in the server's process."},
		{Name: "neptune.driver.host", Default: "127.0.0.1", Spark: "spark.driver.bindAddress",
			Doc: "Address that the port for executors is opened on. Set neptune.tls.* where others than your own can reach it."},
		{Name: "neptune.executor.embedded", Default: "true", Kind: Bool,
			Doc: "Where there are executors of their own: whether the server's process runs tasks like one of them. false: it runs only what can't run elsewhere (scans of cached rows, large rows of a client's, the gathering of results)."},
		{Name: "neptune.exchange.host", Default: "127.0.0.1",
			Doc: "Address that an executor, and a server that has executors, gives the others to read rows from."},
		{Name: "neptune.exchange.bindAddress", Default: "", Spark: "spark.blockManager.bindAddress",
			Doc: "Address that the exchange is opened on, if it isn't neptune.exchange.host."},
		{Name: "neptune.exchange.port", Default: "0", Kind: Int, Spark: "spark.blockManager.port",
			Doc: "Port of the exchange. 0 takes a free one."},
		{Name: "neptune.heartbeat.interval", Default: "1s", Kind: Duration, Spark: "spark.executor.heartbeatInterval",
			Doc: "How often executors tell how they are, if nothing changes; changes are told within 50 ms."},
		{Name: "neptune.executor.timeout", Default: "30s", Kind: Duration, Spark: "spark.network.timeout",
			Doc: "After so much silence an executor is lost, and what it had is made again elsewhere. One whose process has ended is found sooner. An executor forgets its tasks when it hasn't heard of the driver for as long."},
		{Name: "neptune.executor.drainTimeout", Default: "30s", Kind: Duration, Spark: "spark.decommission.timeout",
			Doc: "How long an executor that is told to end (SIGTERM) goes on for the tasks it runs, and for those who read its rows. What isn't done by then is done again elsewhere."},
		{Name: "neptune.tls.cert", Default: "", Doc: "Certificate (PEM file) of a server or an executor for talking with each other: the control port and the exchange. Set, with key and ca, for all or none of them: each side then must have a certificate of that authority."},
		{Name: "neptune.tls.key", Default: "", Doc: "Its key (PEM file)."},
		{Name: "neptune.tls.ca", Default: "", Doc: "Certificates of the authorities that are trusted (PEM file)."},
		{Name: "neptune.tls.serverName", Default: "", Doc: "Name that the others' certificates must have. Empty: that of the host that is dialled."},
		{Name: "neptune.executor.batchNice", Default: "5", Kind: Int,
			Doc: "Nice value that the threads of batch tasks have while stream tasks come (and for a minute after), so that these get the CPU first; 0 leaves them alone. A higher one helps streams a little on a machine of their own; on one that other programs keep busy it slows batch tasks down a lot, and with them whatever waits for their threads. Where the process may raise it again (CAP_SYS_NICE, or RLIMIT_RTPRIO), a thread whose task is asked to give way has a real-time priority until it has done so; with RLIMIT_NICE alone, the usual one."},
		{Name: "neptune.local.dir", Flag: "local-dir", Default: "", Spark: "spark.local.dir",
			Doc: "Folder for spilled data. Empty: the system's temporary folder."},
		{Name: "neptune.warehouse.dir", Flag: "warehouse", Default: "spark-warehouse", Spark: "spark.sql.warehouse.dir",
			Doc: "Folder of managed tables."},
		{Name: "neptune.catalog.file", Flag: "catalog", Default: "",
			Doc: "File that keeps databases, tables and views when the server ends (SQLite; several servers may share it). Empty: .neptune-catalog.db in the folder of managed tables if that is set to another one than the default, else they live as long as the server. memory: that, always."},
		{Name: "neptune.scheduling.mode", Flag: "mode", Default: "neptune", OneOf: []string{"neptune", "fifo", "fair", "static", "kill"},
			Doc: "How stream and batch jobs share slots. neptune: stream tasks go first, and batch tasks are suspended for them. fifo: in order of submission, nothing is suspended. fair: weighted pools share slots as tasks end. static: slots are divided beforehand. kill: like neptune, but batch tasks are killed and start again. docs/scheduling.md tells how to choose."},
		{Name: "neptune.scheduling.policy", Flag: "policy", Default: "lma",
			OneOf: []string{"lma", "lma_fork", "load_balance", "cache_local_balance", "cache_bucket_balance", "random", "deadline", "lb", "clb", "cl", "cbb"},
			Doc:   "Where stream tasks go, and who gives way to them, in the modes neptune and kill. lb, clb (or cl) and cbb are short names."},
		{Name: "neptune.static.streamShare", Default: "0.5", Kind: Fraction,
			Doc: "Share of the slots that stream jobs have in mode static; batch jobs have the rest. Each has one at least."},
		{Name: "neptune.scheduling.allocationFile", Default: "", Spark: "spark.scheduler.allocation.file",
			Doc: "Pools of mode fair: a fairscheduler.xml with weight, minShare and schedulingMode of each. Jobs choose by spark.scheduler.pool; other pools weigh 1."},
		{Name: "neptune.batch.minShare", Default: "0", Kind: Fraction,
			Doc: "Share of each executor's slot time that batch tasks get however many stream tasks there are (mode neptune)."},
		{Name: "neptune.lma.bucketMB", Default: "1", Kind: Int, Doc: "Policies lma, lma_fork and deadline: spilled megabytes are compared in steps of this."},
		{Name: "neptune.lma.bucketPercentage", Default: "1", Kind: Int, Doc: "The same for memory in use and garbage collection, in per cent."},
		{Name: "neptune.lma.window", Default: "1", Kind: Int, Doc: "How many memory samples of an executor its pressure is the mean and deviation of."},
		{Name: "neptune.locality.wait", Default: "3s", Kind: Duration, Spark: "spark.locality.wait",
			Doc: "How long batch tasks wait for a preferred executor, and then again for a preferred host, before they go anywhere. Stream tasks don't wait."},
		{Name: "neptune.task.maxFailures", Default: "4", Kind: Int, Spark: "spark.task.maxFailures",
			Doc: "How often one task may fail, for causes that another attempt may not meet, before its job does."},
		{Name: "neptune.stage.maxAttempts", Default: "4", Kind: Int, Spark: "spark.stage.maxConsecutiveAttempts",
			Doc: "How often the outputs of one stage may be lost with executors before its job fails."},
		{Name: "neptune.speculation", Default: "false", Kind: Bool, Spark: "spark.speculation",
			Doc: "Start copies of tasks that take much longer than the others of their stage; time suspended doesn't count."},
		{Name: "neptune.speculation.quantile", Default: "0.9", Kind: Fraction, Spark: "spark.speculation.quantile", Doc: "Share of a stage's tasks that must be done before any is copied."},
		{Name: "neptune.speculation.multiplier", Default: "3", Kind: Number, Spark: "spark.speculation.multiplier", Doc: "How many times the median a task must have taken to be copied."},
		{Name: "neptune.starvation.maxSuspensions", Default: "0", Kind: Int,
			Doc: "A batch task that was suspended, or passed over while suspended, more often than this goes on next and runs protected for protectedRun; then the count starts anew. 0: no protection."},
		{Name: "neptune.starvation.protectedRun", Default: "1s", Kind: Duration,
			Doc: "How long a task past maxSuspensions can't be suspended."},
		{Name: "neptune.job.latencyTarget", Default: "", Session: true,
			Doc: "How soon a job should be done (policy deadline): 250ms, 2s. Empty: as soon as can be. Comes by the same channels as neptune.job.type."},
		{Name: "neptune.job.type", Default: "", Session: true,
			Doc: "Type of the session's jobs: stream, batch, or a number (lower is more critical; stream is 1, batch 2). Empty: streaming queries are stream, all else is batch. The same as spark.neptune.job.type and spark.sql.neptune.job.type."},
		{Name: "neptune.session.timeout", Default: "60m", Kind: Duration, Spark: "spark.connect.session.manager.defaultSessionTimeout",
			Doc: "A session that no client has spoken to for so long is closed."},
		{Name: "neptune.log.level", Flag: "log-level", Default: "info", OneOf: []string{"debug", "info", "warn", "error"},
			Doc: "Least level of log lines."},
		{Name: "neptune.log.format", Flag: "log-format", Default: "text", OneOf: []string{"text", "json"},
			Doc: "Form of log lines."},
	}
}

// Conf is the configuration of a server, typed.
type Conf struct {
	Host   string
	Port   int
	Token  string
	UIHost string
	UIPort int
	Slots  int
	Memory int64
	// SuspendMemory is for what suspended tasks hold beside Memory.
	SuspendMemory int64
	// PageCache is for inflated pages of files, beside Memory.
	PageCache int64
	BatchNice int
	// Executors: there may be some in processes of their own.
	Executors    bool
	DriverHost   string
	DriverPort   int
	Embedded     bool
	ExchangeHost string
	ExchangeBind string
	ExchangePort int
	Heartbeat    time.Duration
	LostAfter    time.Duration
	DrainTimeout time.Duration
	TLSCert      string
	TLSKey       string
	TLSCA        string
	TLSName      string
	LocalDir     string
	Warehouse    string
	// CatalogFile keeps the catalog; "": it is in memory.
	CatalogFile string
	Mode        string
	Policy      string

	MaxSuspensions int
	ProtectedRun   time.Duration
	JobType        string
	LatencyTarget  time.Duration

	StaticShare      float64
	BatchMinShare    float64
	Pools            map[string]FairPool // of the allocation file
	BucketMB         int
	BucketPct        int
	PressureWindow   int
	LocalityWait     time.Duration
	MaxFailures      int
	MaxStageAttempts int
	Speculation      bool
	SpecQuantile     float64
	SpecMultiplier   float64

	EventLog     bool
	EventLogDir  string
	EventLogSize int64

	SessionTimeout time.Duration
	LogLevel       string
	LogFormat      string

	// Spark holds spark.* keys of spark-defaults.conf and --conf: the defaults of each session.
	Spark map[string]string
}

// fill makes the typed Conf of values by name; get returns what applies to a key.
func fill(get func(Key) (string, error)) (*Conf, error) {
	c := &Conf{}
	values := map[string]string{}
	for _, k := range Keys() {
		v, err := get(k)
		if err != nil {
			return nil, err
		}
		if err := k.Check(v); err != nil {
			return nil, err
		}
		values[k.Name] = v
	}
	num := func(name string) int { n, _ := parseInt(values[name]); return int(n) }
	dur := func(name string) time.Duration { d, _ := ParseDuration(values[name]); return d }
	c.Host, c.Port, c.Token = values["neptune.server.host"], num("neptune.server.port"), values["neptune.server.token"]
	c.UIHost, c.UIPort = values["neptune.ui.host"], num("neptune.ui.port")
	c.Slots, c.BatchNice = num("neptune.executor.slots"), num("neptune.executor.batchNice")
	c.Memory, _ = ParseBytes(values["neptune.executor.memory"])
	c.LocalDir, c.Warehouse = values["neptune.local.dir"], values["neptune.warehouse.dir"]
	switch file := values["neptune.catalog.file"]; {
	case file == "memory":
	case file == "" && c.Warehouse != "" && c.Warehouse != "spark-warehouse":
		c.CatalogFile = filepath.Join(strings.TrimPrefix(c.Warehouse, "file:"), ".neptune-catalog.db")
	default:
		c.CatalogFile = file
	}
	c.Mode, c.Policy = values["neptune.scheduling.mode"], values["neptune.scheduling.policy"]
	frac := func(name string) float64 {
		x, _ := strconv.ParseFloat(strings.TrimSpace(values[name]), 64)
		return x
	}
	c.Mode, c.Policy = strings.ToLower(c.Mode), strings.ToLower(c.Policy)
	c.StaticShare, c.BatchMinShare = frac("neptune.static.streamShare"), frac("neptune.batch.minShare")
	c.BucketMB, c.BucketPct, c.PressureWindow = num("neptune.lma.bucketMB"), num("neptune.lma.bucketPercentage"), num("neptune.lma.window")
	c.LocalityWait, c.MaxFailures, c.MaxStageAttempts = dur("neptune.locality.wait"), num("neptune.task.maxFailures"), num("neptune.stage.maxAttempts")
	c.Speculation, _ = ParseBool(values["neptune.speculation"])
	c.SpecQuantile, c.SpecMultiplier = frac("neptune.speculation.quantile"), frac("neptune.speculation.multiplier")
	if v := values["neptune.job.latencyTarget"]; v != "" {
		d, err := ParseDuration(v)
		if err != nil || d <= 0 {
			return nil, fmt.Errorf("neptune.job.latencyTarget: %q is no %s", v, Duration)
		}
		c.LatencyTarget = d
	}
	if path := values["neptune.scheduling.allocationFile"]; path != "" {
		pools, err := ReadPools(path)
		if err != nil {
			return nil, err
		}
		c.Pools = pools
	}
	c.MaxSuspensions, c.ProtectedRun = num("neptune.starvation.maxSuspensions"), dur("neptune.starvation.protectedRun")
	c.JobType, c.SessionTimeout = values["neptune.job.type"], dur("neptune.session.timeout")
	c.LogLevel, c.LogFormat = values["neptune.log.level"], values["neptune.log.format"]
	c.EventLog, _ = ParseBool(values["neptune.eventLog.enabled"])
	c.EventLogDir = values["neptune.eventLog.dir"]
	c.EventLogSize, _ = ParseBytes(values["neptune.eventLog.maxFileSize"])
	c.Executors = num("neptune.driver.port") >= 0
	c.DriverHost, c.DriverPort = values["neptune.driver.host"], num("neptune.driver.port")
	c.Embedded, _ = ParseBool(values["neptune.executor.embedded"])
	c.ExchangeHost, c.ExchangeBind, c.ExchangePort = values["neptune.exchange.host"], values["neptune.exchange.bindAddress"], num("neptune.exchange.port")
	if c.ExchangeBind == "" {
		c.ExchangeBind = c.ExchangeHost
	}
	c.Heartbeat, c.LostAfter, c.DrainTimeout = dur("neptune.heartbeat.interval"), dur("neptune.executor.timeout"), dur("neptune.executor.drainTimeout")
	if c.Heartbeat <= 0 || c.LostAfter <= c.Heartbeat {
		return nil, fmt.Errorf("neptune.executor.timeout (%s) must be longer than neptune.heartbeat.interval (%s), and that more than nothing", c.LostAfter, c.Heartbeat)
	}
	c.TLSCert, c.TLSKey, c.TLSCA, c.TLSName = values["neptune.tls.cert"], values["neptune.tls.key"], values["neptune.tls.ca"], values["neptune.tls.serverName"]
	if set := c.TLSCert != ""; set != (c.TLSKey != "") || set != (c.TLSCA != "") {
		return nil, fmt.Errorf("neptune.tls.cert, neptune.tls.key and neptune.tls.ca go together")
	}
	if c.Slots <= 0 {
		c.Slots = runtime.NumCPU()
	}
	if c.Memory <= 0 {
		c.Memory = machineMemory() * 6 / 10
	}
	if c.SuspendMemory, _ = ParseBytes(values["neptune.suspend.maxMemory"]); c.SuspendMemory <= 0 {
		c.SuspendMemory = c.Memory / 4
	}
	c.PageCache = int64(frac("neptune.scan.pageCache") * float64(c.Memory))
	return c, nil
}

// Check reports whether v is a value of the key.
func (k Key) Check(v string) error {
	var err error
	switch k.Kind {
	case Int:
		_, err = parseInt(v)
	case Bool:
		_, err = ParseBool(v)
	case Bytes:
		_, err = ParseBytes(v)
	case Duration:
		_, err = ParseDuration(v)
	case Fraction, Number:
		var x float64
		if x, err = strconv.ParseFloat(strings.TrimSpace(v), 64); err == nil && (math.IsNaN(x) || x < 0 || k.Kind == Fraction && x > 1) {
			err = strconv.ErrRange
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %q is no %s", k.Name, v, k.Kind)
	}
	if len(k.OneOf) > 0 {
		for _, o := range k.OneOf {
			if strings.EqualFold(o, v) {
				return nil
			}
		}
		return fmt.Errorf("%s: %q is none of %s", k.Name, v, strings.Join(k.OneOf, ", "))
	}
	return nil
}
