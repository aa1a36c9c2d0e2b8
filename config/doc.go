// Package config turns a YAML file into typed, validated values.
//
// Load reports every fault of a file at once, each with its line, what is wrong
// and the mend; it yields a Config only where there is none, so that a config
// with a fault never starts and never replaces a good one.
//
// The YAML library is used for its parser alone. Its decoder is not strict for
// our purposes: Node.Decode ignores unknown keys, a duplicate key hides the
// other faults of its mapping, a second document is dropped in silence, and it
// answers an empty file with io.EOF. Each section is read from yaml.Node by the
// small reader in value.go and fields.go instead.
//
// In any value, ${NAME} stands for an environment variable and ${file:PATH} for
// a file's content; $${ stands for a plain ${. Both are put in after the YAML
// was parsed, so that no content can become structure. Relative paths are
// relative to the working directory of the process, not to the config.
package config
