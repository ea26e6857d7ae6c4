#!/usr/bin/env python3
"""Row `verify`: signatures a second by OpenSSL, by lanes, and their limits; a receipt judged by a warm library."""
from measure import BUILD, CUSTODY, fresh, machine, run


def main() -> None:
    where = fresh("verify")
    ledger, evidence = where / "L", where / "evidence.bin"
    evidence.write_bytes(bytes(range(256)) * 4000)
    run([CUSTODY, "init", ledger])
    run([CUSTODY, "case", "open", "BENCH", "--ledger", ledger])
    run([CUSTODY, "deposit", "--ledger", ledger, "--case", "BENCH", "--receipts", where, evidence])
    print(run([BUILD / "release" / "bin" / "bench_verify", ledger / "trust" / "ledger.trust", where / "BENCH-1.tlog-proof"])[2], end="")
    print(f"  {machine()}, medians of 5 turns")


main()
