# SPDX-License-Identifier: Apache-2.0
"""Settings of agents whose alerts a test can foretell."""

import re

from harness.agent import ROOT

# What is wrong with the machine that runs the tests is not the matter of most of them.
BUILTIN_OFF = {
    name: {"enabled": False} for name in re.findall(r'\.name = "(\w+)"', (ROOT / "notify/rule_builtin.c").read_text())
}


def rule(limit, metric="host.memory_used_percent", **more):
    return {"metric": metric, "warning": limit, **more}


def channel(provider, folder, **more):
    """The channel of a local provider (harness.providers); its secrets are files in `folder`."""
    options, secrets = provider.settings()
    for name, secret in secrets.items():
        path = folder / f"{provider.name}.{name}"
        path.write_text(secret)
        path.chmod(0o600)
        options[name] = str(path)
    return {"group": "0s", **options, **more}
