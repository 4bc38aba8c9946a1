"""Writes folders that are either wholly there or not there at all, whatever dies in between."""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

MANIFEST = "state.json"


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Waits until a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, value: object) -> None:
    """Replaces a small JSON file in one step."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    draft.write_text(json.dumps(value), encoding="utf-8")
    sync(draft)
    draft.replace(path)
    sync(path.parent)


def write_folder(folder: Path, fill: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """Lets `fill` write files into a draft folder, adds a manifest with every file's hash, then renames it.

    Returns the manifest. A folder of that name that is already there is replaced.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".draft-{uuid.uuid4().hex}"
    draft.mkdir()
    try:
        manifest = fill(draft)
        files = sorted(path for path in draft.rglob("*") if path.is_file())
        manifest = {**manifest, "files": {str(path.relative_to(draft)): sha256_of(path) for path in files}}
        (draft / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
        for path in [*files, draft / MANIFEST, draft]:
            sync(path)
        if folder.exists():
            aside = folder.parent / f".draft-{uuid.uuid4().hex}"
            folder.rename(aside)
            draft.rename(folder)
            shutil.rmtree(aside)
        else:
            draft.rename(folder)
        sync(folder.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return manifest


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a whole folder; None if a file is missing, cut short or changed."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        for name, expected in manifest["files"].items():
            if sha256_of(folder / name) != expected:
                return None
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return manifest


def remove_drafts(folder: Path) -> None:
    """Clears what a killed engine left half-written."""
    for draft in folder.glob(".draft-*"):
        shutil.rmtree(draft, ignore_errors=True)


def peek_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest without checking the files: for listing, not for loading."""
    return read_json(folder / MANIFEST)


def read_json(path: Path) -> dict[str, Any] | None:
    """A small JSON file's object; None if it is missing or damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def remove_folder(folder: Path) -> None:
    """Removes a folder so that a crash leaves either all of it or a draft."""
    aside = folder.parent / f".draft-{uuid.uuid4().hex}"
    folder.rename(aside)
    shutil.rmtree(aside)
