package conf

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// Source is where values come from besides the environment.
type Source struct {
	Flags *pflag.FlagSet // flags of the table, and --conf k=v
	File  string         // a YAML, TOML or JSON file; "" reads none
	// SparkDefaults is the path of a spark-defaults.conf; "" looks into
	// $SPARK_CONF_DIR and $SPARK_HOME/conf.
	SparkDefaults string
	Set           []string // --conf k=v, in order
}

// AddFlags defines the table's flags.
func AddFlags(f *pflag.FlagSet) {
	for _, k := range Keys() {
		if k.Flag != "" {
			doc := strings.ReplaceAll(k.Doc, "`", "") // pflag would take what they quote for the value's name
			f.String(k.Flag, k.Default, fmt.Sprintf("%s [%s, $%s]", doc, k.Name, k.Env()))
		}
	}
}

// Load puts the configuration together.
func Load(src Source) (*Conf, error) {
	v := viper.New()
	if src.File != "" {
		v.SetConfigFile(src.File)
		if err := v.ReadInConfig(); err != nil {
			return nil, fmt.Errorf("configuration file %s: %w", src.File, err)
		}
	}
	spark, err := readSparkDefaults(src.SparkDefaults)
	if err != nil {
		return nil, err
	}
	set := map[string]string{}
	for _, kv := range src.Set {
		k, val, ok := strings.Cut(kv, "=")
		if !ok {
			return nil, fmt.Errorf("--conf %s: want key=value", kv)
		}
		set[strings.TrimSpace(k)] = val
	}
	for k := range set {
		if strings.HasPrefix(k, "neptune.") && !known(k) {
			return nil, fmt.Errorf("--conf %s: there is no such key; see neptune server --help", k)
		}
	}
	c, err := fill(func(k Key) (string, error) {
		if x, ok := set[k.Name]; ok {
			return x, nil
		}
		if k.Flag != "" && src.Flags != nil && src.Flags.Changed(k.Flag) {
			return src.Flags.GetString(k.Flag)
		}
		if k.Spark != "" {
			if x, ok := set[k.Spark]; ok {
				return x, nil
			}
		}
		if x, ok := os.LookupEnv(k.Env()); ok {
			return x, nil
		}
		if v.IsSet(k.Name) { // viper lower-cases: our names differ in more than case
			return v.GetString(k.Name), nil
		}
		for _, name := range []string{k.Name, k.Spark} {
			if x, ok := spark[name]; ok && name != "" {
				return x, nil
			}
		}
		return k.Default, nil
	})
	if err != nil {
		return nil, err
	}
	for k, val := range set {
		if strings.HasPrefix(k, "spark.") {
			spark[k] = val
		}
	}
	c.Spark = spark
	return c, nil
}

func known(name string) bool {
	for _, k := range Keys() {
		if k.Name == name {
			return true
		}
	}
	return false
}

// readSparkDefaults reads Spark's properties file: a key, white space or =, a value; # starts a comment line.
func readSparkDefaults(path string) (map[string]string, error) {
	out := map[string]string{}
	given := path != ""
	if path == "" {
		switch {
		case os.Getenv("SPARK_CONF_DIR") != "":
			path = filepath.Join(os.Getenv("SPARK_CONF_DIR"), "spark-defaults.conf")
		case os.Getenv("SPARK_HOME") != "":
			path = filepath.Join(os.Getenv("SPARK_HOME"), "conf", "spark-defaults.conf")
		default:
			return out, nil
		}
	}
	f, err := os.Open(path)
	if err != nil {
		if given || !os.IsNotExist(err) {
			return nil, err
		}
		return out, nil
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		i := strings.IndexAny(line, "= \t")
		if i < 0 {
			out[line] = ""
			continue
		}
		out[line[:i]] = strings.TrimSpace(strings.TrimLeft(line[i:], "= \t"))
	}
	return out, lines.Err()
}
