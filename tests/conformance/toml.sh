# Python's own tomllib judges what we read of TOML.
. "$(dirname "$0")/lib.sh"

python3 "$(dirname "$0")/toml_oracle.py" "$BUILD/bin/toml_rows" 20000 || FAILED=1
done_testing
