#!/usr/bin/env python3
"""What goes to court on paper: QR codes, network words, the certificate. Read back by tools that are not ours."""
import os
import pathlib
import re
import shutil
import subprocess

from custody_test import CUSTODY, Ledger, Skip, call, fill, main, noise, test, verify


def tool(name, *args):
    if not shutil.which(name):
        raise Skip(f"{name} is not installed: run tools/setup check")
    done = subprocess.run([name, *map(os.fspath, args)], capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, (name, args, done)
    return done.stdout.decode("utf-8")


def qr_text(words, row):
    return f"custody-qr/v1\nnetwork {words}\nid {row['id']}\nleaf {row['leaf']}\n"


# ---- QR codes ----
@test
def a_code_on_the_screen_or_as_a_picture_says_words_id_and_leaf(folder):
    ledger = Ledger.new(folder / "L", "C1")
    row = ledger.deposit("--case", "C1", fill(folder / "photo.jpg", noise(50_000)))[0]
    text = qr_text(ledger.run("status", "--json").row["network_words"], row)
    screen = ledger.run("show", "C1/1", "--qr").out
    assert screen.endswith(text) and "▀" in screen and "\033" not in screen, screen
    ledger.run("show", row["id"][:10], "--qr", "-o", folder / "code.png")
    assert tool("zbarimg", "-q", "--raw", folder / "code.png") == text + "\n"
    ledger.run("show", "C1/1", "--qr", "-o", folder / "code.svg")
    assert (folder / "code.svg").read_text().startswith("<svg ")
    answer = ledger.run("show", "C1/1", "--qr", "-o", folder / "code.gif", code=1)
    assert ".png" in answer.error and not (folder / "code.gif").exists(), answer


@test
def where_the_part_that_sets_pages_is_missing_it_is_named_and_everything_else_works(folder):
    for name in ("custody", "custody-verify"):
        shutil.copy(pathlib.Path(CUSTODY).parent / name, folder / name)
    call([folder / "custody", "init", folder / "L"])
    call([folder / "custody", "deposit", fill(folder / "a", b"a")], cwd=folder / "L")
    fill(folder / "L/custody-paper.so", b"what lies in the current folder is never loaded")
    answer = call([folder / "custody", "show", "unfiled/1", "--qr"], cwd=folder / "L", code=10)
    assert "custody-paper.so" in answer.error and "No such file" in answer.error and "libpangocairo" in answer.error, answer


if __name__ == "__main__":
    main()
