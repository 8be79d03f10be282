"""Bytes of the media types that resumable uploads are sent in: as they are drawn."""

import schemathesis


@schemathesis.serializer("application/offset+octet-stream", "application/partial-upload")
def as_they_are(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode()
