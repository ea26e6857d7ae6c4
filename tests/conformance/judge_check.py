"""judge_check.py NAME PROGRAM…: does the program come to the verdicts of tests/vectors/judge?"""
import pathlib
import sys

from judge_cases import ask, read

name, program = sys.argv[1], sys.argv[2:]
cases, bases = read(pathlib.Path(__file__).parent.parent / "vectors/judge")
wrong = [(c, a) for c, a in zip(cases, ask(program, cases, bases)) if a != c["expect"]]
kinds = {"forks": [c for c in cases if "fork" in c], "parts": [c for c in cases if "part" in c], "trust files": [c for c in cases if c["name"].startswith(("trust-", "epoch"))]}
print(f"{'not ok' if wrong or len(cases) < 300 else 'ok'} - {name} comes to the known verdict, lines and status names in {len(cases) - len(wrong)} of {len(cases)} cases "
      f"({', '.join(f'{len(v)} of {k}' for k, v in kinds.items())})")
for c, a in wrong[:20]:
    print(f"#   {c['name']}: {c['says']}")
    expect = c["expect"]
    for key in {**expect, **a}:
        if expect.get(key) != a.get(key) and key != "checks":
            print(f"#     {key}: {a.get(key)}, not {expect.get(key)}")
    if sorted(expect.get("checks", [])) == sorted(a.get("checks", [])) and expect != a:
        print(f"#     the lines come in another order: {' '.join(l[0] for l in a.get('checks', []))}")
    for line in [f"- {l}" for l in expect.get("checks", []) if l not in a.get("checks", [])] + [f"+ {l}" for l in a.get("checks", []) if l not in expect.get("checks", [])]:
        print(f"#     {line}")
sys.exit(bool(wrong))
