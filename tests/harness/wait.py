# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition: tests never sleep for a guessed time."""

import time


def until(condition, seconds=10, what="the condition", step=0.05):
    """Calls condition() until it gives something true, and returns that. An AssertionError counts as not yet, and
    so does a connection that breaks: the web process begins anew after a reload and after its death."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            result = condition()
            if result:
                return result
            reason = f"last: {result!r}"
        except (AssertionError, OSError) as e:
            reason = f"{type(e).__name__}: {e}"
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds} s; {reason}")
        time.sleep(step)
