#!/usr/bin/env bash
# Installs what the tests need: Debian packages, and the Go tools of tools.txt
# into $PORTICO_TOOLS. What is there already in the right version is kept, so
# that a second run takes a second.
set -euo pipefail
here=$(dirname "$0")
tools=${PORTICO_TOOLS:?run this through make tools}
export PATH="$PATH:/usr/sbin:/sbin"

# Debian: the program that shows that a package is there (a name, or a path that
# may have a * in it), and the package.
packages=()
while read -r program package; do
	command -v "$program" >/dev/null || compgen -G "$program" >/dev/null || packages+=("$package")
done <<-'LIST'
	litmus                 litmus
	cadaver                cadaver
	mount.davfs            davfs2
	fusermount3            fuse3
	getfattr               attr
	curl                   curl
	slapd                  slapd
	gcc                    gcc
	/usr/include/stdlib.h  libc6-dev
	node                   nodejs
	npm                    npm
	chromium               chromium
	ldapsearch             ldap-utils
	haproxy                haproxy
	/usr/lib/postgresql/*/bin/postgres  postgresql
	systemd-analyze        systemd
	openssl                openssl
	unshare                util-linux
	dbus-run-session       dbus-daemon
	gio                    libglib2.0-bin
	/usr/lib/gvfs/gvfsd-dav  gvfs-backends
	kioclient5             kde-cli-tools
	/usr/lib/*/qt5/plugins/kf5/kio/kio_http.so  kio
	soffice                libreoffice-writer-nogui
	/usr/lib/python3/dist-packages/uno.py  python3-uno
LIST

# quietly COMMAND…: runs a command of Debian's packages that must start nothing.
# Tests start what they need on ports and data of their own; slapd and
# PostgreSQL would come up on 389 and 5432 with an empty directory and database.
# Debian's own switches for that: no service is started where policy-rc.d says
# 101, and no cluster is made where createcluster.conf says so. An
# administrator's own files stay as they are.
quietly() {
	local policy=/usr/sbin/policy-rc.d cluster=/etc/postgresql-common/createcluster.conf ours=() code=0
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee $policy >/dev/null
		"${root[@]}" chmod 755 $policy
		ours=("$policy")
	fi
	if [ ! -e $cluster ]; then
		"${root[@]}" mkdir -p "${cluster%/*}"
		echo 'create_main_cluster = false' | "${root[@]}" tee $cluster >/dev/null
	fi
	"$@" || code=$?
	[ ${#ours[@]} -eq 0 ] || "${root[@]}" rm -f "${ours[@]}"
	return $code
}

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
	quietly "${root[@]}" env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 \
		apt-get install -y -q --no-install-recommends "${packages[@]}"
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

# Modules of Node; the lock file is the stamp.
for module in oidc-provider tus-js-client axe-core; do
	if ! cmp -s "$here/$module/package-lock.json" "$tools/$module/package-lock.json" || [ ! -d "$tools/$module/node_modules" ]; then
		echo "Installing $module into $tools/$module"
		rm -rf "${tools:?}/$module"
		mkdir "$tools/$module"
		cp "$here/$module/package.json" "$here/$module/package-lock.json" "$tools/$module"
		npm ci --prefix "$tools/$module" --ignore-scripts --no-audit --no-fund --silent
	fi
done
