"""Clients that behave as no client should: what each of our servers has to say to them."""
import concurrent.futures
import socket
import time

# Headers that mean something here, and must mean one thing (src/http/gate.c).
SINGLES = {"Host": "localhost", "Content-Length": "0", "Content-Type": "application/cbor", "Content-Encoding": "identity", "Authorization": "Bearer x", "Range": "bytes=0-1",
           "If-Range": '"x"', "If-None-Match": '"x"', "Expect": "100-continue", "Origin": "http://localhost", "Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Upload-Length": "1",
           "Upload-Metadata": "claim YQ==", "Upload-Checksum": "sha1 YQ=="}


def twice(node):
    """A header that may stand once, and stands twice: the same, or otherwise."""
    for name, value in SINGLES.items():
        for other in (value, value + "1"):
            lines = [f"{name}: {value}", f"X-Between: 1\r\n{name.lower()}: {other}"] + ([] if name == "Host" else [f"Host: localhost:{node.port}"])
            status, got, closed = node.raw(b"GET /healthz HTTP/1.1\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n")
            assert status == 400 and closed and b"twice" in got, (name, other, status, got[-300:])


def ambiguous(node, posts="/v1/submit"):
    """What two parsers may read differently is refused, and whatever else is no request."""
    host = b"Host: localhost:%d\r\n" % node.port
    get = b"GET /healthz HTTP/1.1\r\n" + host
    post = b"POST " + posts.encode() + b" HTTP/1.1\r\n" + host + b"Content-Type: application/cbor\r\n"
    assert node.raw(get + b"Connection: close\r\n\r\n")[0] == 200
    assert node.raw(get + b"Connection: close\r\nX-Long: " + b"a" * 20000 + b"\r\n\r\n")[0] == 200
    refused = {
        "two lengths": post + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n\1",
        "the same length twice": post + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n\1",
        "a length beside chunks": post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "chunks beside a length": post + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "an unknown coding": post + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "two codings": post + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "a coding in HTTP/1.0": post.replace(b"/1.1", b"/1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "a signed length": post + b"Content-Length: +1\r\n\r\n\1",
        "a negative length": post + b"Content-Length: -1\r\n\r\n\1",
        "two hosts": get + host + b"\r\n",
        "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
        "another host": b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "a page of another origin": get + b"Origin: http://evil.example\r\n\r\n",
        "a space before the colon": get + b"X-A : b\r\n\r\n",
        "a header without a name": get + b": b\r\n\r\n",
        "a header without a colon": get + b"Nonsense\r\n\r\n",
        "a header that goes on": get + b"X-A: b\r\n c\r\nX-D: e\r\n\r\n",
        "the last header goes on": get + b"X-A: b\r\n\tc\r\n\r\n",
        "the first header goes on": b"GET /healthz HTTP/1.1\r\n X-A: b\r\n" + host + b"\r\n",
        "line feeds alone": get.replace(b"\r\n", b"\n") + b"\n",
        "one line feed alone": get + b"X-A: b\nX-B: c\r\n\r\n",
        "a carriage return alone": get + b"X-A: b\rX-B: c\r\n\r\n",
        "a NUL in a value": get + b"X-A: b\0c\r\n\r\n",
        "a NUL in a name": get + b"X\0A: b\r\n\r\n",
        "a NUL in the path": get.replace(b"healthz", b"healthz\0x") + b"\r\n",
        "a NUL behind the path": get.replace(b"healthz", b"healthz\0") + b"\r\n",
        "a control character in a value": get + b"X-A: b\1c\r\n\r\n",
        "another version": get.replace(b"HTTP/1.1", b"HTTP/3.0") + b"\r\n",
        "no version": b"GET /healthz\r\n\r\n",
        "a miracle": get + b"Expect: a-miracle\r\n\r\n",
        "many headers": get + b"X-A: b\r\n" * 200 + b"\r\n",
        "long headers": get + b"X-A: " + b"b" * 100000 + b"\r\n\r\n",
        "a body where none is taken": get + b"Content-Length: 3\r\n\r\nabc",
    }
    for what, data in refused.items():
        status, got, closed = node.raw(data)
        assert closed and status != 200 and b"ok\n" not in got, (what, status, got[:300], closed)
        assert status == 0 or 400 <= status <= 505, (what, status)
    for path in ("/../format", "/..", "/%2e%2e/format", "/tile/../../format", "/tile/%2e%2e/x", "/a%2fb", "/v1/show/a%2F..%2Fb", "/v1/show/%00", "/%", "/%zz", "//healthz",
                 "/healthz/", "/v1/show/a%0ab", "/a\\..\\b"):
        status, got, closed = node.raw(get.replace(b"/healthz", path.encode()) + b"\r\n")
        assert status == 400 and closed, (path, status, got[:200])
    assert node.raw(get.replace(b"/healthz", b"/" + b"a" * 5000) + b"\r\n")[0] == 414
    assert node.raw(get.replace(b"/healthz", b"http://localhost/healthz") + b"\r\n")[0] == 400
    for method in (b"DELETE", b"PUT", b"PATCH", b"OPTIONS", b"TRACE", b"BREW"):
        status, got, _ = node.raw(get.replace(b"GET", method) + b"Connection: close\r\n\r\n")
        assert status == 405 and b"Allow: GET, HEAD\r\n" in got, (method, status)
    status, got, _ = node.raw(post.replace(b"POST", b"GET") + b"Connection: close\r\n\r\n")
    assert status == 405 and b"Allow: POST\r\n" in got
    # two requests in one go are two requests
    _, got, _ = node.raw(get + b"\r\n" + get + b"Connection: close\r\n\r\n")
    assert got.count(b"HTTP/1.1 200") == 2
    # what is refused is not the beginning of another request
    _, got, _ = node.raw(post + b"Content-Length: 1\r\nContent-Length: 60\r\n\r\n" + get + b"\r\n")
    assert got.count(b"HTTP/1.1") == 1
    # the length of the headers, and the way they arrive, change nothing
    for pad in (1, 1000, 8000, 16000, 30000):
        whole = get + b"X-Pad: " + b"p" * pad + b"\r\nX-Last: 1\r\nConnection: close\r\n\r\n"
        with node.connect() as s:
            s.settimeout(10)
            for at in range(0, len(whole), max(1, len(whole) // 40)):
                s.sendall(whole[at:at + max(1, len(whole) // 40)])
                time.sleep(0.002)
            assert s.recv(4096).startswith(b"HTTP/1.1 200"), pad


def ranges(node, path, data):
    """Parts of an answer, and what is none."""
    n = len(data)
    for text, first, last in (("0-0", 0, 0), (f"{n // 5}-{n // 5 + 10}", n // 5, n // 5 + 10), (f"{n - 1}-", n - 1, n - 1), ("-7", n - 7, n - 1), (f"{n // 2}-99999999999", n // 2, n - 1)):
        status, headers, body = node.curl(path, "-H", "Range: bytes=" + text)
        assert status == 206 and body == data[first:last + 1], (text, status, len(body))
        assert headers["content-range"] == f"bytes {first}-{last}/{n}"
    for text in (f"{n}-", f"{n + 1}-", "-0", "1-2,4-5", "0-0," * 500 + "0-0"):
        status, headers, body = node.curl(path, "-H", "Range: bytes=" + text)
        assert status == 416 and headers["content-range"] == f"bytes */{n}" and len(body) < 1000, (text, status)
    for text in ("bytes=x-y", "lines=1-2", "bytes=5-3", "bytes=99999999999999999999-", "bytes=--1"):
        status, _, body = node.curl(path, "-H", "Range: " + text)
        assert (status, body) == (200, data), text  # which is no range, and so not asked for


def trickle(node, name, first, each, pause, half_closed=False):
    """Seconds until it is cut."""
    with socket.create_connection(("127.0.0.1", node.port)) as s:
        began = time.time()
        s.sendall(first)
        if half_closed:
            s.shutdown(socket.SHUT_WR)
        s.settimeout(pause)
        while time.time() - began < 40:
            try:
                if each:
                    s.sendall(each)
                if s.recv(100) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        return name, time.time() - began


def cut(node):
    [line] = [l for l in node.get("/metrics").splitlines() if l.startswith(b"custody_http_cut_total")]
    return int(line.split()[1])


def slow(node, large, bodies, post):
    """Slow headers, slow bodies, silence, and an answer that nobody takes: cut off in time, and others are served meanwhile."""
    host = b"Host: localhost:%d\r\n" % node.port
    post = post.replace(b"Host: localhost\r\n", host)
    others = 3 + len(bodies)

    def unread():
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.connect(("127.0.0.1", node.port))
            s.sendall(b"GET " + large + b" HTTP/1.1\r\n" + host + b"\r\n")
            began = time.time()
            while time.time() - began < 40 and cut(node) <= others:
                time.sleep(0.5)
            return "an answer that nobody takes", time.time() - began
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(trickle, node, "slow headers", b"GET /healthz HTTP/1.1\r\n", b"x", 0.5), pool.submit(trickle, node, "no request at all", b"", b"", 0.5),
                pool.submit(trickle, node, "half a header", b"GET /healthz HTTP/1.1\r\n" + host + b"X-", b"", 0.5), pool.submit(unread),
                *(pool.submit(trickle, node, name, post, each, 0.5) for name, each in bodies.items())]
        time.sleep(2)
        for _ in range(20):
            assert node.get("/healthz") == b"ok\n"
        for j in jobs:
            name, seconds = j.result()
            assert 8 < seconds < 32, f"{name}: cut after {seconds:.1f} s"
    name, seconds = trickle(node, "half closed", b"GET /healthz HTTP/1.1\r\n" + host, b"", 0.5, half_closed=True)
    assert seconds < 32, f"{name}: cut after {seconds:.1f} s"
