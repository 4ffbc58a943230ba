package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"neptune/conf"
	"neptune/sidecar"
)

func serverCommand() *cobra.Command {
	var src conf.Source
	c := &cobra.Command{
		Use:   "server",
		Short: "Run a Spark Connect server with executors in the same process",
		Long: `Runs a Spark Connect server with executors in the same process until it is
interrupted.

Each setting can be given as a flag, as --conf key=value, in the environment, in
a configuration file (--config), or in spark-defaults.conf; the first of these
that has it counts. docs/configuration.md describes all of them.`,
		Example: `  neptune server
  neptune server --port 15003 --slots 8 --memory 16g
  neptune server --conf spark.sql.session.timeZone=UTC --log-format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			src.Flags = cmd.Flags()
			cfg, err := conf.Load(src)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return sidecar.Serve(ctx, cfg)
		},
	}
	c.Flags().SortFlags = false
	conf.AddFlags(c.Flags())
	c.Flags().StringVar(&src.File, "config", "", "configuration file (YAML, TOML or JSON)")
	c.Flags().StringVar(&src.SparkDefaults, "properties-file", "", "a spark-defaults.conf to read instead of the one in $SPARK_CONF_DIR or $SPARK_HOME/conf")
	c.Flags().StringArrayVar(&src.Set, "conf", nil, "key=value; spark.* keys become defaults of all sessions (may be repeated)")
	return c
}
