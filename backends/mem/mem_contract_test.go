package mem_test

import (
	"testing"

	"portico/backends"
	"portico/backends/backendtest"
	"portico/backends/mem"
)

func plant(_ *testing.T, s backends.Storage, name, content string) {
	s.(*mem.Storage).Plant(name, content)
}

func TestContract(t *testing.T) {
	t.Parallel()
	backendtest.RunWith(t, backendtest.Options{Plant: plant, NoBlob: true}, func(*testing.T) backends.Storage { return mem.New() })
}

func TestContractOfObjects(t *testing.T) {
	t.Parallel()
	backendtest.RunWith(t, backendtest.Options{Plant: plant, NoBlob: true}, func(*testing.T) backends.Storage {
		return mem.NewWith(mem.Options{Shape: mem.Objects})
	})
}

func TestContractOfBare(t *testing.T) {
	t.Parallel()
	backendtest.RunWith(t, backendtest.Options{NoBlob: true}, func(*testing.T) backends.Storage { return mem.NewWith(mem.Options{Shape: mem.Bare}) })
}
