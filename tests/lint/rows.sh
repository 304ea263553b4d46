#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The ways in which backups are known to go wrong without anybody noticing, and that each has a test named after it: row_NN_... in C,
# test_row_NN_... in Python. A test that only touches a row must not have its name.
set -eu

rows() {
	cat <<'ROWS'
01 the status of the dump is lost on the way
02 the status is known only after the object is complete
03 the dump runs twice, and what was checked is not what was stored
04 a stream out of a container is cut and looks like an end
05 nothing, or far too little, was dumped
06 the dump is valid but empty: wrong database, missing file, missing rights
07 words on stderr are taken for a failure, or the failure is not told
08 a disk is full
09 it was never stored: the store is gone, or there is none
10 the store says 200, and an error in the answer
11 parts are left behind by a kill
12 the agent is killed in mid-run: the run stays "running", the dump goes on
13 two runs at once
14 retention removes what is good, or what others own
15 retention fails and nobody hears of it
16 a backup is forgotten, but its object stays
17 the clock is wrong, or a part takes longer than a signature lives
18 the session token expires during the upload
19 the store is overloaded or away for a while
20 more parts than an object may have
21 a store wants parts of one size
22 a store takes fewer parts than others
23 a store refuses new kinds of checksums
24 an ETag is taken for the MD5
25 two backups share a key, and one is overwritten
26 stolen keys delete all backups
27 a container stays paused after a failed backup
28 a backup is called failed because the message about it failed
29 it never ran at all
30 a restore is half done and called done
31 it is encrypted and the key is lost
32 secrets in logs, arguments, messages
33 a download that is cut looks whole
34 a redirect or a wrong region is followed with signed headers
ROWS
}

found=$(mktemp)
trap 'rm -f "$found"' EXIT
grep -rhoE --include='*.c' --include='*.py' '(^START_TEST\(|^def test_)row_[0-9]+' tests | sed 's/.*row_//' | sort -u >"$found"

status=0
for number in $(rows | cut -d' ' -f1); do
	if ! grep -qx "$number" "$found"; then
		echo "no test has the name of row $(rows | grep "^$number ")"
		status=1
	fi
done
while read -r number; do
	if ! rows | grep -q "^$number "; then
		echo "a test has the name of row $number, which there is none of"
		status=1
	fi
done <"$found"
exit $status
