# PyPI's cbor2, which is none of ours, judges our canonical CBOR, and we judge its.
. "$(dirname "$0")/lib.sh"
need_python cbor2

"$TOOLS/venv/bin/python" "$(dirname "$0")/cbor2_oracle.py" "$BUILD/bin/cbor_echo" 20000 || FAILED=1
done_testing
