# SPDX-License-Identifier: Apache-2.0
"""The archive of mongodump (common/archive of the MongoDB Database Tools), written and read."""

import struct

MAGIC, END = struct.pack("<I", 0x8199E26D), b"\xff\xff\xff\xff"


def _table():
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0xC96C5795D7870F42 if i & 1 else 0)
        table.append(i)
    return table


_TABLE = _table()


def crc64(data):
    """As Go's crc64.ECMA."""
    crc = 2 ** 64 - 1
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 255]
    return crc ^ 2 ** 64 - 1


def documents(data):
    """Cuts documents that stand one behind the other."""
    found = []
    while data:
        size = struct.unpack("<i", data[:4])[0]
        found.append(data[:size])
        data = data[size:]
    return found


def document(**values):
    """BSON of texts and whole numbers."""
    body = b""
    for name, value in values.items():
        key = name.encode() + b"\0"
        if isinstance(value, str):
            text = value.encode() + b"\0"
            body += b"\x02" + key + struct.pack("<i", len(text)) + text
        elif isinstance(value, bool):
            body += b"\x08" + key + bytes([value])
        else:
            body += b"\x12" + key + struct.pack("<Q", value % 2 ** 64)
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def _header(db, collection, ended=False, crc=0):
    return document(db=db, collection=collection, EOF=ended, CRC=crc)


def write(collections):
    """{(db, collection): [documents]}; the blocks of different collections are mixed."""
    out = [MAGIC, document(concurrent_collections=4, version="0.1", server_version="7.0.5", tool_version="100.9.4")]
    out += [document(db=db, collection=name, metadata='{"indexes":[]}', size=0, type="collection") for db, name in collections]
    out.append(END)
    left = {key: list(found) for key, found in collections.items()}
    while left:
        for key in list(left):
            if left[key]:
                out += [_header(*key), *left[key][:7], END]
                left[key] = left[key][7:]
            else:
                out += [_header(*key, True, crc64(b"".join(collections[key]))), END]
                del left[key]
    return b"".join(out)


def _texts(found, n):
    """The first n elements, which are texts, and where they end."""
    texts, at = [], 4
    for _ in range(n):
        at = found.index(b"\0", at) + 1
        size = struct.unpack("<i", found[at:at + 4])[0]
        texts.append(found[at + 4:at + 3 + size].decode())
        at += 4 + size
    return texts, at


def _name(header):
    """(db, collection, ended, crc) of a block's header as _header() writes it."""
    texts, at = _texts(header, 2)
    at = header.index(b"\0", at) + 1
    return (*texts, bool(header[at]), struct.unpack("<Q", header[-9:-1])[0])


def _block(data, at):
    """The documents up to the next end, and where that is."""
    found = []
    while data[at:at + 4] != END:
        if len(data) < at + 4:
            raise ValueError("it ends in the middle")
        size = struct.unpack("<i", data[at:at + 4])[0]
        if size < 5 or at + size > len(data):
            raise ValueError(f"{size} is neither a valid bson length nor a archive terminator")
        found.append(data[at:at + size])
        at += size
    return found, at + 4


def read(data):
    if data[:4] != MAGIC:
        raise ValueError("stream or file does not appear to be a mongodump archive")
    prelude, at = _block(data, 4)
    found = {tuple(_texts(p, 2)[0]): [] for p in prelude[1:]}
    ended = set()
    while at < len(data):
        (header, *bodies), at = _block(data, at)
        db, collection, is_end, crc = _name(header)
        found[(db, collection)] += bodies
        if is_end:
            if crc != crc64(b"".join(found[(db, collection)])):
                raise ValueError(f"CRC mismatch for namespace {db}.{collection}")
            ended.add((db, collection))
    if ended != set(found):
        raise ValueError("archive finished before all collections were seen")
    return found
