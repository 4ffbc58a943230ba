package main

import (
	"context"
	"os"
	"testing"
	"time"

	"neptune/sidecar"
)

const testVersion = "1.2.3-test"

// TestMain lets the tests' binary be neptune, of a version as a release has one, where it
// is started as an executor.
func TestMain(m *testing.M) {
	version = testVersion
	if len(os.Args) > 1 && os.Args[1] == "executor" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// What any verb starts an engine with takes executors of the same binary: experiments do
// that, beside the server.
func TestExecutorsOfTheSameBinaryJoin(t *testing.T) {
	rootCommand()
	if sidecar.Version != testVersion {
		t.Fatalf("the engine says that it is of version %s", sidecar.Version)
	}
	c, err := sidecar.NewCluster(sidecar.Self)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := c.Join(ctx, "x", "--slots", "1"); err != nil {
		t.Fatal(err)
	}
	if rows, _, err := c.Run(ctx, "SELECT id FROM range(10)", false); err != nil || rows != 10 {
		t.Fatalf("%d rows, %v", rows, err)
	}
}
