# SPDX-License-Identifier: Apache-2.0
"""The S3 store with a faulty network and a moody server between it and Ceph's gateway. Always: a correct object, or a failure with
no object and no part left in the bucket."""

import random
import threading
import time

import pytest

from harness.rgw import ACCESS_KEY, SECRET_KEY
from harness.s3 import Result, end, write_credentials
from harness.s3proxy import Answer, Change, Cut, Hang, Say, error
from harness.wait import until

PART = 65536
DATA = random.Random(7).randbytes(5 * PART + 11)
KEY = "shop/x/shop.dump"

pytestmark = pytest.mark.root


def assert_stored(bucket, result, data=DATA):
    assert result.status == 0, result
    assert bucket.object(KEY) == data
    assert bucket.keys() == [KEY]
    assert bucket.uploads() == []


CUTS = ["before request", "mid body", "before response", "mid response"]


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("where", CUTS)
def test_row_19_each_connection_is_cut_once_at_every_part(bucket, proxy, where, reset):
    proxy.first_time = Cut(where, reset)
    assert_stored(bucket, bucket.run("put", KEY, data=DATA))
    # Every request was made at least twice: all were hit.
    parts = [r.query["partNumber"] for r in proxy.seen_ops("part")]
    assert all(parts.count(str(n)) >= 2 for n in range(1, 7))


@pytest.mark.parametrize("where", CUTS)
def test_a_small_object_whose_connection_is_cut(bucket, proxy, where):
    proxy.first_time = Cut(where)
    assert_stored(bucket, bucket.run("put", KEY, data=b"small"), b"small")


def test_row_10_complete_says_200_and_an_error(bucket, proxy):
    """AWS may find out late: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html"""
    proxy.fault("complete", Say(error(200, "InternalError", "We encountered an internal error")), times=2)
    assert_stored(bucket, bucket.run("put", KEY, data=DATA))
    assert proxy.ops().count("complete") == 3


def test_row_10_complete_never_succeeds(bucket, proxy):
    proxy.fault("complete", Say(error(200, "InternalError", "We encountered an internal error")), times=10**6)
    r = bucket.run("put", KEY, data=DATA, retry_ms=500)
    assert r.status == 1 and "InternalError" in r.message
    bucket.assert_nothing()


def test_row_10_an_error_that_will_not_pass_fails_at_once(bucket, proxy):
    proxy.fault("complete", Say(error(200, "InvalidPart", "One or more parts could not be found")), times=10**6)
    r = bucket.run("put", KEY, data=DATA)
    assert r.status == 1 and "InvalidPart" in r.message
    assert proxy.ops().count("complete") == 1
    bucket.assert_nothing()


def test_row_10_complete_is_done_but_its_answer_is_lost_and_the_upload_is_gone(bucket, proxy):
    proxy.fault("complete", Cut("before response"))
    proxy.fault("complete", Say(error(404, "NoSuchUpload")))
    assert_stored(bucket, bucket.run("put", KEY, data=DATA))


def test_row_10_a_completed_object_of_the_wrong_size_is_a_failure(bucket, proxy):
    def shorter(_, answer):
        return Answer(answer.status, answer.headers, answer.body, answer.length - 1)

    proxy.fault("head", Change(shorter), times=10**6)
    r = bucket.run("put", KEY, data=DATA)
    assert r.status == 1 and f"{len(DATA)} bytes were sent, the object has {len(DATA) - 1}" in r.message
    bucket.assert_nothing()


PASSING = [(500, "InternalError"), (503, "SlowDown"), (503, ""), (429, "TooManyRequests"), (408, "RequestTimeout"), (499, ""),
           (400, "RequestTimeout")]


@pytest.mark.parametrize("op,status,code", [
    (op, *passing) for op in ("create", "part", "complete", "head") for passing in PASSING
    if (op, *passing) != ("head", 400, "RequestTimeout")])  # an answer to HEAD has no body to say why
def test_row_19_what_passes_is_tried_again(bucket, proxy, op, status, code):
    proxy.fault(op, Say(error(status, code) if code else Answer(status, [], b"")), times=3)
    assert_stored(bucket, bucket.run("put", KEY, data=DATA))


def test_row_19_a_store_that_stays_away_is_a_failure_after_the_budget(bucket, proxy):
    proxy.fault("part", Say(error(503, "SlowDown", "Please reduce your request rate")), times=10**6,
                when=lambda r: r.query["partNumber"] == "3")
    r = bucket.run("put", KEY, data=DATA, retry_ms=700)
    assert r.status == 1
    assert "part 3" in r.message and "503 SlowDown" in r.message and "tried" in r.message
    assert 2 < proxy.ops().count("part") < 100
    bucket.assert_nothing()


def test_row_19_retry_after_is_heard(bucket, proxy):
    proxy.fault("part", Say(error(503, "SlowDown", headers=[("Retry-After", "1")])))
    began = time.monotonic()
    assert_stored(bucket, bucket.run("put", KEY, data=DATA))
    assert time.monotonic() - began >= 1


def test_the_line_does_not_wait_for_answers(bucket, proxy):
    """Two parts are on their way, never three, and they may end in any order. The last one waits for all others."""
    def numbers():
        return [r.query["partNumber"] for r in proxy.seen_ops("part")]

    def late(request, answer):
        number = int(request.query["partNumber"])
        until(lambda: str(number + 1) in numbers(), 10, "the part after it")
        assert str(number + 2) not in numbers()
        return answer

    proxy.fault("part", Change(late), times=10**6, when=lambda r: r.query["partNumber"] in ("1", "3"))
    assert_stored(bucket, bucket.run("put", KEY, data=DATA))
    assert sorted(numbers()) == ["1", "2", "3", "4", "5", "6"]


def test_one_part_at_a_time_under_a_limit(bucket, proxy):
    """Else it would be that of each of two connections."""
    under_way, most = [], []

    def watch(request, answer):
        under_way.remove(request)
        return answer

    def begins(request):
        under_way.append(request)
        most.append(len(under_way))
        return True

    proxy.fault("part", Change(watch), times=10**6, when=begins)
    assert_stored(bucket, bucket.run("put", KEY, data=DATA, bandwidth=10**9))
    assert max(most) == 1


def test_connections_are_used_again(bucket, proxy):
    assert_stored(bucket, bucket.run("put", KEY, data=DATA))
    # Two for parts, and one for each of the two requests that must not be repeated unasked.
    assert len(proxy.seen) == 9 and proxy.connections <= 4


def test_a_large_body_is_announced_where_it_may_be_refused(bucket, proxy):
    size = 2 * 2**20  # curl asks from 1 MiB on
    data = bytes(5 * size)
    proxy.fault("part", Say(error(503, "SlowDown")), when=lambda r: r.query["partNumber"] == "3")
    bucket.ok("put", KEY, data=data, part_size=size)
    asked = [r.query["partNumber"] for r in proxy.seen_ops("part") if r.header("expect")]
    assert asked == ["1", "3"]
    assert [r.query["partNumber"] for r in proxy.seen_ops("part")].count("3") == 2


def test_row_24_a_wrong_etag_of_a_part_means_other_bytes(bucket, proxy):
    def other(_, answer):
        return Answer(answer.status, [("ETag", '"00000000000000000000000000000000"') if n.lower() == "etag" else (n, v)
                                      for n, v in answer.headers], answer.body)

    proxy.fault("part", Change(other), times=2)
    assert_stored(bucket, bucket.run("put", KEY, data=DATA))
    proxy.fault("part", Change(other), times=10**6)
    r = bucket.run("put", "shop/y/shop.dump", data=DATA, retry_ms=500)
    assert r.status == 1 and "other bytes" in r.message
    assert bucket.keys() == [KEY] and bucket.uploads() == []


def test_row_24_an_etag_that_is_no_md5_is_none(bucket, proxy):
    """Stores that encrypt with keys of their own."""
    def kms(_, answer):
        return Answer(answer.status, [*answer.headers, ("x-amz-server-side-encryption", "aws:kms")], answer.body)

    def other(request, answer):
        changed = [(n, '"00000000000000000000000000000000"' if n.lower() == "etag" else v) for n, v in answer.headers]
        return kms(request, Answer(answer.status, changed, answer.body))

    proxy.fault("put", Change(other))
    assert_stored(bucket, bucket.run("put", KEY, data=b"small"), b"small")


@pytest.mark.parametrize("off_s", [-1200, 1200])
def test_row_17_a_clock_that_is_20_minutes_off(bucket, proxy, off_s):
    proxy.keys = (ACCESS_KEY, SECRET_KEY)
    proxy.clock_s = off_s
    assert_stored(bucket, bucket.run("put", KEY, data=DATA))
    # Learnt once, then right.
    assert len(proxy.seen) == 1 + len({(r.method, r.target) for r in proxy.seen})
    clock = [row for row in bucket.ok("check").rows if row["what"] == "clock"]
    assert not clock[0]["ok"] and "1200 s" in clock[0]["text"] and clock[0]["cure"]


def test_row_17_the_clock_goes_wrong_in_the_middle(bucket, proxy):
    proxy.keys = (ACCESS_KEY, SECRET_KEY)
    process = bucket.popen("put", KEY)
    process.stdin.write(DATA[:3 * PART + 1])
    process.stdin.flush()
    until(lambda: "part" in proxy.ops(), 10, "the first part")
    proxy.clock_s = 1200
    process.stdin.write(DATA[3 * PART + 1:])
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    proxy.clock_s = 0
    assert bucket.object(KEY) == DATA


def test_row_18_a_session_token_that_expires_during_the_upload(bucket, proxy):
    proxy.keys = (ACCESS_KEY, SECRET_KEY)
    proxy.tokens = {"old": None}
    write_credentials(bucket.credentials, ACCESS_KEY, SECRET_KEY, "old")
    process = bucket.popen("put", KEY)
    process.stdin.write(DATA[:2 * PART + 1])
    process.stdin.flush()
    until(lambda: "part" in proxy.ops(), 10, "the first part")
    proxy.tokens = {"old": error(400, "ExpiredToken", "The provided token has expired."), "new": None}
    refused = len(proxy.seen) + 3
    rest = threading.Thread(target=process.communicate, args=(DATA[2 * PART + 1:],))
    rest.start()
    until(lambda: len(proxy.seen) >= refused, 10, "refusals")
    assert process.poll() is None
    write_credentials(bucket.credentials, ACCESS_KEY, SECRET_KEY, "new")
    rest.join(30)
    assert process.wait(30) == 0
    assert bucket.object(KEY) == DATA and bucket.uploads() == []


def test_bucket_gone_in_the_middle(bucket, proxy):
    proxy.fault("part", Say(error(404, "NoSuchBucket")), when=lambda r: r.query["partNumber"] == "3")
    r = bucket.run("put", KEY, data=DATA)
    assert r.status == 1 and f'there is no bucket "{bucket.name}"' in r.message
    bucket.assert_nothing()


def test_upload_gone_in_the_middle(bucket, proxy):
    proxy.fault("part", Say(error(404, "NoSuchUpload")), times=10**6, when=lambda r: r.query["partNumber"] == "3")
    r = bucket.run("put", KEY, data=DATA)
    assert r.status == 1 and "the upload is gone from the store" in r.message
    bucket.assert_nothing()


def truncated(n, announced=True):
    """Answers to GET end after n bytes; what was announced was all, or only that."""
    def change(_, answer):
        headers = answer.headers if announced else [(h, v) for h, v in answer.headers if h.lower() != "etag"]
        return Answer(answer.status, headers, answer.body[:n], answer.length if announced else None)

    return Change(change)


def test_row_33_a_download_that_is_cut_goes_on_where_it_was(bucket, proxy):
    bucket.client.put_object(Bucket=bucket.name, Key=KEY, Body=DATA)
    proxy.fault("get", truncated(50000), times=6)
    proxy.fault("get", Cut("before response"), times=1)
    assert bucket.ok("get", KEY, 0, len(DATA)).out == DATA
    gets = proxy.seen_ops("get")
    assert [r.header("range") for r in gets][:3] == [None, "bytes=50000-", "bytes=100000-"]
    assert all(r.header("if-match") for r in gets[1:])


def test_row_33_a_download_whose_length_is_announced_too_short_is_a_failure(bucket, proxy):
    bucket.client.put_object(Bucket=bucket.name, Key=KEY, Body=DATA)
    proxy.fault("get", truncated(50000, announced=False), times=10**6)
    r = bucket.run("get", KEY, 0, len(DATA))
    assert r.status == 1 and f"50000 bytes, not {len(DATA)}" in r.message


def test_row_33_a_download_that_never_gets_on_is_a_failure(bucket, proxy):
    bucket.client.put_object(Bucket=bucket.name, Key=KEY, Body=DATA)
    proxy.fault("get", truncated(50000))
    proxy.fault("get", Cut("before response"), times=10**6)
    r = bucket.run("get", KEY, 0, len(DATA), retry_ms=500)
    assert r.status == 1 and r.out == DATA[:50000]


def test_row_33_an_object_that_was_replaced_meanwhile_is_not_mixed(bucket, proxy):
    bucket.client.put_object(Bucket=bucket.name, Key=KEY, Body=DATA)

    def replace(_, answer):
        bucket.client.put_object(Bucket=bucket.name, Key=KEY, Body=bytes(len(DATA)))
        return Answer(answer.status, answer.headers, answer.body[:50000], answer.length)

    proxy.fault("get", Change(replace))
    r = bucket.run("get", KEY, 0, len(DATA))
    assert r.status == 1 and "412" in r.message


def test_row_33_a_store_that_ignores_ranges(bucket, proxy):
    bucket.client.put_object(Bucket=bucket.name, Key=KEY, Body=DATA)
    proxy.fault("get", Change(lambda _, answer: Answer(200, answer.headers, DATA)), times=10**6)
    r = bucket.run("get", KEY, 1000, len(DATA))
    assert r.status == 1 and "does not give parts" in r.message and r.out == b""
    assert r.message.startswith("95: ")  # EOPNOTSUPP: nothing is known to be wrong with the object


@pytest.mark.parametrize("answer", [
    error(301, "PermanentRedirect", headers=[("x-amz-bucket-region", "eu-central-1"), ("Location", "{elsewhere}")]),
    error(307, "TemporaryRedirect", headers=[("x-amz-bucket-region", "eu-central-1"), ("Location", "{elsewhere}")]),
    error(400, "AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong", extra="<Region>eu-central-1</Region>"),
])
def test_row_34_another_region_is_named_and_redirects_are_not_followed(bucket, proxy, rgw, answer):
    headers = [(n, v.format(elsewhere=f"{rgw.endpoint}/{bucket.name}/{KEY}")) for n, v in answer.headers]
    proxy.fault("*", Say(Answer(answer.status, headers, answer.body)), times=10**6)
    r = bucket.run("put", KEY, data=b"small")
    assert r.status == 1 and 'in the region "eu-central-1", not "us-east-1": set region' in r.message
    assert proxy.ops() == ["put"]  # it says no at once
    bucket.assert_nothing()


def test_lists_are_repeated_until_they_are_whole(bucket, proxy):
    for n in range(5):
        bucket.client.put_object(Bucket=bucket.name, Key=f"a/{n}", Body=b"x")
    proxy.fault("list", Say(error(503, "SlowDown")))
    proxy.fault("list", Change(lambda _, a: Answer(200, a.headers, a.body[:len(a.body) // 2])), times=2)
    assert [row["key"] for row in bucket.ok("list", "a/").rows] == [f"a/{n}" for n in range(5)]


@pytest.mark.parametrize("moment", [1, 3, 5])
def test_a_stop_in_the_middle_leaves_nothing(bucket, proxy, moment):
    process = bucket.popen("put", KEY)
    process.stdin.write(DATA[:moment * PART + 1])
    process.stdin.flush()
    until(lambda: "part" in proxy.ops(), 10, "a part")
    r = end(process)
    assert r.status == 1 and "stopped" in r.message
    bucket.assert_nothing()


def test_a_stop_while_the_store_does_not_answer(bucket, proxy):
    proxy.fault("part", Hang())
    process = bucket.popen("put", KEY)
    process.stdin.write(DATA[:PART + 1])
    process.stdin.flush()
    until(lambda: "part" in proxy.ops(), 10, "a part")
    assert end(process).status == 1
    bucket.assert_nothing()


def test_row_11_what_a_kill_left_is_found_by_its_journal_and_by_its_age(bucket, proxy):
    process = bucket.popen("put", KEY)
    process.stdin.write(DATA[:3 * PART + 1])
    process.stdin.flush()
    until(lambda: proxy.ops().count("part") == 3, 10, "three parts")
    process.kill()
    _, err = process.communicate(timeout=10)
    notes = Result(-9, b"", err).notes
    # Noted before anything was begun, and again with the id.
    assert [n[0] for n in notes] == [KEY, KEY] and notes[0][1] == ""
    until(lambda: bucket.uploads(), 5, "what is left")
    assert [(u[0], u[1]) for u in bucket.uploads()] == [notes[1]]
    rows = bucket.ok("unfinished", "shop/").rows
    assert [(row["key"], row["etag"]) for row in rows] == [notes[1]] and rows[0]["modified_ms"] > 1.6e12
    assert bucket.ok("unfinished", "other/").rows == []
    # Each abort is cut once, and the store says that there still are parts.
    proxy.fault("abort", Cut("before response"))
    proxy.fault("parts", Change(lambda r, a: Answer(200, a.headers, b"<ListPartsResult></ListPartsResult>")), times=2)
    bucket.ok("abandon", *notes[1])
    assert proxy.ops().count("abort") >= 3
    bucket.assert_nothing()
    bucket.ok("abandon", *notes[1])


def test_row_11_an_upload_whose_id_never_arrived(bucket, proxy):
    for _ in range(3):
        bucket.client.create_multipart_upload(Bucket=bucket.name, Key=KEY)
    bucket.client.create_multipart_upload(Bucket=bucket.name, Key=KEY + ".002")
    bucket.ok("abandon", KEY, "")
    assert [u[0] for u in bucket.uploads()] == [KEY + ".002"]


def test_row_26_what_is_locked_or_not_ours_to_delete_is_told_apart(bucket, proxy):
    bucket.client.put_object(Bucket=bucket.name, Key=KEY, Body=b"x")
    bucket.ok("remove", "shop/not/there")
    proxy.fault("delete", Say(error(403, "AccessDenied")), times=2)
    r = bucket.run("remove", KEY)
    assert r.status == 1 and r.message.startswith("1: ") and "not allowed to delete" in r.message  # EPERM
    locked = [("x-amz-object-lock-mode", "GOVERNANCE"),
              ("x-amz-object-lock-retain-until-date", "2099-01-01T00:00:00.000Z")]
    proxy.fault("head", Change(lambda _, a: Answer(a.status, a.headers + locked, a.body, a.length)))
    r = bucket.run("remove", KEY)
    assert r.status == 1 and r.message.startswith("16: ") and "locked" in r.message  # EBUSY
    assert bucket.keys() == [KEY]


def test_row_26_the_check_says_what_the_keys_may_not_do(bucket, proxy):
    proxy.fault("delete", Say(error(403, "AccessDenied")), times=2)
    rows = {row["what"]: row for row in bucket.ok("check").rows}
    assert not rows["delete"]["ok"] and "lifecycle" in rows["delete"]["cure"]
    assert rows["write"]["ok"] and rows["read"]["ok"] and rows["multipart upload"]["ok"]
    rows = {row["what"]: row for row in bucket.ok("check", delete="lifecycle").rows}
    assert rows["delete"]["ok"] and not rows["delete"]["cure"]
    proxy.fault("create", Say(error(403, "AccessDenied")), times=1)
    rows = {row["what"]: row for row in bucket.ok("check", delete="lifecycle").rows}
    assert not rows["multipart upload"]["ok"] and "s3:PutObject" in rows["multipart upload"]["cure"]
    assert rows["delete"]["cure"]  # it could delete after all
