#!/usr/bin/env bash
# Holds the Dockerfile without a container engine: runs the RUN lines of its
# first stage on a copy of the tree, lays out the image of the second as a
# folder, and starts the binary in it: as user 65532 in a chroot where we are
# root, which shows that it needs no shell, no library and no folder but /data.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
src=$work/src image=$work/image
pid=
cleanup() {
	[ -z "$pid" ] || { kill "$pid" && wait "$pid"; } 2>/dev/null || true
	! mountpoint -q "$image/proc" || umount "$image/proc"
	chmod -R u+w "$work" && rm -rf "$work"
}
trap cleanup EXIT
mkdir -p "$src" "$image/etc/portico" "$image/tmp"
chmod 755 "$work" "$image"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' f; do
	[ ! -e "$f" ] || printf '%s\0' "$f"
done | tar --null -T - -cf - | tar -xf - -C "$src"

sed -n '/^FROM scratch/q; s/^RUN //p' Dockerfile >"$work/steps"
[ -s "$work/steps" ] || { echo "the Dockerfile has no RUN line in its first stage"; exit 1; }
while read -r step; do
	echo "+ $step"
	(cd "$src" && bash -euc "$step") </dev/null
done <"$work/steps"

libs=$(ldd "$src/bin/portico" 2>&1 || true) # fails for what is not dynamic
grep -q 'not a dynamic executable' <<<"$libs" || { echo "bin/portico is not static: $libs"; exit 1; }
built=$(go version -m "$src/bin/portico")
grep -q 'CGO_ENABLED=0' <<<"$built" || { echo "bin/portico was built with cgo"; exit 1; }

cp "$src/bin/portico" "$image/portico"
cp -r "$src/out/data" "$image/data"
port=$((20000 + RANDOM % 20000))
cat >"$image/etc/portico/portico.yaml" <<YAML
server: {listen: "127.0.0.1:$port", metrics_listen: "127.0.0.1:$((port + 1))"}
state: sqlite:data/portico.db
identity: {users: {ann: {password: "HASH"}}}
storage:
  disk: {type: local, path: data/files}
workspaces:
  firm: {storage: disk}
YAML
if [ "$(id -u)" -eq 0 ]; then
	chown -R 65532:65532 "$image/data"
	mkdir "$image/proc" && mount -t proc proc "$image/proc" # every container has one
	inside() { exec chroot --userspec=65532:65532 "$image" "$@"; }
else
	inside() { cd "$image" && exec env -i ".$1" "${@:2}"; }
fi
config=/etc/portico/portico.yaml
[ "$(id -u)" -eq 0 ] || config=$image$config
(inside /portico version)
hash=$(echo "a password for $work" | (inside /portico hash-password))
sed -i "s|HASH|$hash|" "$image/etc/portico/portico.yaml"
(inside /portico serve --config "$config") >"$work/log" 2>&1 &
pid=$!
for _ in $(seq 100); do
	if (inside /portico healthcheck --url "http://127.0.0.1:$port/readyz") >"$work/health" 2>&1; then
		kill -TERM "$pid"
		wait "$pid" || { echo "portico did not end cleanly:"; cat "$work/log"; exit 1; }
		pid=
		echo "the image's binary is static, starts as a user without rights, answers its health check and ends on SIGTERM"
		exit 0
	fi
	kill -0 "$pid" 2>/dev/null || break
	sleep 0.1
done
echo "portico did not become healthy:"
cat "$work/log" "$work/health"
exit 1
