# SPDX-License-Identifier: Apache-2.0
"""What arrives at the people and programs that are told, over each channel that speaks HTTP. What the providers would
not take, or would interpret, is known to harness/providers."""

import json
import re
import subprocess

import pytest

from harness import channels, control, proc
from harness.agent import BINARY
from harness.channels import readable, secrets_in
from harness.docker_tree import DockerTree
from harness.providers import Discord, Dokploy, Gotify, Ntfy, Slack, Teams, Telegram, Webhook
from harness.providers.server import Answer
from harness.wait import until

CHATS = (Discord, Gotify, Ntfy, Slack, Teams, Telegram)
KINDS = (*CHATS, Webhook)

# Shows as it is written. Whatever would be more than text has "evil" in it.
HOSTILE = {
    "html": '<b>evil</b> <script>evil()</script> <a href="http://evil.example">evil</a> &amp;evil; &lt;evil&gt;',
    "markdown": "**evil** *evil* _evil_ __evil__ ~~evil~~ `evil` ||evil|| [evil](http://evil.example) ![evil](/evil)",
    "mrkdwn": "*evil* _evil_ ~evil~ `evil` <http://evil.example|evil> <mailto:evil@example.com>",
    "mentions": "@everyone @here @channel <!channel> <!here> <!everyone> <@UEVIL123> <#CEVIL123> <@123> <@&123> <#123>",
    "quotes": "\"evil\" \\\"evil\\\" 'evil' \\n \\u0041 {{evil}} ${evil} %s%n %(evil)s",
    "other scripts": "вред 悪 evil שלום 😀 e\u0301vil",
}
HOSTILE_TEXTS = {
    "blocks": "# evil\n## evil\n> evil\n>>> evil\n- evil\n* evil\n1. evil\n```\nevil\n```\nevil\n====\n| evil |\n---",
    "line ends": "a evil\r\nX-Evil: 1\rb\n\n\n\nc\u2028d\u2029e\u0085f",
    "controls": "evil \x01\x08\x1b[31m\x07\x7f\x9b31m evil",
    "long": "evil " * 10000,
    "long word": "e" * 50000,
    "astral": "😀" * 10000,
    "ampersands": "&<>" * 6000,
    "stars": "*_`~|[]()" * 2000,
    "lines": "evil\n" * 5000,
    "accents": "e" + "\u0301" * 5000,
    "blanks": " \n\t " * 1000,
}


@pytest.fixture
def start():
    """start(Kind) -> a provider, closed after the test."""
    made = []

    def make(kind):
        made.append(kind())
        return made[-1]

    yield make
    for provider in made:
        provider.close()


@pytest.fixture
def told(make_agent, tmp_path, start):
    """told(providers, settings) -> an agent whose channels lead to {name: Provider}. What this machine itself has to
    tell, such as a full disk, does not come between."""

    def make(providers, settings=None, **options):
        group = channels.settings(tmp_path / "secrets", providers, **{"events": ["message"], **options})
        return make_agent(settings={"channels": group, "hostname": "web-1", **(settings or {})}).start()

    return make


def one_of_each(start, kinds=KINDS):
    return {kind.name: start(kind) for kind in kinds}


def send(agent, title, text="", **more):
    return control.ask(agent, "notify.send", title=title, text=text, **more)["event"]


def channel(agent, name):
    return next(c for c in agent.api("channels")["channels"] if c["name"] == name)


def deliveries(agent, name):
    return agent.api(f"deliveries?channel={name}&limit=100")["deliveries"]


def assert_text_only(provider, request, title):
    """Nothing of the sender's words is more than text. The channel's own formatting may hold the whole title."""
    for kind, content in provider.interpreted(request):
        assert kind != "mention", (provider.name, title, content)
        if readable(title) in readable(content):
            continue
        assert "evil" not in content.lower(), (provider.name, title, kind, content)


def assert_shown(provider, request, words):
    assert readable(words) in readable(provider.text(request)), (provider.name, words, provider.text(request))


def send_to_all(agent, providers, title, text):
    """One message, and with each provider what it got: before the next one, or they would be joined."""
    before = {p: len(p.accepted) for p in providers.values()}
    send(agent, title, text)
    for p, n in before.items():
        yield p, p.wait(n + 1)[-1]
    assert not [(p.name, r.refused, r.body[:300]) for p in before for r in p.requests if r.refused]


# --- what arrives


def test_a_message_of_ones_own_arrives_everywhere(told, start):
    providers = one_of_each(start)
    agent = told(providers)
    send(agent, "Backup disk swapped", "By hand.\nSecond line.", severity="warning", key="disk swap")
    for name, p in providers.items():
        request = p.wait()[0]
        for words in ("Backup disk swapped", "By hand.", "Second line."):
            assert_shown(p, request, words)
        assert "web-1" in request.body.decode(errors="replace"), name
        assert [d["state"] for d in deliveries(agent, name)] == ["sent"]
    assert not [r.refused for p in providers.values() for r in p.requests if r.refused]


def test_an_alert_brings_facts_and_a_picture_and_its_end_how_long_it_lasted(make_agent, start, tmp_path):
    providers = one_of_each(start)
    group = {"channels": channels.settings(tmp_path / "secrets", providers, events=["alert.*"], entities=["host/*"])}
    limit = {"fires": "> 0", "is calm": "> 1000000"}

    def settings(how):
        rule = {"metric": "host.processes_total", "warning": limit[how]}
        return {**group, "hostname": "web-1", "rules": {"crowd": rule}}

    agent = make_agent(settings=settings("is calm")).start(samples=4)
    agent.write_config(settings("fires"))
    control.ask(agent, "config.reload")
    for p in providers.values():
        request = p.wait(seconds=30)[0]
        assert_shown(p, request, "web-1")
        assert re.search(r"above 0\b", readable(p.text(request))), (p.name, p.text(request))
    for name in ("discord", "ntfy", "telegram"):
        assert providers[name].accepted[0].pictures, name

    agent.write_config(settings("is calm"))
    control.ask(agent, "config.reload")
    for p in providers.values():
        request = p.wait(2, seconds=20)[1]
        assert re.search(r"\b(lasted|after|for)\b", readable(p.text(request))), (p.name, p.text(request))
    events = agent.api("events?kinds=alert.recovered")["events"]
    assert len(events) == 1 and events[0]["is_end"] and events[0]["duration_ms"] > 0


def test_what_comes_at_once_goes_out_as_one_list_to_people_and_one_by_one_to_programs(told, start):
    providers = one_of_each(start)
    agent = told(providers, group="2s")
    for i in range(30):
        send(agent, f"Thing number {i} happened", severity="warning", key=f"thing {i}")
    for p in (providers[k.name] for k in CHATS):
        until(lambda p=p: sum(int(n) for r in p.accepted for n in re.findall(r"(\d+) more", p.text(r)))
              + sum(len(re.findall(r"Thing number \d+ happened", p.text(r))) for r in p.accepted) >= 30,
              15, f"all things at {p.name}")
        assert len(p.accepted) <= 3
    hook = providers["webhook"]
    titles = [r.data["title"] for r in hook.wait(30)]
    assert titles == [f"Thing number {i} happened" for i in range(30)]
    assert len(set(hook.seen)) == 30


def test_hostile_words_are_shown_and_never_interpreted(told, start):
    providers = one_of_each(start)
    agent = told(providers)
    for title in HOSTILE.values():
        for p, request in send_to_all(agent, providers, title, title):
            assert_text_only(p, request, title)
            assert_shown(p, request, title)


@pytest.mark.root
def test_names_of_containers_are_shown_and_never_interpreted(make_agent, start, tmp_path):
    """Who may start a container chooses its labels, and so what the alert calls it. Even nothing at all. One channel of
    each kind hears of the containers, another of this server, with them as its top consumers."""
    name = "<!channel> @everyone *evil* **evil** `evil` <b>evil</b> [evil](http://evil.example)"
    about = {"containers": "container/*", "server": "host/*"}
    providers = {f"{kind.name}_{what}": start(kind) for kind in KINDS for what in about}
    group = {}
    for what, entities in about.items():
        some = {n: p for n, p in providers.items() if n.endswith(what)}
        group |= channels.settings(tmp_path / "secrets", some, events=["alert.firing"], entities=[entities])
    rules = {"crowd": {"metric": "container.processes", "warning": "> 0", "labels": ["image=busybox:1"]},
             "all": {"metric": "host.processes_total", "warning": "> 0"}}
    tree = DockerTree(tmp_path / "docker")
    try:
        tree.add("_evil_", project=name, script="for i in $(seq 30); do sleep 600 & done; wait")
        tree.add("", project="")
        tree.patterns = ["*"]
        make_agent(settings={**tree.settings(), "channels": group, "rules": rules}).start()
        providers["webhook_containers"].wait(2, seconds=20)
        for p in providers.values():
            until(lambda p=p: any("*evil*" in p.text(r) for r in p.accepted), 10, f"the alert at {p.name}")
            for request in p.accepted:
                assert_text_only(p, request, name)
            assert not [r.refused for r in p.requests if r.refused]
    finally:
        tree.close()


def test_texts_of_any_size_and_shape_arrive_cut(told, start):
    providers = one_of_each(start)
    agent = told(providers)
    for name, text in HOSTILE_TEXTS.items():
        for p, request in send_to_all(agent, providers, f"About {name}", text):
            assert_text_only(p, request, f"About {name}")
            assert_shown(p, request, f"About {name}")
            assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]", p.text(request)), (p.name, name)
            if name == "long":
                assert "…" in p.text(request), p.name


def test_a_template_stays_what_it_is_whatever_an_event_says(told, start, tmp_path):
    hook = start(Webhook)
    template = tmp_path / "template"
    template.write_text('{"text": "{{severity}}: {{title}}\\n{{text}}", "value": {{value}}, "event": {{event}}}')
    agent = told({"hook": hook}, template_file=str(template))
    for n, title in enumerate(HOSTILE.values()):
        send(agent, title, "a\n" + title, severity="warning")
        data = hook.wait(n + 1)[-1].data
        assert data["text"] == f"warning: {title}\na\n{title}" and data["value"] is None
        assert data["event"]["title"] == title


def test_what_is_no_text_does_no_harm(told, start):
    providers = one_of_each(start)
    agent = told(providers)
    for line in (b'{"id":1,"op":"notify.send","title":"a\\u0000b"}', b'{"id":1,"op":"notify.send","title":"\\ud800"}',
                 b'{"id":1,"op":"notify.send","title":"\xff\xfe"}', b'{"id":1,"op":"notify.send","title":""}',
                 b'{"id":1,"op":"notify.send","title":7}', b'{"id":1,"op":"notify.send"}'):
        answer = control.ask_raw(agent, line)
        assert answer is None or not answer["ok"] or "a" in line.decode(errors="replace"), (line, answer)
    # Arguments and pipes may hold any bytes: Latin-1, half of a surrogate pair, a log of 100 kB.
    command = [BINARY, "notify", "send", b"caf\xe9 \xed\xa0\x80 closed", "-", "--state", agent.state]
    subprocess.run(command, input=b"\xff\xfe\x00" + b"log " * 25000, check=True, timeout=20, stdout=subprocess.DEVNULL)
    until(lambda: agent.api("events?kinds=message&limit=1")["events"][0]["title"].endswith("closed"), 5, "the event")
    for p in providers.values():
        request = until(lambda p=p: next((r for r in p.accepted if "closed" in p.text(r)), None), 10, f"it at {p.name}")
        assert "caf\ufffd" in p.text(request) and "log log log" in p.text(request) and "…" in p.text(request)


# --- when the provider is not well

REFUSED = {"slack": 404, "telegram": 401, "discord": 404, "teams": 401, "ntfy": 403, "gotify": 401, "webhook": 410}
SAYS = {"slack": "no_service", "telegram": "Unauthorized", "discord": "Unknown Webhook", "teams": "credentials",
        "ntfy": "forbidden", "gotify": "valid access token", "webhook": "no"}
PASSING = ("500", "cut", "reset", "garbage")


def test_every_provider_and_every_way_to_fail(told, start):
    """One message over channels that all fail in a way of their own, at the same time."""
    providers = {f"{kind.name}_{mode}": start(kind) for kind in KINDS for mode in (*PASSING, "429", "refuse", "hang")}
    for name, p in providers.items():
        mode = name.partition("_")[2]
        if mode == "refuse":
            p.always("refuse", status=REFUSED[p.name])
        else:
            p.next(mode, **({"wait": 2} if mode == "429" else {}))
    agent = told(providers)
    send(agent, "The message", "Its text.", key="k")

    for name, p in providers.items():
        if not name.endswith(("_refuse", "_hang")):
            assert_shown(p, p.wait(seconds=25)[0], "The message")
            assert len(p.requests) == 2, name
            waited = p.requests[1].time - p.requests[0].time
            assert 1.9 < waited < 4.4 if name.endswith("_429") else 3.9 < waited < 12, (name, waited)
            assert [d["state"] for d in deliveries(agent, name)] == ["sent"]
    hook = providers["webhook_500"]
    assert hook.requests[0].headers["X-Agent-Delivery"] == hook.requests[1].headers["X-Agent-Delivery"]

    for kind in KINDS:  # no use in trying again soon: it is said instead
        name = f"{kind.name}_refuse"
        state = until(lambda name=name: (c := channel(agent, name))["doing"] == "broken" and c, 5, f"{name} broken")
        assert SAYS[kind.name] in state["last_error"] and str(REFUSED[kind.name]) in state["last_error"], state
        assert len(providers[name].requests) == 1, name
        assert deliveries(agent, name)[0]["state"] == "waiting"

    for kind in KINDS:
        p = providers[f"{kind.name}_hang"]
        assert_shown(p, p.wait(seconds=60)[0], "The message")
        assert 30 < p.requests[1].time - p.requests[0].time < 50

    assert_no_secrets(agent, providers.values())


def test_a_message_that_is_refused_does_not_stop_the_next_one(told, start):
    providers = one_of_each(start)
    for p in providers.values():
        p.next("refuse", status=400, times=1 if p.name == "webhook" else 2)
    agent = told(providers)
    send(agent, "Bad")
    for name in providers:
        until(lambda name=name: [d["state"] for d in deliveries(agent, name)] == ["refused"], 10, f"{name} refused")
    for p in providers.values():
        p.planned.clear()
    send(agent, "Good")
    for p in providers.values():
        assert_shown(p, p.wait()[0], "Good")


def test_an_answer_that_is_none_of_the_providers_is_no_success(told, start):
    providers = one_of_each(start, (Slack, Telegram))
    for p in providers.values():
        p.always("nonsense")
    agent = told(providers)
    send(agent, "The message")
    for name in providers:
        until(lambda name=name: channel(agent, name)["last_error"], 10, f"the error of {name}")
        assert [d["state"] for d in deliveries(agent, name)] == ["waiting"]


def test_a_chat_that_moved_is_followed_and_remembered(told, start):
    telegram = start(Telegram)
    telegram.chats = {"-1009876543210": {12}}
    telegram.moved["-1001234567890"] = -1009876543210
    agent = told({"tg": telegram})
    send(agent, "First")
    assert str(telegram.wait()[0].data["chat_id"]) == "-1009876543210"
    assert len(telegram.requests) == 2
    until(lambda: [d["state"] for d in deliveries(agent, "tg")] == ["sent"], 10, "its answer is known")
    agent.stop()
    agent.start()
    send(agent, "Second")
    telegram.wait(2)
    assert len(telegram.requests) == 3


def test_dokploy_is_told_of_cpu_and_memory_and_of_nothing_else(told, start):
    dokploy = start(Dokploy)
    memory = {"metric": "host.memory_used_percent", "warning": ">= 0"}
    crowd = {"metric": "host.processes_total", "warning": "> 0"}
    agent = told({"dokploy": dokploy}, {"rules": {"own_memory": memory, "crowd": crowd}}, events=["*"])
    data = dokploy.wait(seconds=20)[0].data
    assert data["Type"] == "Memory" and 0 < data["Value"] <= 100 and data["Threshold"] == 0
    send(agent, "Hello")
    until(lambda: len(agent.api("events")["events"]) >= 3, 10, "all events")
    assert [d["kind"] for d in deliveries(agent, "dokploy")] == ["alert.firing"]
    assert len(dokploy.requests) == 1


# --- agent notify test


def notify_test(agent, name):
    return agent.cli("notify", "test", name, timeout=60)


def test_the_command_prints_the_providers_own_words(told, start):
    providers = one_of_each(start, (*KINDS, Dokploy))
    agent = told(providers)
    for name, p in providers.items():
        result = notify_test(agent, name)
        assert result.returncode == 0, (name, result)
        assert p.accepted, name
    for name, says in SAYS.items():
        providers[name].always("refuse", status=REFUSED[name])
        result = notify_test(agent, name)
        output = result.stdout + result.stderr
        assert result.returncode == 1 and says in output and str(REFUSED[name]) in output, (name, result)
    for mode in ("429", "500", "cut", "garbage", "nonsense"):
        providers["slack"].always(mode)
        result = notify_test(agent, "slack")
        assert result.returncode == 1 and result.stdout + result.stderr, (mode, result)
    providers["slack"].always("refuse", status=403)
    providers["slack"].refusal = lambda status: Answer(status, "\x1b[2J\x1b]0;evil\x07\u009b31m no, not really")
    result = notify_test(agent, "slack")
    assert "no, not really" in result.stdout and not re.search("[\x1b\x07\u009b]", result.stdout), result
    assert notify_test(agent, "nobody").returncode == 1
    assert agent.api("deliveries")["deliveries"] == []  # a test is no message
    assert_no_secrets(agent, providers.values())


def test_secrets_stay_secret_when_a_server_repeats_the_request(told, start):
    """As error pages do: address, headers and all."""
    providers = one_of_each(start, (*KINDS, Dokploy))
    agent = told(providers)
    for p in providers.values():
        p.always("echo", status=404)
    send(agent, "The message")
    for name, p in providers.items():
        result = notify_test(agent, name)
        assert result.returncode == 1
        assert not secrets_in(result.stdout + result.stderr, [p]), (name, result)
        if name != "dokploy":
            until(lambda name=name: channel(agent, name)["last_error"], 10, f"the error of {name}")
    assert_no_secrets(agent, providers.values())


def assert_no_secrets(agent, providers):
    """Not in the log, not in a command line, not in an answer, not in the database."""
    providers = list(providers)
    places = {"log": agent.log()}
    for path in ("channels", "deliveries?limit=500", "events?limit=500", "host", "alerts", "alerts/rules"):
        places[path] = agent.get("/api/v1/" + path).text
    for op in ("notify.channels", "notify.log", "events.list", "config.show", "doctor"):
        places[op] = json.dumps(control.ask(agent, op))
    for command in (("config", "show"), ("notify", "log"), ("status",)):
        result = agent.cli(*command)
        places[" ".join(command)] = result.stdout + result.stderr
    for pid in proc.in_session(agent.process.pid):
        places[f"command line of {pid}"] = "\0".join(proc.cmdline(pid))
    for path in agent.state.rglob("*"):
        if path.is_file() and not path.name.endswith(".rrd"):
            places[path.name] = path.read_bytes()
    for place, data in places.items():
        assert not secrets_in(data, providers), place
