//go:build !unix

package main

import "os"

func terminal(*os.File) (columns, rows int, ok bool) { return 0, 0, false }
