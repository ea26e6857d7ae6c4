/* custody deposit, custody claim */
#include "apps/custody/app.h"

#include <unistd.h>

/* ---- the request, from the options ---- */
struct order {
    struct cu_deposit_request r;
    struct cu_expect expect;
    struct cu_buf details, list;
    struct cu_sealing sealing, second;
};

static void order_free(struct order *o)
{
    cu_expect_free(&o->expect);
    cu_buf_free(&o->details);
    cu_buf_free(&o->list);
}

static cu_status read_expect(struct run *run, struct order *o, struct cu_err *err)
{
    const char *given = opt(run, "expect");

    if (!given) return CU_OK;
    o->list = cu_buf_heap(CU_LIST_MAX);
    if (given[0] == '@') TRY(read_argument_file(given + 1, CU_LIST_MAX, &o->list, err));
    else cu_buf_add_str(&o->list, given);
    TRY(cu_expect_read(cu_buf_span(&o->list), given[0] == '@', &o->expect, err));
    o->r.expect = &o->expect;
    return CU_OK;
}

static cu_status read_digests(struct run *run, struct order *o, struct cu_err *err)
{
    struct cu_span names = opt_span(run, "digests"), name;

    while (names.n) {
        if (!cu_span_split(&names, ',', &name)) name = names, names.n = 0;
        const enum cu_digest_alg alg = cu_digest_by_name(name);
        ENSURE(alg, err, CU_USAGE, "--digests %.*s: known are sha256, sha512, sha1, md5, sm3", (int)name.n, (const char *)name.p);
        o->r.digests |= 1u << alg;
    }
    return CU_OK;
}

static cu_status read_profile(struct run *run, struct order *o, struct cu_err *err)
{
    const char *profile = opt(run, "profile"), *details = opt(run, "details");

    if (profile) {
        o->r.profile = cu_profile_by_name(cu_span_str(profile));
        ENSURE(o->r.profile == CU_PROFILE_PLAIN || o->r.profile == CU_PROFILE_POLICE_COLLECTION, err, CU_USAGE,
               "--profile %s: deposits have the profiles plain and police-collection", profile);
    }
    if (!details) return CU_OK;
    o->details = cu_buf_heap(CU_DETAILS_FILE_MAX);
    TRY(read_argument_file(details, CU_DETAILS_FILE_MAX, &o->details, err));
    o->r.details_text = cu_buf_span(&o->details);
    return CU_OK;
}

static cu_status read_order(struct run *run, struct order *o, struct cu_err *err)
{
    o->r.label = opt_span(run, "exhibit");
    o->r.note = opt_span(run, "note");
    TRY(read_expect(run, o, err));
    TRY(read_digests(run, o, err));
    return read_profile(run, o, err);
}

/* ---- a look before anything is signed ---- */
static cu_status preview_path(struct session *s, const struct order *o, const char *path, struct cu_err *err)
{
    struct cu_ingested in = { 0 };
    const struct cu_ingest look = { .source = &s->place.source, .digests = o->r.digests, .progress = s->place.progress };
    struct cu_buf *out = &s->run->out;

    TRY(cu_ingest_path(&look, path, &in, err));
    progress_end(s);
    cu_buf_add_str(out, "would deposit ");
    put_printable(out, cu_span_str(path));
    cu_buf_addf(out, "\n  case      %.*s\n  kind      %s\n  size      ",
                (int)(o->r.case_name.n ? o->r.case_name.n : strlen(CU_CASE_UNFILED)),
                o->r.case_name.n ? (const char *)o->r.case_name.p : CU_CASE_UNFILED,
                in.type == CU_CONTENT_FOLDER ? "folder" : "item");
    put_size(out, in.bytes);
    if (in.type == CU_CONTENT_FOLDER) put_items(out, in.folder.items);
    for (size_t i = 0; i < in.digests_n; i++) {
        cu_buf_addf(out, "\n  %-9s ", cu_digest_name(in.digest[i].alg));
        cu_hex_put(out, cu_span(in.digest[i].bytes, cu_digest_len(in.digest[i].alg)));
    }
    cu_buf_add_str(out, "\nnothing was stored, signed or recorded\n");
    cu_ingested_free(&in);
    return CU_OK;
}

static cu_status preview(struct session *s, void *order, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    const struct order *o = order;

    if (o->r.case_name.n) TRY(cu_lookup_case(&s->place, o->r.case_name, &found, err));
    for (int i = 0; i < s->run->args_n; i++) TRY(preview_path(s, o, s->run->args[i], err));
    return CU_OK;
}

/* ---- deposit ---- */
static cu_status deposit_claimed(struct session *s, const struct order *o, const char *claim, const char *path,
                                 struct deposit_output *output, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_RECORD_MAX);

    TRY(read_argument_file(claim, CU_RECORD_MAX, &file, err));
    return cu_deposit_claim(&s->place, &o->r, cu_buf_span(&file), path, tell_deposited, output, err);
}

static cu_status seal_for(struct session *s, struct order *o, struct cu_err *err)
{
    CU_BUF passphrase = cu_buf_heap(65536);
    cu_status ready = passphrase_of_keys(s, &passphrase, err);

    if (ready == CU_OK)
        ready = cu_sealing_for(&s->place, opt_span(s->run, "to"), opt_is(s->run, "to-others-only"), cu_buf_span(&passphrase),
                               &o->sealing, err);
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    if (ready == CU_OK && opt(s->run, "and"))
        ready = cu_sealing_second(&s->place, opt_span(s->run, "and"), &o->sealing, &o->second, err);
    o->r.seal = &o->sealing;
    return ready;
}

static cu_status deposit(struct session *s, void *order, struct cu_err *err)
{
    struct deposit_output output = deposit_output_of(s);
    struct order *o = order;

    char from[4096];
    uint64_t wait_s = WAIT_S;

    if (opt(s->run, "wait")) TRY(number_read("--wait", opt(s->run, "wait"), 1000000, &wait_s, err));
    if (s->url) TRY(afar_carriers(s, false, err));
    o->r.no_wait = opt_is(s->run, "no-wait");
    o->r.wait_ms = 1000 * wait_s;
    o->r.from = getcwd(from, sizeof from);
    if (opt_is(s->run, "seal")) TRY(seal_for(s, o, err));
    if (opt(s->run, "claim"))
        TRY(deposit_claimed(s, o, opt(s->run, "claim"), s->run->args_n ? s->run->args[0] : NULL, &output, err));
    else
        TRY(cu_deposit(&s->place, &o->r, (const char *const *)s->run->args, (size_t)s->run->args_n, tell_deposited, &output,
                       err));
    if (output.missing) s->run->exit = cu_status_exit(CU_COPIES_MISSING);
    return CU_OK;
}

static cu_status go_deposit(struct run *run, struct cu_err *err)
{
    CU_CLEANUP(order_free) struct order o = { 0 };

    ENSURE(run->args_n > 0 || opt(run, "claim"), err, CU_USAGE, "usage: custody deposit PATH… | --claim FILE [PATH]");
    ENSURE(run->args_n <= 1 || !opt(run, "claim"), err, CU_USAGE, "a claim is for one path");
    ENSURE(!opt_is(run, "seal") || !opt(run, "claim"), err, CU_USAGE,
           "what was claimed cannot be sealed any more: the claim was signed over the bytes as they are");
    ENSURE(opt_is(run, "seal") || !(opt(run, "to") || opt(run, "and") || opt_is(run, "to-others-only")), err, CU_USAGE,
           "--to and --and say for whom to --seal");
    o.r.case_name = opt_span(run, "case");
    TRY(read_order(run, &o, err));
    return opt_is(run, "dry-run") ? in_session(run, MODE_READ, preview, &o, err) : in_session(run, MODE_WRITE, deposit, &o, err);
}

/* ---- against a notice ---- */

/* The node of who asked accepts, as a provider does a depositor's. */
static cu_status to_who_asked(struct session *s, struct order *o, char from[4096], struct cu_err *err)
{
    o->r.wait_ms = 1000 * (uint64_t)WAIT_S;
    o->r.from = getcwd(from, 4096);
    return afar_carriers(s, true, err);
}

static cu_status answer(struct session *s, void *order, struct cu_err *err)
{
    struct deposit_output output = deposit_output_of(s);
    struct cu_notice_told notice;
    struct order *o = order;
    char from[4096];

    if (s->url) TRY(to_who_asked(s, o, from, err));
    TRY(cu_notice_find(&s->place, cu_span_str(s->run->args[0]), &notice, err));
    o->r.notice = &notice;
    if (s->run->args_n > 1)
        TRY(cu_deposit(&s->place, &o->r, (const char *const *)s->run->args + 1, (size_t)s->run->args_n - 1, tell_deposited,
                       &output, err));
    o->r.notice = NULL; /* it lies here */
    if (output.missing) s->run->exit = cu_status_exit(CU_COPIES_MISSING);
    if (opt_is(s->run, "more")) return CU_OK;
    return notice_answered(s, 0, err);
}

static cu_status go_answer(struct run *run, struct cu_err *err)
{
    CU_CLEANUP(order_free) struct order o = { 0 };

    ENSURE(run->args_n > 1 || !opt_is(run, "more"), err, CU_USAGE, "--more is said of PATHs: which of them?");
    TRY(read_order(run, &o, err));
    return in_session(run, MODE_WRITE, answer, &o, err);
}

static cu_status accept(struct session *s, void *order, struct cu_err *err)
{
    struct deposit_output output = deposit_output_of(s);
    struct order *o = order;
    struct run *run = s->run;
    char from[4096];

    if (s->url) TRY(to_who_asked(s, o, from, err));
    const cu_status accepted = deposit_claimed(s, o, run->args[0], run->args_n > 1 ? run->args[1] : NULL, &output, err);
    if (accepted == CU_OK && output.missing) run->exit = cu_status_exit(CU_COPIES_MISSING);
    return accepted;
}

static cu_status go_accept(struct run *run, struct cu_err *err)
{
    CU_CLEANUP(order_free) struct order o = { 0 };

    return in_session(run, MODE_WRITE, accept, &o, err);
}

/* ---- claim ---- */
static cu_status make_claim(struct session *s, void *order, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_RECORD_MAX);
    struct order *o = order;
    const struct run *run = s->run;
    struct cu_notice_told notice;
    char absolute[4200];
    const char *path = run->args[0];

    if (path[0] != '/' && strcmp(path, "-") != 0 && realpath(path, absolute))
        path = absolute; /* to be found again from elsewhere */
    TRY(session_load_signer(s, CU_SIGNER_DEPOSITOR, err));
    if (opt(run, "notice")) {
        TRY(session_load_signer(s, CU_SIGNER_PROVIDER, err));
        TRY(cu_notice_find(&s->place, opt_span(run, "notice"), &notice, err));
        o->r.notice = &notice;
    }
    const cu_status made = cu_claim_make(&s->place, &o->r, path, &file, err);
    o->r.notice = NULL; /* it lies here */
    TRY(made);
    progress_end(s);
    TRY(write_output_file(opt(run, "output"), cu_buf_span(&file), err));
    say(run, "signed; %s %s`\n",
        opt(run, "notice") ? "whoever asked takes it by `custody notice accept" : "send it later with `custody deposit --claim",
        opt(run, "output"));
    return CU_OK;
}

static cu_status go_claim(struct run *run, struct cu_err *err)
{
    CU_CLEANUP(order_free) struct order o = { 0 };

    ENSURE(opt(run, "output"), err, CU_USAGE, "name the claim file with -o FILE");
    ENSURE(strcmp(run->args[0], "-") != 0, err, CU_USAGE,
           "a claim is for a file or folder that can be read again when it is deposited");
    o.r.case_name = opt_span(run, "case");
    TRY(read_order(run, &o, err));
    return in_session(run, MODE_READ, make_claim, &o, err);
}

#define WHAT_IS_SAID                                                                                                             \
    { "case", "C", "the case it belongs to (by default `unfiled`)" },                                                            \
        { "exhibit", "LABEL", "the exhibit's label on paper, AP/1" }, { "note", "T", "a note, kept in the details" },            \
        { "expect", "ALG:HEX|@LIST",                                                                                             \
          "refuse unless the bytes have this digest (md5, sha1, sha256, sm3), or those of a list as sha256sum, hashdeep or FTK " \
          "write it" },                                                                                                          \
        { "digests", "ALG,…", "record further digests of an item: sha1, md5, sm3, sha512" },                                     \
        { "profile", "NAME", "plain, or police-collection" },                                                                    \
    {                                                                                                                            \
        "details", "FILE", "lines \"key: value\" with the fields of the profile"                                                 \
    }

const struct command command_deposit = {
    .name = "deposit",
    .args = "PATH… | --claim FILE [PATH]",
    .line = "deposit files or folders, and get receipts",
    .help = "Deposits each PATH (a file, a folder, or - for standard input) as an exhibit of its own: reads it once, keeps it in "
            "both stores, has depositor and provider sign, records it in the log, waits for the required copies, "
            "and writes a receipt that anybody can check offline.\n\nA file that changes while it is read is refused. Links in a "
            "folder are recorded, not followed. A block device is refused: image it first.\n\n"
            "With --seal nothing of it reaches a store readable: content, name, label, note and digests are sealed in the age "
            "format for "
            "the "
            "organisation's own key and for each --to. A folder is sealed as one tar file. With --and it takes two keys to open "
            "it, one of those and one of --and; "
            "`custody grant` by the first releases it to the second.\n\n"
            "By a node's address (--ledger URL, with --key for the member's own key) the claim is signed here, the bytes go to "
            "the provider, and "
            "its acceptance is judged here and handed to the node from here, too. Cut at any point, run the same again: it goes "
            "on where it "
            "was, with the same statement.\n\n"
            "Exit 3: recorded, but the required copies are not attested yet; do not give the original back.",
    .args_min = 0,
    .args_max = -1,
    .go = go_deposit,
    .options = { WHAT_IS_SAID,
                 { "claim", "FILE", "deposit under a claim that was signed before by `custody claim`" },
                 { "seal", NULL, "seal content and details before they leave" },
                 { "to", "MEMBER,…", "who can open it, beside the organisation: names as `custody member ls` lists them" },
                 { "and", "MEMBER,…", "it takes one of these, too, to open it: two keys, one of each" },
                 { "to-others-only", NULL, "not the organisation itself" },
                 { "receipts", "DIR", "where receipts are written (by default receipts/ of the ledger)" },
                 { "no-wait", NULL, "do not wait for copies and receipt; `custody receipt` gives it later" },
                 { "provider", "URL", "by a node's address: who takes the evidence (else whom the node names)" },
                 { "wait", "SECONDS", "by a node's address: how long for copies, and for the provider's answer (600)" },
                 { "dry-run", NULL, "read and show, sign and store nothing" } },
};
const struct command command_claim = {
    .name = "claim",
    .args = "PATH -o FILE",
    .line = "sign for a file or folder at the scene, offline",
    .help = "Reads PATH and signs a claim over its bytes, without a provider and without a network. `custody deposit --claim "
            "FILE` sends it later: the log then shows after which block it was signed and by when it was recorded.",
    .args_min = 1,
    .args_max = 1,
    .go = go_claim,
    .offline = true,
    .options = { WHAT_IS_SAID,
                 { "notice", "NOTICE", "the notice that it answers: the provider signs, and who asked accepts" },
                 { "output", "FILE", "where the claim is written" } },
};
const struct command command_notice_answer = {
    .name = "notice answer",
    .args = "NOTICE [PATH…] [--more]",
    .line = "deposit what a notice asks for, and say that it is the answer",
    .help = "Deposits each PATH against the notice: the provider's key claims, the key of the organisation that asked accepts, "
            "in the notice's case. Then the provider's "
            "answer is recorded, which counts every deposit made against the notice; its receipt shows notice, answer and both "
            "signatures. With --more the answer is left "
            "for later; without PATHs it is all that is said.",
    .args_min = 1,
    .args_max = -1,
    .go = go_answer,
    .options = { { "exhibit", "LABEL", "the exhibit's label on paper, AP/1" },
                 { "note", "T", "a note, kept in the details" },
                 { "expect", "ALG:HEX|@LIST", "refuse unless the bytes have this digest, or those of a list" },
                 { "digests", "ALG,…", "record further digests of an item: sha1, md5, sm3, sha512" },
                 { "profile", "NAME", "plain, or police-collection" },
                 { "details", "FILE", "lines \"key: value\" with the fields of the profile" },
                 { "more", NULL, "more deposits will follow: say nothing of an answer yet" },
                 { "receipts", "DIR", "where receipts are written (by default receipts/ of the ledger)" } },
};
const struct command command_notice_accept = {
    .name = "notice accept",
    .args = "CLAIM [PATH]",
    .line = "accept what a provider signed to answer a notice",
    .help = "Deposits under a claim that the provider signed by `custody claim --notice`: the bytes at PATH (where the claim "
            "says, if it is not given) are compared with "
            "what was claimed, kept, and accepted by the organisation's key. By a node's address they go to it, and it accepts.",
    .args_min = 1,
    .args_max = 2,
    .go = go_accept,
    .options = { { "receipts", "DIR", "where receipts are written (by default receipts/ of the ledger)" } },
};
