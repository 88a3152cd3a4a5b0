"""Files that are not rows in a format that can be read: what they are, by their first bytes."""

import re

from ml_platform.exceptions import ContractError
from ml_platform.files import gunzip

PARQUET = b"PAR1"
SAVE_AS = "save it as CSV in UTF-8, JSON lines or Parquet"
BINARY_STARTS = {
    b"\x89PNG\r\n": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF87a": "a GIF image",
    b"GIF89a": "a GIF image",
    b"II*\x00": "a TIFF image",
    b"MM\x00*": "a TIFF image",
    b"%PDF-": "a PDF document",
    b"{\\rtf": "a document in rich text (RTF)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook or Word document",
    b"Obj\x01": "Avro",
    b"SQLite format 3\x00": "an SQLite database",
    b"\x89HDF\r\n": "HDF5",
    b"\x93NUMPY": "an array of NumPy",
    b"\x80\x04\x95": "a pickle of Python",
    b"\x80\x05\x95": "a pickle of Python",
    b"\x7fELF": "a program",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"\x04\x22\x4d\x18": "compressed with lz4",
    b"BZh91AY&SY": "compressed with bzip2",
    b"\xfd7zXZ\x00": "compressed with xz",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\xff\xfe\x00\x00": "UTF-32 text",
    b"\x00\x00\xfe\xff": "UTF-32 text",
}
# Letters only: the header of a CSV file may begin with them too, but such a file has no NUL character.
LETTER_STARTS = {b"PARE": "encrypted Parquet", b"ARROW1": "Arrow or Feather", b"FEA1": "Feather", b"ORC": "ORC"}
ZIP = b"PK\x03\x04"
IN_ZIPS = {  # names of files inside the archive
    b"xl/": "an Excel workbook",
    b"word/": "a Word document",
    b"ppt/": "a PowerPoint presentation",
    b"opendocument.spreadsheet": "an OpenDocument spreadsheet",
}
TAR_AT = 257
MARKUP = {
    r"<(!doctype\s+)?html\b": "an HTML page",
    r"<svg\b": "an SVG image",
    r"<\?xml\b": "an XML document",
    r"version https://git-lfs\.": "a pointer of Git LFS, not the file itself",
}


def reject_foreign_bytes(start: bytes, name: str, *, zipped: bool) -> None:
    """Reject a file of another format by its first bytes.

    Args:
        start: the beginning of the file, unpacked.
        name: the file's name in errors.
        zipped: whether it was compressed with gzip.

    Raises:
        ContractError: says what the file is, and which format to use.
    """
    if what := _kind_of_bytes(start):
        raise ContractError(f"{name}: the file is {what}; {SAVE_AS}")
    if zipped and start.startswith(gunzip.MAGIC):
        raise ContractError(f"{name}: the file is gzip inside gzip; compress it once")
    if zipped and start.startswith(PARQUET):
        raise ContractError(f"{name}: the file is Parquet inside gzip; drop the Parquet file itself")


def _kind_of_bytes(start: bytes) -> str:
    if start.startswith(ZIP):
        return next((what for inside, what in IN_ZIPS.items() if inside in start), "a zip archive")
    if start[TAR_AT:].startswith(b"ustar"):
        return "a tar archive"
    signatures = BINARY_STARTS | (LETTER_STARTS if b"\x00" in start else {})
    return next((what for signature, what in signatures.items() if start.startswith(signature)), "")


def reject_foreign_text(text: str, name: str) -> None:
    """Reject a file of another format by the beginning of its text.

    Raises:
        ContractError: says what the file is, and which format to use.
    """
    start = text.lstrip()
    first = re.split("[\r\n]", start, maxsplit=1)[0].strip()
    if "\x00" in first:
        raise ContractError(
            f"{name}: line 1: has NUL characters: the file is binary, or UTF-16 without a byte order mark; {SAVE_AS}, "
            "or declare its `encoding`",
            line=1,
        )
    for pattern, what in MARKUP.items():
        if re.match(pattern, start, re.IGNORECASE):
            raise ContractError(f"{name}: the file is {what}; {SAVE_AS}")
    if re.match(r"\[\s*[\[{]", start):
        raise ContractError(f"{name}: the file is a JSON array; write one object per line instead (JSON lines)")
    if first == "{":
        raise ContractError(f"{name}: a JSON object goes over several lines; write one object per line (JSON lines)")
