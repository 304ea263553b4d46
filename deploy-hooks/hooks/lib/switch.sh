# shellcheck shell=sh
# shellcheck disable=SC2154 # verb, scratch and switch_* come from what is sourced before
# SPDX-License-Identifier: Apache-2.0
#
# The switch: each app has a stable local address, 198.18.0.N port 80, to which its router points for good; a map of nftables
# leads from it to the version that serves. A swap is one transaction on the map. What is connected stays with its
# version, as the kernel keeps the way of a connection.
#
# 198.18.0.0/15 is for measurements within a network (RFC 2544) and nobody's on the internet. 127.0.0.0/8 would not do: from
# there the kernel sends nothing out to a bridge. The address is on `lo`: an app without a version refuses connections, and
# nothing leaves the server. Only this host and its containers are led on. Needs nft, ip, flock and CAP_NET_ADMIN.
#
# Sourced after common.sh.
switch_net=${DEPLOY_OPTION_SWITCH_NET:-198.18} # /16; the app N has the bridge switch_net.N.0/24
switch_port=80
switch_state=${DEPLOY_STATE:-/var/lib/agent/switch} # of all apps; says which has which number

# Taken by one hook at a time; free again with the end of the shell that took it.
switch_lock() {
	need flock
	mkdir -p -- "$switch_state"
	exec 9>"$switch_state/lock"
	flock -w 20 9 || again "another deploy holds $switch_state/lock"
}

# The number of an app, 1 to 254, given once and kept: it is in the configuration of its router.
switch_number() ( # APP
	switch_lock
	file=$switch_state/apps
	[ -f "$file" ] || : >"$file"
	number=$(awk -v app="$1" '$2 == app { print $1; exit }' "$file")
	if [ -z "$number" ]; then
		number=$(awk '{ taken[$1] } END { for (n = 1; n <= 254; n++) if (!(n in taken)) { print n; exit } }' "$file")
		[ -n "$number" ] || die "254 apps have an address: remove lines of apps that are gone from $file"
		if ! is_dry; then
			{ cat -- "$file" && printf '%s %s\n' "$number" "$1"; } >"$file.new"
			sync -- "$file.new"
			mv -- "$file.new" "$file"
		fi
	fi
	printf '%s\n' "$number"
)

switch_address() {
	number=$(switch_number "${DEPLOY_APP:?}") || exit
	printf '%s.0.%s\n' "$switch_net" "$number"
}

# Whether this host can do it: a router is then set up once, else at each deploy.
switch_is_usable() {
	! is_off "${DEPLOY_OPTION_SWITCH:-}" && command -v nft >/dev/null && command -v ip >/dev/null &&
		nft list tables >/dev/null 2>&1
}

# What has ended is forgotten after a second, in place of two minutes: `ct timeout`. Docker, when a container stops, removes what the kernel
# remembers of connections to it, one by one, and by the port they came from; a router that is busy has a new connection from
# that port by then, to the new version, which loses its way (measured: 7 of 435,000 requests of 20 swaps). A short memory leaves
# nothing to remove after the drain.
#
# Table, map and rules as they have to be, whatever is there: after a reboot, nothing. Elements of the map stay. Before
# Docker's own rules (-100): it takes connections to any local address for those to published ports.
switch_rules() {
	cat <<-END
		add table ip agent
		add map ip agent apps { type ipv4_addr . inet_service : ipv4_addr . inet_service ; }
		add ct timeout ip agent ended { protocol tcp ; l3proto ip ; policy = { time_wait : 1, close : 1 } ; }
		add chain ip agent from_host { type nat hook output priority -105 ; }
		add chain ip agent from_containers { type nat hook prerouting priority -105 ; }
		add chain ip agent to_app { type nat hook postrouting priority 95 ; }
		flush chain ip agent from_host
		flush chain ip agent from_containers
		flush chain ip agent to_app
		add rule ip agent from_host ip daddr $switch_net.0.0/24 ip protocol tcp ct timeout set "ended"
		add rule ip agent from_containers ip daddr $switch_net.0.0/24 ip protocol tcp ct timeout set "ended"
		add rule ip agent from_host ip daddr $switch_net.0.0/24 dnat ip addr . port to ip daddr . tcp dport map @apps
		add rule ip agent from_containers iifname "docker*" ip daddr $switch_net.0.0/24 dnat ip addr . port to ip daddr . tcp dport map @apps
		add rule ip agent from_containers iifname "br-*" ip daddr $switch_net.0.0/24 dnat ip addr . port to ip daddr . tcp dport map @apps
		add rule ip agent to_app ct original ip daddr $switch_net.0.0/24 masquerade
	END
}

# "198.18.3.10:8080": where the address leads now; empty: nowhere. Fails when nft does.
switch_target() { # STABLE
	map=$(nft list map ip agent apps 2>/dev/null) || {
		nft list tables >/dev/null || return 1
		return 0 # there is no such map yet
	}
	printf '%s\n' "$map" | sed 's/[{},]/\n/g' |
		sed -n "s/^[[:space:]]*$(printf %s "$1" | sed 's/\./\\./g') \. $switch_port : \([0-9.]*\) \. \([0-9]*\)[[:space:]]*$/\1:\2/p"
}

# One transaction: rules, the old element out, the new one in. An empty TARGET: the app leads nowhere.
switch_set() ( # STABLE TARGET
	stable=$1 target=$2
	need nft ip
	[ -z "$target" ] || check_address "$target"
	switch_lock
	now=$(switch_target "$stable") || again "nft does not answer"
	run ip address replace "$stable/32" dev lo
	{
		switch_rules
		[ -z "$now" ] || printf 'delete element ip agent apps { %s . %s }\n' "$stable" "$switch_port"
		[ -z "$target" ] ||
			printf 'add element ip agent apps { %s . %s : %s . %s }\n' "$stable" "$switch_port" "${target%:*}" "${target##*:}"
	} >"$scratch/nft"
	say "$stable:$switch_port leads to ${target:-nowhere}; before: ${now:-nowhere}"
	# Kernels without those timeouts (Linux 4.18) have the rest.
	run nft -f "$scratch/nft" 2>"$scratch/refused" || {
		sed -i '/ ct timeout /d' "$scratch/nft"
		run nft -f "$scratch/nft" || { cat -- "$scratch/refused" >&2 && exit 1; }
	}
)
