# What the programs are as files: the verifier stands alone and is small, the others carry the hardening that was asked for.
. "$(dirname "$0")/lib.sh"

# Rooms are separate archives, and a linker takes the first name that fits: two of one name would be one in some programs.
twice=$(for room in "$BUILD"/libcu_*.a; do nm --defined-only -g "$room" 2>/dev/null | awk '$2 ~ /^[TDRBC]$/ && $3 ~ /^cu_/ { print $3 }' | sort -u; done | sort | uniq -d)
equals "no name is defined in two rooms" "$twice" ""

[ -x "$BIN/custody" ] && [ -x "$BIN/custody-verify" ] || { skip binaries "the programs are not built"; leave; }
if [ "${CUSTODY_SANITIZED:-OFF}" = ON ]; then
    ok "a sanitized build is not what is handed out"
    done_testing
fi
# none TEXT PATTERN COMMAND… / some TEXT PATTERN COMMAND…
none() { local text=$1 pattern=$2; shift 2; if "$@" 2>/dev/null | grep -cE "$pattern" >/dev/null; then not_ok "$text"; else ok "$text"; fi; }
some() { local text=$1 pattern=$2; shift 2; if "$@" 2>/dev/null | grep -cE "$pattern" >/dev/null; then ok "$text"; else not_ok "$text"; fi; }

none "custody-verify asks for no interpreter and no library" 'INTERP|DYNAMIC' readelf -lW "$BIN/custody-verify"
none "it is stripped" '\.symtab' readelf -SW "$BIN/custody-verify"
none "nothing of the accelerator is in it" 'crypto_mb|_mb8' strings -a "$BIN/custody-verify"
size=$(stat -c %s "$BIN/custody-verify")
if [ "$size" -le $((8 << 20)) ]; then ok "it has at most 8 MB ($size bytes)"; else not_ok "it has $size bytes, more than 8 MB"; fi
exits 1 "it runs where there is nothing else, and says how it is used" env -i "$BIN/custody-verify"
for program in custody custody-verify; do
    none "the stack of $program is not executable" 'GNU_STACK.* RWE' readelf -lW "$BIN/$program"
    some "parts of $program become read-only after relocation" 'GNU_RELRO' readelf -lW "$BIN/$program"
done
some "custody may be loaded anywhere" 'DYN \(' readelf -hW "$BIN/custody"
some "custody binds everything when it starts" 'BIND_NOW|NOW' readelf -dW "$BIN/custody"
none "custody links no font engine" 'NEEDED.*(pango|cairo|glib|qrencode)' readelf -dW "$BIN/custody"
equals "it looks for custody-paper.so beside itself and in ../lib/custody, nowhere else" \
    "$(readelf -dW "$BIN/custody" | sed -n 's/.*RUNPATH.*\[\(.*\)\]/\1/p')" '$ORIGIN:$ORIGIN/../lib/custody'
some "custody guards its stack" '__stack_chk_fail' readelf --dyn-syms -W "$BIN/custody"
some "custody checks the lengths of its copies" '__[a-z]+_chk' readelf --dyn-syms -W "$BIN/custody"
done_testing
