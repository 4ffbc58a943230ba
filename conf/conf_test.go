package conf

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/pflag"
)

func write(t *testing.T, name, text string) string {
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPrecedence(t *testing.T) {
	file := write(t, "neptune.yaml", "neptune:\n  server:\n    port: 3\n  scheduling:\n    mode: fifo\n  executor:\n    batchNice: 4\n")
	spark := write(t, "spark-defaults.conf", "# comment\nspark.connect.grpc.binding.port 4\nspark.sql.ansi.enabled=false\nneptune.executor.slots   7\nspark.local.dir /x\n")
	flags := pflag.NewFlagSet("t", pflag.ContinueOnError)
	AddFlags(flags)
	src := Source{Flags: flags, File: file, SparkDefaults: spark}
	check := func(want int) *Conf {
		t.Helper()
		c, err := Load(src)
		if err != nil {
			t.Fatal(err)
		}
		if c.Port != want {
			t.Errorf("port %d, want %d", c.Port, want)
		}
		return c
	}
	c := check(3)
	if c.Mode != "fifo" || c.BatchNice != 4 || c.Slots != 7 || c.LocalDir != "/x" || c.Spark["spark.sql.ansi.enabled"] != "false" {
		t.Errorf("%+v", c)
	}
	t.Setenv("NEPTUNE_SERVER_PORT", "2")
	check(2)
	if err := flags.Parse([]string{"--port", "1"}); err != nil {
		t.Fatal(err)
	}
	check(1)
	src.Set = []string{"neptune.server.port=9"}
	check(9)
}

func TestBadValuesAreNamed(t *testing.T) {
	for kv, want := range map[string]string{
		"neptune.server.port=x":           `neptune.server.port: "x" is no integer`,
		"neptune.executor.memory=4 pigs":  `neptune.executor.memory: "4 pigs" is no size (512m, 4g)`,
		"neptune.scheduling.mode=fastest": `neptune.scheduling.mode: "fastest" is none of neptune, fifo, fair, static, kill`,
		"neptune.sever.port=1":            `--conf neptune.sever.port: there is no such key; see neptune server --help`,
		"nonsense":                        `--conf nonsense: want key=value`,
	} {
		_, err := Load(Source{Set: []string{kv}})
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", kv, err, want)
		}
	}
}

func TestDocumentationIsCurrent(t *testing.T) {
	got, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != Markdown() {
		t.Error("docs/configuration.md is not what the table says: run make generate")
	}
}

func TestSizesAndDurations(t *testing.T) {
	for s, want := range map[string]int64{"7": 7, "4k": 4096, "2mb": 2 << 20, "1G": 1 << 30} {
		if n, err := ParseBytes(s); err != nil || n != want {
			t.Errorf("%s: %d, %v", s, n, err)
		}
	}
	for _, s := range []string{"", "k", "-1", "9999999999g"} {
		if n, err := ParseBytes(s); err == nil {
			t.Errorf("%s: %d", s, n)
		}
	}
	for s, want := range map[string]string{"100": "100ms", "2d": "48h0m0s", "5min": "5m0s"} {
		if d, err := ParseDuration(s); err != nil || d.String() != want {
			t.Errorf("%s: %v, %v", s, d, err)
		}
	}
}

func TestContainerMemory(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"none":        {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, 0},
		"no files":    {nil, 0},
		"v2":          {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1073741824\n"}, 1 << 30},
		"v2 nested":   {map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "1000\n"}, 1000},
		"v2 the root": {map[string]string{"proc/self/cgroup": "0::/docker/x\n", "sys/fs/cgroup/memory.max": "2000\n"}, 2000},
		"v1":          {map[string]string{"proc/self/cgroup": "4:cpu:/x\n9:hugetlb,memory:/x\n", "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "3000\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 3000},
	} {
		root := t.TempDir()
		for file, text := range c.files {
			at := filepath.Join(root, file)
			if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got := ContainerMemory(root); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestSuspendMemoryIsAQuarter(t *testing.T) {
	c, err := Load(Source{Set: []string{"neptune.executor.memory=400m"}})
	if err != nil {
		t.Fatal(err)
	}
	if c.SuspendMemory != 100<<20 {
		t.Errorf("%d bytes", c.SuspendMemory)
	}
}

func TestCatalogFile(t *testing.T) {
	for _, c := range []struct {
		set  []string
		want string
	}{
		{nil, ""},
		{[]string{"spark.sql.warehouse.dir=/w"}, "/w/.neptune-catalog.db"},
		{[]string{"neptune.warehouse.dir=/w", "neptune.catalog.file=memory"}, ""},
		{[]string{"neptune.catalog.file=/c.db"}, "/c.db"},
	} {
		got, err := Load(Source{Set: c.set})
		if err != nil || got.CatalogFile != c.want {
			t.Errorf("%v: %v, %v", c.set, got, err)
		}
	}
}
