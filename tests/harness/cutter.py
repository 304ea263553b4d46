# SPDX-License-Identifier: Apache-2.0
"""A Unix socket before the container engine's own that cuts the stream of an exec, or is late to know that one has ended."""

import contextlib
import os
import socket
import threading


class Cutter:
    """`after` bytes of the stream (behind the answer's head) pass, then it ends as if all were well. None: everything passes.
    With `input` the bytes towards the program are counted instead. While it is `late`, what has ended still runs by its answers."""

    def __init__(self, path, engine):
        self.path, self.engine = str(path), str(engine)
        self.after = None
        self.input = False
        self.cuts = 0
        self.late = False
        self.late_answers = 0
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(50)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.socket(socket.AF_UNIX) as engine:
            engine.connect(self.engine)
            head = b""
            while b"\r\n\r\n" not in head:
                piece = client.recv(65536)
                if not piece:
                    return
                head += piece
            engine.sendall(head)
            is_stream = b"/exec/" in head.split(b"\r\n")[0] and b"/start" in head.split(b"\r\n")[0]
            limit = self.after if is_stream else None
            self._tell_late(head, client, engine)
            up = threading.Thread(target=self._pass, args=(client, engine, limit if self.input else None, False), daemon=True)
            up.start()
            self._pass(engine, client, None if self.input else limit, True)
            for s in (client, engine):
                with contextlib.suppress(OSError):
                    s.shutdown(socket.SHUT_RDWR)
            up.join()

    def _tell_late(self, head, client, engine):
        """Answers themselves, when it is late, a question about an exec."""
        words = head.split(b"\r\n")[0].split()
        if not (self.late and b"/exec/" in words[1] and words[1].endswith(b"/json")):
            return
        answer = b""
        while b"\r\n\r\n" not in answer or b"}" not in answer:
            answer += engine.recv(65536)
        if b'"Running":false' in answer:
            self.late_answers += 1
        client.sendall(answer.replace(b'"Running":false', b'"Running":true '))

    def _pass(self, source, target, limit, has_head):
        head = b""
        in_head = has_head and limit is not None
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if in_head:
                    head += piece
                    if b"\r\n\r\n" not in head:
                        continue
                    at = head.index(b"\r\n\r\n") + 4
                    target.sendall(head[:at])
                    piece, in_head = head[at:], False
                if limit is not None:
                    piece, limit = piece[:limit], limit - len(piece[:limit])
                target.sendall(piece)
                if limit == 0:
                    self.cuts += 1
                    for s in (source, target):
                        with contextlib.suppress(OSError):
                            s.shutdown(socket.SHUT_RDWR)
                    return
            target.shutdown(socket.SHUT_WR)
