#!/usr/bin/env bash
# Installs what the tests need: Debian packages, and the Go tools of tools.txt
# into $PORTICO_TOOLS. What is there already in the right version is kept, so
# that a second run takes a second.
set -euo pipefail
here=$(dirname "$0")
tools=${PORTICO_TOOLS:?run this through make tools}
export PATH="$PATH:/usr/sbin:/sbin"

# Debian: the program that shows that a package is there, and the package.
packages=()
while read -r program package; do
	command -v "$program" >/dev/null || [ -e "$program" ] || packages+=("$package")
done <<-'LIST'
	litmus                 litmus
	cadaver                cadaver
	mount.davfs            davfs2
	fusermount3            fuse3
	getfattr               attr
	curl                   curl
	gcc                    gcc
	/usr/include/stdlib.h  libc6-dev
LIST

if [ ${#packages[@]} -gt 0 ]; then
	root=()
	if [ "$(id -u)" -ne 0 ]; then
		if ! command -v sudo >/dev/null; then
			echo "The tests need these Debian packages: ${packages[*]}." >&2
			echo "Installing them takes root: run  apt-get install ${packages[*]}  as root, then make again." >&2
			exit 1
		fi
		echo "Installing ${packages[*]} with sudo."
		root=(sudo)
	fi
	"${root[@]}" apt-get update -q
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${packages[@]}"
fi

mkdir -p "$tools"
while read -r name package version; do
	case $name in '' | '#'*) continue ;; esac
	# The stamp in the binary itself: the package and the version it was built from.
	has=$(go version -m "$tools/$name" 2>/dev/null | awk '$1 == "path" { p = $2 } $1 == "mod" { print p, $3 }' || true)
	[ "$has" = "$package $version" ] && continue
	echo "Building $name $version into $tools"
	GOBIN=$tools GOFLAGS= CGO_ENABLED=0 go install "$package@$version"
done <"$here/tools.txt"
