/* custody init: a new ledger, ready to use. Asks nothing. */
#include "apps/custody/app.h"

#include <pwd.h>
#include <unistd.h>

static struct cu_span user_name(void)
{
    const struct passwd *pw = getpwuid(getuid());
    const char *name = pw ? pw->pw_name : getenv("USER");

    return cu_span_str(name && *name ? name : "depositor");
}

static struct cu_span folder_name(const char *dir)
{
    size_t n = strlen(dir), from;

    while (n > 1 && dir[n - 1] == '/') n--;
    for (from = n; from > 0 && dir[from - 1] != '/'; from--) continue;
    return cu_span(dir + from, n - from);
}

static void tell(struct session *s, const char *dir, struct cu_buf *out)
{
    cu_buf_addf(out, "A new evidence ledger lies in %s\n\n  network id  ", dir);
    put_network(out, &s->place.trust.network, 14);
    cu_buf_addf(out,
                "              its name for life, in hex and in words; tell it to readers by telephone or on paper, so that they "
                "can compare\n"
                "  to verify   %s/" CU_FILE_TRUST "\n"
                "              for courts and defenders: receipts are judged by it\n"
                "  keys        %s/" CU_DIR_KEYS "/\n"
                "              one party holds them all, and every verification says so\n\n"
                "Next:  cd %s && custody deposit FILE\n",
                dir, dir, dir);
}

static void tell_json(struct session *s, const char *dir, struct cu_buf *out)
{
    struct cu_json j = cu_json_on(out);

    cu_json_open(&j, NULL, '{');
    cu_json_str(&j, "ledger", dir);
    cu_tell_network(&j, &s->place.trust.network);
    cu_json_text(&j, "origin", cu_buf_span(&s->origin_mem));
    cu_json_str(&j, "trust", CU_FILE_TRUST);
    cu_json_close(&j, '}');
    cu_buf_add_str(out, "\n");
}

cu_status policy_read(struct run *run, struct cu_policy *io, struct cu_buf *mem, struct cu_err *err)
{
    io->has_retention = opt(run, "retention") != NULL;
    if (io->has_retention) TRY(number_read("--retention", opt(run, "retention"), CU_RETENTION_DAYS_MAX, &io->retention, err));
    ENSURE(!io->has_retention || io->retention > 0, err, CU_USAGE, "--retention: 1 to %d days; nothing was made",
           CU_RETENTION_DAYS_MAX);
    return cu_policy_seal_read(opt_span(run, "must-seal"), io, mem, err);
}

static cu_status go(struct run *run, struct cu_err *err)
{
    const char *dir = run->args[0];
    CU_BUF passphrase = cu_buf_heap(65536), seal = cu_buf_heap(4096);
    struct cu_policy asks = { .has_retention = false };
    struct session s;
    cu_status made, closed;

    TRY(passphrase_read(run, NULL, &passphrase, err));
    uint64_t age_ms = 0;
    if (opt(run, "accept-within")) TRY(duration_read("--accept-within", opt(run, "accept-within"), &age_ms, err));
    TRY(policy_read(run, &asks, &seal, err));
    struct cu_found_request r = {
        .name = opt(run, "title") ? opt_span(run, "title") : folder_name(dir),
        .who = opt(run, "name") ? opt_span(run, "name") : user_name(),
        .org = opt(run, "org") ? opt_span(run, "org") : cu_span_str("this organisation"),
        .provider = opt(run, "provider") ? opt_span(run, "provider") : cu_span_str("local cloud"),
        .passphrase = cu_buf_span(&passphrase),
        .acceptance_age = age_ms,
        .asks = asks,
    };
    made = session_create(&s, run, dir, &r, err);
    closed = session_close(&s, made == CU_OK ? err : NULL);
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    TRY(made);
    TRY(closed);
    TRY(cu_buf_ok(&run->out, err));
    return CU_OK;
}

static cu_status go_and_tell(struct run *run, struct cu_err *err)
{
    struct session s;
    const char *named = opt(run, "ledger");

    ENSURE(!named, err, CU_USAGE, "init takes the new folder as its argument, not --ledger");
    TRY(go(run, err));
    run->common[0] = run->args[0];
    TRY(session_open(&s, run, MODE_READ, err));
    if (run->json) tell_json(&s, run->args[0], &run->out);
    else tell(&s, run->args[0], &run->out);
    return session_close(&s, err);
}

const struct command command_init = {
    .name = "init",
    .args = "DIR",
    .line = "make a new ledger in an empty folder",
    .help = "Makes a new evidence ledger in DIR: keys, trust files, the first entries of its log, and a case `unfiled`. Asks "
            "nothing. "
            "With a passphrase (--passphrase-file or CUSTODY_PASSPHRASE) the private keys are encrypted with it.\n\n"
            "With --cloud the objects of the provider's store lie in an S3 bucket instead of cloud/objects. Who we are there "
            "comes from "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or from a file that the address names (credentials=/PATH); the ledger "
            "keeps "
            "the address, never a secret. retain=DAYS locks each object for so long, in a bucket with Object Lock.",
    .args_min = 1,
    .args_max = 1,
    .go = go_and_tell,
    .options = { { "name", "WHO", "the person who deposits (by default the user's name)" },
                 { "org", "ORG", "the organisation that runs this ledger" },
                 ORGANISATION_KEY,
                 { "accept-within", "TIME", "how long a claim may wait for its acceptance: 90s, 30m, 12h, 7d (if not given)" },
                 { "provider", "NAME", "what the store under cloud/ is called" },
                 { "cloud", "ADDRESS",
                   "a bucket for the provider's objects: s3://BUCKET/PREFIX?endpoint=URL&region=NAME&retain=DAYS" },
                 POLICY_OPTIONS,
                 { "title", "TEXT", "what people call the ledger (by default the folder's name)" } },
};
