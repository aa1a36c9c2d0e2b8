// Command portico is a WebDAV gateway with a client portal.
package main

import (
	"os"

	"portico/app"
)

func main() { os.Exit(app.Main(os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr)) }
