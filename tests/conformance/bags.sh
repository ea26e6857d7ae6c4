# Exported cases, good and tampered with in every way that there is a rule for, and mutations of them: known verdicts, and every line, verdict
# and sentence the same from each implementation.      bags.sh [SEED [MUTATIONS]]
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
seed=${1:-$RANDOM}
mutations=${2:-$([ "${CUSTODY_SANITIZED:-OFF}" = ON ] && echo 10 || echo 50)}
judge=$BUILD/bin/judge_batch
page=$SOURCE/build/web/judge.mjs
export PYTHONDONTWRITEBYTECODE=1
[ -x "$judge" ] && [ -x "$BIN/custody" ] || { skip bags "$judge is not built"; leave; }
if [ -f "$page" ] && command -v node >/dev/null; then
    python3 "$here/bag_cases.py" "$SCRATCH" "$seed" "$mutations" "$judge" --bags -- node "$page" --bags || FAILED=1
else
    skip "the page's verifier says the same of packages" "$page or node is not there"
    python3 "$here/bag_cases.py" "$SCRATCH" "$seed" "$mutations" "$judge" --bags || FAILED=1
fi
done_testing
