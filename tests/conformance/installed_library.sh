# libcustody as somebody else meets it: installed, found by pkg-config, linked by a program that is not in this build.
. "$(dirname "$0")/lib.sh"
PREFIX=$SCRATCH/prefix
export PKG_CONFIG_PATH=$PREFIX/lib/pkgconfig LD_LIBRARY_PATH=$PREFIX/lib

passes "it installs below a prefix" cmake --install "$BUILD" --prefix "$PREFIX" --component library
for header in "$PREFIX"/include/custody/*.h; do
    name=custody/$(basename "$header")
    printf '#include <%s>\nint main(void) { return 0; }\n' "$name" >"$SCRATCH/one.c"
    passes "$name stands by itself" gcc -std=gnu17 -Wall -Wextra -Werror -fsyntax-only -I"$PREFIX/include" "$SCRATCH/one.c"
done

# What is exported is what the headers declare.
exported=$(nm -D --defined-only "$PREFIX/lib/libcustody.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort)
declared=$(sed -n 's/^    \(cu_[a-z0-9_]*\);$/\1/p' "$BUILD/custody.map" | sort)
equals "nothing is exported that no header declares" "$(comm -23 <(echo "$exported") <(echo "$declared"))" ""
equals "the shared library carries its version in its name" "$(objdump -p "$PREFIX/lib/libcustody.so" | awk '/SONAME/ { print $2 }')" libcustody.so.0

if [ "${CUSTODY_SANITIZED:-OFF}" = ON ]; then # the example is for a library without a sanitizer's needs
    done_testing
fi
# shellcheck disable=SC2046
passes "the example is built against the shared library" gcc -std=gnu17 -Wall -Wextra -Werror "$SOURCE/examples/verify_receipt.c" \
    $(pkg-config --cflags --libs custody) -o "$SCRATCH/verify"
# shellcheck disable=SC2046
passes "and against the static one" gcc -std=gnu17 "$SOURCE/examples/verify_receipt.c" \
    -Wl,-Bstatic $(pkg-config --cflags --libs custody) -Wl,-Bdynamic $(pkg-config --libs --static libcrypto) -pthread -o "$SCRATCH/verify-static"

make_ledger
for program in verify verify-static; do
    exits 0 "$program accepts a good receipt" "$SCRATCH/$program" "$SCRATCH/L/trust/ledger.trust" "$SCRATCH/R/C1-1.tlog-proof"
    sed 's/^index .*/index 1/' "$SCRATCH/R/C1-1.tlog-proof" >"$SCRATCH/bad"
    exits 2 "$program refuses it with another index" "$SCRATCH/$program" "$SCRATCH/L/trust/ledger.trust" "$SCRATCH/bad"
done
done_testing
