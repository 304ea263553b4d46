# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition: tests never sleep for a guessed time."""

import time


def until(condition, seconds=10, what="the condition", step=0.05):
    """Calls condition() until it gives something true, and returns that. An AssertionError counts as not yet."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            result = condition()
            if result:
                return result
            reason = f"last: {result!r}"
        except AssertionError as e:
            reason = str(e)
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds} s; {reason}")
        time.sleep(step)
