# SPDX-License-Identifier: Apache-2.0
"""Reads Markdown as chat programs do: what is seen, and what would be shown as more than text.

Not a renderer: it errs on the side of seeing formatting where a real one might not.
"""

import html
import re

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_HIDDEN = 0xE000  # private use: stands for an escaped character while the rest is read

_INLINE = (
    ("code block", re.compile(r"```(?:\w*\n)?(.*?)```", re.S)),
    ("code", re.compile(r"`([^`\n]+)`")),
    ("link", re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")),
    ("mention", re.compile(r"<(@[!&]?\w+|#\w+)>")),
    ("mention", re.compile(r"(@(?:everyone|here)\b)")),
    ("emoji", re.compile(r"<a?:(\w+:\d+)>")),
    ("link", re.compile(r"<(https?://[^>\s]*)>")),
    ("tag", re.compile(r"<(/?[a-zA-Z][^>\n]*)>")),
    ("bold", re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*", re.S)),
    ("underline", re.compile(r"(?<!\w)__(?=\S)(.+?)(?<=\S)__(?!\w)", re.S)),
    ("strike", re.compile(r"~~(?=\S)(.+?)(?<=\S)~~", re.S)),
    ("spoiler", re.compile(r"\|\|(.+?)\|\|", re.S)),
    ("italic", re.compile(r"\*(?=[^\s*])([^*]+?)(?<=\S)\*", re.S)),
    ("italic", re.compile(r"(?<!\w)_(?=[^\s_])([^_]+?)(?<=\S)_(?!\w)", re.S)),
)
_BLOCK = (
    ("heading", re.compile(r"^ {0,3}#{1,6} +(.*)$", re.M)),
    ("heading", re.compile(r"^(.+)\n {0,3}(?:===+|---+) *$", re.M)),
    ("quote", re.compile(r"^ {0,3}>(?:>>)? ?(.*)$", re.M)),
    ("list", re.compile(r"^ *[-+*] +(.*)$", re.M)),
    ("list", re.compile(r"^ *\d+[.)] +(.*)$", re.M)),
    ("table", re.compile(r"^(\|.*\|) *$", re.M)),
)


def _hide(m):
    return chr(_HIDDEN + ord(m.group(1)))


def _show(text):
    return "".join(chr(ord(c) - _HIDDEN) if _HIDDEN <= ord(c) < _HIDDEN + 128 else c for c in text)


def read(text):
    """(what is seen, [(kind, content), ...]). Zero-width characters are not seen."""
    found = []

    def take(kind):
        def replace(m):
            found.append((kind, plain(_show(m.group(1)))))
            return m.group(1)
        return replace

    text = _ESCAPED.sub(_hide, text)
    for kind, pattern in (*_BLOCK, *_INLINE):
        text = pattern.sub(take(kind), text)
    return plain(_show(html.unescape(text))), found


def plain(text):
    """Without what has no width."""
    return re.sub("[\u200b\u200c\u200d\u2060\ufeff]", "", text)
