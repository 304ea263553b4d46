# SPDX-License-Identifier: Apache-2.0
"""The hooks of build and push, with a real Docker and a real registry."""

import os
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from harness.docker import IMAGE, PREFIX
from harness.hooks import App
from harness.agent import free_port
from harness.tools import Tools
from harness.wait import until

DOCKERFILE = f"""FROM {IMAGE}
COPY packages /packages
RUN cat /proc/sys/kernel/random/uuid >/installed
COPY page /www/page
CMD ["cat", "/installed", "/www/page"]
"""


@pytest.fixture
def app(tmp_path, docker):
    yield App(tmp_path / "app", docker_socket=docker.socket)
    others = docker.cli("image", "ls", "--quiet", "--no-trunc", IMAGE).stdout.split()
    for image in set(docker.cli("image", "ls", "--all", "--quiet", "--no-trunc").stdout.split()) - set(others):
        docker.cli("image", "rm", "--force", image, check=False)
    for image in docker.cli("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=agent/*").stdout.split():
        docker.cli("image", "rm", image)


def source(app, number, **files):
    app.deploy = number
    for name, text in files.items():
        path = app.work / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def says(docker, image):
    docker.cli("run", "--name", PREFIX + "says", image)
    text = docker.cli("logs", PREFIX + "says").stdout
    docker.remove(PREFIX + "says")
    return text


def test_a_change_of_one_line_installs_nothing_again(app, docker):
    told = []
    for number, page in ((1, "one\n"), (2, "two\n")):
        source(app, number, Dockerfile=DOCKERFILE, packages="left-pad\n", page=page)
        (app.work / ".git").mkdir()
        (app.work / ".git" / "index").write_text(str(number))  # another one in each clone, and in no image
        told.append(says(docker, app.ok("build/dockerfile").results["image"]).splitlines())
    assert told[0][0] == told[1][0]
    assert (told[0][1], told[1][1]) == ("one", "two")


def test_a_build_has_its_arguments_its_stage_and_its_limit(app, docker):
    source(app, 1, server__Dockerfile=f"FROM {IMAGE} AS wanted\nARG V\nRUN echo $V >/v; cat /sys/fs/cgroup/memory/memory.limit_in_bytes "
           "/sys/fs/cgroup/memory.max 2>/dev/null >>/v; true\nCMD [\"cat\", \"/v\"]\nFROM wanted\nRUN false\n")
    app.options.update(context="server", build_args="V=two words\n", target="wanted", build_memory=64 << 20)
    assert says(docker, app.ok("build/dockerfile").results["image"]).splitlines() == ["two words", str(64 << 20)]


def test_a_build_reads_its_secret_and_keeps_none(app, docker):
    """BuildKit, which Debian's docker has, and a newer one with its plugin."""
    source(app, 1, Dockerfile=f"FROM {IMAGE}\nRUN --mount=type=secret,id=TOKEN wc -c </run/secrets/TOKEN >/length\n"
           "CMD [\"sh\", \"-c\", \"cat /length; ls /run/secrets\"]\n")
    app.options["build_secrets"] = "TOKEN"
    assert "no secret build-TOKEN" in app.run("build/dockerfile").log
    app.secret("build-TOKEN", "s3cret")
    answer = app.run("build/dockerfile")
    if "buildx" in answer.log and answer.status:  # a docker without BuildKit: said by name, and nothing is built without the secret
        assert not answer.results
        return
    assert answer.status == 0, answer.log
    assert says(docker, answer.results["image"]).split() == ["6"]


def test_a_dockerfile_that_fails_fails(app):
    source(app, 1, Dockerfile=f"FROM {IMAGE}\nRUN echo it hurts here && false\n")
    answer = app.run("build/dockerfile")
    assert answer.status == 1 and "it hurts here" in answer.log and not answer.results


def test_a_folder_of_files_is_served_by_a_base_image(app, docker):
    source(app, 1, dist__index="welcome\n", secret="not this\n")
    app.options.update(folder="dist", base=IMAGE, base_folder="/site", command="echo made >dist/made; chmod 600 dist/made")
    image = app.ok("build/static").results["image"]
    docker.cli("run", "--name", PREFIX + "site", "--user", "1234", image, "sh", "-c", "cd /site && echo * && cat index made")
    assert docker.cli("logs", PREFIX + "site").stdout.split() == ["index", "made", "welcome", "made"]


@pytest.mark.parametrize("folder", ["missing", "../outside", "/etc"])
def test_a_folder_that_is_none_of_the_source_is_refused(app, folder):
    source(app, 1, dist__index="x")
    app.options.update(folder=folder, base=IMAGE)
    assert app.run("build/static").status == 1


def test_a_command_leaves_a_folder_that_is_kept(app):
    source(app, 1, page="1")
    app.options.update(command="mkdir -p out && cp page out && ln -sf page out/link", folder="out")
    image = app.ok("build/command").results["image"]
    assert sorted(os.listdir(image)) == ["link", "page"] and os.stat(image).st_mode & 0o777 == 0o755
    assert app.ok("build/command").results["image"] == image  # cut short and run again
    app.ok("build/command", "revert")
    assert not os.path.exists(image)


def test_a_build_goes_first_when_memory_is_short(app):
    source(app, 1)
    app.options["command"] = "cat /proc/self/oom_score_adj >score"
    app.ok("build/command")
    assert int((app.work / "score").read_text()) == 500


def test_a_command_that_fails_keeps_nothing(app):
    source(app, 1, page="1")
    app.options["command"] = "echo broken; exit 3"
    answer = app.run("build/command")
    assert answer.status == 3 and "broken" in answer.log and not answer.results
    assert not (app.cache / "releases").exists()


def test_a_command_may_make_an_image(app):
    source(app, 1)
    app.options["command"] = 'echo "image=agent/shop:mine" >>"$DEPLOY_OUTPUT"'
    assert app.ok("build/command").results == {"image": "agent/shop:mine"}


@pytest.mark.parametrize("hook,words", [
    ("nixpacks", "nixpacks build {work}/. --name agent/shop:0123456789ab-1 --label agent.app=shop --label agent.deploy=1 "
     "--cache-key agent-shop --env A=b c"),
    ("buildpacks", "pack build agent/shop:0123456789ab-1 --path {work}/. --builder paketobuildpacks/builder-jammy-base "
     "--pull-policy if-not-present --no-color --cache type=build;format=volume;name=agent-shop-build "
     "--cache type=launch;format=volume;name=agent-shop-launch --env A=b c"),
])
def test_what_other_builders_are_asked(app, docker, tmp_path, monkeypatch, hook, words):
    """Neither is in Debian: up to the command."""
    tools = Tools(tmp_path / "tools")
    program = words.split()[0]
    tools.add(program, f'echo {program} "$@" >{tmp_path}/asked; docker tag {IMAGE} agent/shop:0123456789ab-1')
    monkeypatch.setenv("PATH", tools.environment()["PATH"])
    source(app, 1, page="1")
    app.options["build_args"] = "A=b c"
    answer = app.ok(f"build/{hook}", commit="0123456789abcdef" * 2 + "01234567")
    assert (tmp_path / "asked").read_text().strip() == words.format(work=app.work)
    assert answer.results["image"] == "agent/shop:0123456789ab-1" and answer.results["digest"].startswith("sha256:")


# --- a registry


class Registry:
    """Debian's docker-registry, with one user."""

    def __init__(self, folder):
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        folder.mkdir()
        hashed = subprocess.run(["htpasswd", "-nbB", "ada", "s3cret-pass"], check=True, stdout=subprocess.PIPE, text=True).stdout
        (folder / "users").write_text(hashed)
        (folder / "config").write_text(
            f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
            f"http: {{addr: \"{self.address}\"}}\nauth: {{htpasswd: {{realm: test, path: {folder}/users}}}}\n")
        self.process = subprocess.Popen(["docker-registry", "serve", folder / "config"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        until(self.answers, 20, "the registry")

    def answers(self):
        try:
            return urllib.request.urlopen(f"http://{self.address}/v2/")
        except urllib.error.HTTPError as e:
            return e.code == 401

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture
def registry(tmp_path):
    if not shutil.which("docker-registry") or not shutil.which("htpasswd"):
        pytest.skip("no docker-registry or htpasswd (Debian packages docker-registry, apache2-utils)")
    r = Registry(tmp_path / "registry")
    yield r
    r.stop()


@pytest.fixture
def member(app, registry):
    """`app`, with what the registry wants to know."""
    app.secret("registry-user", "ada\n")
    app.secret("registry-password", "s3cret-pass\n")
    app.options.update(registry=f"{registry.address}/team", registry_tag="latest")
    return app


def test_what_is_pushed_can_be_deployed_by_its_digest(member, docker, registry):
    source(member, 1, Dockerfile=f"FROM {IMAGE}\nCMD [\"echo\", \"pushed\"]\n")
    image = member.ok("build/dockerfile").results["image"]
    pushed = member.ok("push/registry", image=image)
    assert "s3cret-pass" not in pushed.log
    assert member.ok("push/registry", image=image).results == pushed.results  # cut short and run again
    docker.cli("image", "rm", image)
    name = f"{registry.address}/team/shop"
    assert name not in docker.cli("image", "ls", "--format", "{{.Repository}}").stdout
    member.deploy = 2
    answer = member.ok("build/image", image=f"{name}:latest", digest=pushed.results["digest"])
    assert answer.results["image"] == "agent/shop:2" and says(docker, "agent/shop:2") == "pushed\n"
    # Nothing but the app's own name holds it, so that it goes when that does.
    docker.cli("image", "rm", "agent/shop:2")
    assert docker.cli("image", "inspect", answer.results["digest"], check=False).returncode != 0


def test_an_image_the_tag_has_left_goes_with_the_last_version(member, docker, registry):
    digests = []
    for number in (1, 2):
        source(member, number, Dockerfile=f"FROM {IMAGE}\nCMD [\"echo\", \"{number}\"]\n")
        built = member.ok("build/dockerfile").results["image"]
        member.ok("push/registry", image=built)
        docker.cli("image", "rm", built)
        member.deploy = number + 10
        digests.append(member.ok("build/image", image=f"{registry.address}/team/shop:latest").results["digest"])
    assert docker.cli("image", "inspect", digests[0], check=False).returncode == 0
    docker.cli("image", "rm", "agent/shop:11")
    assert docker.cli("image", "inspect", digests[0], check=False).returncode != 0
    assert says(docker, "agent/shop:12") == "2\n"


def test_a_registry_that_refuses_is_named(member, registry):
    member.secret("registry-password", "wrong")
    answer = member.run("build/image", image=f"{registry.address}/team/shop:latest")
    assert answer.status == 1 and f"{registry.address} refuses" in answer.log
    assert not Path("/root/.docker/config.json").exists() or registry.address not in Path("/root/.docker/config.json").read_text()


def test_an_image_that_is_missing_is_named(member, registry):
    answer = member.run("build/image", image=f"{registry.address}/team/nothing:1")
    assert answer.status == 1 and f"{registry.address}/team/nothing:1 cannot be had" in answer.log
    member.options["pull"] = "never"
    answer = member.run("build/image", image="nowhere:1")
    assert answer.status == 1 and "there is no image nowhere:1" in answer.log


def test_a_registry_that_is_away_is_tried_again(member, docker, registry):
    registry.stop()
    docker.cli("tag", IMAGE, "agent/shop:1")
    member.secret("registry-user", "")
    os.unlink(member.folder / "secrets" / "registry-user")
    assert member.run("push/registry", image="agent/shop:1").status == 75
