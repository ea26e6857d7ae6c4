# The demo, from beginning to end: every command in it ends as it should.
SOURCE=${CUSTODY_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILD=${CUSTODY_BUILD:-$SOURCE/build/release}
[ -f /usr/share/forensics-samples/fs.ext4.xz ] || { echo "ok - the demo # SKIP its samples are not installed (tools/setup demo)"; exit 77; }
[ -x "$BUILD/bin/insider" ] || { echo "ok - the demo # SKIP the programs are not built"; exit 77; }
SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT
if "$SOURCE/tools/demo" "$SCRATCH/demo" >"$SCRATCH/said" 2>&1; then
    echo "ok - the demo runs to its end"
else
    echo "not ok - the demo runs to its end"
    tail -n 40 "$SCRATCH/said" | sed 's/^/#   /'
    exit 1
fi
