# SPDX-License-Identifier: Apache-2.0
"""fetch/git: the exact commit, proven to be on the branch, out of a repository that nobody trusts."""

import os
import stat
import subprocess

import pytest

from harness.hooks import HOOKS, App

ENV = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "Ann",
       "GIT_AUTHOR_EMAIL": "ann@example.com", "GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": "ann@example.com"}


class Repository:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments):
        return subprocess.run(["git", "-c", "protocol.file.allow=always", *arguments], cwd=self.folder, env=ENV, check=True,
                              stdout=subprocess.PIPE).stdout.decode().strip()

    def commit(self, message="change", **files):
        for name, text in files.items():
            (self.folder / name).write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path):
    r = Repository(tmp_path / "repository")
    r.commit("first", file="1")
    return r


@pytest.fixture
def app(tmp_path, repository):
    return App(tmp_path / "app", source=repository.folder)


def test_head_of_the_branch_when_no_commit_is_named(app, repository):
    head = repository.commit("Second: what it does", file="2")
    answer = app.ok("fetch/git")
    assert answer.results == {"commit": head, "author": "Ann", "subject": "Second: what it does"}
    assert (app.work / "file").read_text() == "2"


def test_exactly_the_commit_though_the_branch_went_on(app, repository):
    wanted = repository.commit(file="2")
    for n in range(60):  # further than the first try to deepen
        repository.commit(file=f"later {n}")
    answer = app.ok("fetch/git", commit=wanted)
    assert answer.results["commit"] == wanted
    assert (app.work / "file").read_text() == "2"


def test_a_commit_of_another_branch_is_refused(app, repository):
    repository.git("checkout", "--quiet", "-b", "fork")
    foreign = repository.commit(file="evil")
    repository.git("checkout", "--quiet", "main")
    answer = app.run("fetch/git", commit=foreign)
    assert answer.status == 1
    assert f"commit {foreign} is not on refs/heads/main" in answer.log
    assert not (app.work / "file").exists()


def test_annotated_tag_is_peeled(app, repository):
    head = repository.git("rev-parse", "HEAD")
    repository.git("tag", "-a", "v1", "-m", "one")
    tag = repository.git("rev-parse", "v1")
    assert app.ok("fetch/git", ref="refs/tags/v1", commit=tag).results["commit"] == head


def test_a_branch_that_is_gone_fails_for_good(app):
    answer = app.run("fetch/git", ref="refs/heads/gone")
    assert answer.status == 1
    assert "the repository has no refs/heads/gone" in answer.log


def test_a_repository_that_does_not_answer_is_tried_again(app, tmp_path):
    app.options["source"] = tmp_path / "nowhere"
    assert app.run("fetch/git").status == 75


@pytest.mark.parametrize("address", ["--upload-pack=touch /tmp/x", "ext::sh -c id", "main"])
def test_an_address_that_runs_programs_is_refused(app, address):
    app.options["source"] = address
    answer = app.run("fetch/git")
    assert answer.status == 1
    assert "repository" in answer.log or "run programs" in answer.log


def test_hostile_names_arrive_as_they_are(app, repository):
    names = ["-rf", "a\nb", "$(touch pwned)", "'; id; '", "ü-✓"]
    repository.commit("$(touch pwned)\x1b[31m `id`", **{name: "x" for name in names})
    answer = app.ok("fetch/git")
    assert set(names) <= set(os.listdir(app.work))
    assert "pwned" not in os.listdir(app.work)
    assert "\x1b" not in answer.results["subject"]


def test_files_can_be_read_by_the_user_of_an_image(app):
    app.ok("fetch/git")
    assert stat.S_IMODE((app.work / "file").stat().st_mode) == 0o644


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", ".git/config", "sub/../../.."])
def test_a_link_that_leads_out_is_refused(app, repository, target):
    (repository.folder / "link").symlink_to(target)
    repository.commit()
    answer = app.run("fetch/git")
    assert answer.status == 1
    assert "links lead out" in answer.log


def test_a_link_through_a_link_that_leads_out_is_refused(app, repository):
    (repository.folder / "sub").mkdir()
    (repository.folder / "sub" / "up").symlink_to("..")
    (repository.folder / "sub" / "out").symlink_to("up/../../secret")
    repository.commit()
    assert app.run("fetch/git").status == 1


def test_a_link_within_the_source_is_a_link(app, repository):
    (repository.folder / "link").symlink_to("file")
    repository.commit()
    app.ok("fetch/git")
    assert (app.work / "link").is_symlink()


def test_links_as_text_when_asked_for(app, repository):
    (repository.folder / "link").symlink_to("/etc/passwd")
    repository.commit()
    app.options["symlinks"] = "no"
    app.ok("fetch/git")
    assert (app.work / "link").read_text() == "/etc/passwd"


def test_a_submodule_of_this_server_is_refused(app, repository, tmp_path):
    secret = Repository(tmp_path / "secret")
    secret.commit(key="hidden")
    repository.git("submodule", "--quiet", "add", f"file://{secret.folder}", "module")
    repository.commit()
    answer = app.run("fetch/git")
    assert answer.status == 1
    assert "submodule" in answer.log
    assert not (app.work / "module" / "key").exists()


def test_hooks_and_filters_of_a_repository_do_not_run(app, repository, tmp_path):
    ran = tmp_path / "ran"
    hook = repository.folder / ".githooks"
    hook.mkdir()
    for name in ("post-checkout", "post-merge"):
        (hook / name).write_text(f"#!/bin/sh\ntouch {ran}\n", encoding="utf-8")
        (hook / name).chmod(0o755)
    repository.commit(**{".gitattributes": "* filter=x\n", ".gitconfig": f"[filter \"x\"]\n smudge = touch {ran}\n"})
    app.ok("fetch/git")
    assert not ran.exists()


def test_changed_paths_for_the_patterns(app, repository):
    before = repository.git("rev-parse", "HEAD")
    repository.commit(**{"new": "x", "two words": "y"})
    app.ok("fetch/git", before=before)
    assert (app.cache / "changed").read_bytes().split(b"\0") == [b"new", b"two words", b""]
    app.ok("fetch/git", before="0" * 40)
    assert not (app.cache / "changed").exists()


def test_a_fetch_that_was_killed_does_not_stop_the_next(app, repository):
    app.ok("fetch/git")
    (app.cache / "git" / "shallow.lock").touch()
    head = repository.commit(file="2")
    app.deploy = 2
    assert app.ok("fetch/git").results["commit"] == head


def test_a_broken_cache_is_begun_anew(app, repository):
    app.ok("fetch/git")
    (app.cache / "git" / "HEAD").write_text("nonsense", encoding="utf-8")
    app.deploy = 2
    app.ok("fetch/git")
    assert (app.work / "file").read_text() == "1"


def test_the_token_is_for_the_host_of_the_repository_alone(app):
    app.secret("git-token", "s3cret")
    env = {**app.environment(), "GIT_ASKPASS_FOR": "https://git.example.com/me/shop.git"}

    def ask(prompt):
        return subprocess.run([HOOKS / "lib" / "askpass", prompt], env=env, stdout=subprocess.PIPE, check=False).stdout
    assert ask("Password for 'https://x-access-token@git.example.com': ") == b"s3cret"
    assert ask("Password for 'https://x@evil.example.com': ") == b""
    assert ask("Password for 'https://git.example.com'@evil.example.com': ") == b""
    assert ask("Password for 'https://git.example.com.evil.org': ") == b""
