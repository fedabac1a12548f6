"""Specs as a revision of git has them: `HEAD~1:nets/mine.yaml`, its libraries from the same revision.

Only objects are read: nothing is checked out, no index, filter or hook of the repository is used. A revision never becomes an option.
"""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from archc.commands import WRONG_CALL, Failure
from archc.diagnostics import Source, codes
from archc.diagnostics.limits import limits
from archc.language.catalogue import SHIPPED, AddressError, Opener
from archc.language.document import decode

ADDRESS = re.compile(r"(?P<revision>[^:\s-][^:\s]*):(?P<path>[^:]+\.(?:ya?ml|json))(?::(?P<variant>[^:]*))?")
FILES = {"100644", "100755"}
SECONDS = 60


@dataclass(frozen=True)
class Revision:
    """A commit of the repository around the working folder; `prefix` leads from its root to that folder."""

    name: str
    commit: str
    prefix: str

    def read(self, path: str) -> Source | AddressError:
        """The text of a file by its path from the root, or why there is none."""
        shown = f"{self.name}:{path}"
        entry = git("ls-tree", "-z", "--full-tree", self.commit, "--", path).rstrip(b"\0")
        mode, _, rest = entry.partition(b" ")
        kind, _, rest = rest.partition(b" ")
        found = rest.partition(b"\t")[0].decode()
        if not entry or kind == b"tree":
            return AddressError(f"{self.name} has no file {path}" if not entry else f"{shown} is a folder, not a spec")
        if mode.decode() not in FILES:
            return AddressError(f"{shown} is not a regular file")
        if int(git("cat-file", "-s", found)) > limits().file:
            return decode(shown, b"#" * (limits().file + 1))
        return decode(shown, git("cat-file", "blob", found))


@dataclass(frozen=True)
class RevisionOpener:
    """Opens the libraries of a spec in a revision: in the spec's folder and below, or those that archc ships."""

    revision: Revision
    main: str
    paths: dict[str, str] = field(default_factory=dict[str, str])

    def __call__(self, entry: str, user: Source) -> Source | AddressError:
        """The library's text, or why it cannot be had."""
        if entry.startswith(SHIPPED) or user.name.startswith(SHIPPED):
            return Opener(None)(entry, user)
        if "://" in entry or entry.startswith(("~", "/")):
            return AddressError(f"`{entry}` is no path of a library", "write a path relative to this file")
        root = posixpath.dirname(self.main)
        path = posixpath.normpath(posixpath.join(posixpath.dirname(self.paths.get(user.name, self.main)), entry))
        if path.startswith("../") or posixpath.commonpath([root or ".", path] if root else [".", "."]) != (root or "."):
            return AddressError(f"`{entry}` lies outside the folder of the spec", "put the library beside the spec, or below it")
        found = self.revision.read(path)
        if isinstance(found, Source):
            self.paths[found.name] = path
        return found


@dataclass(frozen=True)
class Found:
    """A spec of a revision."""

    source: Source
    variant: str
    opener: RevisionOpener


def find(address: str) -> Found | None:
    """The spec of a revision that an address names; `None` where it names none. Raises `AddressError`, `Failure`."""
    parts = ADDRESS.fullmatch(address)
    if parts is None or os.path.exists(address) or os.path.exists(address.rpartition(":")[0]) or not address.isprintable():
        return None
    revision = resolved(parts["revision"])
    problem: AddressError | None = None
    for path in _paths(parts["path"], revision.prefix):
        source = revision.read(path)
        if isinstance(source, Source):
            return Found(source, parts["variant"] or "", RevisionOpener(revision, path, {source.name: path}))
        problem = problem or source
    raise problem or AddressError(f"{parts['path']} lies outside the repository")


def _paths(path: str, prefix: str) -> list[str]:
    """A path from the root as git reads it, then one from the working folder."""
    here = posixpath.normpath(posixpath.join(prefix, path))
    whole = [] if path.startswith(("./", "../", "/")) else [posixpath.normpath(path)]
    return [one for one in dict.fromkeys([*whole, here]) if not one.startswith(("..", "/"))]


def resolved(name: str) -> Revision:
    """The commit of a revision's name."""
    prefix = git("rev-parse", "--show-prefix").decode(errors="replace").strip("\n")
    commit = git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", missing=True).decode().strip()
    if not re.fullmatch(r"[0-9a-f]{40,64}", commit):
        raise AddressError(f"git knows no revision `{name}`", "a file's address is its path, a revision's `HEAD~1:path.yaml`", codes.UNKNOWN_SPEC)
    return Revision(name, commit, prefix)


def git(*words: str, missing: bool = False) -> bytes:
    """What git says, read only; nothing where it fails and something may be `missing`."""
    program = shutil.which("git")
    if program is None:
        raise Failure("a spec of a revision needs git, and there is no git", "install git, or give two files")
    settings = {"GIT_LITERAL_PATHSPECS": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run([program, "--no-pager", "--no-replace-objects", *words], capture_output=True, check=False, timeout=SECONDS, env={**os.environ, **settings}, cwd=Path.cwd(), stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise Failure(f"git took more than {SECONDS} seconds", "see whether `git status` works here") from None
    if done.returncode == 0:
        return done.stdout
    if missing:
        return b""
    said = done.stderr.decode(errors="replace").strip().splitlines()
    reason = said[0].removeprefix("fatal: ") if said else f"it ended with {done.returncode}"
    raise Failure(f"git: {reason}", "an address with a revision needs a repository around the working folder", WRONG_CALL, codes.FILE_NOT_FOUND)
