#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What is measured, and the service's life. Runs inside the guest as root, where run.sh put the agent.
set -u
# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"
trap 'docker rm -f burner memory oom server client >/dev/null 2>&1' EXIT

main_pid() {
	systemctl show -P MainPID agent
}

web_pid() {
	pgrep -P "$(main_pid)" -f 'agent web'
}

the_service() {
	systemctl daemon-reload
	ok "systemctl start waits until it is ready" systemctl start agent
	ok "the service is active" systemctl -q is-active agent
	ok "it answers" soon healthy
	ok "the journal has the link with the token once" test "$(journalctl -u agent -o cat | grep -c '#token=')" = 1
	ok "journal lines have their priority, none is an error" \
		test "$(journalctl -u agent -p err -o cat | grep -vc '^-- ')" = 0
	# shellcheck disable=SC2016 # jq
	ok "no problem is shown" no_problems
}

no_problems() {
	local problems
	problems=$(api /api/v1/host | jq -c '.problems')
	[ "$problems" = "[]" ] || {
		echo "     $problems"
		return 1
	}
}

cgroup_is_v2() {
	[ "$(api /api/v1/host | jq -r .cgroup)" = v2 ]
}

the_host() {
	ok "the host's cgroups are v2" cgroup_is_v2
	ok "host CPU is known" soon is '. >= 0 and . <= 100' host host cpu_used_percent
	ok "memory is that of /proc/meminfo" \
		soon is ". == $(awk '/^MemTotal/{printf "%.0f", $2 * 1024}' /proc/meminfo)" host host memory_total_bytes
	ok "pressure is known" soon is '. >= 0' host host pressure_cpu_some_percent
	ok "the root file system is there" soon is '. > 0 and . < 100' filesystem / used_percent
	ok "and not taken for read-only" soon is '. == 0' filesystem / read_only
	ok "the disk is there" soon is '. >= 0' disk vda written_bytes_per_second
	for service in ssh docker nginx; do
		ok "service $service has memory" soon is '. > 0' service "$service" memory_used_bytes
		ok "service $service has CPU" soon is '. >= 0' service "$service" cpu_used_percent
	done
}

memory_is_as_docker_shows_it() {
	local shown
	shown=$(docker stats --no-stream --format '{{.MemUsage}}' memory | sed 's/MiB.*//')
	is "(. / 1048576 / $shown - 1) | fabs < 0.02" container memory memory_used_bytes
}

the_containers() {
	docker run -d --name burner --cpus 0.5 bb:lab sh -c 'while :; do :; done' >/dev/null
	docker run -d --name memory --memory 128m --shm-size 64m bb:lab \
		sh -c 'dd if=/dev/zero of=/dev/shm/x bs=1M count=48 2>/dev/null; exec sleep 1000' >/dev/null
	ok "a container is seen" soon has_entity container burner
	ok "half a core is 50 % +- 5" soon is '. > 45 and . < 55' container burner cpu_used_percent
	ok "its throttling is seen" soon is '. > 10' container burner cpu_throttled_percent
	ok "its limit is 0.5 cores" soon is '. == 0.5' container burner cpu_limit_cores
	ok "memory is what docker stats shows, within 2 %" soon memory_is_as_docker_shows_it
	ok "the memory limit is known" soon is '. == 134217728' container memory memory_limit_bytes
	ok "no limit is no limit" test "$(value container burner memory_limit_bytes)" = null
	ok "pressure of the container is known" soon is '. >= 0' container burner pressure_cpu_some_percent
	ok "the service docker does not count its containers" soon is '. < 40' service docker cpu_used_percent
}

client_counters() {
	docker exec client cat /proc/net/dev | awk '$1 == "eth0:" { print $2 }'
}

exported() { # total received by the client, as /metrics has it
	api /metrics | awk '/^container_network_receive_bytes_total\{.*client/ { printf "%.0f", $NF }'
}

received_is_as_counted() {
	local agent kernel
	agent=$(exported) kernel=$(client_counters)
	[ -n "$agent" ] && awk -v a="$agent" -v k="$kernel" 'BEGIN { d = a / k - 1; exit !(d < 0.02 && d > -0.02) }'
}

the_network() {
	docker run -d --name server bb:lab \
		sh -c 'mkdir -p /w; dd if=/dev/zero of=/w/file bs=1M count=4 2>/dev/null; exec httpd -f -p 80 -h /w' >/dev/null
	docker run -d --name client bb:lab sleep 1000 >/dev/null
	local address
	address=$(docker inspect -f '{{.NetworkSettings.IPAddress}}' server)
	soon docker exec client wget -q -O /dev/null "http://$address/file"
	ok "network bytes are what the client received, within 2 %" soon received_is_as_counted
}

oom_is_counted() {
	api '/api/v1/series?entity=container/oom&metric=oom_kills&from=-120&how=maximum' |
		jq -e '[.series[0].values[0][] | select(. != null)] | add >= 1' >/dev/null
}

the_oom_kill() {
	docker run -d --name oom --memory 16m bb:lab sleep 1000 >/dev/null
	soon has_entity container oom
	docker exec oom sh -c 'tail /dev/zero' >/dev/null 2>&1
	ok "an OOM kill in a container is counted" soon oom_is_counted
}

removed() { # KEY; an answer that does not come is no proof
	api /api/v1/entities?class=container |
		jq -e --arg key "$1" '[.entities[] | select(.key == $key and .live)] == []' >/dev/null
}

has_another_id() { # KEY OLD ID
	local id
	id=$(entity container "$1" | jq -r .labels.id)
	[ -n "$id" ] && [ "$id" != "$2" ]
}

the_coming_and_going() {
	local id
	id=$(entity container memory | jq -r .labels.id)
	docker rm -f memory >/dev/null
	ok "a removed container goes" soon removed memory
	docker run -d --name memory bb:lab sleep 1000 >/dev/null
	ok "made again under its name it is the same entity" soon has_entity container memory
	ok "with a new id" soon has_another_id memory "$id"
}

new_web_process() { # OLD PID
	local now
	now=$(web_pid)
	[ -n "$now" ] && [ "$now" != "$1" ] && healthy
}

new_daemon() { # OLD PID
	[ "$(main_pid)" != "$1" ] && healthy
}

the_deaths() {
	local old
	old=$(web_pid)
	kill -9 "$old"
	ok "a killed web process comes back" soon new_web_process "$old"
	old=$(main_pid)
	kill -9 "$old"
	ok "systemd starts a killed daemon again" soon new_daemon "$old"
	ok "whose containers are known again" soon has_entity container burner
}

name_is() {
	[ "$(api /api/v1/host | jq -r .hostname)" = "$1" ]
}

nothing_left() {
	! pgrep -x agent >/dev/null
}

the_end() {
	echo 'hostname = "renamed";' >>/etc/agent/agent.conf
	systemctl reload agent
	ok "systemctl reload takes the new configuration" soon name_is renamed
	ok "memory of the service stays below 64 MiB" test "$(systemctl show -P MemoryCurrent agent)" -lt $((64 << 20))
	ok "systemctl stop ends it" systemctl stop agent
	ok "with success" test "$(systemctl show -P Result agent)" = success
	ok "and nothing is left" nothing_left
}

the_service
the_host
the_containers
the_network
the_oom_kill
the_coming_and_going
the_deaths
the_end
summary
