# SPDX-License-Identifier: Apache-2.0
"""`git push` to a repository of the agent: the push shows the deploy, and fails when it fails."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness.agent import ROOT
from harness.push_shop import ENV, PushShop
from harness.wait import until


@pytest.fixture
def shop(tmp_path):
    s = PushShop(tmp_path)
    s.agent.start(samples=1)
    yield s
    s.agent.finish()


def test_a_push_is_deployed_with_its_log_shown(shop):
    made = shop.repo()
    assert re.search(r"git remote add live ssh://\S+@\S+" + re.escape(str(shop.remote)), made), made
    commit = shop.commit("First", file="1")
    good, seen = shop.push()
    assert good, seen
    assert re.search(rf"^remote: .*building {commit}", seen, re.MULTILINE), seen
    assert shop.branch() == commit
    (deploy,) = shop.deploys()
    assert (deploy["state"], deploy["commit"], deploy["trigger"], deploy["subject"]) == ("done", commit, "push", "First")
    assert shop.serves == "line-1"
    again = shop.commit("Second", file="2")
    good, seen = shop.push()
    assert good, seen
    assert (shop.branch(), shop.serves) == (again, "line-2")


def test_the_push_fails_when_the_build_fails_and_the_next_one_is_whole(shop):
    shop.repo()
    first = shop.commit(file="1")
    assert shop.push()[0]
    shop.commit(broken="no semicolon")
    good, seen = shop.push()
    assert not good
    assert "the compiler says: no semicolon" in seen
    assert "[remote rejected]" in seen and "the deploy failed; what served before still does" in seen
    assert (shop.branch(), shop.serves) == (first, "line-1")
    mended = shop.commit(broken=None)
    good, seen = shop.push()
    assert good, seen
    assert (shop.branch(), shop.serves) == (mended, "line-3")


def test_a_first_push_that_fails_leaves_no_branch(shop):
    shop.repo()
    shop.commit(sick="yes")
    good, seen = shop.push()
    assert not good and "it does not answer" in seen
    assert (shop.branch(), shop.serves) == ("", "")


def test_only_the_branch_of_the_app(shop):
    shop.repo()
    first = shop.commit(file="1")
    for what in ("HEAD:other", "HEAD:refs/tags/v1"):
        good, seen = shop.push(what)
        assert not good
        assert "only main is deployed: git push REMOTE HEAD:main" in seen
    assert shop.push()[0]
    good, seen = shop.push(":main")
    assert not good and "the branch that is deployed cannot be removed" in seen
    assert shop.branch() == first
    assert len(shop.deploys()) == 1
    # One bad ref beside a good one stops nothing but itself.
    second = shop.commit(file="2")
    good, seen = shop.push("HEAD:main", "HEAD:other")
    assert not good
    assert (shop.branch(), shop.branch("other"), shop.serves) == (second, "", "line-2")


def test_the_branch_is_that_of_the_configuration_of_now(shop):
    shop.repo()
    shop.agent.write_config(shop.settings(shop={**shop.app, "branch": "live"}))
    assert shop.agent.cli("config", "reload").returncode == 0
    shop.commit(file="1")
    good, seen = shop.push()
    assert not good and "only live is deployed" in seen
    good, seen = shop.push("HEAD:live")
    assert good, seen
    assert shop.serves == "line-1"


def test_history_may_be_written_anew(shop):
    shop.repo()
    shop.commit(file="1")
    assert shop.push()[0]
    shop.git("commit", "--quiet", "--amend", "-m", "otherwise")
    assert not shop.push()[0]
    good, seen = shop.push("+HEAD:main")
    assert good, seen
    assert shop.branch() == shop.git("rev-parse", "HEAD")


def packet(text):
    return f"{len(text) + 4:04x}{text}".encode()


def test_who_was_overtaken_is_told_to_fetch(shop):
    """Two pushes that saw the same branch; what git says to its hook for the second one."""
    shop.repo()
    base = shop.commit(file="1")
    assert shop.push()[0]
    ours = shop.git("commit-tree", "-m", "ours", "-p", base, "HEAD^{tree}")
    shop.git("branch", "ours", ours)
    shop.git("fetch", "--quiet", shop.source, "ours", folder=shop.remote)  # as what git has unpacked before it asks
    taken = shop.commit(file="2")
    assert shop.push()[0]
    said = packet("version=1\0push-options atomic") + b"0000" + packet(f"{base} {ours} refs/heads/main") + b"0000"
    hook = ROOT / "deploy-hooks" / "hooks" / "repository" / "proc-receive"
    answer = subprocess.run([hook], cwd=shop.remote, env={**ENV, "GIT_DIR": "."}, input=said, stdout=subprocess.PIPE, check=True, timeout=30)
    assert answer.stdout == (packet("version=1") + b"0000"
                             + packet("ng refs/heads/main the branch has moved meanwhile: fetch, and push again") + b"0000")
    assert (shop.branch(), shop.serves) == (taken, "line-2")


def test_who_pushes_on_top_of_one_under_way_supersedes_nothing_of_it(shop):
    """The second push builds on what the first one still deploys; that the first one then fails does not move the branch."""
    shop.repo()
    base = shop.commit(file="1")
    assert shop.push()[0]
    shop.commit(wait="yes", broken="no")
    first = shop.pushing()
    until(lambda: shop.branch() != base, 20, "the branch to move")
    second = shop.commit(wait=None, broken=None)
    other = shop.pushing()
    until(lambda: shop.branch() == second, 20, "the branch to move again")
    (shop.folder / "gate").touch()
    assert "the deploy failed" in first.communicate(timeout=30)[0] and first.returncode != 0
    seen, _ = other.communicate(timeout=30)
    assert other.returncode == 0, seen
    assert (shop.branch(), shop.serves) == (second, "line-3")


def test_it_can_be_made_again_and_nothing_is_lost(shop):
    shop.repo()
    commit = shop.commit(file="1")
    assert shop.push()[0]
    (shop.remote / "config").write_text("broken", encoding="utf-8")
    assert "It is there already" in shop.repo()
    assert shop.branch() == commit
    assert shop.push("+HEAD:main")[0]
    assert (shop.remote.parent.stat().st_mode & 0o777) == 0o700


def test_a_push_outlives_a_crash_of_the_agent(shop):
    shop.repo()
    commit = shop.commit(wait="yes")
    push = shop.pushing()
    until(lambda: [d["state"] for d in shop.deploys()] == ["building"], 20, "the build")
    shop.agent.kill()
    (shop.folder / "gate").touch()
    shop.agent.start(samples=1)
    seen, _ = push.communicate(timeout=50)
    assert push.returncode == 0, seen
    assert (shop.branch(), shop.serves) == (commit, "line-1")


def test_a_push_that_is_broken_off_leaves_the_deploy_and_a_branch_to_push_to(shop):
    shop.repo()
    base = shop.commit(file="1")
    assert shop.push()[0]
    commit = shop.commit(wait="yes")
    push = shop.pushing()
    until(lambda: shop.branch() == commit, 20, "the branch to move")
    push.kill()
    push.wait(10)
    push.stdout.close()  # git's other end on this server has it too
    (shop.folder / "gate").touch()
    until(lambda: shop.serves == "line-2", 20, "the deploy to end")
    until(lambda: shop.branch() in (base, commit), 20, "a branch")
    shop.commit(wait=None)
    good, seen = shop.push()
    assert good, seen
    assert shop.serves == "line-3"


def test_a_push_while_the_agent_is_away_changes_nothing(shop):
    shop.repo()
    shop.commit(file="1")
    shop.agent.stop()
    good, seen = shop.push()
    assert not good and "it was not deployed" in seen
    assert shop.branch() == ""
    shop.agent.start(samples=1)
    good, seen = shop.push()
    assert good, seen


def test_an_app_with_a_source_of_its_own_has_no_repository(shop):
    shop.agent.write_config(shop.settings(far={"source": "https://git.example.com/x.git"}, ready={"image": "nginx"}))
    assert shop.agent.cli("config", "reload").returncode == 0
    for app, says in (("far", "far is deployed from https://git.example.com/x.git"), ("ready", "ready is deployed from images"),
                      ("nobody", 'there is no app "nobody"')):
        answer = shop.agent.cli("deploy", "repo", app)
        assert answer.returncode == 1 and says in answer.stderr, answer
    assert not (shop.agent.state / "repos").exists()


def test_a_state_folder_with_an_odd_name():
    with tempfile.TemporaryDirectory(prefix="it's a \"$x\";") as folder:  # short: the path of a socket is bounded
        shop = PushShop(Path(folder))
        shop.agent.start(samples=1)
        shop.repo()
        commit = shop.commit(file="1")
        good, seen = shop.push()
        assert good, seen
        assert (shop.branch(), shop.serves) == (commit, "line-1")
        shop.agent.finish()


def test_an_old_history_with_small_faults_can_be_pushed(shop):
    shop.repo()
    tree = shop.git("write-tree")
    raw = f"tree {tree}\nauthor A <a@example.com> 1 +051800\ncommitter A <a@example.com> 1 +0000\n\nold\n"
    old = subprocess.run(["git", "hash-object", "-t", "commit", "-w", "--literally", "--stdin"], cwd=shop.source, env=ENV, input=raw.encode(),
                         check=True, stdout=subprocess.PIPE).stdout.decode().strip()
    good, seen = shop.push(f"{old}:refs/heads/main")
    assert good, seen
    assert shop.branch() == old


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_only_who_runs_the_agent_makes_it(shop):
    """Of root in a folder of the agent's user, the agent could not read what is pushed."""
    os.chown(shop.agent.state, 65534, 65534)
    answer = shop.agent.cli("deploy", "repo", "shop")
    assert answer.returncode == 1 and "run this as that user" in answer.stderr, answer
    assert not (shop.agent.state / "repos").exists()
    os.chown(shop.agent.state, 0, 0)


def test_a_clone_has_the_branch(shop):
    shop.repo()
    shop.commit(file="1")
    assert shop.push()[0]
    shop.git("clone", "--quiet", shop.remote, shop.folder / "clone")
    assert Path(shop.folder / "clone" / "file").read_text(encoding="utf-8") == "1"
