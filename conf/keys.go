// Package conf is the server's typed configuration: one table of keys, from
// which the flags of `neptune server`, the environment, the configuration file
// and docs/configuration.md are made.
//
// A value comes from the first of: a flag, the environment, the configuration
// file, spark-defaults.conf, the default.
package conf

import (
	"fmt"
	"runtime"
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
)

func (k Kind) String() string {
	return [...]string{"text", "integer", "true or false", "size (512m, 4g)", "duration (250ms, 10s)"}[k]
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
			Doc: "Port of /metrics (Prometheus), /healthz and /debug/pprof. 0 takes a free one; -1 opens none. If it is taken, the next 16 are tried."},
		{Name: "neptune.executor.slots", Flag: "slots", Default: "0", Kind: Int,
			Doc: "Tasks that run at once. 0: as many as there are cores."},
		{Name: "neptune.executor.memory", Flag: "memory", Default: "0", Kind: Bytes,
			Doc: "Memory that operators may reserve; beyond it they spill to disk. 0: 60 % of the machine's or the container's. The process takes up to a quarter more, and what suspended tasks hold; the Go run time is told to stay within that, and within 90 % of the container's limit if there is one (cgroup v1 or v2), unless GOMEMLIMIT is set."},
		{Name: "neptune.suspend.maxMemory", Flag: "suspend-memory", Default: "0", Kind: Bytes,
			Doc: "Memory that suspended tasks may hold beside neptune.executor.memory, so that those they make room for find it free. A task that would hold more spills when it is suspended, and what it can't spill counts in neptune.executor.memory. 0: a quarter of that."},
		{Name: "neptune.executor.batchNice", Default: "19", Kind: Int,
			Doc: "Nice value of the threads of batch tasks, so that stream tasks get the CPU first. 0 leaves them alone."},
		{Name: "neptune.local.dir", Flag: "local-dir", Default: "", Spark: "spark.local.dir",
			Doc: "Folder for spilled data. Empty: the system's temporary folder."},
		{Name: "neptune.warehouse.dir", Flag: "warehouse", Default: "spark-warehouse", Spark: "spark.sql.warehouse.dir",
			Doc: "Folder of managed tables."},
		{Name: "neptune.scheduling.mode", Flag: "mode", Default: "neptune", OneOf: []string{"neptune", "fifo"},
			Doc: "How stream and batch jobs share slots. neptune: stream tasks go first, and batch tasks are suspended for them. fifo: in order of submission, nothing is suspended."},
		{Name: "neptune.scheduling.policy", Flag: "policy", Default: "lma", OneOf: []string{"lma", "load_balance", "random"},
			Doc: "Where stream tasks go, and who is suspended for them, in mode neptune."},
		{Name: "neptune.starvation.maxSuspensions", Default: "0", Kind: Int,
			Doc: "A batch task that was suspended more often than this runs protected for protectedRun each time it resumes. 0: no protection."},
		{Name: "neptune.starvation.protectedRun", Default: "1s", Kind: Duration,
			Doc: "How long a task past maxSuspensions can't be suspended."},
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
	BatchNice     int
	LocalDir      string
	Warehouse     string
	Mode          string
	Policy        string

	MaxSuspensions int
	ProtectedRun   time.Duration
	JobType        string
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
	c.Mode, c.Policy = values["neptune.scheduling.mode"], values["neptune.scheduling.policy"]
	c.MaxSuspensions, c.ProtectedRun = num("neptune.starvation.maxSuspensions"), dur("neptune.starvation.protectedRun")
	c.JobType, c.SessionTimeout = values["neptune.job.type"], dur("neptune.session.timeout")
	c.LogLevel, c.LogFormat = values["neptune.log.level"], values["neptune.log.format"]
	if c.Slots <= 0 {
		c.Slots = runtime.NumCPU()
	}
	if c.Memory <= 0 {
		c.Memory = machineMemory() * 6 / 10
	}
	if c.SuspendMemory, _ = ParseBytes(values["neptune.suspend.maxMemory"]); c.SuspendMemory <= 0 {
		c.SuspendMemory = c.Memory / 4
	}
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
