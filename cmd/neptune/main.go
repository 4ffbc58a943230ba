// Command neptune is the server, and the tools around it. Each verb has a file.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"neptune/sidecar"
)

// version is set by the linker.
var version = "dev"

func main() {
	if err := rootCommand().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "neptune:", err)
		os.Exit(1)
	}
}

// rootCommand makes the command line. All verbs are of one version: a driver takes only
// executors of its own.
func rootCommand() *cobra.Command {
	sidecar.Version = version
	root := &cobra.Command{
		Use:   "neptune",
		Short: "A Spark Connect server whose stream jobs never wait behind batch jobs",
		Long: `Neptune runs the queries of unmodified PySpark, Scala and Jupyter clients.

  neptune server                                   start a server on port 15002
  SparkSession.builder.remote("sc://localhost:15002").getOrCreate()
                                                   and use it
  neptune executor --driver host:port              more executors, on any hosts

One setting marks a job: spark.conf.set("neptune.job.type", "stream") or "batch".
Stream tasks take the slots of batch tasks, which are suspended, not killed, and
go on afterwards.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(serverCommand(), executorCommand(), topCommand(), benchCommand(), versionCommand())
	return root
}

func versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Args: cobra.NoArgs, Run: func(*cobra.Command, []string) {
		fmt.Println("neptune", version, "(Spark Connect 4.3.0)")
	}}
}
