# SPDX-License-Identifier: Apache-2.0
"""Versions of an app out of one image, harness/web_app.c, each told what it is and how it behaves."""

from harness.docker_net import WEB


def start(app, number, mode="", old=None):
    """What start/docker said of it, and what the stages after it are told."""
    app.deploy = number
    app.options["arguments"] = mode
    app.secret("env", f"VERSION=v{number}\n")
    told = {"image": WEB}
    if old:
        told |= {"old_container": old["container"], "old_address": old["address"]}
    return told | app.ok("start/docker", **told).results
