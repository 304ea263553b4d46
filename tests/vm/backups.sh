#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Backups from the packaged unit: a volume whose container is paused, a program in a container, a database file; by
# schedule and by hand; read back, drilled, restored; a dump that is killed. Runs inside the guest as root.
set -u
here=$(dirname "$0")
# shellcheck source=tests/vm/lib.sh
. "$here/lib.sh"
trap 'docker rm -f app >/dev/null 2>&1; docker volume rm uploads >/dev/null 2>&1' EXIT

configure() {
	cat >/etc/agent/agent.conf <<-'END'
		interval = "2s"
		databases = {
		  uploads = { engine = "volume", volume = "uploads", container = "app", pause = true, keep = { last = 2 } }
		  program = { engine = "command", container = "app", command = ["cat", "/data/file"], restore_command = ["tee", "/data/again"], schedule = "* * * * *" }
		  slow    = { engine = "command", container = "app", command = ["sh", "-c", "cat /data/file; sleep 1000"] }
		  secret  = { engine = "directory", path = "/srv/files", passphrase_file = "/etc/agent/passphrase", key_exported = true }
		}
	END
	(umask 077 && echo "correct horse battery staple" >/etc/agent/passphrase)
}

prepare() {
	systemctl stop agent
	rm -rf /var/lib/agent /srv/files
	mkdir -p /srv/files/deep/er
	seq 100000 >/srv/files/deep/er/numbers
	ln -s deep/er/numbers /srv/files/link
	docker volume create uploads >/dev/null
	docker run -d --name app -v uploads:/data bb:lab sleep 100000 >/dev/null
	docker exec app sh -c 'seq 200000 >/data/file; mkdir /data/dir; ln /data/file /data/dir/hard; chown 1234:77 /data/dir'
	configure
	ok "the configuration has no mistake" agent config check
	ok "the service starts" systemctl start agent
	ok "it answers" soon healthy
}

newest() { # JOB FILTER
	agent backup list "$1" --json | jq -e "[.backups[] | select(.job == \"$1\")][0] | $2" >/dev/null
}

by_hand() {
	ok "a volume, with its container paused" agent backup now uploads
	ok "the container goes on" test "$(docker inspect -f '{{.State.Paused}} {{.State.Running}}' app)" = "false true"
	ok "a folder, encrypted" agent backup now secret
	ok "it is encrypted" newest secret .encrypted
	ok "the file in the store is one of age" grep -rqa "age-encryption.org/v1" /var/lib/agent/backups
	ok "nobody else can read the store" test "$(stat -c %a /var/lib/agent/backups)" = 700
	for job in uploads secret; do
		ok "$job is read back" agent backup verify "$job"
		ok "$job is drilled" agent backup drill "$job"
		ok "$job has both marks" newest "$job" '.verified_ms > 0 and .drilled_ms > 0'
	done
}

ran_by_schedule() {
	api "/api/v1/backups/runs?job=program" | jq -e '.runs | any(.state == "done" and .trigger == "schedule")' >/dev/null
}

dump_runs() {
	pgrep -f '^sleep 1000$' >/dev/null
}

no_dump_runs() {
	! dump_runs
}

the_killed() {
	agent backup now slow --detach >/dev/null
	ok "a dump runs in the container" soon dump_runs
	pkill -KILL -f 'worker backup'
	ok "its worker is killed: the run has failed" soon failed slow
	ok "and nothing of it goes on in the container" soon no_dump_runs
	agent backup now slow --detach >/dev/null
	ok "it runs again" soon dump_runs
	systemctl restart agent
	ok "the agent is restarted: nothing of it goes on in the container" soon no_dump_runs
	ok "the run is called interrupted" soon interrupted slow
	ok "no backup of it is listed" test "$(agent backup list slow --json | jq '.backups | length')" = 0
}

failed() {
	api "/api/v1/backups/runs?job=$1" | jq -e '.runs[0].state == "failed"' >/dev/null
}

interrupted() {
	api "/api/v1/backups/runs?job=$1" | jq -e '.runs | any(.state == "interrupted")' >/dev/null
}

the_restores() {
	local before
	before=$(cd /srv/files && find . -printf '%p %m %U %G %l %s\n' | sort | sha256sum)
	rm -rf /srv/files/deep
	ok "a folder is restored" agent backup restore secret --yes
	ok "as it was" test "$(cd /srv/files && find . -printf '%p %m %U %G %l %s\n' | sort | sha256sum)" = "$before"
	docker stop -t 1 app >/dev/null
	rm -rf /var/lib/docker/volumes/uploads/_data/dir
	ok "a volume is restored" agent backup restore uploads --yes
	docker start app >/dev/null
	# shellcheck disable=SC2016
	ok "as it was" docker exec app sh -c 'cmp /data/file /data/dir/hard && [ "$(stat -c %u:%g /data/dir)" = 1234:77 ]'
	ok "a program gets its data back" agent backup restore program --yes
	ok "all of it" docker exec app cmp /data/file /data/again
	systemctl stop agent
	ok "without a running agent, into a file" agent backup restore program --to /root/out
	ok "all of it" cmp /root/out /var/lib/docker/volumes/uploads/_data/file
	systemctl start agent
}

the_unit() {
	ok "nothing in the unit was killed for lack of memory" \
		grep -qx 'oom_kill 0' /sys/fs/cgroup/system.slice/agent.service/memory.events
	echo "     most memory it had: $(($(cat /sys/fs/cgroup/system.slice/agent.service/memory.peak) >> 20)) MiB"
	agent backup
}

prepare
by_hand
ok "one was made by schedule" soon ran_by_schedule
the_restores
the_killed
the_unit
summary
