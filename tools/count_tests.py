#!/usr/bin/env python3
"""Count the single tests behind ctest's programs and scripts.

    count_tests.py JUNIT.xml      prints what failed, what was skipped and why, then `N passed, N failed, N skipped`

A cmocka program reports `[       OK ] name` a test, a script TAP (`ok - text`, `not ok - text`, `ok - text # SKIP why`); a program that
says nothing of the kind counts as one, and one that ends badly without naming a failure adds a failure. Exits 1 on a failure.
"""
import os
import re
import sys
import xml.etree.ElementTree as ElementTree

PASSED = re.compile(r"^(?:\[       OK \] |ok\b(?!.*# SKIP)).*$", re.M)
FAILED = re.compile(r"^(?:\[  FAILED  \] (?!\d+ test)|not ok\b)(.*)$", re.M)
SKIPPED = re.compile(r"^(?:\[  SKIPPED \] (?!\d+ test)(.*)|ok\b(.*# SKIP.*))$", re.M)
# cmocka repeats the names after its totals
TOTALS = re.compile(r"^\[  PASSED  \] \d+ test\(s\)\..*?(?=^\[==========\]|\Z)", re.M | re.S)


def count(case: ElementTree.Element) -> tuple[int, list[str], list[str]]:
    """One ctest: how many passed, which failed, which were skipped."""
    text = TOTALS.sub("", case.findtext("system-out") or "")
    passed = len(PASSED.findall(text))
    failed = [m.strip(" -") for m in FAILED.findall(text)]
    skipped = [(a or b).strip(" -") for a, b in SKIPPED.findall(text)]
    status = case.get("status")
    if status == "fail" and not failed:
        failed = ["ended badly"]
    elif status in ("notrun", "disabled") and not skipped:
        skipped = ["not run"]
    elif not passed and not failed and not skipped:
        passed = 1
    return passed, failed, skipped


def main(path: str) -> int:
    passed, failed, skipped = 0, [], []
    if not os.path.exists(path):
        print("failed: the tests did not run to their end\n0 passed, 1 failed, 0 skipped")
        return 1
    for case in ElementTree.parse(path).iter("testcase"):
        good, bad, left = count(case)
        passed += good
        failed += [f"{case.get('name')}: {text}" for text in bad]
        skipped += [f"{case.get('name')}: {text}" for text in left]
    for text in failed:
        print("failed:", text)
    for text in skipped:
        print("skipped:", text)
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
