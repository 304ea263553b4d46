# SPDX-License-Identifier: Apache-2.0
"""build, start, stop and retire of containers, with a real Docker."""

import os

import pytest

from harness.docker import IMAGE
from harness.hooks import App

DOCKERFILE = f"FROM {IMAGE}\nCOPY page /www/page\nEXPOSE 8080\nCMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]\n"


NET = f"10.{64 + os.getpid() % 128}"  # tests run side by side, each with a Docker of its own


@pytest.fixture
def app(tmp_path, docker):
    yield App(tmp_path / "app", docker_socket=docker.socket, stop_timeout="1s", keep="2", switch_net=NET)
    for container in docker.cli("ps", "--all", "--quiet", "--filter", "label=agent.app").stdout.split():
        docker.cli("rm", "--force", container)
    docker.cli("network", "rm", "agent-shop", check=False)
    for image in docker.cli("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=agent/*").stdout.split():
        docker.cli("image", "rm", image)


def source(app, page="1", dockerfile=DOCKERFILE):
    app.work.mkdir(exist_ok=True)
    (app.work / "Dockerfile").write_text(dockerfile, encoding="utf-8")
    (app.work / "page").write_text(page, encoding="utf-8")


def deploy(app, number, old=None):
    """Builds and starts a version; its results."""
    app.deploy = number
    source(app, str(number))
    built = app.ok("build/dockerfile", commit=f"{number:040x}").results
    started = app.ok("start/docker", image=built["image"], old_container=(old or {}).get("container", "")).results
    return {**built, **started}


def test_versions_run_side_by_side_with_labels_and_addresses(app, docker):
    first = deploy(app, 1)
    second = deploy(app, 2, first)
    assert (first["container"], second["container"]) == ("shop-1", "shop-2")
    assert (first["address"], second["address"]) == (f"{NET}.1.10:8080", f"{NET}.1.11:8080")
    labels = docker.inspect("shop-2")["Config"]["Labels"]
    assert (labels["agent.app"], labels["agent.deploy"]) == ("shop", "2")
    app.options["health_path"] = "/page"
    for version in (first, second):
        app.ok("probe/http", **{k: version[k] for k in ("address", "container")})


def test_an_address_stays_through_a_restart(app, docker):
    first = deploy(app, 1)
    deploy(app, 2, first)
    docker.cli("stop", "-t", "0", "shop-1")
    docker.cli("restart", "-t", "0", "shop-2")
    networks = docker.inspect("shop-2")["NetworkSettings"]["Networks"]
    assert networks["agent-shop"]["IPAddress"] == f"{NET}.1.11"


def test_old_version_stays_stopped_and_comes_back(app, docker):
    first = deploy(app, 1)
    second = deploy(app, 2, first)
    told = {"container": second["container"], "old_container": first["container"]}
    app.ok("stop/docker", **told)
    assert not docker.inspect("shop-1")["State"]["Running"]
    assert docker.inspect("shop-2")["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    app.ok("stop/docker", "revert", **told)
    assert docker.inspect("shop-1")["State"]["Running"]


def test_a_version_that_fails_leaves_its_last_words_and_nothing_else(app, docker):
    app.deploy = 3
    source(app, dockerfile=f"FROM {IMAGE}\nEXPOSE 80\nCMD [\"sh\", \"-c\", \"echo out of luck; exit 7\"]\n")
    image = app.ok("build/dockerfile").results["image"]
    app.run("start/docker", image=image)
    answer = app.ok("start/docker", "revert", image=image)
    assert "exit status 7" in answer.log and "out of luck" in answer.log
    assert docker.cli("container", "inspect", "shop-3", check=False).returncode != 0


def test_volumes_stop_the_old_version_first_and_the_gap_is_measured(app, docker, tmp_path):
    first = deploy(app, 1)
    app.options["volumes"] = f"{tmp_path}:/data"
    second = deploy(app, 2, first)
    assert not docker.inspect("shop-1")["State"]["Running"]
    answer = app.ok("route/none", container=second["container"])
    assert 0 < int(answer.results["downtime_ms"]) < 60000


def test_retire_removes_what_is_old_and_its_own(app, docker):
    docker.cli("tag", IMAGE, "agent/shopping:1")
    other = docker.run("bystander", "true")
    old = None
    for number in (1, 2, 3):
        new = deploy(app, number, old)
        if old:
            app.ok("stop/docker", container=new["container"], old_container=old["container"])
        last, old = old, new
    app.ok("retire/docker", container=old["container"], old_container=last["container"])
    names = docker.cli("ps", "--all", "--format", "{{.Names}}").stdout.split()
    assert sorted(names) == sorted([other, "shop-2", "shop-3"])
    images = docker.cli("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").stdout.split()
    assert {i for i in images if i.startswith("agent/shop:")} == {f"agent/shop:{'0' * 12}-{n}" for n in (2, 3)}
    assert "agent/shopping:1" in images


def test_containers_of_others_are_never_touched(app, docker):
    name = docker.run("theirs", "sleep", "100")
    app.ok("start/docker", "revert", old_container=name, container=name)
    assert app.run("stop/docker", old_container=name, container="shop-1").status == 77
    assert docker.inspect(name)["State"]["Running"]


def test_the_environment_of_an_app_is_in_no_argument(app, docker):
    app.secret("env", "KEY=s3cret-value\n")
    app.deploy = 1
    source(app)
    image = app.ok("build/dockerfile").results["image"]
    answer = app.ok("start/docker", image=image)
    assert "s3cret-value" not in answer.log
    assert "KEY=s3cret-value" in docker.inspect("shop-1")["Config"]["Env"]


@pytest.mark.parametrize("path", ["../outside", "/etc", "a/../../b"])
def test_a_context_out_of_the_source_is_refused(app, path):
    app.options["context"] = path
    source(app)
    assert app.run("build/dockerfile").status == 1


def test_release_runs_once_within_the_new_image(app, docker):
    app.deploy = 1
    source(app)
    image = app.ok("build/dockerfile").results["image"]
    app.options["release"] = "echo migrating; exit 3"
    answer = app.run("release/command", image=image)
    assert answer.status == 3 and "migrating" in answer.log
    assert docker.cli("ps", "--all", "--quiet").stdout == ""
