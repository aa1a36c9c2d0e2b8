#!/usr/bin/env bash
# Holds the systemd unit without a systemd that runs: each directive is known,
# the program takes the arguments, and the service can do little harm. Then it
# plants faults, since a check that lets them pass would say that all is well.
set -euo pipefail
cd "$(dirname "$0")/.."
export SYSTEMD_EMOJI=0
unit=deploy/systemd/portico.service
most=15 # tenths of systemd's own measure, from 0 (nothing can happen) to 100
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir "$out/good" "$out/bad"

# The unit with the program where it is here; units are known by their names.
sed "s|/usr/local/bin/portico|$PWD/bin/portico|" "$unit" >"$out/good/portico.service"
# Of the units that After= names, not all are on every machine: that is allowed.
known() { said=$(systemd-analyze verify --man=no --recursive-errors=no "$1" 2>&1) && [ -z "$said" ]; }
hardened() { said=$(systemd-analyze security --offline=true --no-pager --threshold=$most "$1" 2>&1); }

known "$out/good/portico.service" || { echo "systemd does not understand $unit:"; echo "$said"; exit 1; }
hardened "$out/good/portico.service" || { echo "$unit leaves more open than $most:"; echo "$said"; exit 1; }
echo "${said##*$'\n'}"

# The program's own word on the arguments: it gets as far as the config.
read -r -a start < <(sed -n 's/^ExecStart=//p' "$out/good/portico.service")
[ "${start[2]}" = --config ] || { echo "ExecStart does not name a config"; exit 1; }
start[3]=$out/missing.yaml
said=$("${start[@]}" 2>&1) && code=0 || code=$?
[ $code -eq 2 ] && grep -q 'missing\.yaml' <<<"$said" || { echo "portico does not take ${start[*]:1}: $said"; exit 1; }

# planted CHECK SED: the check finds the fault.
planted() {
	sed "$2" "$out/good/portico.service" >"$out/bad/portico.service"
	! cmp -s "$out/good/portico.service" "$out/bad/portico.service" || { echo "$2 changes nothing"; exit 1; }
	! "$1" "$out/bad/portico.service" || { echo "$2 was planted, and not found"; exit 1; }
}
planted known 's/^ProtectSystem=/ProtectSytem=/'
planted known 's/^ProtectSystem=.*/ProtectSystem=strongly/'
planted known 's|^ExecStart=/|ExecStart=/nowhere/|'
planted hardened '/^SystemCallFilter/d'
planted hardened '/^CapabilityBoundingSet/d'
planted hardened '/^ProtectSystem/d; /^NoNewPrivileges/d; /^DynamicUser/d; /^User=/d'
echo "planted faults are found"
