"""Between CometBFT and its application: what is said on each connection is written down, judged by the grammar of ABCI 2.0, and, where a test tells lies, altered.

CometBFT finds the tap by CMT_PROXY_APP. It opens four connections, in this order: questions, snapshots, mempool, consensus.
"""
import re
import socket
import threading

# field numbers of Request's and Response's oneofs
ASKED = {1: "echo", 2: "flush", 3: "info", 5: "init_chain", 6: "query", 8: "check_tx", 11: "commit", 12: "list_snapshots", 13: "offer_snapshot", 14: "load_snapshot_chunk",
         15: "apply_snapshot_chunk", 16: "prepare_proposal", 17: "process_proposal", 18: "extend_vote", 19: "verify_vote_extension", 20: "finalize_block"}
MAY = ({"info", "query"}, {"list_snapshots", "offer_snapshot", "load_snapshot_chunk", "apply_snapshot_chunk"}, {"check_tx"},
       {"init_chain", "prepare_proposal", "process_proposal", "finalize_block", "commit"})
HEIGHT = {"prepare_proposal": 5, "process_proposal": 5, "finalize_block": 5}
# Votes carry nothing here, so of a height's rounds only proposals are heard; a run may end anywhere.
RUN = re.compile(r"I?([PR]*FC)*[PR]*F?")
LETTER = {"init_chain": "I", "prepare_proposal": "P", "process_proposal": "R", "finalize_block": "F", "commit": "C"}


def varint(n):
    out = b""
    n &= (1 << 64) - 1
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def read_varint(data, at):
    n = shift = 0
    while True:
        n |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            return n, at
        shift += 7


def fields(data):
    """[(number, value)]: an int, or bytes"""
    at, found = 0, []
    while at < len(data):
        tag, at = read_varint(data, at)
        if tag & 7 == 0:
            value, at = read_varint(data, at)
        else:
            n, at = read_varint(data, at) if tag & 7 == 2 else (8 if tag & 7 == 1 else 4, at)
            value, at = data[at:at + n], at + n
        found.append((tag >> 3, value))
    return found


def message(*parts):
    return b"".join(varint(n << 3) + varint(v) if isinstance(v, int) else varint(n << 3 | 2) + varint(len(v)) + v for n, v in parts)


def of(data, number, default=0):
    return dict(fields(data)).get(number, default)


class Run:
    """One connection: what was asked, with its height, and what was answered."""

    def __init__(self):
        self.asked, self.answered = [], []


class Tap:
    """At `path`; the application is at `app`. `asks(name, body)` and `answers(name, body, of what question)` give what goes on instead."""

    def __init__(self, path, app):
        self.path, self.app, self.runs, self.ending = path, str(app), [], False
        self.asks = self.answers = None
        path.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                here, _ = self.listener.accept()
            except OSError:
                return
            there = socket.socket(socket.AF_UNIX)
            try:
                there.connect(self.app)
            except OSError:
                here.close()
                continue
            run = Run()
            self.runs.append(run)
            for source, target, hear in ((here, there, self.question), (there, here, self.answer)):
                threading.Thread(target=self.pump, args=(run, source, target, hear), daemon=True).start()

    @staticmethod
    def pump(run, source, target, hear):
        file = source.makefile("rb", 1 << 20)
        try:
            while True:
                head = file.read(1)
                while head and head[-1] > 127:
                    head += file.read(1)
                n = read_varint(head, 0)[0]
                frame = file.read(n)
                if len(frame) < n:
                    break
                frame = hear(run, frame)
                target.sendall(varint(len(frame)) + frame)
        except (OSError, IndexError, ValueError):
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def question(self, run, frame):
        [(number, body)] = fields(frame)
        name = ASKED[number]
        if self.asks:
            body = self.asks(name, body)
        run.asked.append((name, of(body, HEIGHT[name]) if name in HEIGHT else 0, body if name in ("process_proposal", "finalize_block") and self.answers else b""))
        return message((number, body))

    def answer(self, run, frame):
        [(number, body)] = fields(frame)
        question = run.asked[len(run.answered)][2]
        if number == 1:  # an exception: it ends
            return frame
        name = ASKED[number - 1]
        if self.answers:
            body = self.answers(name, body, question)
        run.answered.append((name, of(body, 4) if name == "info" else of(body, 1) if name == "process_proposal" else 0))
        return message((number, body))

    def judge(self):
        """Who asks what on which connection, each answered in its turn; beginning, recovery, heights. So many runs of consensus, and heights."""
        last, runs, heights = None, 0, 0
        for run in list(self.runs):
            said = {name for name, *_ in run.asked} - {"flush", "echo"}
            assert any(said <= may for may in MAY), f"{said} on one connection"
            assert [name for name, _ in run.answered] == [name for name, *_ in run.asked][:len(run.answered)], "answers out of turn"
            last = next((height for name, height in run.answered if name == "info"), last)
            calls = [(name, height) for name, height, _ in run.asked if name in LETTER]
            text = "".join(LETTER[name] for name, _ in calls)
            assert RUN.fullmatch(text), f"not the grammar: {text[:2000]}"
            assert last is not None or not calls, "consensus without a handshake"
            assert "I" not in text or last == 0, f"a chain that stands at {last} is begun anew"
            at = last
            for name, height in calls:
                assert name not in HEIGHT or height == at + 1, f"{name} of height {height} after {at}: {text[-100:]}"
                at += name == "commit"
            runs, heights = runs + bool(calls), heights + text.count("C")
        return runs, heights

    def rejected(self):
        return sum(answer == ("process_proposal", 2) for run in list(self.runs) for answer in run.answered)

    def close(self):
        self.listener.close()
        self.path.unlink(missing_ok=True)
