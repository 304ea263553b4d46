# SPDX-License-Identifier: Apache-2.0
"""The parts of the dashboard that only calculate, in the browser they run in."""

import pytest

SERIES = """const { Track, align, nearest } = await import('/assets/track.js');
const track = (values, step = 20, how = 'average') => {
    const t = new Track('host/host', ['a'], how, 20);
    t.load({ start: values.length ? 1000 : null, step, metrics: ['a'], values: [values] }, 1e9);
    return t;
};
const shown = (t) => t.times.map((x, i) => [x, t.columns.get('a')[i]]);
"""


@pytest.fixture(scope="module")
def js(chromium, server):
    chromium.fresh()
    chromium.open(server)
    return lambda script: chromium.module(SERIES + script)


def test_a_sample_becomes_a_point(js):
    assert js("const t = track([1, 2]); t.append(1037, { a: 5 }, 0); return shown(t)") == [
        [1000, 1],
        [1020, 2],
        [1037, 5],
    ]


def test_a_sample_that_is_stored_already_is_not_added(js):
    assert js("const t = track([1, 2]); t.append(1015, { a: 5 }, 0); return shown(t)") == [[1000, 1], [1020, 2]]


def test_a_point_closes_at_the_end_of_its_row(js):
    assert js("const t = track([1, 2]); t.append(1037, { a: 5 }, 0); t.append(1057, { a: 6 }, 0); return shown(t)") == [
        [1000, 1],
        [1020, 2],
        [1040, 5],
        [1057, 6],
    ]


def test_a_long_row_is_the_mean_of_its_samples(js):
    script = """const t = track([1], 60);
        for (const [x, a] of [[1020, 2], [1040, 4], [1060, 6]]) t.append(x, { a }, 0);
        return shown(t)"""
    assert js(script) == [[1000, 1], [1060, 4]]


def test_a_long_row_is_the_maximum_where_that_is_shown(js):
    script = """const t = track([1], 60, 'maximum');
        for (const [x, a] of [[1020, 2], [1040, 9], [1060, 6]]) t.append(x, { a }, 0);
        return shown(t)"""
    assert js(script) == [[1000, 1], [1060, 9]]


def test_samples_that_did_not_come_are_a_gap(js):
    assert js("const t = track([1]); t.append(1200, { a: 7 }, 0); return shown(t)") == [
        [1000, 1],
        [1020, None],
        [1200, 7],
    ]


def test_unknown_stays_unknown(js):
    assert js("const t = track([1]); t.append(1020, {}, 0); return shown(t)") == [[1000, 1], [1020, None]]


def test_memory_is_bounded(js):
    script = """const t = track([1]);
        for (let i = 1; i <= 5000; i++) t.append(1000 + 20 * i, { a: i }, 1000 + 20 * i - 3600);
        return [t.times.length, t.columns.get('a').length]"""
    length, values = js(script)
    assert length == values <= 183


def test_samples_during_a_fetch_are_not_lost(js):
    script = """const t = new Track('host/host', ['a'], 'average', 20);
        t.expect(); t.append(1037, { a: 5 }, 0);
        t.expected(); t.load({ start: 1000, step: 20, metrics: ['a'], values: [[1, 2]] }, 1038);
        return shown(t)"""
    assert js(script) == [[1000, 1], [1020, 2], [1037, 5]]


def test_rows_not_written_yet_are_no_gap(js):
    script = """const t = new Track('host/host', ['a'], 'average', 20);
        t.load({ start: 1000, step: 20, metrics: ['a'], values: [[1, null, 3, null, null]] }, 1085); return shown(t)"""
    assert js(script) == [[1000, 1], [1020, None], [1040, 3]]


def test_nothing_stored_yet(js):
    assert js("const t = track([]); t.append(1020, { a: 1 }, 0); return shown(t)") == [[1020, 1]]


def test_tracks_on_other_rows_share_one_row_of_times(js):
    script = """const { times, columns } = align([[track([1, 2, 3]), 'a'], [track([7, 8], 40), 'a'], [null, 'a']]);
        return [times, columns]"""
    assert js(script) == [[1000, 1020, 1040], [[1, 2, 3], [7, 7, 8], [None, None, None]]]


@pytest.mark.parametrize(
    "value, unit, text",
    [
        ("0", "bytes", "0 B"),
        ("1023", "bytes", "1.00 KiB"),
        ("999", "bytes", "999 B"),
        ("1536", "bytes", "1.50 KiB"),
        ("5.5 * 2 ** 30", "bytes", "5.50 GiB"),
        ("123456", "bytes_per_second", "121 KiB/s"),
        ("null", "bytes", "–"),
        ("undefined", "percent", "–"),
        ("12.345", "percent", "12.3 %"),
        ("0.02", "percent", "0.02 %"),
        ("100", "percent", "100 %"),
        ("0.0004", "seconds", "400 µs"),
        ("0.0123", "seconds", "12.3 ms"),
        ("1", "cores", "1 core"),
        ("0.5", "cores", "0.5 cores"),
        ("1", "boolean", "yes"),
        ("1234567", "none", "1.23 M"),
        ("7", "none", "7"),
        ("NaN", "none", "–"),
    ],
)
def test_units(js, value, unit, text):
    script = f"const {{ format }} = await import('/assets/units.js'); return format({value}, '{unit}')"
    assert js(script).replace("\u00a0", " ") == text


def test_an_axis_of_yes_and_no_has_no_other_labels(js):
    script = "const { formatTick } = await import('/assets/units.js'); return [0, 0.2, 0.6, 1].map((v) => formatTick(v, 'boolean'))"
    assert js(script) == ["no", "", "", "yes"]


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0, "0 s"),
        (59, "59 s"),
        (61, "1 min"),
        (3600, "1 h"),
        (12000, "3 h 20 min"),
        (90000, "1 d 1 h"),
        (31536000 + 86400 * 3, "1 y 3 d"),
    ],
)
def test_durations(js, seconds, text):
    script = f"const {{ duration }} = await import('/assets/units.js'); return duration({seconds})"
    assert js(script).replace("\u00a0", " ") == text
