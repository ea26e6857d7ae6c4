"""For schemathesis: a body that is no JSON is bytes of whatever sort."""
import schemathesis


@schemathesis.serializer("application/cbor", "application/cbor-seq", "*/*", "application/offset+octet-stream")
def as_bytes(_, value):
    return value if isinstance(value, bytes) else b"" if value is None else str(value).encode("utf-8", "surrogatepass")
