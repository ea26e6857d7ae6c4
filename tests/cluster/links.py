"""Links between organisations that a test cuts, slows and delays: each node knows its peers by addresses of its own, behind which relays stand.

A relay carries bytes, so what a lossy line does to TCP is shown as TCP shows it: pieces that come late, each at least a retransmission's time.
"""
import random
import selectors
import socket
import threading
import time

PIECE, RETRANSMISSION_S = 65536, 0.2


class Link:
    """From one organisation to another's port. `rate`: bytes a second; `delay`: seconds; `loss`: how many pieces in a hundred come late."""

    def __init__(self, relay, to):
        self.relay, self.to = relay, to
        self.cut, self.rate, self.delay, self.loss = False, None, 0, 0
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        while True:  # of five digits, for it takes the place of one
            try:
                self.port = random.randrange(33000, 60000)
                self.listener.bind(("127.0.0.1", self.port))
                break
            except OSError:
                continue
        self.listener.listen(64)
        self.listener.setblocking(False)
        self.ends = set()

    def accept(self):
        here, _ = self.listener.accept()
        if self.cut:
            return here.close()
        there = socket.socket()
        try:
            there.connect(("127.0.0.1", self.to))
        except OSError:
            there.close()
            return here.close()
        for a, b in ((here, there), (there, here)):
            a.setblocking(False)
            self.ends.add(a)
            Way(self, a, b)
        return None

    def close_all(self):
        for end in list(self.ends):
            for way in [w for w in self.relay.ways if end in (w.source, w.target)]:
                way.end()


class Way:
    """One direction of a connection: what was read and when it may go on."""

    def __init__(self, link, source, target):
        self.link, self.source, self.target, self.queue, self.free_at, self.over = link, source, target, [], 0, False
        link.relay.ways.add(self)
        link.relay.selector.register(source, selectors.EVENT_READ, self)

    def read(self):
        if len(self.queue) > 64 or self.over:
            return
        try:
            piece = self.source.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self.over = True
            self.link.relay.selector.unregister(self.source)
            return
        now, link = time.monotonic(), self.link
        late = RETRANSMISSION_S * random.choice((1, 1, 2, 4)) if random.random() * 100 < link.loss else 0
        at = max(now + link.delay + late, self.queue[-1][0] if self.queue else 0, self.free_at)
        self.free_at = at + (len(piece) / link.rate if link.rate else 0)
        self.queue.append([self.free_at if link.rate else at, piece])

    def write(self, now):
        while self.queue and self.queue[0][0] <= now:
            try:
                n = self.target.send(self.queue[0][1])
            except BlockingIOError:
                return
            except OSError:
                return self.end()
            if n < len(self.queue[0][1]):
                self.queue[0][1] = self.queue[0][1][n:]
                return
            self.queue.pop(0)
        if self.over and not self.queue:
            self.end()

    def end(self):
        relay = self.link.relay
        for way in [w for w in relay.ways if w.source in (self.source, self.target)]:
            relay.ways.discard(way)
            if not way.over:
                relay.selector.unregister(way.source)
            way.over = True
        for end in (self.source, self.target):
            self.link.ends.discard(end)
            end.close()


class Relay:
    """All links of a network, in both directions: consensus and HTTP."""

    def __init__(self, net):
        self.selector, self.ways, self.lock = selectors.DefaultSelector(), set(), threading.Lock()
        self.links, self.ending = {}, False
        for i, org in enumerate(net.orgs):
            file = org.root / "chain/network"
            text = file.read_bytes()
            for j, other in enumerate(net.orgs):
                if i == j:
                    continue
                for port in (other.p2p, other.port):
                    link = Link(self, port)
                    self.links[i, j, port] = link
                    self.selector.register(link.listener, selectors.EVENT_READ, link)
                    assert text.count(b"127.0.0.1:%d" % port) == 1, (i, j, port)
                    text = text.replace(b"127.0.0.1:%d" % port, b"127.0.0.1:%d" % link.port)
            file.write_bytes(text)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ending:
            events = self.selector.select(0.002)
            with self.lock:
                for key, _ in events:
                    if isinstance(key.data, Link):
                        key.data.accept()
                    elif not key.data.over:
                        key.data.read()
                now = time.monotonic()
                for way in list(self.ways):
                    if way in self.ways:
                        way.write(now)

    def names(self, j):
        """By which its peers call it."""
        return " ".join(f"127.0.0.1:{link.port}" for (_, b, port), link in self.links.items() if b == j)

    def part(self, *groups):
        """Who is in different groups has no link to one another; without groups all have."""
        where = {i: n for n, group in enumerate(groups) for i in group}
        with self.lock:
            for (i, j, _), link in self.links.items():
                link.cut = bool(groups) and where[i] != where[j]
                if link.cut:
                    link.close_all()

    def worsen(self, rate=None, delay=0, loss=0):
        with self.lock:
            for link in self.links.values():
                link.rate, link.delay, link.loss = rate, delay, loss

    def close(self):
        self.ending = True
        self.thread.join()
        for link in self.links.values():
            link.listener.close()
