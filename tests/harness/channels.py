# SPDX-License-Identifier: Apache-2.0
"""Channels of an agent that lead to the servers of harness/providers."""

import html
import re

from harness.providers.markdown import plain

QUICK = {"group": "0s", "per_minute": 600}


def settings(folder, providers, **options):
    """The group "channels" for {name: Provider}. Secrets go into files that only their owner can read."""
    folder.mkdir(parents=True, exist_ok=True)
    group = {}
    for name, provider in providers.items():
        own, secrets = provider.settings()
        for option, secret in secrets.items():
            path = folder / f"{name}.{option}"
            path.touch(mode=0o600)
            path.write_text(secret + "\n")
            own[option] = str(path)
        group[name] = {**QUICK, **own, **options}
    return group


def readable(text):
    """Text as it is compared: entities as their characters, runs of blanks as one, nothing that has no width."""
    return re.sub(r"\s+", " ", plain(html.unescape(text))).strip()


def secrets_in(data, providers):
    """Which secrets of the providers stand in some text or bytes."""
    data = data.encode() if isinstance(data, str) else data
    return [s for p in providers for s in p.secrets() if s.encode() in data]
