# SPDX-License-Identifier: Apache-2.0
"""The variables of an app come to it as they were set, whoever reads the file."""

import json
import os
import shutil
import subprocess

import pytest

from harness.hooks import HOOKS, App

VALUES = {"A": "pa$$word", "B": "a b # c", "C": '"quoted"', "D": "it's", "E": "back\\slash\\n", "F": "$HOME `id`", "G": "end\\",
          "H": "x\\\\y", "I": "", "J": "a=b=c", "K": " spaces around ", "L": "ünï"}
TEXT = "".join(f"{name}={value}\n" for name, value in VALUES.items())


def quoted(tmp_path, function):
    file = tmp_path / "env"
    file.write_text(TEXT, encoding="utf-8")
    return subprocess.run(["sh", "-c", f'. "{HOOKS}/lib/common.sh"; {function} "{file}"', "x", "apply"], check=True,
                          stdout=subprocess.PIPE, timeout=10).stdout.decode()


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="needs docker-compose")
def test_compose_reads_what_was_set(tmp_path):
    (tmp_path / ".env").write_text(quoted(tmp_path, "env_for_compose"), encoding="utf-8")
    (tmp_path / "docker-compose.yml").write_text('version: "3"\nservices: {web: {image: x, env_file: .env}}\n', encoding="utf-8")
    seen = subprocess.run(["docker-compose", "config"], cwd=tmp_path, check=True, stdout=subprocess.PIPE, timeout=30,
                          env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"}).stdout.decode()
    python = "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)['services']['web']['environment']))"
    environment = json.loads(subprocess.run(["/usr/bin/python3", "-c", python], input=seen.encode(), check=True,
                                            stdout=subprocess.PIPE, timeout=10).stdout)
    # What compose prints has two $ for one.
    assert {name: (value or "").replace("$$", "$") for name, value in environment.items()} == VALUES


def unquoted_by_systemd(text):
    """systemd.exec(5): within double quotes a backslash stands before ", \\, ` and $, and is itself before all others."""
    out, rest = "", text
    while rest:
        if rest[0] == "\\" and rest[1] in '"\\`$':
            rest = rest[1:]
        out, rest = out + rest[0], rest[1:]
    return out


def test_systemd_reads_what_was_set(tmp_path):
    lines = quoted(tmp_path, "env_for_systemd").splitlines()
    seen = {}
    for line in lines:
        name, value = line.split("=", 1)
        assert value[0] == value[-1] == '"'
        seen[name] = unquoted_by_systemd(value[1:-1])
    assert seen == VALUES


def test_a_release_of_files_has_them_too(tmp_path):
    app = App(tmp_path / "app", release='printf "%s|" "$A" "$B" "$E" "$K"; ls')
    app.secret("env", TEXT)
    version = tmp_path / "version"
    version.mkdir()
    (version / "migrate.sql").touch()
    answer = app.ok("release/command", image=str(version))
    assert "pa$$word|a b # c|back\\slash\\n| spaces around |migrate.sql" in answer.log
