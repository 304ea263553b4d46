#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The agent on a real server: installs it into the guest of a QEMU lab (Debian, systemd as PID 1, cgroup v2, Docker), starts it as the
# service it is, and runs guest.sh, alerts.sh, backups.sh and deploys.sh there. The lab is no part of this repository: VM_LAB names a folder with up.sh,
# put.sh, sh.sh and down.sh, as its README.md says. Without one there is nothing to run, and that is said.
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
VM_LAB=${VM_LAB:-../shared/lab/vm}

if [ ! -x "$VM_LAB/up.sh" ]; then
	echo "skipped: no VM lab in $VM_LAB (VM_LAB=FOLDER names it)"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi

# One guest at a time.
exec 9>"${VM_LOCK:-/tmp/vm.lock}"
flock 9

staging=$(mktemp -d)
chmod 755 "$staging" # it becomes the mode of the guest's root folder
trap 'rm -rf "$staging"; "$VM_LAB/down.sh" >/dev/null 9>&-' EXIT
make -s install DESTDIR="$staging" PREFIX=/usr/local BUILD="$BUILD"
install -D -m 644 tests/vm/guest.conf "$staging/etc/agent/agent.conf"
mkdir -p "$staging/root"
cp -r tests/vm "$staging/root/vm"

# The guest must not hold the lock after this script: 9>&-.
"$VM_LAB/up.sh" --snap 9>&-
"$VM_LAB/put.sh" "$staging" / 9>&-
# An image that was made before a library was needed gets it from here.
for library in $("$VM_LAB/sh.sh" "ldd /usr/local/bin/agent" 9>&- | awk '/not found/ { print $1 }'); do
	path=$(ldd "$BUILD/agent" | awk -v name="$library" '$1 == name { print $3 }')
	"$VM_LAB/put.sh" "$(readlink -f "$path")" "$path" 9>&-
done
status=0
for part in ${VM_PARTS:-guest alerts backups deploys}; do
	echo "$part:"
	timeout 1200 "$VM_LAB/sh.sh" "/root/vm/$part.sh" 9>&- || status=1
done
exit $status
