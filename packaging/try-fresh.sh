#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# try-fresh.sh FOLDER [SUITE]   proves the package list: makes a minimal Debian in FOLDER by debootstrap, with the package
# sources of this machine, clones this repository into it, and runs there what a new user runs. Needs root, debootstrap and
# some 1.5 GB; takes a few minutes. FOLDER is left for a look; remove it with rm -r --one-file-system.
set -eu

folder=${1:?usage: try-fresh.sh FOLDER [SUITE]}
suite=${2:-bookworm}
tree=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck disable=SC2016 # apt-get itself expands it
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | sort -u | head -n 1)

inside() {
	# A login environment of its own: nothing of this machine's leaks in.
	env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
		chroot "$folder" "$@"
}

if [ ! -e "$folder/etc/debian_version" ]; then
	debootstrap --variant=minbase "$suite" "$folder" "$mirror"
fi
cp /etc/resolv.conf "$folder/etc/resolv.conf"
cp /etc/apt/apt.conf.d/* "$folder/etc/apt/apt.conf.d/"
# No service may start in a chroot.
printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
chmod 755 "$folder/usr/sbin/policy-rc.d"
rm -rf "$folder/agent"
git clone -q "$tree" "$folder/agent"

mount -t proc proc "$folder/proc"
trap 'umount "$folder/proc"' EXIT

echo "== ./bootstrap build, with nothing there"
inside /agent/bootstrap build
inside /agent/build/agent version

echo "== again: nothing may be installed, no package manager called"
inside sh -c 'mv /usr/bin/apt-get /usr/bin/apt-get.away'
began=$(date +%s%N)
inside /agent/bootstrap build
echo "took $((($(date +%s%N) - began) / 1000000)) ms"
inside sh -c 'mv /usr/bin/apt-get.away /usr/bin/apt-get'

echo "== as an ordinary user, who needs no root"
inside chown -R 65534:65534 /agent
inside setpriv --reuid=65534 --regid=65534 --clear-groups /agent/bootstrap run --help >/dev/null

echo "try-fresh: all is well"
