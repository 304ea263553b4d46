# SPDX-License-Identifier: Apache-2.0
"""A backup is not what slows the monitoring down: sampling goes on, in time, while one of 200 MB runs, and its progress is told."""

import json
import time

import pytest

from harness.sse import Stream

SIZE = 200_000_000
LATE_SECONDS = 0.5  # half of the interval


def follow(agent, stream, run):
    """All that the live stream says until the run has ended: its last word, the words before, (time, when it came) of the samples."""
    words, samples = [], []
    while True:
        fields = stream.any_event()
        if fields["event"] == "sample":
            samples.append((json.loads(fields["data"])["time"], time.time()))
        elif fields["event"] == "backup":
            word = json.loads(fields["data"])["run"]
            if word["run"] == run and word["state"] not in ("waiting", "running"):
                return word, words, samples
            words.append(word)


@pytest.mark.alone
def test_samples_are_taken_in_time_while_a_backup_runs(make_agent, tmp_path):
    agent = make_agent(settings={"databases": {"large": {
        "engine": "command", "command": ["/usr/bin/head", "-c", str(SIZE), "/dev/urandom"], "level": 12,
    }}}).start(samples=2)
    stream = Stream(agent, "?class=host")
    stream.any_event()
    run = agent.get("/api/v1/backups/jobs/large/run", method="POST").json()["run"]
    end, words, samples = follow(agent, stream, run)
    stream.close()
    assert end["state"] == "done" and end["plain_bytes"] == SIZE, end

    began, ended = end["started_ms"] / 1000, end["ended_ms"] / 1000
    assert ended - began > 3, "long enough to see something"
    times = [t for t, _ in samples]
    wanted = [t for t in range(int(began) + 1, int(ended))]
    assert [t for t in wanted if t not in times] == [], f"missing among {times}"
    late = {t: round(at - t, 3) for t, at in samples if at - t > LATE_SECONDS}
    assert not late, "each is there when it is due"

    done = [w["plain_bytes"] for w in words if w["state"] == "running"]
    assert done == sorted(done) and len(set(done)) >= 3 and done[-1] > SIZE / 10, "progress, while it goes on"
    assert len(done) <= ended - began + 3, "no more than one word a second"

    series = agent.api(f"series?entity=host/host&metric=load1&from={wanted[0]}&to={wanted[-1]}&points=1000")["series"][0]
    values = series["values"][0]
    assert values and None not in values, "and all of it is in the history"
