#!/usr/bin/env bash
# Runs govulncheck. Its database lives on the net: where that cannot be reached,
# it says so and does not fail, since nothing is known to be wrong.
set -uo pipefail
text=$(govulncheck ./... 2>&1)
code=$?
if [ $code -ne 0 ] && [ $code -ne 3 ] && grep -q 'vuln\.go\.dev' <<<"$text"; then
	echo "NOT CHECKED: the database of known vulnerabilities (vuln.go.dev) cannot be reached from here."
	exit 0
fi
echo "$text"
exit $code
