# SPDX-License-Identifier: Apache-2.0
"""What a repository or a request may hold to get more than a deploy."""

import os
import subprocess

import pytest

from harness.hooks import HOOKS, App


@pytest.fixture
def ran(tmp_path):
    """A file that must never be there."""
    path = tmp_path / "ran"
    yield path
    assert not path.exists()


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    git(folder, "init", "--quiet", "-b", "main")
    (folder / "file").write_text("1")
    commit(folder)
    return folder


@pytest.fixture
def app(tmp_path, source):
    return App(tmp_path / "app", source=source)


def git(folder, *words):
    subprocess.run(["git", "-C", folder, "-c", "user.email=a@b", "-c", "user.name=A", "-c", "protocol.file.allow=always", *words], check=True)


def commit(folder):
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "-m", "change")


@pytest.mark.parametrize("ref", [
    "--upload-pack=touch {ran}", "refs/heads/--upload-pack=touch {ran}", "refs/heads/$(touch${{IFS}}{ran})", "refs/heads/`touch {ran}`",
    "refs/heads/a;touch {ran}", "refs/heads/main\ntouch {ran}", "refs/heads/main:refs/heads/x", "+refs/heads/main", "HEAD", "refs/notes/x",
    "refs/heads/../../x", "refs/heads/*",
])
def test_a_ref_that_is_none_is_refused(app, ran, ref):
    answer = app.run("fetch/git", ref=ref.format(ran=ran))
    assert answer.status == 1 and not answer.results
    assert not (app.work / "file").exists()


@pytest.mark.parametrize("commit_", ["--help", "HEAD", "main", "$(touch {ran})", "0" * 39 + "g", "0" * 40, "-" * 40])
def test_a_commit_that_is_none_is_refused(app, ran, commit_):
    answer = app.run("fetch/git", commit=commit_.format(ran=ran))
    assert answer.status == 1 and not answer.results


@pytest.mark.parametrize("modules", [
    '[submodule "x"]\n\tpath = x\n\turl = -u./payload\n',
    '[submodule "x"]\n\tpath = x\n\turl = "ext::sh -c touch% {ran}"\n',
    '[submodule "x"]\n\tpath = x\n\turl = https://127.0.0.1:9/x\n\tupdate = !touch {ran}\n',
    '[submodule "../../evil"]\n\tpath = x\n\turl = https://127.0.0.1:9/x\n',
    '[submodule "x"]\n\tpath = x\n\turl = ../other\n',
    '[submodule "x"]\n\tpath = x\n\turl = file:///etc\n',
])
def test_a_submodule_that_would_do_more_is_refused(app, source, ran, modules):
    head = subprocess.run(["git", "-C", source, "rev-parse", "HEAD"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    git(source, "update-index", "--add", "--cacheinfo", f"160000,{head},x")
    (source / ".gitmodules").write_text(modules.format(ran=ran))
    git(source, "add", ".gitmodules")
    git(source, "commit", "--quiet", "-m", "module")
    payload = source / "payload"
    payload.write_text(f"#!/bin/sh\ntouch {ran}\n")
    payload.chmod(0o755)
    app.run("fetch/git")
    assert not os.listdir(app.work / "x") if (app.work / "x").exists() else True


def test_what_a_container_left_in_a_folder_of_the_project_is_not_written_through(app, source, tmp_path):
    """compose: `./data` of the source is a folder the app may write to, and to make links in."""
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    project = app.cache / "compose"
    (project / "data").mkdir(parents=True)
    (project / "data" / "file").symlink_to(victim)
    app.work.mkdir()
    (app.work / "data").mkdir()
    (app.work / "data" / "file").write_text("of the source")
    r = subprocess.run(["sh", "-c", '. "$LIB/common.sh"; . "$LIB/compose.sh"; compose_copy x', "sh", "apply"], check=True, text=True,
                       stdout=subprocess.PIPE, env={**app.environment(option_service="web"), "id": "1", "app": "shop",
                                                    "LIB": str(HOOKS / "lib")})
    assert victim.read_text() == "untouched", r.stdout
    assert (project / "data" / "file").read_text() == "of the source"
