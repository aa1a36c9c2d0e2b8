#!/usr/bin/env bash
# Holds the Helm chart: lints it strictly and renders it with each set of values
# in its folder ci, and holds each manifest against the schemas of several
# versions of Kubernetes, where an unknown field is a fault. Then it plants
# faults, since a check that lets them pass would say that all is well.
set -euo pipefail
cd "$(dirname "$0")/.."
chart=deploy/helm/portico
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# In the lists of values the first file is whole, and the second lays over it.
sets=("ingress" "ingress everything" "ingress try-out")
kubernetes=(1.25 1.30) # the oldest that Chart.yaml allows, the newest whose schemas the program has

files() { for f in $1; do printf -- '-f\n%s\n' "$chart/ci/$f.yaml"; done; }
render() { helm template drive "$chart" --namespace files --kube-version "$1" "${@:2}"; }
validate() { kubectl-validate --version "$1" "$2" >"$out/said" 2>&1; }

for set in "${sets[@]}"; do
	mapfile -t values < <(files "$set")
	helm lint --strict --quiet "$chart" --kube-version "${kubernetes[0]}" "${values[@]}"
	for version in "${kubernetes[@]}"; do
		render "$version" "${values[@]}" >"$out/good.yaml"
		validate "$version" "$out/good.yaml" || { echo "values $set, Kubernetes $version:"; cat "$out/said"; exit 1; }
		echo "values $set: $(grep -c '^kind:' "$out/good.yaml") manifests are valid in Kubernetes $version"
	done
done

# must_fail WHAT WORD COMMAND…: the command fails, and says WORD.
must_fail() {
	local what=$1 word=$2
	shift 2
	if "$@" >"$out/said" 2>&1 || ! grep -q -- "$word" "$out/said"; then
		echo "$what was planted, and not found:"
		cat "$out/said"
		exit 1
	fi
}
# planted SED: the manifests with a fault.
planted() { sed "$1" "$out/good.yaml" >"$out/bad.yaml" && ! cmp -s "$out/good.yaml" "$out/bad.yaml" && kubectl-validate --version 1.30 "$out/bad.yaml"; }
mapfile -t values < <(files "ingress")
render 1.30 "${values[@]}" >"$out/good.yaml"
must_fail "a field that does not exist" readinessProb planted 's/readinessProbe:/readinessProb:/'
must_fail "a text for a number" replicas planted 's/^  replicas: 2/  replicas: two/'
must_fail "a missing field" pathType planted '/pathType:/d'
must_fail "an API that does not exist" v9 planted 's|networking.k8s.io/v1|networking.k8s.io/v9|'
must_fail "a value that the chart does not know" replica helm lint --strict "$chart" "${values[@]}" --set replica=3
must_fail "no config" state render 1.30
must_fail "an address without TLS" public_url render 1.30 "${values[@]}" --set config.server.public_url=http://files.firm.example
must_fail "a state that gateways cannot share" state render 1.30 "${values[@]}" --set config.state=sqlite:data/portico.db
must_fail "an end that cuts uploads" terminationGracePeriodSeconds render 1.30 "${values[@]}" --set config.server.drain=60s
echo "planted faults are found"
