# SPDX-License-Identifier: Apache-2.0
"""Alerts, channels and events in words, and which chart an event belongs on: the parts that only calculate, in the browser."""

import json

import pytest

NOW = 1795240000


@pytest.fixture(scope="module")
def js(chromium, server):
    chromium.fresh()
    chromium.open(server)
    return chromium.module


def state_of(js, **channel):
    """[kind, text] of a channel."""
    idle = {"doing": "idle", "next_ms": 0, "waiting": 0, "oldest_ms": 0, "last_sent_ms": 0, "last_failed_ms": 0,
            "last_error": "", "failures": 0}
    script = f"""const {{ channelState }} = await import('/assets/alertwords.js');
        const {{ kind, text }} = channelState({json.dumps(idle | channel)}, {NOW});
        return [kind, text.replaceAll('\\u00a0', ' ')]"""
    return js(script)


def minutes(n):
    return (NOW + 60 * n) * 1000


def test_a_channel_that_works(js):
    assert state_of(js) == ["off", "nothing was sent yet"]
    assert state_of(js, last_sent_ms=minutes(-3)) == ["good", "works, last sent 3 min ago"]
    assert state_of(js, last_sent_ms=minutes(-3), last_failed_ms=minutes(-9)) == ["good", "works, last sent 3 min ago"]
    kind, text = state_of(js, last_sent_ms=minutes(-9), last_failed_ms=minutes(-3), last_error="HTTP 404")
    assert (kind, text) == ("warn", "the last message failed 3 min ago: HTTP 404")
    assert state_of(js, doing="sending", waiting=1) == ["good", "sends now"]
    kind, text = state_of(js, doing="grouping", waiting=2, next_ms=(NOW + 20) * 1000)
    assert (kind, text) == ("good", "collects 2 messages, sends in 20 s")


def test_a_channel_that_waits_says_since_when_why_and_until_when(js):
    kind, text = state_of(js, doing="waiting", waiting=12, oldest_ms=minutes(-40), next_ms=minutes(8), last_error="HTTP 500")
    assert kind == "warn"
    before, reason, after = text.split(", ")
    assert before.startswith("waiting: 12 messages since ") and reason == "HTTP 500" and after.startswith("next try ")
    kind, text = state_of(js, doing="broken", waiting=1, oldest_ms=minutes(-1), next_ms=minutes(9), last_error="HTTP 401: Unauthorized")
    assert kind == "bad"
    assert text.startswith("broken: HTTP 401: Unauthorized, 1 message waiting since ") and ", next try " in text


def test_a_channel_that_may_not_send_now(js):
    kind, text = state_of(js, doing="quiet", next_ms=minutes(60), waiting=3, oldest_ms=minutes(-5))
    assert kind == "off" and text.startswith("quiet until ") and ", 3 messages waiting since " in text
    kind, text = state_of(js, doing="rate", next_ms=minutes(1), waiting=3)
    assert kind == "off" and text.startswith("as many as allowed were sent, 3 messages waiting, goes on ")


@pytest.mark.parametrize(
    "event, kind, text",
    [
        ({"kind": "alert.firing", "severity": "critical"}, "bad", "critical"),
        ({"kind": "alert.firing", "severity": "warning"}, "warn", "warning"),
        ({"kind": "alert.recovered", "severity": "critical", "is_end": True}, "good", "recovered"),
        ({"kind": "alert.reminder", "severity": "warning"}, "warn", "still warning"),
        ({"kind": "message", "severity": "info"}, "off", "message"),
        ({"kind": "backup.recovered", "severity": "info", "is_end": True}, "good", "recovered"),
        ({"kind": "backup.verified", "severity": "info"}, "good", "verified"),
        ({"kind": "backup.drill_failed", "severity": "critical"}, "bad", "drill failed"),
    ],
)
def test_kinds_of_events(js, event, kind, text):
    script = "const { eventKind } = await import('/assets/alertwords.js'); return eventKind(%s)" % json.dumps(event)
    assert js(script) == {"kind": kind, "text": text}


@pytest.mark.parametrize(
    "seconds, text",
    [(0, "just now"), (-3, "just now"), (90, "1 min ago"), (7500, "2 h 5 min ago"), (-3600, "in 1 h")],
)
def test_times_beside_the_present(js, seconds, text):
    script = f"const {{ agoText }} = await import('/assets/alertwords.js'); return agoText({NOW - seconds} * 1000, {NOW})"
    assert js(script).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    "cls, key, href",
    [
        ("container", "shop web/1", "#/container/shop%20web%2F1"),
        ("service", "nginx", "#/service/nginx"),
        ("filesystem", "/", "#/entity/filesystem/%2F"),
        ("backup", "shop", "#/backups/shop"),
    ],
)
def test_pages_of_entities(js, cls, key, href):
    script = "const { hrefOf } = await import('/assets/alertwords.js'); return hrefOf(%s, %s)"
    assert js(script % (json.dumps(cls), json.dumps(key))) == href


def test_a_name_becomes_a_pattern_that_fits_it_alone(js):
    script = "const { literal } = await import('/assets/alertwords.js'); return %s.map(literal)"
    names = ["shop-web", "a*b?", "[x]", "!not", "back\\slash"]
    assert js(script % json.dumps(names)) == ["shop-web", "a\\*b\\?", "\\[x\\]", "\\!not", "back\\\\slash"]


def test_events_are_marked_on_the_charts_they_are_about(js):
    script = """const { marksFor } = await import('/assets/eventmarks.js');
        const chart = (entity, ...metrics) => ({ series: metrics.map((metric) => ({ entity, metric })) });
        const charts = [chart('host/host', 'cpu_user_percent', 'cpu_used_percent'), chart('host/host', 'memory_used_bytes'),
            chart('host/host', 'load1'), chart('disk/vda', 'busy_percent')];
        const on = (entity, metric) => charts.map((c) => marksFor(c, charts, [{ entity, metric }]).length).join('');
        return [on('host/host', 'cpu_used_percent'), on('host/host', 'memory_used_percent'), on('host/host', 'reboot_pending'),
            on('disk/vda', 'busy_percent'), on('disk/vdb', 'busy_percent')]"""
    assert js(script) == ["1000", "0100", "1110", "0001", "0000"]
