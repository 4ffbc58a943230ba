// Command gen writes the documents that are made from tables in the code.
package main

import (
	"log"
	"os"

	"neptune/conf"
)

func main() {
	if err := os.WriteFile("docs/configuration.md", []byte(conf.Markdown()), 0o644); err != nil {
		log.Fatal(err)
	}
}
