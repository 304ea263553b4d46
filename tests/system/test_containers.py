# SPDX-License-Identifier: Apache-2.0
"""Containers of a real Docker daemon: their load, their names, their coming and going."""

import time

import pytest

from harness import proc
from harness.cgroups import BareCgroups, cpu_seconds
from harness.wait import until

MIB = 1 << 20
BURN = ("sh", "-c", "while :; do :; done")


def container(agent, name):
    """The live entity; fails (for until()) while there is none."""
    entities = agent.entities("container")
    assert name in entities, f"no container {name} among {sorted(entities)}"
    return entities[name]


def value(agent, name, metric):
    entity = container(agent, name)
    v = entity["values"][metric]
    assert v is not None, f"{name}: {metric} is unknown: {entity.get('missing', {}).get(metric)}"
    return v


def next_sample(agent, n=1):
    start = agent.sample_time()
    until(lambda: agent.sample_time() >= start + n, 10 + n, f"{n} more samples")


def transferred(agent, name, metric, since):
    """Bytes that the rates stored since then add up to."""
    def stored():
        series = agent.api(f"series?entity=container/{name}&metric={metric}&from={since}&points=2000")["series"][0]
        return series if series["start"] else None

    series = until(stored, 10, f"the file of {name}")  # a new container gets its file with its third sample
    return sum(v for v in series["values"][0] if v is not None) * series["step"]


def test_a_burner_at_half_a_core_is_seen_within_two_samples(make_agent, docker):
    # Docker lets it run 50 ms of each 100; two seconds hold enough of these periods.
    agent = make_agent(settings={"interval": "2s", "retention": ["2s for 10m"], **docker.settings()}).start()
    name = docker.run("burner", *BURN, options=("--cpus=0.5",))
    until(lambda: container(agent, name), 6, "the container in a sample")
    first = agent.sample_time()
    until(lambda: value(agent, name, "cpu_used_percent"), 6, "a CPU value")
    assert agent.sample_time() - first <= 4, "two samples"
    next_sample(agent)  # the first value may cover the start of the container
    since, began, used = agent.sample_time(), time.monotonic(), cpu_seconds(docker.pid(name))
    next_sample(agent, 8)
    really = (cpu_seconds(docker.pid(name)) - used) / (time.monotonic() - began) * 100
    series = agent.api(f"series?entity=container/{name}&metric=cpu_used_percent&from={since}")["series"][0]["values"][0]
    known = [v for v in series if v is not None]
    assert sum(known) / len(known) == pytest.approx(really, abs=5)
    now = container(agent, name)["values"]
    assert now["cpu_limit_cores"] == pytest.approx(0.5)
    assert now["cpu_limit_used_percent"] == pytest.approx(2 * now["cpu_used_percent"])
    assert now["cpu_throttled_percent"] is not None
    if really > 48:  # a machine busy with other things may give it less than its half
        assert now["cpu_used_percent"] == pytest.approx(50, abs=5)
        assert now["cpu_throttled_percent"] > 50


def test_memory_is_what_docker_stats_shows(docker_agent, docker):
    name = docker.run("memory", "sh", "-c", "dd if=/dev/zero of=/dev/shm/x bs=1M count=48 && sleep 1000",
                      options=("--shm-size=64m", "--memory=128m"))
    until(lambda: value(docker_agent, name, "memory_used_bytes") > 48 * MIB, 10, "the memory of the container")
    next_sample(docker_agent)
    shown = docker.stats(name)["MemUsage"].split(" / ")[0]
    assert shown.endswith("MiB")
    assert value(docker_agent, name, "memory_used_bytes") == pytest.approx(float(shown[:-3]) * MIB, rel=0.02)
    assert value(docker_agent, name, "memory_limit_bytes") == 128 * MIB
    assert value(docker_agent, name, "memory_used_percent") == pytest.approx(float(shown[:-3]) / 128 * 100, rel=0.02)


def test_a_container_without_limits_has_no_limits(docker_agent, docker):
    name = docker.run("unlimited", "sleep", "1000")
    entity = until(lambda: container(docker_agent, name), 10, "the container")
    for metric in ("memory_limit_bytes", "memory_used_percent", "cpu_limit_cores", "cpu_limit_used_percent"):
        assert entity["values"][metric] is None, metric
        assert entity["missing"][metric], f"{metric}: the reason is given"


def test_network_bytes_are_what_the_client_sent_and_received(docker_agent, docker):
    size = 24 * MIB
    server = docker.run("server", "sh", "-c", f"dd if=/dev/zero of=/www/file bs=1M count={size // MIB} && httpd -f -h /www")
    client = docker.run("client", "sleep", "1000")
    for name in (server, client):
        until(lambda name=name: value(docker_agent, name, "network_received_bytes_per_second") is not None, 10, name)
    since = docker_agent.sample_time()
    before = counters(docker, client)
    docker.exec(client, "wget", "-q", "-O", "/dev/null", f"http://{docker.address(server)}/file")
    after = counters(docker, client)
    next_sample(docker_agent, 2)

    received, sent = (a - b for a, b in zip(after, before))
    assert received >= size
    for name, metric, real in ((client, "received", received), (client, "sent", sent),
                               (server, "sent", received), (server, "received", sent)):
        # Neighbour discovery adds some packets of its own.
        assert transferred(docker_agent, name, f"network_{metric}_bytes_per_second", since) == \
            pytest.approx(real, rel=0.02, abs=2000), (name, metric)


def counters(docker, name):
    """Bytes received and sent, as the container's own kernel interface counts them."""
    for line in docker.exec(name, "cat", "/proc/net/dev").splitlines():
        interface, _, numbers = line.strip().partition(":")
        if interface == "eth0":
            return int(numbers.split()[0]), int(numbers.split()[8])
    raise AssertionError("no eth0")


def test_bytes_written_to_disk(docker_agent, docker):
    size = 32 * MIB
    # Newer kernels count on cgroup v1 only once some cgroup has a limit for the device.
    name = docker.run("writer", "sleep", "1000", options=(f"--device-write-bps={docker.disk()}:10gb",))
    until(lambda: value(docker_agent, name, "disk_written_bytes_per_second") is not None, 10, "the container")
    since = docker_agent.sample_time()
    docker.exec(name, "dd", "if=/dev/zero", "of=/tmp/file", "bs=1M", f"count={size // MIB}", "oflag=direct")
    next_sample(docker_agent, 2)
    assert transferred(docker_agent, name, "disk_written_bytes_per_second", since) == pytest.approx(size, rel=0.05)


def test_an_out_of_memory_kill_is_counted(docker_agent, docker):
    name = docker.run("oom", "sleep", "1000", options=("--memory=16m", "--memory-swap=16m"))
    until(lambda: value(docker_agent, name, "oom_kills") == 0, 10, "the container")
    since = docker_agent.sample_time()
    # tail keeps the one endless line in memory, and is killed for it.
    killed = docker.cli("exec", name, "sh", "-c", "tail /dev/zero", check=False)
    assert killed.returncode == 137, killed

    def kills():
        series = docker_agent.api(f"series?entity=container/{name}&metric=oom_kills&from={since}&how=maximum")["series"][0]
        return sum(v for v in series["values"][0] if v)

    until(kills, 10, "the kill")
    next_sample(docker_agent, 2)
    assert kills() == 1


def test_a_container_made_again_under_its_name_continues_its_series(docker_agent, docker):
    name = docker.run("again", "sleep", "1000")
    until(lambda: value(docker_agent, name, "memory_used_bytes"), 10, "the container")
    next_sample(docker_agent, 4)
    first = container(docker_agent, name)["labels"]["container_id"]
    until_time = docker_agent.sample_time()
    docker.remove(name)
    until(lambda: name not in docker_agent.entities("container"), 10, "the end of the container")
    gone = [e for e in docker_agent.api("entities?class=container")["entities"] if e["key"] == name]
    assert len(gone) == 1 and not gone[0]["live"] and gone[0]["last_seen"] >= until_time

    docker.run("again", *BURN)
    until(lambda: container(docker_agent, name)["labels"]["container_id"] != first, 10, "the new container")
    next_sample(docker_agent, 4)
    # The counters of the new container begin anew: no value may come from the difference to the old ones.
    series = docker_agent.api(
        f"series?entity=container/{name}&metric=memory_used_bytes,cpu_used_percent&from=-60")["series"][0]
    times = [series["start"] + i * series["step"] for i, v in enumerate(series["values"][0]) if v is not None]
    assert any(t <= until_time for t in times) and any(t > until_time for t in times)
    assert all(0 <= v <= 230 for v in series["values"][1] if v is not None)


def test_a_restart_in_place_gives_no_wild_values(docker_agent, docker):
    name = docker.run("restarted", *BURN)
    until(lambda: value(docker_agent, name, "cpu_used_percent") > 5, 10, "the container at work")
    docker.cli("restart", "--time", "0", name)
    next_sample(docker_agent, 4)
    series = docker_agent.api(f"series?entity=container/{name}&metric=cpu_used_percent&from=-30")["series"][0]
    assert all(0 <= v <= 230 for v in series["values"][0] if v is not None)


HOSTILE = {
    "path": "../../../etc/passwd",
    "slashes": "/a//b/",
    "long": "x" * 300,
    "utf8": "Büro-☃-éè",
    "control": "a\tb\nc",
    "quotes": "a\"b'c\\d",
    "prometheus": 'x"} 1\nfake_metric 1',
    "html": "<script>alert(1)</script>",
    "dots": "..",
}


def test_hostile_names(docker_agent, docker):
    """Labels of compose are free text. Every such container has an entity, a history inside the state folder, and lines of
    /metrics that break nothing."""
    ids = {}
    for what, service in HOSTILE.items():
        name = docker.run(what, "sleep", "1000", options=(
            "--label", f"com.docker.compose.project={service}", "--label", f"com.docker.compose.service={service}"))
        ids[docker.inspect(name)["Id"]] = what
    def by_id():
        found = {e["labels"].get("container_id"): key for key, e in docker_agent.entities("container").items()}
        return found if all(any(known.startswith(i[:12]) for i in found if i) for known in ids) else None
    keys = until(by_id, 15, "an entity for each")
    assert len(set(keys.values())) == len(keys)
    for key in keys.values():
        assert 0 < len(key.encode()) <= 200
        assert not any(ord(c) < 32 for c in key)
    next_sample(docker_agent, 5)
    rrd = docker_agent.state / "rrd"
    assert len([p for p in rrd.rglob("*") if p.is_file() and "container" in str(p.relative_to(rrd))]) >= len(HOSTILE)
    assert "\nfake_metric" not in docker_agent.get("/metrics").text
    assert not list(docker_agent.folder.parent.rglob("passwd*"))


def test_names_without_the_socket_of_docker(make_agent, docker):
    """Without the socket names come from Docker's files."""
    name = docker.run("nosocket", "sleep", "1000")
    agent = make_agent(settings={**docker.settings(), "container_sockets": []}).start()
    until(lambda: container(agent, name), 10, "the container by its name")


def test_containers_that_were_there_before_the_agent(docker, make_agent):
    name = docker.run("before", "sleep", "1000")
    agent = make_agent(settings=docker.settings()).start()
    until(lambda: value(agent, name, "memory_used_bytes"), 10, "the container")


def test_a_container_on_the_network_of_the_host_shares_it(docker_agent, docker):
    name = docker.run("hostnet", "sleep", "1000", options=("--network=host",))
    entity = until(lambda: container(docker_agent, name), 10, "the container")
    assert entity["values"]["network_received_bytes_per_second"] is None
    assert entity["missing"]["network_received_bytes_per_second"]


def test_two_containers_of_one_network_are_not_counted_twice(docker_agent, docker):
    first = docker.run("net1", "sleep", "1000")
    second = docker.run("net2", "sleep", "1000", options=(f"--network=container:{first}",))
    until(lambda: container(docker_agent, first) and container(docker_agent, second), 10, "the containers")
    next_sample(docker_agent, 2)
    known = [n for n in (first, second)
             if container(docker_agent, n)["values"]["network_received_bytes_per_second"] is not None]
    assert len(known) == 1


def test_the_end_of_docker_itself_is_survived(docker_agent, docker):
    """Containers without their engine are still measured; the lost socket is a problem with a text."""
    name = docker.run("orphan", "sleep", "1000")
    until(lambda: container(docker_agent, name), 10, "the container")
    moved = docker.socket.with_suffix(".away")
    docker.socket.rename(moved)
    try:
        next_sample(docker_agent, 2)
        assert value(docker_agent, name, "memory_used_bytes") > 0
    finally:
        moved.rename(docker.socket)
    next_sample(docker_agent, 2)
    assert container(docker_agent, name)


@pytest.mark.root
def test_200_that_come_and_go_leave_nothing_behind(make_agent, docker):
    """20 real containers and 200 bare cgroups of the kind Docker makes. Each lives for less than the three samples
    after which an entity gets a file."""
    agent = make_agent(settings={"interval": "2s", "retention": ["2s for 10m"], **docker.settings()}).start(samples=3)

    def ours(ids):
        return [key for key, e in agent.entities("container").items()
                if key.startswith("agenttest-loop") or e["labels"].get("container_id") in ids]

    all_ids = set()

    def come_and_go(real, bare):
        with BareCgroups(bare) as cgroups:
            all_ids.update(cgroups.names)
            ids = {name[:12] for name in cgroups.names} | set(cgroups.names)
            until(lambda: len(ours(ids)) == bare, 10, "the cgroups")
            cgroups.remove()
        for i in range(real):
            docker.cli("run", "--rm", "--name", f"agenttest-loop{i}", "bb:1", "true")
        until(lambda: not ours(ids), 10, "the end of them all")

    come_and_go(4, 50)  # buffers have grown to their size
    descriptors = proc.lasting_files(agent.pid)
    memory = proc.rss_bytes(agent.pid), proc.rss_bytes(agent.web_pid)
    for _ in range(4):
        come_and_go(4, 50)

    files = [p for p in agent.state.rglob("*") if "agenttest-loop" in p.name or any(i[:12] in p.name for i in all_ids)]
    assert files == []
    held = [path for path in proc.open_files(agent.pid).values() if any(i in path for i in all_ids)]
    assert held == []
    # An RRD file or a connection may be open at the moment of looking.
    assert len(proc.lasting_files(agent.pid)) <= len(descriptors) + 2
    assert proc.rss_bytes(agent.pid) - memory[0] < MIB
    assert proc.rss_bytes(agent.web_pid) - memory[1] < MIB
