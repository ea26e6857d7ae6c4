# The demos, from beginning to end: every command in them ends as it should.
SOURCE=${CUSTODY_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILD=${CUSTODY_BUILD:-$SOURCE/build/release}
[ -x "$BUILD/bin/insider" ] || { echo "ok - the demos # SKIP the programs are not built"; exit 77; }
SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT
failed=0

# demo NAME NEEDED…: skipped where what it needs is not installed.
demo() {
    local name=$1
    shift
    for needed in "$@"; do
        [ -e "$needed" ] || { echo "ok - tools/$name runs to its end # SKIP $needed is not there (tools/setup demo)"; return; }
    done
    if "$SOURCE/tools/$name" "$SCRATCH/$name" >"$SCRATCH/said" 2>&1; then
        echo "ok - tools/$name runs to its end"
    else
        echo "not ok - tools/$name runs to its end"
        tail -n 40 "$SCRATCH/said" | sed 's/^/#   /'
        failed=1
    fi
}
demo demo /usr/share/forensics-samples/fs.ext4.xz
demo demo-court /usr/share/forensics-samples/original-files /usr/bin/chromium "$SOURCE/build/bin/verify.html"
demo demo-cloud /usr/share/forensics-samples/original-files "$SOURCE/build/tools/bin/versitygw" /usr/bin/age-keygen
demo demo-network /usr/share/forensics-samples/original-files "$SOURCE/build/tools/bin/cometbft" /usr/bin/jq
exit $failed
