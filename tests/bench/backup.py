#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a backup costs, beside the pipelines people use. Prints tables; asserts nothing (speed is no test).

    backup.py [--scale 70] [--rounds 3] [--only dump,restore,stream] [--stream-gb 60]

dump, restore: a PostgreSQL database of pgbench (scale 70: over 1 GB) to Ceph's S3 gateway and back, by the agent's
worker, by Dokploy's pipeline, and by zstd with the AWS command; one after the other, in turn, all in this run.
stream: so many GB from a generator through the worker's S3 store to a server that only counts, in parts of 5 MiB.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "bench")]

import measure  # noqa: E402
from harness.postgres import Postgres  # noqa: E402
from harness.rgw import ACCESS_KEY, SECRET_KEY, Rgw  # noqa: E402
from harness.wait import until  # noqa: E402

AGENT = str(ROOT / "build" / "agent")
NULL_S3 = str(ROOT / "build" / "tests" / "null_s3")
MB = 1 << 20


def worker(folder, order, **kwargs):
    """Runs `agent worker backup`; its Cost and what it said last."""
    (folder / "order.json").write_text(json.dumps(order), encoding="utf-8")
    said = folder / "said.jsonl"
    cost = measure.run(["bash", "-c", f'exec "{AGENT}" worker backup <"{folder}/order.json" 3>"{said}"'], **kwargs)
    result = json.loads(said.read_text(encoding="utf-8").splitlines()[-1])
    assert result["type"] == "result" and result["ok"], result
    return cost, result


def order(folder, what, job, store, **more):
    return {"do": what, "job": {"name": "bench", "stores": ["s3"], **job}, "stores": [{"name": "s3", "type": "s3", **store}],
            "host": "bench", "state": str(folder / "state"), **more}


def table(title, rows):
    print(f"\n{title}\n{measure.HEAD}")
    for name, costs in rows.items():
        best = measure.Cost(*(statistics.median(getattr(c, f) for c in costs) for f in ("wall_s", "cpu_s", "peak_mb")),
                            costs[0].peaks)
        print(best.row(name))
    names = list(rows)
    for other in names[1:]:
        ratio = [statistics.median(getattr(c, f) for c in rows[names[0]]) / statistics.median(
            getattr(c, f) for c in rows[other]) for f in ("wall_s", "cpu_s", "peak_mb")]
        print(f"{names[0]} / {other}: wall {ratio[0]:.2f}, CPU {ratio[1]:.2f}, memory {ratio[2]:.2f}")


class Bench:
    def __init__(self, folder, postgres, rgw):
        self.folder, self.postgres, self.rgw = folder, postgres, rgw
        (folder / "state").mkdir()
        cred = folder / "cred"
        cred.write_text(f"access_key_id = {ACCESS_KEY}\nsecret_access_key = {SECRET_KEY}\n", encoding="ascii")
        cred.chmod(0o600)
        self.store = {"endpoint": rgw.endpoint, "bucket": "bench", "region": "us-east-1", "credentials_file": str(cred)}
        self.job = {"engine": "postgresql", "host": postgres.host, "port": postgres.port, "user": postgres.user,
                    "database": ["bench"]}
        self.env = {**os.environ, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
                    "AWS_DEFAULT_REGION": "us-east-1", "PGHOST": postgres.host, "PGPORT": str(postgres.port),
                    "PGUSER": postgres.user}
        for name in ("AWS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            self.env.pop(name, None)
        self.rclone = (f":s3,provider=Other,endpoint='{rgw.endpoint}',env_auth=true,region=us-east-1,"
                       "force_path_style=true:bench/")
        self.aws = f"aws --endpoint-url {rgw.endpoint} s3 cp --only-show-errors"

    def shell(self, pipeline):
        return measure.run(["bash", "-o", "pipefail", "-c", pipeline], env=self.env)

    def agent_dump(self, level=0):
        job = {**self.job, "level": level} if level else self.job
        return worker(self.folder, order(self.folder, "backup", job, self.store), env=self.env)[0]

    def dumps(self):
        return {
            "agent": self.agent_dump,
            "pg_dump -Fc | gzip | rclone rcat": lambda: self.shell(
                f"pg_dump -Fc --no-acl --no-owner bench | gzip | rclone rcat --contimeout 20s \"{self.rclone}dokploy\""),
            "pg_dump | zstd | aws s3 cp -": lambda: self.shell(
                f"pg_dump bench | zstd -q | {self.aws} - s3://bench/zstd"),
        }

    def restores(self):
        fresh = "dropdb --if-exists restored && createdb restored"
        return {
            "agent": self.agent_restore,
            "rclone cat | gunzip | pg_restore": lambda: self.shell(
                f"{fresh} && rclone cat \"{self.rclone}dokploy\" | gunzip | pg_restore -d restored --no-owner --no-acl"),
            "aws s3 cp - | zstd -d | psql": lambda: self.shell(
                f"{fresh} && {self.aws} s3://bench/zstd - | zstd -dq | psql -qX -v ON_ERROR_STOP=1 restored >/dev/null"),
        }

    def agent_restore(self):
        subprocess.run(["dropdb", "--if-exists", "restored"], check=True, env=self.env)
        return worker(self.folder, order(self.folder, "restore", self.job, self.store,
                                         restore={"into": "restored", "yes": True}), env=self.env)[0]


def in_turn(ways, rounds):
    costs = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            costs[name].append(way())
    return costs


def databases(folder, args):
    postgres, rgw = Postgres(folder / "postgres"), Rgw(folder / "rgw")
    try:
        postgres.start()
        rgw.start()
        rgw.client().create_bucket(Bucket="bench")
        bench = Bench(folder, postgres, rgw)
        subprocess.run(["createdb", "bench"], check=True, env=bench.env)
        subprocess.run([str(postgres.bin / "pgbench"), "-iq", "-s", str(args.scale), "bench"], check=True, env=bench.env,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        size = subprocess.run(["psql", "-XAtc", "select pg_database_size('bench')", "bench"], check=True, env=bench.env,
                              stdout=subprocess.PIPE, text=True).stdout
        print(f"database of {int(size) / 1e9:.2f} GB, medians of {args.rounds}")
        table("Dump", in_turn(bench.dumps(), args.rounds))
        if "restore" in args.only:
            table("Restore into a new database", in_turn(bench.restores(), args.rounds))
    finally:
        rgw.stop()
        postgres.stop()


def stream(folder, args):
    (folder / "state").mkdir(exist_ok=True)
    port = folder / "port"
    server = subprocess.Popen([NULL_S3, str(port)], stdout=subprocess.PIPE, text=True)
    try:
        until(lambda: port.exists() and port.read_text(encoding="ascii"), 10, "the counting server")
        cred = folder / "cred"
        cred.write_text("access_key_id = A\nsecret_access_key = S\n", encoding="ascii")
        cred.chmod(0o600)
        size = args.stream_gb * 10**9
        job = {"engine": "command", "command": ["head", "-c", str(size), "/dev/zero"], "compression": "none"}
        store = {"endpoint": f"http://127.0.0.1:{port.read_text(encoding='ascii')}", "bucket": "bench",
                 "region": "us-east-1", "credentials_file": str(cred), "part_size": 5 * MB}
        cost, result = worker(folder, order(folder, "backup", job, store))
    finally:
        server.send_signal(signal.SIGTERM)
        counted = json.loads(server.communicate()[0])
    print(f"\nA stream of {args.stream_gb} GB in parts of 5 MiB\n{measure.HEAD}\n{cost.row('agent')}")
    print(f"stored {result['stored_bytes']}; the server counted {counted['bytes']} bytes in {counted['parts']} parts, "
          f"at most {counted['most_parts']} in one object; {size / cost.wall_s / 1e6:.0f} MB/s")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=int, default=70)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="dump,restore,stream")
    parser.add_argument("--stream-gb", type=int, default=60)
    args = parser.parse_args()
    args.only = args.only.split(",")
    folder = Path(tempfile.mkdtemp(prefix="agent-bench"))
    folder.chmod(0o755)  # the servers are other users
    try:
        if "dump" in args.only or "restore" in args.only:
            databases(folder, args)
        if "stream" in args.only:
            stream(folder, args)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
