/* custody import: a package of another ledger becomes a deposit of this one, its receipts verified first. */
#include "adapters/archive/archive.h"
#include "apps/common/verify_request.h"
#include "apps/custody/app.h"
#include "court/import.h"

#include <sys/stat.h>
#include <unistd.h>

#define WORDS_BYTES ((size_t)32 << 20)

static void close_package(struct cu_package *p)
{
    if (p->close) p->close(p->self);
}

static cu_status import(struct session *s, void *arg, struct cu_err *err)
{
    CU_CLEANUP(close_package) struct cu_package package = { 0 };
    CU_BUF words = cu_buf_heap(WORDS_BYTES), trust = cu_buf_heap(CU_TRUST_MAX);
    struct deposit_output output = deposit_output_of(s);
    struct run *run = s->run;
    struct stat st;
    uint8_t *scratch = arg;
    char from[4096];

    if (s->url) TRY(afar_carriers(s, false, err));
    if (opt(run, "trust")) TRY(read_argument_file(opt(run, "trust"), CU_TRUST_MAX, &trust, err));
    TRY(open_bag(run->args[0], &s->place.source, cu_zip_open, &package, err));
    const struct cu_import_request r = {
        .judge = { .package = &package,
                   .trust_text = cu_buf_span(&trust),
                   .progress = s->place.progress,
                   .verifier = &s->place.verifier,
                   .scratch = scratch,
                   .path = run->args[0] },
        .is_file = stat(run->args[0], &st) == 0 && S_ISREG(st.st_mode),
        .deposit = { .case_name = opt_span(run, "case"),
                     .label = opt_span(run, "exhibit"),
                     .note = opt_span(run, "note"),
                     .from = getcwd(from, sizeof from),
                     .wait_ms = 1000 * (uint64_t)WAIT_S },
    };
    int verified = 0;
    const cu_status done = cu_import(&s->place, &r, &words, &verified, tell_deposited, &output, err);
    progress_end(s);
    if (done != CU_OK || verified != 0) say(run, "%.*s\n", (int)words.n, (const char *)words.p);
    TRY(done);
    run->exit = verified;
    ENSURE(verified == 0, err, verified == 2 ? CU_BAD_HASH : CU_UNTRUSTED, "%s does not verify: nothing was deposited",
           run->args[0]);
    if (!trust.n)
        say(run,
            "whose ledger it is was judged by the package's own trust file: compare its network id, or name one with --trust\n");
    if (output.missing) run->exit = cu_status_exit(CU_COPIES_MISSING);
    return CU_OK;
}

static cu_status go_import(struct run *run, struct cu_err *err)
{
    uint8_t *scratch = malloc(CU_VERIFY_SCRATCH);

    ENSURE(scratch, err, CU_NO_MEMORY, "out of memory");
    const cu_status done = in_session(run, MODE_WRITE, import, scratch, err);
    free(scratch);
    return done;
}

const struct command command_import = {
    .name = "import",
    .args = "DIR|FILE.zip",
    .line = "a package of another ledger becomes evidence of this one",
    .help = "Verifies a package that `custody export` made, every file and receipt, and deposits it as it is, so that the "
            "earlier receipts "
            "are kept and stay provable; the details name each deposit that it holds, and `show` lists them. A package that does "
            "not verify is not deposited.",
    .args_min = 1,
    .args_max = 1,
    .go = go_import,
    .options = { { "case", "C", "the case that it belongs to" },
                 { "trust", "FILE", "the trust file of the ledger that it comes from (by default the one in the package)" },
                 { "exhibit", "LABEL", "the exhibit's label on paper" },
                 { "note", "TEXT", "a note, kept with the deposit" },
                 { "provider", "URL", "of a ledger behind an address: who takes the bytes, unless its node names somebody" },
                 { "receipts", "DIR", "where the receipt is written (by default receipts/ of the ledger)" } },
};
