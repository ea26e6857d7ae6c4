"""Attacks and crash cases as data: what lies there, which files, and what is done to them. The embedded ledger's tests run them in one process's folder
(test_attacks.py, test_kill.py); test_apart.py once more, with provider and node as processes of their own."""
import os

from custody_test import fill, noise

# ---- evidence of every kind: an empty file, inline content, packed items, objects of more than a MiB, a folder ----
LARGE, PACKED, SMALL = noise(1_300_000, 1), noise(90_000, 2), b"a short note\n"


def evidence(source):
    fill(source / "large.bin", LARGE), fill(source / "packed.bin", PACKED), fill(source / "small.txt", SMALL), fill(source / "empty", b"")
    fill(source / "folder/large.bin", noise(1_100_000, 3)), fill(source / "folder/sub/a.bin", noise(70_000, 4)), fill(source / "folder/sub/b.txt", b"b\n")
    return source


# ---- the ways ----
def flip(path, at=None):
    data = bytearray(path.read_bytes())
    at = len(data) // 2 if at is None else at
    data[at] ^= 0x10
    path.write_bytes(data)


def truncate(path):
    os.truncate(path, path.stat().st_size - 1)


def append(path):
    with open(path, "ab") as f:
        f.write(b"x")


def delete(path):
    path.unlink()


def swap_with(other):
    def swap(path):
        a, b = path.read_bytes(), other.read_bytes()
        path.write_bytes(b), other.write_bytes(a)
    return swap


def every(_, files):
    return files


def not_empty(root, files):
    return [f for f in files if (root / f).stat().st_size]


PARTS = {
    "the_clouds_log": ["cloud/log"], "the_nodes_log": ["node/log"], "the_clouds_objects": ["cloud/objects"],
    "the_nodes_objects": ["node/objects"], "journal": ["node/journal"], "state": ["node/state"],
}
WAYS = {
    "a_flipped_byte_in": (flip, not_empty), "a_byte_cut_off": (truncate, not_empty), "a_byte_appended_to": (append, every), "a_file_deleted_from": (delete, every),
}


# ---- what is on its way when somebody is killed ----
def a_folder(folder, n):
    """Small items, and a few that stand alone."""
    source = folder / f"folder{n}"
    for i in range(250):
        fill(source / f"{i % 9}/{i}", noise(700 + i, f"{n} {i}"))
    for i in range(3):
        fill(source / f"large{i}", noise(1_200_000, f"{n} {i}"))
    return ["deposit", "--json", "--case", "C1", source]


def many_paths(folder, n):
    paths = [fill(folder / f"many{n}/{i}", noise(200 if i % 9 else 60_000, f"{n} {i}")) for i in range(90)]
    return ["deposit", "--json", "--case", "C1", *paths]
