#!/usr/bin/env bash
# Runs every check and every test, and ends with one line: "N passed, N failed".
# A test counts as one, with its sub-tests; so does each check. The exit code is
# 0 only when nothing failed. Called by make test.
set -uo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
passed=0 failed=0 faults=()

finish() {
	[ ${#faults[@]} -gt 0 ] && printf 'FAILED: %s\n' "${faults[@]}"
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ] && exit 0
	exit 1
}

# check NAME COMMAND…: one check, passed or failed.
check() {
	local name=$1 began=$SECONDS
	shift
	echo "== $name"
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1)) faults+=("$name")
	fi
	echo "-- $name: $((SECONDS - began)) s"
}

# tests NAME ARGS…: a run of go test, counted test by test. A skipped test is a
# failed one: all that a test needs is installed.
tests() {
	local name=$1 json=$out/$1.json began=$SECONDS p f
	shift
	echo "== tests, $name"
	gotestsum --format pkgname --format-hide-empty-pkg --hide-summary skipped --jsonfile "$json" -- "$@" || true
	: >>"$json"
	read -r p f < <(awk -v report="$out/report" '
		function field(k) {
			if (!match($0, "\"" k "\":\"([^\"\\\\]|\\\\.)*\"")) return ""
			return substr($0, RSTART + length(k) + 4, RLENGTH - length(k) - 5)
		}
		/"Action":"(pass|fail|skip)"/ {
			action = field("Action"); pkg = field("Package"); test = field("Test"); runs++
			if (test == "") { if (action == "fail") broken[pkg] = 1 }
			else if (action == "pass") passed++
			else { failed++; bad[pkg] = 1; print action ": " pkg " " test >report }
		}
		END {
			for (pkg in broken) if (!(pkg in bad)) { failed++; print "no result: " pkg >report }
			if (!runs) { failed++; print "no test ran" >report }
			print passed + 0, failed + 0
		}' "$json")
	passed=$((passed + p)) failed=$((failed + f))
	if [ "$f" -gt 0 ]; then
		while read -r line; do faults+=("$line"); done <"$out/report"
		rm -f "$out/report"
	fi
	echo "-- tests, $name: $p passed, $f failed, $((SECONDS - began)) s"
}

make="make --no-print-directory"
check "tools" $make tools
[ "$failed" -eq 0 ] || finish
check "build" $make build
check "format" $make fmt-check
check "vet" $make vet
check "lint" $make lint
check "dead code" $make deadcode
check "coverage" $make cover
check "known vulnerabilities" $make vuln
check "Dockerfile" $make docker-steps
check "Helm chart" $make helm
check "systemd unit" $make systemd
tests race -race -count=1 -timeout=40m ./...

# Tests in files marked "//go:build !race" measure memory, time or a great many
# cases: under the race detector they would measure that.
mapfile -t plain < <(grep -rl --include='*_test.go' '^//go:build !race' . | grep -v '/testdata/')
if [ ${#plain[@]} -gt 0 ]; then
	names=$(sed -n 's/^func \(Test[A-Za-z0-9_]*\)(.*/\1/p' "${plain[@]}" | sort -u | paste -sd'|')
	mapfile -t folders < <(dirname "${plain[@]}" | sort -u)
	tests plain -count=1 -timeout=40m -p=1 -run "^($names)\$" "${folders[@]}"
fi
finish
