# What verification means: the known verdicts of tests/vectors/judge, and mutations of them by the thousand, judged by every
# implementation that is here and compared.      judge.sh [SEED [MUTATIONS]]
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
seed=${1:-$RANDOM}
mutations=${2:-$([ "${CUSTODY_SANITIZED:-OFF}" = ON ] && echo 500 || echo 10000)}
judge=$BUILD/bin/judge_batch
page=$SOURCE/build/web/judge.mjs
export PYTHONDONTWRITEBYTECODE=1

python=$TOOLS/venv/bin/python
"$python" -c "import ecdsa, cryptography" 2>/dev/null || python=python3
[ -x "$judge" ] || { skip judge "$judge is not built"; leave; }
python3 "$here/judge_check.py" "the C verifier" "$judge" || FAILED=1
if [ -f "$page" ] && command -v node >/dev/null; then
    python3 "$here/judge_check.py" "the page's verifier" node "$page" --batch || FAILED=1
    "$python" "$here/judge_mutate.py" "$seed" "$mutations" "$judge" -- node "$page" --batch || FAILED=1
else
    skip "the page's verifier comes to the same verdicts" "$page or node is not there"
    "$python" "$here/judge_mutate.py" "$seed" "$mutations" "$judge" || FAILED=1
fi
need_python ecdsa
passes "the cases can be made anew, byte for byte" "$TOOLS/venv/bin/python" "$SOURCE/tests/vectors/judge_make.py" "$judge" --check
done_testing
