# SPDX-License-Identifier: Apache-2.0
"""Folders and volumes: what comes back, what is told, and that a paused container always goes on."""

import json
import os
import random
import shutil
import struct
import subprocess
import time
from pathlib import Path

import pytest

from harness import proc
from harness.docker import PREFIX
from harness.wait import until
from harness.worker import Worker

IDLE = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done")
MIB = 1 << 20
NOBODY = 0xffffffff
# u::rwx, u:1234:rwx, g::r-x, g:99:r--, m::rwx, o::---, as the kernel keeps it (linux/posix_acl_xattr.h).
ACCESS_LIST = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in [
    (0x01, 7, NOBODY), (0x02, 7, 1234), (0x04, 5, NOBODY), (0x08, 4, 99), (0x10, 7, NOBODY), (0x20, 0, NOBODY)])


def picture(folder):
    """All there is to know of a tree: a restore that is whole has the same. Access lists are attributes, too."""
    found = {}
    first_names = {}
    for path in [Path(folder), *sorted(Path(folder).rglob("*"))]:
        st = path.lstat()
        name = str(path.relative_to(folder))
        data = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        attributes = {a: os.getxattr(path, a, follow_symlinks=False) for a in os.listxattr(path, follow_symlinks=False)}
        same_as = first_names.setdefault(st.st_ino, name)
        found[name] = (st.st_mode, st.st_uid, st.st_gid, st.st_mtime_ns, data, attributes, same_as)
    return found


def fill(folder, seed=1):
    """A few hundred files with owners, modes, attributes, links, odd names."""
    folder.mkdir(parents=True, exist_ok=True)
    r = random.Random(seed)
    for d in ("a", "a/b", "a/b/c", "leer und Größe", "x"):
        (folder / d).mkdir(exist_ok=True)
    for i in range(200):
        path = folder / r.choice(["a", "a/b", "a/b/c", "x", "."]) / f"file {i}"
        path.write_bytes(r.randbytes(r.choice([0, 1, 511, 512, 513, 70_000])))
        path.chmod(r.choice([0o644, 0o600, 0o4755, 0o440]))
        if os.geteuid() == 0:
            os.chown(path, r.randrange(70_000), r.randrange(70_000))
            path.chmod(0o640)
    (folder / "link").symlink_to("a/b")
    (folder / "dangling").symlink_to("/nowhere")
    (folder / "x" / "hard").hardlink_to(next(p for p in folder.rglob("file*") if p.is_file()))
    with open(folder / "holes", "wb") as f:
        f.seek(100 * MIB)
        f.write(b"end")
    for name in ("x" * 255, "two\nlines", "quote ' \" \\ $HOME", "-rf", "..."):
        (folder / "a" / name).write_text(name)
    Path(os.fsdecode(bytes(folder / "a") + b"/no \xff\xfe UTF-8")).write_text("bytes")
    (folder / "x" / Path(*["y" * 100] * 12)).mkdir(parents=True)
    os.mkfifo(folder / "fifo", 0o620)
    os.setxattr(folder / "a" / "-rf", "user.origin", bytes(range(256)))
    os.setxattr(folder / "a" / "b", "system.posix_acl_access", ACCESS_LIST)
    os.setxattr(folder / "x", "system.posix_acl_default", ACCESS_LIST)
    (folder / "a").chmod(0o2750)


@pytest.fixture
def files(tmp_path):
    """A worker that backs up a folder with files in it."""
    folder = tmp_path / "files"
    fill(folder)
    return Worker(tmp_path, {"engine": "directory", "command": None, "path": str(folder), "name": "files"})


# --- folders

def test_a_folder_comes_back_as_it_was(files, tmp_path):
    before = picture(tmp_path / "files")
    result = files.backup()
    assert result["counts"]["links"] == 3
    assert result["counts"]["files"] == len([p for p in (tmp_path / "files").rglob("*") if p.is_file() and not p.is_symlink()]) - 1
    assert result["counts"]["bytes"] > 100 * MIB
    files.restore(into=str(tmp_path / "other")).good()
    assert picture(tmp_path / "other") == before
    assert (tmp_path / "other" / "holes").stat().st_blocks < 1000
    files.run("verify").good()


def test_a_folder_is_replaced_only_when_that_is_confirmed(files, tmp_path):
    folder = tmp_path / "files"
    before = picture(folder)
    files.backup()
    (folder / "new").write_text("made later")
    (folder / "a" / "b").rename(folder / "moved")
    run = files.run("restore", restore={})
    assert run.bad()["code"] == "confirm"
    [plan] = run.said("plan")
    assert plan["destructive"] and plan["text"].startswith(f"{folder} (") and plan["text"].endswith("will be replaced")
    assert (folder / "new").exists()
    files.restore().good()
    assert picture(folder) == before
    assert sorted(p.name for p in tmp_path.iterdir() if "restore-" in p.name) == []


def test_a_backup_that_is_broken_replaces_nothing(files, tmp_path):
    folder = tmp_path / "files"
    files.backup()
    [data] = [f for f in files.files() if ".tar" in f]
    path = Path(files.stores[0]["path"]) / data
    whole = path.read_bytes()
    before = picture(folder)
    path.write_bytes(whole[:-1000])
    files.restore().bad()
    assert picture(folder) == before
    path.write_bytes(whole[:2000] + b"\0\1\2\3" + whole[2004:])
    files.restore().bad()
    assert picture(folder) == before
    files.run("drill").bad()
    assert "restore-" not in " ".join(os.listdir(tmp_path))


def test_a_drill_counts_without_writing(files, tmp_path):
    files.backup()
    before = picture(tmp_path / "files")
    files.run("drill").good()
    assert picture(tmp_path / "files") == before
    # What the manifest says must be what is in it.
    [name] = files.manifests()
    path = Path(files.stores[0]["path"]) / name
    shutil.rmtree(files.state / "backup" / "manifests", ignore_errors=True)
    said = json.loads(path.read_text())
    said["members"][0]["counts"]["files"] += 1
    path.write_text(json.dumps(said))
    files.run("drill").bad("files: ")


def test_excluded_files_are_not_in_it(files, tmp_path):
    files.backup({"exclude": ["a", "file 1*", "holes"]})
    files.restore(into=str(tmp_path / "other")).good()
    names = [str(p.relative_to(tmp_path / "other")) for p in (tmp_path / "other").rglob("*")]
    assert "x" in names and "link" in names
    assert not [n for n in names if n == "a" or n.startswith(("a/", "file 1")) or n == "holes"]


def test_what_is_left_out_is_told(files, tmp_path):
    import socket
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(tmp_path / "files" / "sock"))
        run = files.run("backup")
    run.good()
    assert "sock: it is a socket: left out" in run.warnings()
    assert files.manifest()["warnings"] == ["sock: it is a socket: left out"]


@pytest.mark.root
def test_other_filesystems_are_told_and_not_entered(files, tmp_path):
    mounted = tmp_path / "files" / "mounted"
    mounted.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", mounted], check=True)
    try:
        (mounted / "inside").write_text("x")
        run = files.run("backup")
    finally:
        subprocess.run(["umount", mounted], check=True)
    run.good()
    assert "mounted: it is another filesystem: what is in it was left out" in run.warnings()
    files.restore(into=str(tmp_path / "other")).good()
    assert list((tmp_path / "other" / "mounted").iterdir()) == []


def test_gnu_tar_opens_a_backup(files, tmp_path):
    before = picture(tmp_path / "files")
    files.backup()
    [data] = [f for f in files.files() if f.endswith(".tar.zst")]
    (tmp_path / "other").mkdir()
    said = subprocess.run(["tar", "--zstd", "--numeric-owner", "--xattrs", "--acls", "--warning=no-unknown-keyword", "-xpf",
                           Path(files.stores[0]["path"]) / data, "-C", tmp_path / "other"], check=True, stderr=subprocess.PIPE).stderr
    assert said == b""
    assert picture(tmp_path / "other") == before


def test_a_tree_that_changes_all_the_time_is_backed_up(files, tmp_path):
    """Links and folders are swapped while it is read: nothing from outside gets in, and what vanished is told."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("must not be in it")
    script = ('cd "$1/files"; mkdir -p swap; echo x >swap/secret; while :; do mv swap swap.d; ln -s ../outside swap; '
              'ln -s ../../outside/secret x/s; rm x/s; echo y >x/s; rm x/s swap; mv swap.d swap; done')
    swapper = subprocess.Popen(["sh", "-c", script, "sh", tmp_path], stderr=subprocess.DEVNULL)
    try:
        for i in range(2):
            files.backup()
            files.restore(into=str(tmp_path / f"other{i}")).good()
            for path in (tmp_path / f"other{i}").rglob("*"):
                assert not path.is_file() or path.is_symlink() or b"must not" not in path.read_bytes()
    finally:
        swapper.kill()
        swapper.wait()


def test_a_file_that_grows_all_the_time_is_told(files, tmp_path):
    log = tmp_path / "files" / "app.log"
    log.write_bytes(os.urandom(8 * MIB))
    writer = subprocess.Popen(["sh", "-c", 'while :; do echo line >>"$1"; done', "sh", log])
    try:
        run = files.run("backup")
    finally:
        writer.kill()
        writer.wait()
    run.good()
    assert "app.log: it changed while it was read" in run.warnings()
    files.restore(into=str(tmp_path / "other")).good()
    assert log.read_bytes().startswith((tmp_path / "other" / "app.log").read_bytes())


@pytest.mark.root
def test_a_full_disk_leaves_what_was(files, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    files.backup()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", small], check=True)
    try:
        (small / "old").write_text("old")
        result = files.restore(into=str(small)).bad("No space left on device")
        assert not result.get("partial")
        assert [p.name for p in small.iterdir()] == ["old"]
    finally:
        subprocess.run(["umount", small], check=True)


# --- volumes

@pytest.fixture
def volume(tmp_path, docker):
    """A worker that backs up the volume of a container that runs."""
    docker.cli("volume", "create", "data")
    folder = Path(docker.cli("volume", "inspect", "-f", "{{.Mountpoint}}", "data").stdout.strip())
    fill(folder)
    name = docker.run("app", *IDLE, options=("-v", "data:/data"))
    worker = Worker(tmp_path, {"engine": "volume", "command": None, "volume": "data", "name": "files"})
    worker.order_members["container_socket"] = str(docker.socket)
    worker.container, worker.volume_path = name, folder
    yield worker
    docker.remove_all()
    docker.cli("volume", "rm", "data", check=False)


def state(docker, name):
    return docker.inspect(name)["State"]["Status"]


def test_a_volume_comes_back_as_it_was(volume, docker):
    before = picture(volume.volume_path)
    run = volume.run("backup")
    run.good()
    assert any(PREFIX + "app" in w for w in run.warnings())  # it was not paused
    docker.exec(volume.container, "rm", "-r", "/data/a")
    volume.restore().bad(f"volume data is used by {PREFIX}app: stop what uses it first")
    docker.cli("stop", "--time", "0", volume.container)
    volume.restore().good()
    assert picture(volume.volume_path) == before
    docker.cli("start", volume.container)
    assert "file" in docker.exec(volume.container, "ls", "/data/a")
    volume.run("drill").good()


def test_a_volume_that_is_not_there_is_told(volume):
    volume.run("backup", {"volume": "date"}).bad("volume date: there is none of that name")


@pytest.fixture
def paused(volume, docker):
    """The same with pause, and so slow that it takes seconds."""
    (volume.volume_path / "big").write_bytes(os.urandom(4 * MIB))
    volume.job.update(pause=True, pause_max=60_000, container=volume.container, bandwidth=2 * MIB)
    return volume


def begin_paused(paused, docker):
    run = paused.begin("backup")
    until(lambda: state(docker, paused.container) == "paused" or run.process.poll() is not None, 20, "the pause")
    assert run.process.poll() is None, run.explain()
    return run


def goes_on(docker, name):
    until(lambda: state(docker, name) == "running", 20, "that the container goes on")


def test_a_container_is_paused_while_its_files_are_read(paused, docker):
    run = begin_paused(paused, docker)
    goes_on(docker, paused.container)
    run.wait().good()
    assert not [w for w in run.warnings() if "used by" in w]
    # First it goes on, then the backup becomes one.
    went_on = docker.cli("events", "--since", "10m", "--until", f"{time.time():.3f}", "--filter", f"container={paused.container}",
                         "--filter", "event=unpause", "--format", "{{.TimeNano}}").stdout.split()
    [name] = paused.manifests()
    assert list((paused.state / "backup" / "pauses").iterdir()) == []
    assert int(went_on[-1]) < (Path(paused.stores[0]["path"]) / name).stat().st_mtime_ns


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_row_27_a_container_goes_on_after_its_worker(paused, docker, how):
    run = begin_paused(paused, docker)
    # With all of its group, as the daemon and the service manager do it.
    if how == "kill":
        os.killpg(run.process.pid, 9)
        run.process.wait(20)
    else:
        assert run.stop().bad()["code"] == "cancelled"
    goes_on(docker, paused.container)


def test_row_27_a_container_goes_on_when_even_who_watched_over_it_was_killed(paused, docker):
    """A service manager kills all that a service has begun; the agent's next start sweeps."""
    run = begin_paused(paused, docker)
    [watchdog] = [p for p in proc.children(run.process.pid) if proc.in_session(p) == [p]]
    os.kill(watchdog, 9)
    run.kill()
    assert state(docker, paused.container) == "paused"
    sweep = paused.run("sweep", jobs=["shop"])
    assert f"container {paused.container}, which a killed worker had left paused, goes on" in sweep.warnings()
    assert state(docker, paused.container) == "running"
    assert list((paused.state / "backup" / "pauses").iterdir()) == []
    assert paused.run("sweep", jobs=["shop"]).warnings() == []


def test_row_27_a_container_goes_on_when_the_time_is_over(paused, docker):
    run = paused.begin("backup", {"pause_max": 1000})
    goes_on(docker, paused.container)
    run.wait().bad("was paused for longer than pause_max (1s)")
    # It did not go on with what is of no use.
    assert run.said("progress")[-1]["plain_bytes"] < 4 * MIB
    assert paused.files() == []
    assert state(docker, paused.container) == "running"


def test_row_27_a_container_goes_on_when_the_store_fails(paused, docker):
    paused.stores[0]["path"] = str(paused.folder / "store-local" / "none")
    (paused.folder / "store-local" / "none").write_text("no folder")
    paused.run("backup").bad()
    assert state(docker, paused.container) == "running"


def test_one_that_others_paused_stays_paused(paused, docker):
    docker.cli("pause", paused.container)
    paused.backup({"bandwidth": None})
    assert state(docker, paused.container) == "paused"
    docker.cli("unpause", paused.container)
