// Package app is the program: its sub-commands, and the wiring and the life of
// the server. It alone knows every room.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"portico/config"
)

// The exit codes.
const (
	exitOK    = 0
	exitNo    = 1 // the answer is no: a faulty config, a right that is not held
	exitError = 2 // the question could not be answered: wrong usage, a file that cannot be read
)

// cli is the command line.
type cli struct {
	Serve        serveCmd        `cmd:"" help:"Serve the drive. Reloads users, groups, roles and rules when the config changes, or on SIGHUP."`
	Check        checkCmd        `cmd:"" help:"Say all that is wrong with a config, each fault as file:line. Exit code 1 if there is any."`
	Why          whyCmd          `cmd:"" help:"Say whether a user may do something, which rule decides, and what would change it. Exit code 1 for no."`
	Plan         planCmd         `cmd:"" help:"Say who would gain and who would lose which rights, and where, if a new config took the place of the present one."`
	Audit        auditCmd        `cmd:"" help:"Check and print the record of who did what."`
	AppPassword  appPasswordCmd  `cmd:"" help:"Make, list and revoke app passwords on a server: one for each device that opens the drive."`
	Unlock       unlockCmd       `cmd:"" help:"Let an account, or an address, try again at once after too many wrong passwords."`
	Locks        locksCmd        `cmd:"" help:"Print and end the locks that programs hold on files."`
	Demo         demoCmd         `cmd:"" help:"Fill a new state of example.yaml with customers, shares, links and deposits to look at."`
	HashPassword hashPasswordCmd `cmd:"" help:"Read a password from standard input and print the argon2id hash for identity.users."`
	Healthcheck  healthcheckCmd  `cmd:"" help:"Ask a running server whether it is ready. Exit code 1 if it is not. For containers without a shell."`
	Backup       backupCmd       `cmd:"" help:"Copy the state database to a file while the server runs."`
	MigrateState migrateStateCmd `cmd:"" name:"migrate-state" help:"Copy the state from SQLite to PostgreSQL, and compare both."`
	Version      versionCmd      `cmd:"" help:"Print the version."`
}

const description = `A WebDAV gateway with rights per folder, over a plain folder or an S3 bucket.

Exit codes: 0 all is well; 1 the answer is no (check: a fault in the config; why: a right that is not held; healthcheck: a server
that is not ready; audit verify: a log that was tampered with); 2 the question could not be answered (wrong usage, a file that cannot be read, for all but check a faulty config).`

// console is where a command reads and writes.
type console struct {
	ctx      context.Context //nolint:containedctx // the life of the whole command
	env      func(string) (string, bool)
	in       io.Reader
	out, err io.Writer
}

// Main runs one command until it ends, or until SIGINT or SIGTERM, and returns
// the exit code.
func Main(args []string, env func(string) (string, bool), in io.Reader, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	return Run(ctx, args, env, in, out, errs)
}

// Run is Main with a life of the caller's choice, so that tests can start the
// real thing and end it.
func Run(ctx context.Context, args []string, env func(string) (string, bool), in io.Reader, out, errs io.Writer) (code int) {
	var c cli
	exited := false
	parser, err := kong.New(&c, kong.Name("portico"), kong.Description(description),
		kong.Writers(out, errs), kong.UsageOnError(),
		kong.Exit(func(int) { exited = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}))
	if err != nil {
		fmt.Fprintln(errs, "portico:", err)
		return exitError
	}
	command, err := parser.Parse(args)
	if exited { // --help has been printed
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(errs, "portico: %v\nSee portico --help.\n", err)
		return exitError
	}
	return exitCode(command.Run(&console{ctx: ctx, env: env, in: in, out: out, err: errs}), errs)
}

// errNo ends a command whose answer is no, and has been printed.
var errNo = errors.New("no")

func exitCode(err error, errs io.Writer) int {
	var faults config.Faults
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errNo):
		return exitNo
	case errors.As(err, &faults): // no command but check can go on from here
		fmt.Fprintln(errs, faults.Error())
		return exitError
	}
	fmt.Fprintln(errs, "portico:", err)
	return exitError
}

// unreadable tells a config that could not be read from one with faults in it.
func unreadable(faults config.Faults) bool { return faults[0].Line == 0 }
