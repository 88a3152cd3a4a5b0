"""An upload of any size to object storage, in parts, from bytes that come one after the other."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain

from ml_platform.exceptions import UploadChangedError
from ml_platform.storage import object_store

PART_BYTES = 8 * 2**20  # S3 takes 10,000 parts at most


def put_stream(bucket: str, key: str, chunks: Iterable[bytes]) -> str | None:
    """Write an object of any size unless the key exists; return its ETag with its quotes, or None if the key exists.

    Args:
        bucket: name of the bucket.
        key: of the object.
        chunks: its bytes; two parts of them are in memory, at most. If they raise an error, nothing is written.

    Raises:
        ServiceError: the server failed.
    """
    where = {"Bucket": bucket, "Key": key}
    try:
        with object_store.translated(bucket, key):
            return _put(where, _parts(chunks))
    except UploadChangedError:  # the server says so of a condition that is not met: an object is there
        return None


def _put(where: dict[str, str], parts: Iterator[bytes]) -> str | None:
    first, second = next(parts, b""), next(parts, None)
    if second is None:
        return str(object_store.client().put_object(**where, Body=first, IfNoneMatch="*")["ETag"])
    # Not every server looks at the condition where an upload has parts, so it is also checked here.
    if any(one.key == where["Key"] for one in object_store.list_objects(where["Bucket"], where["Key"])):
        return None
    return _put_parts(where, chain([first, second], parts))


def _put_parts(where: dict[str, str], parts: Iterable[bytes]) -> str:
    client = object_store.client()
    upload = where | {"UploadId": client.create_multipart_upload(**where)["UploadId"]}
    with ExitStack() as unless_complete:
        unless_complete.callback(client.abort_multipart_upload, **upload)
        tags = []
        for number, part in enumerate(parts, start=1):
            answer = client.upload_part(**upload, PartNumber=number, Body=part)
            tags.append({"PartNumber": number, "ETag": answer["ETag"]})
        done = client.complete_multipart_upload(**upload, MultipartUpload={"Parts": tags}, IfNoneMatch="*")
        unless_complete.pop_all()
    return str(done["ETag"])


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    part = bytearray()
    for chunk in chunks:
        part += chunk
        while len(part) >= PART_BYTES:
            yield bytes(part[:PART_BYTES])
            del part[:PART_BYTES]
    if part:
        yield bytes(part)
