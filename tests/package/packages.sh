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
    equals "$name: and knows every setting in it" "$(systemd-analyze security --offline=true --no-pager "$unit" 2>&1 | grep -i unknown)" ""
    passes "$name: it runs as nobody in particular, and may nothing" grep -qx 'DynamicUser=yes' "$unit"
    passes "$name: what it asks for is there" test -f "$ROOT$(sed -n 's/^LoadCredential=[a-z]*://p' "$unit")"
done

# Node and provider, by their own lines: their folders are made, their passphrases handed over as systemd would.
line_of() { sed -n 's/^ExecStart=//p' "$ROOT/usr/lib/systemd/system/custody-$1.service"; }
read -r NODE CLOUD < <(python3 -c 'import socket
s = [socket.socket() for _ in range(2)]
[x.bind(("127.0.0.1", 0)) for x in s]
print(*(x.getsockname()[1] for x in s))')
for name in node provider; do
    printf 'correct horse %s\n' $name >"$ROOT/etc/custody/$name.passphrase"
    mkdir -p "$ROOT/run/credentials/custody-$name.service" "$ROOT/var/lib/custody-$name"
    cp "$ROOT/etc/custody/$name.passphrase" "$ROOT/run/credentials/custody-$name.service/passphrase"
    sed -i "s/:8714/:$NODE/; s/:8715/:$CLOUD/" "$ROOT/etc/custody/$name.toml"
done
passes "a ledger is made for the node" inside custody init /var/lib/custody-node/ledger --passphrase-file /etc/custody/node.passphrase
passes "and a folder for the provider" inside custody provider init /var/lib/custody-provider/store --name Cloud \
    --pin-trust /var/lib/custody-node/ledger/trust/ledger.trust --passphrase-file /etc/custody/provider.passphrase
passes "which the ledger's keeper enrols" inside custody member approve /var/lib/custody-provider/store/enrol.request --ledger /var/lib/custody-node/ledger \
    --passphrase-file /etc/custody/node.passphrase
declare -A PID
for name in node provider; do
    # shellcheck disable=SC2046
    become $(line_of $name) >"$SCRATCH/$name.said" 2>"$SCRATCH/$name.log" &
    PID[$name]=$!
    for _ in $(seq 100); do grep -q '^listening' "$SCRATCH/$name.said" && break; sleep 0.1; done
    url=$(awk '/^listening/ { print $2 }' "$SCRATCH/$name.said")
    equals "$name: it is well" "$(curl -s -m 10 "$url/healthz")" ok
    equals "$name: and ready" "$(curl -s -m 10 "$url/readyz")" ok
    passes "$name: it confined itself" grep -q '^confined .*seccomp' "$SCRATCH/$name.said"
done
for name in provider node; do
    kill "${PID[$name]}"
    wait "${PID[$name]}"
    equals "$name: it ends when it is told to" $? 0
done
# The keys' passphrase is not what another file says.
printf 'wrong\n' >"$ROOT/run/credentials/custody-node.service/passphrase"
# shellcheck disable=SC2046
refuses "with a wrong passphrase the node does not start" inside $(line_of node)
passes "the packages go, and leave the ledger" sh -c "chroot '$ROOT' apt-get purge -y custody custody-server >/dev/null 2>&1 && test -f '$ROOT/var/lib/custody-node/ledger/format' && ! test -e '$ROOT/usr/bin/custody'"
done_testing
