package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"

	"portico/backends"
	"portico/backends/all"
	"portico/backends/local"
	"portico/backends/s3"
	"portico/config"
	"portico/vpath"
)

// uploadBudget is what all uploads together may hold in memory. A large upload to
// S3 holds 16 MiB to its end, and 16 MiB more while there is plenty; so fourteen
// run at once over however slow a line, and small files have a share of their own.
const uploadBudget = 256 << 20

// openStorages opens each storage, and each workspace's tree in one.
func openStorages(ctx context.Context, cfg *config.Config, clock func() time.Time, log *slog.Logger, hook hook) (
	storages map[string]backends.Storage, trees map[string]backends.Backend, err error,
) {
	storages, trees = map[string]backends.Storage{}, map[string]backends.Backend{}
	budget := backends.NewBudget(uploadBudget)
	for name, st := range cfg.Storage {
		if storages[name], err = all.Open(ctx, driverOptions(st, budget, clock, log, hook(name))); err != nil {
			delete(storages, name)
			return storages, nil, fmt.Errorf("storage.%s: %w", name, err)
		}
	}
	for _, w := range cfg.Workspaces {
		root, err := vpath.Parse("/" + w.Root)
		if err != nil {
			return storages, nil, fmt.Errorf("workspaces.%s.root: %w", w.Name, err)
		}
		if trees[w.Name], err = storages[w.Storage].At(root); err != nil {
			return storages, nil, fmt.Errorf("workspaces.%s: %w", w.Name, err)
		}
	}
	return storages, trees, nil
}

// hook gives what hears of the calls to one storage.
type hook func(storage string) func(backends.Call)

func driverOptions(st config.Storage, budget *backends.Budget, clock func() time.Time, log *slog.Logger, onCall func(backends.Call)) all.Options {
	if st.Local != nil {
		return all.Options{Local: &local.Options{Dir: st.Local.Path, Rand: rand.Reader, Clock: clock, OnCall: onCall}}
	}
	return all.Options{S3: &s3.Options{
		Endpoint: st.S3.Endpoint.String(), Bucket: st.S3.Bucket, Prefix: st.S3.Prefix, Region: st.S3.Region,
		AccessKey: st.S3.AccessKey, SecretKey: st.S3.SecretKey.Reveal(), MinIO: st.Type == "minio",
		PathStyle: st.S3.PathStyle, Budget: budget, Clock: clock, OnCall: onCall, Log: log,
	}}
}
