# SPDX-License-Identifier: Apache-2.0
"""Swaps while requests come without a pause: with real containers, through each router, none is lost."""

import shutil

import pytest

from harness import swaps
from harness.hooks import App
from harness.routers import ALL

pytestmark = pytest.mark.skipif(not shutil.which("wrk"), reason="no wrk (Debian package wrk)")

# No router may ask a second time by itself.
POST = 'wrk.method = "POST"\nwrk.body = "a=1"\nwrk.headers["Content-Type"] = "application/x-www-form-urlencoded"\n'


@pytest.fixture(params=sorted(ALL))
def shop(request, net, tmp_path):
    kind = ALL[request.param]
    if not kind.is_there():
        pytest.skip(f"no {kind.program}")
    router = kind(net, tmp_path / "router").start()
    app = App(tmp_path / "app", prefix=net.prefix)
    app.deploy = 0
    yield lambda *arguments: swaps.Shop(app, router, *arguments)
    router.stop()


def test_no_request_is_lost_in_a_swap(shop):
    s = shop()
    load = swaps.under_load(s, swaps=3, drain=0.5, pause=0.2)
    assert (load.lost, load.refused) == (0, 0), load.text
    assert load.requests > 500 and s.answers() == "4"


@pytest.mark.parametrize("shop", ["caddy", "haproxy"], indirect=True)
def test_not_even_posts_to_an_app_that_ends_at_once(shop, tmp_path):
    """After the drain nothing may be under way to the old version, however it ends. nginx lets go of the last connection
    after 10 s, longer than a test may take: tests/bench/swaps.py has it."""
    script = tmp_path / "post.lua"
    script.write_text(POST, encoding="ascii")
    s = shop("abrupt")
    s.app.options["caddy_keepalive"] = "off"
    load = swaps.under_load(s, swaps=2, drain=0.5, pause=0.2, script=script)
    assert (load.lost, load.refused) == (0, 0), load.text
