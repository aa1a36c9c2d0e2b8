#!/bin/sh
# Makes the secrets that compose.yaml hands out, each in a file of its own, in
# the folder secrets beside this file (or the one that is named). What is there
# already is kept. Run it as root: each file then belongs to the user without
# rights that reads it in the container, and to nobody else.
set -eu
umask 077
dir=${1:-$(dirname "$0")/secrets}
mkdir -p "$dir"
for name in postgres minio audit; do
	[ -s "$dir/$name" ] || openssl rand -hex 32 >"$dir/$name"
done
for name in ann tls; do
	[ -s "$dir/$name" ] || echo "$dir/$name is missing: see README.md"
done
[ "$(id -u)" -eq 0 ] || { echo "run this as root, so that the containers can read the files" >&2; exit 1; }
chmod 711 "$dir"
for name in postgres minio audit ann tls; do
	[ -e "$dir/$name" ] || continue
	# 65532 is Portico; PostgreSQL and MinIO read theirs as root. 99 is HAProxy.
	case $name in tls) owner=99:99 ;; *) owner=65532:65532 ;; esac
	chown "$owner" "$dir/$name"
	chmod 400 "$dir/$name"
done
