#!/usr/bin/env python3
"""Write the linker's version script of libcustody: what the public headers declare, and nothing else.

    exports.py OUT.map HEADER…
"""
import re
import sys

FUNCTION = re.compile(r"\b(cu_[a-z0-9_]+)\s*\(")
OBJECT = re.compile(r"^\s*extern\b[^;(]*?\b(cu_\w+)\s*(?:\[[^]]*\])?\s*;", re.M)


def names_in(text: str) -> set[str]:
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
    text = re.sub(r"^\s*#\s*define(?:[^\n]*\\\n)*[^\n]*", "", text, flags=re.M)
    return set(FUNCTION.findall(text)) | set(OBJECT.findall(text))


def main(out: str, headers: list[str]) -> None:
    names = set().union(*(names_in(open(h, encoding="utf-8").read()) for h in headers))
    with open(out, "w", encoding="utf-8") as f:
        f.write("CUSTODY_0 {\n  global:\n" + "".join(f"    {n};\n" for n in sorted(names)) + "  local: *;\n};\n")


main(sys.argv[1], sys.argv[2:])
