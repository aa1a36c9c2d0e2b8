#!/usr/bin/env bash
# Names each function of ours that the program can never reach. Those of
# deadcode.txt may stay, each with its reason; a line there that no longer
# applies is a fault too.
set -euo pipefail
here=$(dirname "$0")
found=$(deadcode -filter='^portico(/|$)' -f '{{$p := .Path}}{{range .Funcs}}{{printf "%s.%s\n" $p .Name}}{{end}}' . | sort -u)
allowed=$(sed 's/ *#.*//; /^$/d' "$here/deadcode.txt" | sort -u)
code=0
while read -r f; do
	[ -n "$f" ] && echo "$f is never called: remove it, or name it in build/deadcode.txt with the reason" && code=1
done < <(comm -23 <(echo "$found") <(echo "$allowed"))
while read -r f; do
	[ -n "$f" ] && echo "build/deadcode.txt names $f, which is called or gone: remove the line" && code=1
done < <(comm -13 <(echo "$found") <(echo "$allowed"))
exit $code
