#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks on the text of the source files; the rules are those of CONTRIBUTING.md.

source.py list     names of the checks
source.py NAME     runs one: prints file:line: what is wrong, and ends with 1 when anything is
"""

import re
import subprocess
import sys

MAX_FUNCTION_LINES = 60
MAX_FILE_LINES = 450

# Who may include whom: a folder sees its own files, base/, and what stands here.
FLOORS = {
    "base": [],
    "collectors": ["base/"],
    "notify": ["base/", "collectors/metric.h", "collectors/entity.h"],
    "backup": ["base/"],
    "deploy-hooks": ["base/"],
    "agent": ["base/", "collectors/", "notify/", "backup/", "deploy-hooks/"],
}

# Each library is used in one place.
WRAPPERS = {
    r"rrd(_client)?\.h": r"collectors/rrd_(chart|file)\.c",
    r"microhttpd\.h": r"agent/web/http(_server\.c|_internal\.h|\.c)",
    r"curl/.*": r"base/(http_(client\.c|request\.h)|mail_worker\.c)|backup/net(\.c|_transfer\.c|_internal\.h)",
    r"archive(_entry)?\.h": r"backup/(codec(_decoder)?|files_archive[a-z_]*)\.c",
    r"libs3\.h": r"backup/store_libs3\.c",
    r"libxml/.*": r"backup/s3_xml\.c",
    r"yajl/.*": r"deploy-hooks/json_pull\.c",
    r"sqlite3\.h": r"base/db\.c|backup/sqlite_([a-z]*\.c|internal\.h)",
    r"libconfig\.h": r"agent/config[a-z_]*\.c",
}

# Function: what to use instead.
BANNED = {
    "strcpy": "a struct buf or snprintf",
    "strcat": "a struct buf",
    "sprintf": "snprintf or a struct buf",
    "vsprintf": "vsnprintf",
    "gets": "getline",
    "strtok": "str.h",
    "atoi": "str.h",
    "atol": "str.h",
    "atof": "str.h",
    "system": "child.h",
    "popen": "child.h",
    "vfork": "child.h",
    "alloca": "the heap",
    "sleep": "a timer of the loop",
    "usleep": "a timer of the loop",
    "signal": "sigaction, or the loop",
}


def files(*patterns):
    out = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return sorted(p for p in out.stdout.split("\0") if p)


def program_sources():
    """C files of the program itself, without the tests."""
    return [p for p in files("*.c", "*.h") if p.split("/")[0] in FLOORS]


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def without_comments_and_strings(text):
    """The same text, lines kept, with comments removed and string contents blanked."""
    token = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def blank(m):
        s = m.group(0)
        if s[0] in "\"'":
            return s[0] + s[0]
        return " " + "\n" * s.count("\n")

    return token.sub(blank, text)


def includes(path):
    """(line, name, own) of each #include; own: with quotes."""
    for number, line in enumerate(read(path).splitlines(), 1):
        m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if m:
            yield number, m.group(2), m.group(1) == '"'


def check_licence():
    """Every file names its licence."""
    for path in files("*.c", "*.h", "*.def", "*.S", "*.sh", "*.py", "*.js", "*.css", "*.html", "*.md", "Makefile",
                      "bootstrap", ".ci/run", "*.service", "packaging/*.txt", "*.[1-9]"):
        if path.endswith(".md") or "/fixtures/" in path or "/corpus/" in path:
            continue
        head = "\n".join(read(path).splitlines()[:5])
        if "SPDX-License-Identifier: Apache-2.0" not in head:
            yield f"{path}:1: no SPDX-License-Identifier: Apache-2.0"


def check_floors():
    """base < collectors, notify, backup, deploy-hooks < agent."""
    for path in program_sources():
        top = path.split("/")[0]
        for line, name, own in includes(path):
            if own and not name.startswith((top + "/", *FLOORS[top])):
                yield f"{path}:{line}: {top}/ may not include {name}"


def check_wrappers():
    """Each external library is known to one file."""
    for path in program_sources():
        for line, name, own in includes(path):
            for header, place in WRAPPERS.items():
                if not own and re.fullmatch(header, name) and not re.fullmatch(place, path):
                    yield f"{path}:{line}: {name} belongs into {place} only"


def check_banned():
    """Functions that overflow, block, or start a shell."""
    call = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
    for path in program_sources():
        for number, line in enumerate(without_comments_and_strings(read(path)).splitlines(), 1):
            for m in call.finditer(line):
                yield f"{path}:{number}: {m.group(1)}() is banned: use {BANNED[m.group(1)]}"


def check_function_length():
    """In the style of this code a function's body stands between { and } in the first column."""
    for path in files("*.c"):
        begin = None
        for number, line in enumerate(without_comments_and_strings(read(path)).splitlines(), 1):
            if line.startswith("{"):
                begin = number
            elif line.startswith("}") and begin:
                if number - begin - 1 > MAX_FUNCTION_LINES:
                    yield f"{path}:{begin}: function of {number - begin - 1} lines, at most {MAX_FUNCTION_LINES}"
                begin = None


def check_file_length():
    """One idea per file; tables (.def) may be long."""
    for path in files("*.c", "*.h"):
        lines = read(path).count("\n")
        if lines > MAX_FILE_LINES:
            yield f"{path}:1: {lines} lines, at most {MAX_FILE_LINES}"


def check_include_order():
    """A .c file's first include is its own header, so that each header stands by itself."""
    for path in program_sources():
        own_header = path[:-2] + ".h"
        names = [name for _, name, _ in includes(path)]
        if path.endswith(".c") and own_header in files("*.h") and names[:1] != [own_header]:
            yield f"{path}:1: the first include must be {own_header}"


def check_include_guards():
    """#ifndef of the path, in capitals."""
    for path in files("*.h"):
        guard = re.sub(r"[^A-Z0-9]", "_", path.upper())
        text = read(path)
        if f"#ifndef {guard}\n#define {guard}\n" not in text:
            yield f"{path}:1: the include guard must be {guard}"


def check_collectors():
    """collectors[] is alphabetical, and every collector there is stands in it."""
    defined = {}
    registered = None
    for path in files("collectors/*.c"):
        text = without_comments_and_strings(read(path))
        for m in re.finditer(r"^const struct collector (\w+) = \{", text, re.M):
            defined[m.group(1)] = path
        m = re.search(r"^const struct collector \*const collectors\[\] = \{(.*?)\}", text, re.M | re.S)
        if m:
            registered = re.findall(r"&(\w+)", m.group(1))
    if registered is None:
        yield "collectors/: no file defines collectors[]"
        return
    if registered != sorted(registered):
        yield "collectors[]: not in alphabetical order"
    for name in sorted(set(defined) - set(registered)):
        yield f"{defined[name]}:1: {name} is missing from collectors[]"


def check_todo():
    """No TODO without a reason: TODO(who or why)."""
    for path in program_sources():
        for number, line in enumerate(read(path).splitlines(), 1):
            if re.search(r"\b(TODO|FIXME|XXX)\b(?!\()", line):
                yield f"{path}:{number}: a TODO needs its reason in brackets"


CHECKS = {name[len("check_"):].replace("_", "-"): f for name, f in list(globals().items()) if name.startswith("check_")}


def main():
    if sys.argv[1:] == ["list"]:
        print("\n".join(CHECKS))
        return 0
    findings = list(CHECKS[sys.argv[1]]())
    print("\n".join(findings))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
