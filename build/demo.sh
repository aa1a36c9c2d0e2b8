#!/usr/bin/env bash
# Makes the demo's tree where there is none, has the program fill a new state with
# customers and shares, and says how to get in. Called by make run.
set -euo pipefail
portico=${PORTICO:-bin/portico}
config=${1:-example.yaml}
firm=data/files/firm
if [ ! -e "$firm" ]; then
	mkdir -p "$firm/Clients/Acme" "$firm/Clients/Borealis" "$firm/HR" "$firm/Interns"
	cat >"$firm/Welcome.txt" <<-'TXT'
		Welcome to the drive of Peeters & Co.
		What you see here is what example.yaml lets you see: sign in as somebody else and compare.
	TXT
	echo "Contract with Acme, first draft." >"$firm/Clients/Acme/Contract.txt"
	echo "Called Acme on Monday, they want a quote." >"$firm/Clients/Acme/Notes.txt"
	echo "Offer to Borealis: 12 days." >"$firm/Clients/Borealis/Offer.txt"
	echo "Only bob and the owner of the drive see this folder." >"$firm/HR/Salaries.txt"
	echo "Ida may write here, and delete what she made herself." >"$firm/Interns/Readme.txt"
fi
if [ ! -e data/portico.db ]; then
	"$portico" demo --config "$config" >data/demo.txt
fi
cat <<'TXT'

The demo's people, all with the password portico-demo:
  ann   owns the drive: sees and does everything
  bob   staff: works in Clients, runs HR, reads the rest
  ida   intern: works in Clients and Interns, changes and deletes nothing in
        Clients/Acme, does not see that HR is there
Windows opens a drive without TLS only after a change of its registry: see
README.md. Ctrl-C ends the server.

TXT
if [ -e data/demo.txt ]; then cat data/demo.txt && echo; fi
