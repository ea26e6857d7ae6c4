# Help, manual pages and completion come from the table of commands: each command has all three, and groff has nothing to say against a page.
BIN=${CUSTODY_BIN:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/bin}
[ -x "$BIN/custody" ] || { echo "ok - manual pages # SKIP the program is not built"; exit 77; }
PATH=$BIN:$PATH
failed=0
check() { local text=$1; shift; if "$@"; then echo "ok - $text"; else echo "not ok - $text"; failed=1; fi; }

commands=$(custody help | sed -n '/^Exit codes/q; s/^  \([a-z][a-z -]*[a-z]\)   *.*/\1/p' | sed 's/  .*//')
page() { custody help --man $1; }
has_sections() { local p; p=$(page "$1") && for s in NAME SYNOPSIS DESCRIPTION OPTIONS '"EXIT STATUS"'; do grep -qF ".SH $s" <<<"$p" || return 1; done; }
has_options() { # every option that the help text lists stands in the page
    local p o
    p=$(page "$1" | sed 's/\\-/-/g')
    for o in $(custody help $1 | grep -oE '^  --[a-z0-9-]+'); do grep -qF -- "\\fB$o\\fR" <<<"$p" || return 1; done
}
well_formed() { local said; said=$(page "$1" | groff -k -man -Tutf8 -ww -z 2>&1) && [ -z "$said" ] || { printf '#   %s\n' "$said"; return 1; }; }

check "the help lists a good number of commands" [ "$(wc -l <<<"$commands")" -ge 20 ]
while read -r c; do
    check "custody $c has a manual page with every section" has_sections "$c"
    check "custody $c's page names every option of its help" has_options "$c"
    if command -v groff >/dev/null; then check "custody $c's page is well formed" well_formed "$c"; fi
done <<<"$commands"
check "custody(1) lists every command" [ "$(custody help --man | grep -c '^\\fB')" = "$(wc -l <<<"$commands")" ]
parses() { custody completion "$1" | "$2" -n; }
check "bash can read its completion" parses bash bash
offers_all() { local c; while read -r c; do custody completion bash | grep -qw -- "${c%% *}" || return 1; done <<<"$commands"; }
check "the completion of bash offers every first word" offers_all
command -v fish >/dev/null && check "fish can read its completion" parses fish fish
check "a shell that is not known is refused" bash -c '! custody completion tcsh 2>/dev/null'
exit $failed
