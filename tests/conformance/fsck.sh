# Tessera's fsck, which is none of ours, re-derives every tile and the root from the entry bundles.
. "$(dirname "$0")/lib.sh"
need_tool fsck

fsck() { timeout "${PATIENCE:-120}" "$TOOLS/bin/fsck" --ui=false --storage_url="file://$1" --public_key="$2"; }

for size in 1 255 256 257 65535 65536 65537; do
    log=$SCRATCH/log-$size
    passes "a log of $size entries is written" "$BUILD/bin/make_log" "$size" "$log"
    passes "fsck accepts the log of $size entries" fsck "$log" "$log.vkey"
done

# fsck is worth asking: it does not accept what is damaged. (This version then waits for ever instead of saying so.)
PATIENCE=5
printf 'X' | dd of="$SCRATCH/log-257/tile/entries/000" bs=1 seek=20 conv=notrunc 2>/dev/null
refuses "fsck refuses the log of 257 with one byte of an entry changed" fsck "$SCRATCH/log-257" "$SCRATCH/log-257.vkey"
unset PATIENCE

make_ledger
for copy in node cloud; do
    passes "fsck accepts $copy/log of a ledger" fsck "$SCRATCH/L/$copy/log" "$SCRATCH/L/trust/log.vkey"
done

# The same over HTTP, as a stranger's client reads it; and with records that are not in tiles yet.
custody node --ledger "$SCRATCH/L" --listen 127.0.0.1:0 >"$SCRATCH/url" 2>"$SCRATCH/requests" &
node=$!
for _ in $(seq 100); do grep -q listening "$SCRATCH/url" && break; sleep 0.1; done
url=$(sed -n 's/^listening *//p' "$SCRATCH/url")
fsck_url() { timeout "${PATIENCE:-120}" "$TOOLS/bin/fsck" --ui=false --storage_url="$url/" --public_key="$SCRATCH/L/trust/log.vkey"; }
passes "fsck accepts the node's log over HTTP" fsck_url
"$BUILD/bin/sign_deposits" "$SCRATCH/L" C1 4 128 >"$SCRATCH/records"
passes "128 records more are submitted" curl -sf -H 'content-type: application/cbor-seq' --data-binary "@$SCRATCH/records" "$url/v1/submit"
passes "fsck accepts what was acknowledged a moment ago" fsck_url
passes "it asked for tiles and entries" grep -q '"route":"/tile/entries/{path}","status":200' "$SCRATCH/requests"
kill $node
wait $node
equals "the node ends in order" $? 0

# Over TLS, where entries are for members: fsck shows no certificate, but a member's token.
custody ca init --ledger "$SCRATCH/L" >/dev/null
rm "$SCRATCH/url"
custody node --ledger "$SCRATCH/L" --tls --listen 127.0.0.1:0 >"$SCRATCH/url" 2>"$SCRATCH/requests" &
node=$!
for _ in $(seq 100); do grep -q listening "$SCRATCH/url" && break; sleep 0.1; done
url=$(sed -n 's/^listening *//p' "$SCRATCH/url")
member=$(custody member ls --ledger "$SCRATCH/L" | awk '$2 == "depositor" { print $3 }')
token=$(custody ca token "$member" --ledger "$SCRATCH/L")
# This version ends with 0 whatever it found, and says what that was.
fsck_member() { ! SSL_CERT_FILE=$SCRATCH/L/tls/ca.pem timeout "${PATIENCE:-120}" "$TOOLS/bin/fsck" --ui=false --storage_url="$url/" --public_key="$SCRATCH/L/trust/log.vkey" --bearer_token="$1" 2>&1 | grep 'fsck failed'; }
passes "fsck accepts the node's log over TLS with a member's token" fsck_member "$token"
passes "it was known by it" grep -q '"role":"depositor".*"token":true.*"route":"/tile/entries/{path}","status":200' "$SCRATCH/requests"
equals "without one it does not" "$(fsck_member "" | grep -c 403)" 1
equals "a token that was tampered with reads no entries" "$(curl -s -o /dev/null -w '%{http_code}' --cacert "$SCRATCH/L/tls/ca.pem" -H "authorization: Bearer ${token%?}$(printf %s "${token: -1}" | tr 0-9a-f 1-9a-f0)" "$url/tile/entries/000.p/1")" 403
equals "a token reads the log and no details" "$(curl -s -o /dev/null -w '%{http_code}' --cacert "$SCRATCH/L/tls/ca.pem" -H "authorization: Bearer $token" "$url/v1/case")" 403
equals "and holds for the request that it came with" "$(curl -s -o /dev/null -w '%{http_code} ' --cacert "$SCRATCH/L/tls/ca.pem" -H "authorization: Bearer $token" "$url/tile/entries/000.p/1" --next -s -o /dev/null -w '%{http_code}' --cacert "$SCRATCH/L/tls/ca.pem" "$url/tile/entries/000.p/1")" "200 403"
kill $node
wait $node
done_testing
