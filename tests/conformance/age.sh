# Stock age opens what we seal, we open what it seals, and the published vectors are judged as they say.
. "$(dirname "$0")/lib.sh"
age_file=$BUILD/bin/age_file
python3 "$SOURCE/tests/conformance/age_testkit.py" "$age_file" "$SOURCE/tests/vectors/age" || FAILED=1

if ! command -v age >/dev/null; then
    skip "age, which is none of ours" "age is not installed: run tools/setup check"
    leave
fi
cd "$SCRATCH" || exit 1
passes "stock age-keygen makes two identities" bash -c 'age-keygen -o theirs && age-keygen -o second'
passes "we make one" bash -c "'$age_file' keygen >ours"
their=$(age-keygen -y theirs) second=$(age-keygen -y second)
equals "age-keygen reads ours, and finds the same recipient" "$(age-keygen -y ours)" "$(sed -n 's/^# public key: //p' ours)"
our=$(age-keygen -y ours)

passes "openssl's X25519 key is an identity of ours" bash -c "openssl genpkey -algorithm X25519 -out x.pem && '$age_file' unpem x.pem >from_openssl"
equals "whose recipient age-keygen finds to be openssl's public key" "$(age-keygen -y from_openssl)" "$(sed -n 's/^# public key: //p' from_openssl)"
passes "stock age seals for it, and with openssl's key we open" bash -c "echo hello | age -r \"\$(age-keygen -y from_openssl)\" | '$age_file' open from_openssl | grep -qx hello"
passes "stock age-keygen's identity becomes a key that openssl reads, and comes back" \
    bash -c "'$age_file' pem theirs >theirs.pem && openssl pkey -in theirs.pem -noout && '$age_file' unpem theirs.pem | grep -qxFf <(grep AGE theirs)"

for size in 0 1 65535 65536 65537 131072 200000 3000000; do
    head -c $size /dev/urandom >plain
    passes "$size bytes are sealed by us for two" bash -c "'$age_file' seal $their $our <plain >sealed"
    passes "stock age opens them" bash -c 'age -d -i theirs sealed | cmp - plain'
    passes "so does our identity in stock age's hands" bash -c 'age -d -i ours sealed | cmp - plain'
    passes "$size bytes are sealed by stock age for two" age -r "$second" -r "$our" -o by_age plain
    passes "we open them" bash -c "'$age_file' open ours <by_age | cmp - plain"
    passes "so does stock age's identity in our hands" bash -c "'$age_file' open second <by_age | cmp - plain"
    refuses "a stranger's opens nothing" bash -c "set -o pipefail; '$age_file' open theirs <by_age"
    passes "we grant what age sealed to a third" bash -c "'$age_file' grant ours $their <by_age >granted && tail -c $((16 + size)) by_age | cmp - <(tail -c $((16 + size)) granted)"
    passes "stock age opens it for him" bash -c 'age -d -i theirs granted | cmp - plain'
    refuses "and no longer for the second" age -d -i second granted
done

head -c 200000 /dev/urandom >plain
"$age_file" seal "$their" <plain >sealed
n=$(stat -c %s sealed)
for at in 30 100 180 220 100000 $((n - 1)); do
    cp sealed bad
    printf '%b' "\\x$(printf %02x $(($(od -An -tu1 -j "$at" -N 1 sealed) ^ 1)))" | dd of=bad bs=1 seek="$at" conv=notrunc status=none
    refuses "stock age refuses the bit that was flipped in byte $at" bash -c 'age -d -i theirs bad >/dev/null'
    refuses "so do we" bash -c "'$age_file' open theirs <bad >/dev/null"
done
for cut in $((n - 1)) $((n - 3000)) $((168 + 16 + 65552)) 150; do
    head -c "$cut" sealed >bad
    refuses "stock age refuses the first $cut bytes alone" bash -c 'age -d -i theirs bad >/dev/null'
    refuses "so do we" bash -c "'$age_file' open theirs <bad >/dev/null"
done
passes "stock age's armor" age -a -r "$our" -o armored plain
exits 1 "is refused by name" bash -c "'$age_file' open ours <armored >/dev/null"
done_testing
