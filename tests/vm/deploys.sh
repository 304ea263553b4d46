#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Deploys from within the packaged unit, with the powers it has there: a container behind nginx over nftables, an instance of a systemd
# unit, a push over SSH, a build that takes too much memory, and what a reboot leaves. Runs inside the guest as root.
set -u
here=$(dirname "$0")
# shellcheck source=tests/vm/lib.sh
. "$here/lib.sh"
unit=/sys/fs/cgroup/system.slice/agent.service

configure() {
	cat >/etc/agent/agent.conf <<-'END'
		interval = "2s"
		apps = {
		  shop = { source = "/srv/shop", route = "nginx", domain = "shop.test", port = 8080, watch = "3s", drain = "3s", stop_timeout = "1s"
		           health = { path = "/page", count = 1, interval = "100ms" } }
		  unit = { source = "/srv/unit", build = "command", command = "cp -r site out", folder = "out", swap = "systemd", route = "nft"
		           watch = "1s", drain = "0s", health = { path = "/page", count = 1, interval = "100ms" } }
		  push = { build = "command", command = "cp -r site out", folder = "out", swap = "systemd", route = "nft"
		           watch = "1s", drain = "0s", health = { path = "/page", count = 1, interval = "100ms" } }
		  big  = { source = "/srv/big", build = "command", command = "sh -c 'x=$(yes | head -c 200000000); true'", build_memory = "64M"
		           swap = "systemd", route = "none" }
		}
	END
	cat >/etc/systemd/system/unit@.service <<-'END'
		[Service]
		ExecStart=/bin/busybox sh -c 'exec busybox httpd -f -p 127.0.0.1:$PORT'
		DynamicUser=yes
	END
	cp /etc/systemd/system/unit@.service /etc/systemd/system/push@.service
	systemctl daemon-reload
}

repository() { # FOLDER
	mkdir -p "$1"
	git -C "$1" init -q -b main
	git -C "$1" config user.email ada@example.com
	git -C "$1" config user.name "Ada Lovelace"
}

commit() { # FOLDER PAGE
	echo "$2" >"$1/page"
	mkdir -p "$1/site" && echo "$2" >"$1/site/page"
	git -C "$1" add . && git -C "$1" commit -q -m "Page $2"
}

deployed() { # deploy's words; its log is shown when it fails
	agent deploy "$@" --follow >/tmp/log 2>&1 || { tail -n 20 /tmp/log && false; }
}

prepare() {
	systemctl stop agent
	rm -rf /var/lib/agent /srv/shop /srv/unit /srv/big /srv/push /etc/nginx/sites-enabled/default
	for folder in /srv/shop /srv/unit /srv/big; do repository $folder; done
	printf 'FROM bb:lab\nCOPY page /www/page\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n' >/srv/shop/Dockerfile
	for folder in /srv/shop /srv/unit /srv/big; do commit $folder 1; done
	systemctl start nginx
	configure
	ok "the configuration has no mistake" agent config check
	ok "the service starts" systemctl start agent
	ok "it answers" soon healthy
}

page() { # what nginx has of the shop
	curl -s -m 5 -H 'Host: shop.test' http://127.0.0.1/page
}

page_is() {
	[ "$(page)" = "$1" ]
}

unit_is() {
	[ "$(curl -s -m 5 http://198.18.0.2/page)" = "$1" ]
}

pushed_is() {
	[ "$(curl -s -m 5 http://198.18.0.3/page)" = "$1" ]
}

# Asks until the file goes, and notes what is no page.
visitor() { # FILE
	while [ -f "$1" ]; do
		case $(page) in [12]) echo good ;; *) echo bad ;; esac >>"$1.seen"
	done
}

the_shop() {
	ok "all stages of the shop have a hook" sh -c "agent deploy check shop >/dev/null"
	ok "the shop is deployed" deployed now shop
	ok "nginx has it" page_is 1
	ok "by the map of nftables" grep -q '198.18.0.1 . 80 : 198.18.1.10 . 8080' <(nft list map ip agent apps)
	commit /srv/shop 2
	touch /tmp/visits && visitor /tmp/visits &
	ok "a change is deployed" deployed now shop
	ok "nginx has the change" page_is 2
	rm /tmp/visits
	wait $!
	ok "visitors lost nothing meanwhile" test "$(grep -c bad /tmp/visits.seen)" = 0
	ok "and there were some" test "$(grep -c good /tmp/visits.seen)" -gt 20
	ok "the old version stays, stopped" test "$(docker inspect -f '{{.State.Running}}' shop-1)" = false
	ok "the way back needs no build" deployed rollback shop
	ok "nginx has the version before" page_is 1
}

the_unit() {
	ok "an instance of a unit is deployed" deployed now unit
	ok "it answers at its stable address" unit_is 1
}

push() { # what git says is in /tmp/push
	git -C /srv/push push live main >/tmp/push 2>&1 || { cat /tmp/push && false; }
}

# As from a developer's machine: by a key, through sshd, to the remote that the agent names.
the_push() {
	mkdir -p /root/.ssh && chmod 700 /root/.ssh
	ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/developer <<<y >/dev/null
	cat /root/.ssh/developer.pub >>/root/.ssh/authorized_keys
	export GIT_SSH_COMMAND="ssh -i /root/.ssh/developer -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=accept-new"
	repository /srv/push
	commit /srv/push 1
	git -C /srv/push remote add live "$(agent deploy repo push | grep -o 'ssh://.*')"
	ok "a push over SSH deploys" push
	ok "it shows the deploy" grep -q '^remote: .*done' /tmp/push
	ok "what was pushed answers" pushed_is 1
	git -C /srv/push rm -q -r site && git -C /srv/push commit -q -m "No site"
	ok "a push that cannot be built is refused" test "$(push >/dev/null || echo refused)" = refused
	ok "with the words of the build" grep -q "^remote: .*cannot stat 'site'" /tmp/push
	ok "what served still does" pushed_is 1
}

the_limits() {
	ok "the daemon has a cgroup with its own limits" test "$(cat $unit/agent/memory.max)" = $((1280 << 20))
	ok "a build that takes too much memory fails" test "$(agent deploy now big --follow >/tmp/big 2>&1 || echo failed)" = failed
	ok "that is why" grep -q 'ran out of memory' /tmp/big
	ok "nothing of the agent was killed for it" grep -qx 'oom_kill 0' $unit/agent/memory.events
	ok "secrets have a place in memory" test "$(stat -f -c %T /run/agent) $(stat -c %a /run/agent)" = "tmpfs 700"
	ok "no hook is left" test -z "$(ls -d $unit/hooks/hook-* 2>/dev/null)"
}

# The hooks of nix-profile by hand; there is no Nix in the guest, and all that the hook wants of it is that a link changes.
profile_hook() { # STAGE VERB ID VERSION
	PATH=/root/bin:$PATH DEPLOY_APP=site DEPLOY_ID="$3" DEPLOY_CACHE=/root/cache DEPLOY_OPTION_PROFILE=/root/profile DEPLOY_OPTION_CONFIRM=5s \
		DEPLOY_IMAGE=/nix/store/"$4"-site /usr/local/lib/agent/hooks/"$1"/nix-profile "$2" >/tmp/log 2>&1 || { cat /tmp/log && false; }
}

profile_is() {
	[ "$(readlink /root/profile)" = "/nix/store/$1-site" ] && [ "$(tail -n 1 /root/activated)" = "$1" ]
}

the_return() {
	mkdir -p /root/bin /root/cache
	# shellcheck disable=SC2016 # it is the script's
	printf '#!/bin/sh\nln -sfn "$4" "$2"\n' >/root/bin/nix-env
	for version in a b; do
		mkdir -p /nix/store/$version-site/bin
		printf '#!/bin/sh\necho %s >>/root/activated\n' $version >/nix/store/$version-site/bin/activate
		chmod 755 /root/bin/nix-env /nix/store/$version-site/bin/activate
	done
	ok "a profile is activated" profile_hook start apply 1 a
	ok "and confirmed" profile_hook stop apply 1 a
	ok "no timer is left" test -z "$(find /etc/systemd/system -name 'agent-return-*')"
	ok "another one is activated" profile_hook start apply 2 b
	ok "as it was not confirmed, systemd puts the one before back" soon profile_is a
	ok "no timer is left then" soon test ! -e /etc/systemd/system/agent-return-site-2.timer
}

# Samples later: its own, not those of the cgroups of hooks below it.
oom_kills() {
	api /metrics | sed -n 's/^container_oom_events_total{.*agent\.service.* //p'
}

# What a reboot takes away is the same as this; the containers come back by themselves.
the_reboot() {
	ok "the kernel counts the killed build for the unit" grep -q '^oom_kill [1-9]' $unit/memory.events
	ok "the agent does not" test "$(oom_kills)" = 0
	systemctl stop agent
	ok "without the agent the shop goes on" page_is 1
	nft delete table ip agent
	ip address delete 198.18.0.1/32 dev lo
	ip address delete 198.18.0.2/32 dev lo
	ip address delete 198.18.0.3/32 dev lo
	systemctl start agent
	ok "after a reboot the agent leads to the versions that serve" soon page_is 1
	ok "of each app" soon unit_is 1
	ok "the pushed one too" soon pushed_is 1
}

prepare
the_shop
the_unit
the_push
the_limits
the_return
the_reboot
summary
