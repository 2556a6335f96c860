"""Downloads that resume, and files whose digest is checked before anything reads them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from benchsuite.core.errors import DataCorruptError, DataMissingError
from benchsuite.data.readers.pieces import Progress, silent

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = 1 << 14  # bytes; the last one is lost when a connection breaks
_PATIENCE = 30  # seconds without a byte


def check_digest(path: Path, digest: str) -> None:
    """Check that a file is the expected one.

    Parameters
    ----------
    path
        The file.
    digest
        Algorithm and hexadecimal digits, such as "sha256:6d95...".

    Raises
    ------
    DataCorruptError
        If the file has another digest.
    """
    algorithm, _, expected = digest.partition(":")
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, algorithm).hexdigest()
    if found != expected:
        raise DataCorruptError(
            f"{path.name} has {algorithm} {found[:12]}..., expected {expected[:12]}...: "
            "it is truncated or another file; get it again from its official page"
        )


def download(url: str, target: Path, digest: str, progress: Progress = silent) -> None:
    """Download a file, continuing what an earlier attempt has left.

    Parameters
    ----------
    url
        Its address.
    target
        Where to write it; until it is complete, it is beside that, named .partial.
    digest
        Algorithm and hexadecimal digits, such as "sha256:6d95...".
    progress
        Called with the bytes done and the bytes in all.

    Raises
    ------
    DataMissingError
        If the server cannot be reached or the connection breaks off.
    DataCorruptError
        If the whole file has another digest; it is not kept.
    """
    import pooch  # type: ignore[import-untyped]  # noqa: PLC0415 - ships no types; loads slowly
    import requests  # noqa: PLC0415 - loads slowly, and only downloads need it

    pooch.get_logger().setLevel("WARNING")  # the progress bar says the rest
    partial = target.with_name(f"{target.name}.partial")
    try:
        pooch.retrieve(url, digest, target.name, target.parent, downloader=_Resuming(partial, progress))
    except ValueError as error:
        if isinstance(error, requests.RequestException):
            raise DataMissingError(f"{url} is not a valid address: {error}; check its entry in sources.toml") from error
        raise DataCorruptError(
            f"{url} gave a file whose digest is not {digest[:19]}..., so it was not kept; try again, or download it "
            "by hand"
        ) from error
    except (requests.RequestException, OSError) as error:
        kept = partial.stat().st_size if partial.exists() else 0
        raise DataMissingError(
            f"{url} could not be downloaded ({type(error).__name__}); {kept:,} bytes are kept: run the same command "
            "again to continue, or download it by hand and give its folder with --from"
        ) from error


class _Resuming:
    """A downloader in pooch's form that continues a partial file by an HTTP range."""

    def __init__(self, partial: Path, progress: Progress) -> None:
        self._partial = partial
        self._progress = progress

    def __call__(self, url: str, output_file: str, _pooch: Any) -> None:
        import requests  # noqa: PLC0415 - loads slowly, and only downloads need it

        done = self._partial.stat().st_size if self._partial.exists() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
        with requests.get(url, headers=headers, stream=True, timeout=_PATIENCE) as response:
            if response.status_code != requests.codes.requested_range_not_satisfiable:  # else all bytes are here
                response.raise_for_status()
                self._write(response, done if response.status_code == requests.codes.partial_content else 0)
        self._partial.replace(output_file)

    def _write(self, response: Any, done: int) -> None:
        total = done + int(response.headers.get("Content-Length", 0))
        with self._partial.open("ab" if done else "wb") as stream:
            for block in response.iter_content(_BLOCK):
                stream.write(block)
                done += len(block)
                self._progress(done, total)
