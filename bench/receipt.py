#!/usr/bin/env python3
"""Row `receipt`: how large a receipt is, and how long judging it takes, warm and as a process of its own."""
import statistics

from measure import BUILD, CUSTODY, VERIFY, fresh, machine, run

PROCESSES = 200


def main() -> None:
    where = fresh("ledger")
    ledger, evidence = where / "L", where / "evidence.bin"
    evidence.write_bytes(bytes(range(256)) * 4000)
    run([CUSTODY, "init", ledger])
    run([CUSTODY, "case", "open", "BENCH", "--ledger", ledger])
    run([CUSTODY, "deposit", "--ledger", ledger, "--case", "BENCH", "--receipts", where, evidence])
    trust, receipt = ledger / "trust" / "ledger.trust", where / "BENCH-1.tlog-proof"
    print("\na receipt: one deposit, its copies, its signers, its blocks")
    print(run([BUILD / "release" / "bin" / "bench_receipt", trust, receipt])[2], end="")
    for name, command in [("custody-verify, receipt alone", [receipt]), ("custody-verify, receipt and 1 MB file", [receipt, evidence])]:
        seconds = statistics.median(run([VERIFY, "--trust", trust, *command])[0] for _ in range(PROCESSES))
        print(f"  {name:<52} {seconds * 1e3:10.2f}  ms a process, started and ended")
    seconds = statistics.median(run(["/bin/true"])[0] for _ in range(PROCESSES))
    print(f"  {'limit: a process that does nothing':<52} {seconds * 1e3:10.2f}  ms")
    print(f"  custody-verify is {VERIFY.stat().st_size / 1e6:.2f} MB; {machine()}")


main()
