# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for programs, found before the real ones; and where the real ones run."""

import os
import shutil
from pathlib import Path

from harness import proc


class Tools:
    """A folder for the front of PATH."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir()

    def environment(self):
        return {"PATH": f"{self.folder}:{os.environ['PATH']}"}

    def add(self, name, script):
        """A script instead of the program; "$REAL" in it is that program."""
        path = self.folder / name
        path.write_text(f"#!/bin/sh\nREAL={shutil.which(name)}\n{script}\n")
        path.chmod(0o755)
        return path

    def say_version(self, name, text):
        """It says that it is another version."""
        self.add(name, f'[ "$1" = --version ] && {{ echo "{text}"; exit; }}\nexec "$REAL" "$@"')

    def end_badly(self, name):
        """It does all it should, and then says that it failed."""
        self.add(name, '"$REAL" "$@" || exit\n[ "$1" = --version ] || { echo "at the very end" >&2; exit 1; }')

    def cut_short(self, name):
        """It ends early, as if all was well."""
        self.add(name, '[ "$1" = --version ] && exec "$REAL" "$@"\n"$REAL" "$@" | head -c 20000')

    def write_down(self, log, *names):
        """What they are called with, a word a line."""
        for name in names:
            self.add(name, f'printf "%s\\n" "{name}" "$@" >>{log}\nexec "$REAL" "$@"')

    def only(self, *names):
        """The whole PATH: just these programs."""
        for name in names:
            (self.folder / name).symlink_to(shutil.which(name))
        return {"PATH": str(self.folder)}


def find_below(pid, name):
    """Of the processes that this one has started, and those that they have, the first whose program is called so; None."""
    for p in proc.below(pid):
        words = proc.cmdline(p)
        if words and os.path.basename(words[0]) == name:
            return p
    return None
