"""Gzip files: read as a stream; broken ones and decompression bombs are rejected."""

import io

import pytest

from ml_platform.exceptions import ContractError
from ml_platform.files import gunzip
from tests.ml_platform.files.file_cases import CSV, compress, opened


def unpacked(data: bytes) -> bytes:
    return gunzip.unpack(io.BytesIO(data), "a.gz").read()


@pytest.mark.parametrize("data", [b"", b"x", CSV * 100_000])
def test_the_unpacked_bytes_are_the_original_ones(data: bytes) -> None:
    assert unpacked(compress(data)) == data


def test_several_members_are_one_file() -> None:
    assert unpacked(compress(b"a,b\n") + compress(b"1,2\n")) == CSV


def test_the_stream_is_read_from_its_beginning_and_stays_open() -> None:
    stream = io.BytesIO(compress(CSV))
    stream.seek(5)
    reader = gunzip.unpack(stream, "a.gz")
    assert reader.readline() == b"a,b\n"
    reader.close()
    assert not stream.closed


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (compress(CSV)[:-9], "ends too early"),
        (compress(CSV)[:12], "ends too early"),
        (compress(CSV)[:-8] + b"\0" * 8, "gzip file is broken: CRC"),
        (compress(CSV) + b"more", "gzip file is broken"),
        (gunzip.MAGIC + b"\x08", "ends too early"),
    ],
)
def test_a_broken_file_says_why(data: bytes, problem: str) -> None:
    with pytest.raises(ContractError, match=f"^a.gz: .*{problem}"):
        unpacked(data)


def test_a_gzip_bomb_is_refused_before_it_swells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_platform.files.formats.UNPACKED_BYTES", 2**20)
    bomb = compress(b"a,b\n" + b"1,2\n" * 2**20)
    rows = opened(bomb)
    with pytest.raises(ContractError, match=r"holds more than 1,0.*bytes"):
        list(rows)
    assert rows.line < 2**18 + gunzip.BUFFER_BYTES
