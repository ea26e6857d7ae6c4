# Go's own reader of signed notes, which is none of ours, and we say the same of random and of damaged notes.
. "$(dirname "$0")/lib.sh"
need_tool note-open
need_python cryptography

"$TOOLS/venv/bin/python" "$(dirname "$0")/notes_oracle.py" "$TOOLS/bin/note-open" "$BUILD/bin/read_note" 10000 || FAILED=1
done_testing
