# SPDX-License-Identifier: Apache-2.0
"""Secrets of an app: each stage gets its own as files, and none is seen anywhere else."""

import subprocess

import pytest

from harness.push_shop import PushShop

# What it was given, for the test to read, and for the log to hide.
LOOK = """
ls "${CREDENTIALS_DIRECTORY:-/nonexistent}" 2>/dev/null | sort | tr '\\n' ' ' >"$DEPLOY_OPTION_SEEN.$DEPLOY_STAGE"
for file in "${CREDENTIALS_DIRECTORY:-/nonexistent}"/*; do
	if [ -f "$file" ]; then echo "leaking $(cat "$file")"; stat -c %a "$file" >>"$DEPLOY_OPTION_SEEN.modes"; fi
done
env >"$DEPLOY_OPTION_SEEN.env.$DEPLOY_STAGE"
"""
HOOKS = {
    "build/make": LOOK + 'if [ "$1" = apply ]; then echo image=x >>"$DEPLOY_OUTPUT"; fi\n',
    "start/line": LOOK + """
[ "$1" != apply ] || printf 'container=c\\naddress=127.0.0.1:1\\n' >>"$DEPLOY_OUTPUT"
if [ -e "$DEPLOY_OPTION_SEEN.ends" ]; then echo "the app says: cannot reach postgres://u:hunter2-long@db/x"; exit 1; fi
""",
    "probe/tcp": LOOK,
    "pre-start/look": LOOK,
}


@pytest.fixture
def shop(tmp_path):
    s = PushShop(tmp_path, HOOKS, build_secrets=["NPM_TOKEN"])
    s.app["options"]["seen"] = str(tmp_path / "seen")
    s.agent.write_config(s.settings(shop=s.app))
    s.agent.start(samples=1)
    yield s
    s.agent.finish()


def seen(shop, what):
    return (shop.folder / f"seen.{what}").read_text(encoding="utf-8").strip()


def set_variables(shop, **variables):
    for name, value in variables.items():
        subprocess.run([str(shop.agent.binary), "deploy", "env", "shop", "set", name, "--state", str(shop.agent.state)],
                       input=value, text=True, check=True, timeout=20, stdout=subprocess.DEVNULL)


def test_each_stage_gets_its_own_and_the_log_none(shop):
    set_variables(shop, NPM_TOKEN="npm_0123456789abcdef", DATABASE_URL="postgres://u:hunter2-long@db/x")
    shop.repo()
    shop.commit(file="1")
    good, said = shop.push()
    assert good, said
    assert seen(shop, "build") == "build-NPM_TOKEN"
    assert seen(shop, "start") == "env"
    assert (seen(shop, "probe"), seen(shop, "pre-start")) == ("", "")
    assert set(seen(shop, "modes").split()) == {"400"}
    assert "leaking" in said
    log = (shop.agent.state / "deploys" / "shop" / "1.log").read_text(encoding="utf-8")
    for text in (said, log, shop.agent.log(), *(seen(shop, f"env.{stage}") for stage in ("build", "start", "probe"))):
        assert "npm_0123456789abcdef" not in text and "hunter2-long" not in text
    # Nothing of it stays but the file of root.
    left = subprocess.run(["grep", "-rl", "hunter2-long", str(shop.agent.state), str(shop.folder / "agent")], check=False,
                          stdout=subprocess.PIPE, text=True, timeout=20).stdout.split()
    assert set(left) == {str(shop.agent.state / "deploys" / "shop" / "env")}


def test_what_the_app_says_of_them_is_hidden_too(shop):
    set_variables(shop, NPM_TOKEN="npm_0123456789abcdef", DATABASE_URL="postgres://u:hunter2-long@db/x")
    (shop.folder / "seen.ends").touch()
    shop.repo()
    shop.commit(file="1")
    good, said = shop.push()
    assert not good
    assert "the app says: cannot reach" in said and "hunter2-long" not in said
    (deploy,) = shop.deploys()
    assert deploy["state"] == "failed" and "hunter2-long" not in deploy["error"]


def test_a_secret_of_the_build_that_is_missing_is_named(shop):
    shop.repo()
    shop.commit(file="1")
    good, said = shop.push()
    assert not good
    assert "NPM_TOKEN is not set: agent deploy env shop set NPM_TOKEN" in said
    set_variables(shop, NPM_TOKEN="npm_0123456789abcdef")
    shop.commit(file="2")
    good, said = shop.push()
    assert good, said
