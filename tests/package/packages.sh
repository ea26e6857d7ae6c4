# The packages in a clean Debian: they install with what they depend on and nothing else, their services start by their own ExecStart lines,
# and systemd finds nothing to object to.
. "$(dirname "$0")/../conformance/lib.sh"
NAME=packages
leave_out() { skip "$NAME" "$1"; leave; }
[ "$(id -u)" = 0 ] || leave_out "a clean root is made by root"
for program in mmdebstrap dpkg-shlibdeps systemd-analyze unshare; do command -v $program >/dev/null || leave_out "$program is not installed: run tools/setup package"; done
[ "${CUSTODY_SANITIZED:-OFF}" = OFF ] || leave_out "packages are made of the release build"

passes "the packages are made" "$SOURCE/tools/package"
DEBS=$SOURCE/build/package
ROOT=$SCRATCH/root
mmdebstrap --quiet --variant=minbase --customize-hook="mkdir -p \"\$1/debs\" && cp '$DEBS'/custody_*.deb '$DEBS'/custody-server_*.deb '$DEBS'/custody-verify_*.deb \"\$1/debs\"" \
    --customize-hook='chroot "$1" sh -c "apt-get install -y --no-install-recommends /debs/*.deb"' bookworm "$ROOT" >"$SCRATCH/made" 2>&1 ||
    { grep -q '^Setting up custody' "$SCRATCH/made" || ! grep -qE 'Failed to fetch|Could not resolve|Unable to connect' "$SCRATCH/made" || leave_out "Debian's packages are not to be had here"
        not_ok "the packages install in a clean Debian"; sed 's/^/#   /' "$SCRATCH/made" | tail -n 20; exit 1; }
ok "the packages install in a clean Debian, with what they depend on"

# inside COMMAND…: there, with /proc and /dev of its own mounts, which end with it.
become() { exec unshare --mount sh -c 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && root=$0 && exec chroot "$root" "$@"' "$ROOT" "$@"; }
inside() { (become "$@"); }
passes "the program runs" inside custody --version
passes "its parts are found: it sets a page" inside sh -c 'cd /tmp && custody init L --name Wu >/dev/null && cd L && echo evidence >e && custody deposit e >/dev/null && custody certificate unfiled/1 -o c.html && test -s c.html'
refuses "what it only recommends it names: a font for pages in Chinese" inside sh -c 'cd /tmp/L && custody certificate unfiled/1 -o c.pdf'
passes "the verifier judges a receipt" inside sh -c 'cd /tmp/L && custody-verify --trust trust/ledger.trust receipts/*.tlog-proof e'
passes "its manual page is there" test -s "$ROOT/usr/share/man/man1/custody-node.1.gz"

for unit in "$ROOT"/usr/lib/systemd/system/custody-*.service; do
    name=$(basename "$unit" .service)
    passes "$name: systemd judges its exposure 1.5 or less" systemd-analyze security --offline=true --threshold=15 --no-pager "$unit"
    passes "$name: it runs as nobody in particular, and may nothing" grep -qx 'DynamicUser=yes' "$unit"
    passes "$name: what it asks for is there" test -f "$ROOT$(sed -n 's/^LoadCredential=[a-z]*://p' "$unit")"
done

# The node, by its own line: its ledger is made, its passphrase handed over as systemd would.
start=$(sed -n 's/^ExecStart=//p' "$ROOT/usr/lib/systemd/system/custody-node.service")
printf 'correct horse\n' >"$ROOT/etc/custody/node.passphrase"
mkdir -p "$ROOT/run/credentials/custody-node.service" "$ROOT/var/lib/custody-node"
cp "$ROOT/etc/custody/node.passphrase" "$ROOT/run/credentials/custody-node.service/passphrase"
sed -i 's/127.0.0.1:8714/127.0.0.1:0/' "$ROOT/etc/custody/node.toml"
passes "a ledger is made for it" inside custody init /var/lib/custody-node/ledger --passphrase-file /etc/custody/node.passphrase
# shellcheck disable=SC2086
become $start >"$SCRATCH/said" 2>"$SCRATCH/log" &
node=$!
for _ in $(seq 100); do grep -q '^listening' "$SCRATCH/said" && break; sleep 0.1; done
url=$(awk '/^listening/ { print $2 }' "$SCRATCH/said")
equals "it is well" "$(curl -s -m 10 "$url/healthz")" ok
equals "and ready" "$(curl -s -m 10 "$url/readyz")" ok
passes "it confined itself" grep -q '^confined .*seccomp' "$SCRATCH/said"
kill "$node"
wait "$node"
equals "it ends when it is told to" $? 0
# The keys' passphrase is not what another file says.
printf 'wrong\n' >"$ROOT/run/credentials/custody-node.service/passphrase"
# shellcheck disable=SC2086
refuses "with a wrong passphrase it does not start" inside $start
passes "the packages go, and leave the ledger" sh -c "chroot '$ROOT' apt-get purge -y custody custody-server >/dev/null 2>&1 && test -f '$ROOT/var/lib/custody-node/ledger/format' && ! test -e '$ROOT/usr/bin/custody'"
done_testing
