package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"neptune/conf"
	"neptune/internal/obs"
	"neptune/sidecar"
)

// executorFlags are the flags of `neptune executor`, by the key that they set.
var executorFlags = []struct{ flag, key, doc string }{
	{"slots", "neptune.executor.slots", "tasks that run at once (0: as many as there are cores)"},
	{"memory", "neptune.executor.memory", "memory that operators may reserve (512m, 4g; 0: 60 % of the machine's or the container's)"},
	{"suspend-memory", "neptune.suspend.maxMemory", "memory that suspended tasks may hold beside (0: a quarter)"},
	{"host", "neptune.exchange.host", "address at which the driver and other executors read rows from this one"},
	{"bind", "neptune.exchange.bindAddress", "address that this is opened on, if it is another"},
	{"port", "neptune.exchange.port", "its port (0: a free one)"},
	{"local-dir", "neptune.local.dir", "folder for spilled data"},
	{"log-level", "neptune.log.level", "debug, info, warn or error"},
	{"log-format", "neptune.log.format", "text or json"},
}

func executorCommand() *cobra.Command {
	var src conf.Source
	var driver, name string
	var untilStdinEnds bool
	c := &cobra.Command{
		Use:   "executor",
		Short: "Run an executor for a server that runs elsewhere",
		Long: `Runs an executor for a server whose port for executors is open
(neptune server --executors-port). It must be the same build of neptune.

When it is told to end (SIGTERM, or Ctrl-C) it takes nothing new, finishes what
it runs and what others still read from it, within neptune.executor.drainTimeout,
and leaves; a second time ends it at once.`,
		Example: `  neptune executor --driver server:15010 --host this-host --slots 4 --memory 8g
  neptune executor --driver 127.0.0.1:15010 --slots 1 --conf neptune.executor.drainTimeout=5s`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if driver == "" {
				return errors.New("--driver host:port is needed: the port for executors of a server")
			}
			for _, f := range executorFlags {
				if v, err := cmd.Flags().GetString(f.flag); err == nil && cmd.Flags().Changed(f.flag) {
					src.Set = append(src.Set, f.key+"="+v)
				}
			}
			cfg, err := conf.Load(src)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop) // the second signal ends the process
			if untilStdinEnds {
				go func() {
					_, _ = io.Copy(io.Discard, os.Stdin)
					os.Exit(1)
				}()
			}
			return sidecar.RunExecutor(ctx, cfg, driver, name, obs.NewLog(os.Stderr, cfg.LogLevel, cfg.LogFormat))
		},
	}
	c.Flags().SortFlags = false
	c.Flags().StringVar(&driver, "driver", "", "address of the server's port for executors, host:port")
	c.Flags().StringVar(&name, "name", "", "beginning of the executor's name (default: the host's)")
	c.Flags().BoolVar(&untilStdinEnds, "until-stdin-ends", false, "end with the process that started this one, which holds the other end of standard input")
	_ = c.Flags().MarkHidden("until-stdin-ends") // it is there
	for _, f := range executorFlags {
		c.Flags().String(f.flag, "", f.doc+" ["+f.key+"]")
	}
	c.Flags().StringVar(&src.File, "config", "", "configuration file (YAML, TOML or JSON)")
	c.Flags().StringVar(&src.SparkDefaults, "properties-file", "", "a spark-defaults.conf to read instead of the one in $SPARK_CONF_DIR or $SPARK_HOME/conf")
	c.Flags().StringArrayVar(&src.Set, "conf", nil, "key=value (may be repeated)")
	return c
}
