/* custody correct, custody void, custody grant: nothing is edited; a further statement points back. */
#include "apps/custody/app.h"

static void tell(struct run *run, const char *what, const struct cu_outcome *outcome)
{
    struct cu_json j = cu_json_on(&run->out);

    if (!run->json) {
        cu_buf_addf(&run->out, "%s recorded ", what);
        put_time(&run->out, outcome->closed);
        cu_buf_add_str(&run->out, " as ");
        put_short_id(&run->out, &outcome->id);
        cu_buf_add_str(&run->out, "\n");
        return;
    }
    cu_json_open(&j, NULL, '{');
    cu_json_hash(&j, "id", &outcome->id);
    cu_json_hash(&j, "leaf", &outcome->leaf);
    cu_json_time(&j, "time", outcome->closed);
    cu_json_close(&j, '}');
    cu_buf_add_str(&run->out, "\n");
}

static cu_status correct(struct session *s, void *outcome, struct cu_err *err)
{
    return cu_correct(&s->place, cu_span_str(s->run->args[0]), opt_span(s->run, "text"), outcome, err);
}

static cu_status go_correct(struct run *run, struct cu_err *err)
{
    struct cu_outcome outcome;

    ENSURE(opt(run, "text"), err, CU_USAGE, "say what is right: --text TEXT");
    TRY(in_session(run, MODE_WRITE, correct, &outcome, err));
    tell(run, "correction", &outcome);
    return CU_OK;
}

struct voiding {
    uint64_t serial;
    cu_hash claim;
    bool has_claim;
    struct cu_outcome outcome;
};

static cu_status give_up(struct session *s, void *arg, struct cu_err *err)
{
    struct voiding *v = arg;

    return cu_void_serial(&s->place, v->serial, v->has_claim ? &v->claim : NULL, opt_span(s->run, "reason"), &v->outcome, err);
}

static cu_status go_void(struct run *run, struct cu_err *err)
{
    struct voiding v = { .has_claim = opt_is(run, "id") };

    ENSURE(opt(run, "reason"), err, CU_USAGE, "say why: --reason TEXT");
    TRY(number_read("serial", run->args[0], INT64_MAX, &v.serial, err));
    if (v.has_claim) TRY(cu_hex_read(opt_span(run, "id"), v.claim.b, sizeof v.claim.b, err));
    TRY(in_session(run, MODE_WRITE, give_up, &v, err));
    tell(run, "void", &v.outcome);
    return CU_OK;
}

static cu_status grant(struct session *s, void *outcome, struct cu_err *err)
{
    CU_CLEANUP(cu_identities_free) struct cu_identities by = { 0 };

    TRY(identities_read(s, &by, err));
    return cu_grant(&s->place, cu_span_str(s->run->args[0]), opt_span(s->run, "to"), opt_span(s->run, "note"), &by, outcome, err);
}

static cu_status go_grant(struct run *run, struct cu_err *err)
{
    struct cu_outcome outcome;

    ENSURE(opt(run, "to"), err, CU_USAGE, "say to whom: --to MEMBER[,MEMBER…]; `custody member ls` lists them");
    TRY(in_session(run, MODE_WRITE, grant, &outcome, err));
    tell(run, "grant", &outcome);
    return CU_OK;
}

struct disclosing {
    struct cu_outcome outcome;
    uint64_t n;
};

static cu_status disclose(struct session *s, void *arg, struct cu_err *err)
{
    struct disclosing *d = arg;
    const struct cu_disclose_request r = { .names = (const char *const *)s->run->args,
                                           .n = (size_t)s->run->args_n,
                                           .recipient = opt_span(s->run, "to"),
                                           .purpose = opt_span(s->run, "purpose"),
                                           .authority = opt_span(s->run, "authority") };

    return cu_disclose(&s->place, &r, &d->outcome, &d->n, err);
}

static cu_status go_disclose(struct run *run, struct cu_err *err)
{
    struct disclosing d = { .n = 0 };
    char what[64];

    ENSURE(opt(run, "to"), err, CU_USAGE, "say to whom: --to MEMBER; `custody member ls` lists them");
    TRY(in_session(run, MODE_WRITE, disclose, &d, err));
    snprintf(what, sizeof what, "disclosure of %llu exhibit%s", LLU(d.n), d.n == 1 ? "" : "s");
    tell(run, what, &d.outcome);
    return CU_OK;
}

const struct command command_correct = {
    .name = "correct",
    .args = "ID --text TEXT",
    .line = "record what was said wrong, and what is right",
    .help = "Records a correction of an exhibit or entry. Nothing is edited: what was said stays, and the correction stands "
            "beside it in show and trail.",
    .args_min = 1,
    .args_max = 1,
    .go = go_correct,
    .options = { { "text", "TEXT", "what was wrong and what is right" } },
};
const struct command command_void = {
    .name = "void",
    .args = "SERIAL --reason TEXT",
    .line = "give up a serial number that was signed and never recorded",
    .help = "Each claim of a depositor has a serial number, and an open one shows in every inventory. A number whose claim was "
            "lost, or is not to be used, is voided with a reason. Without --id that is final; with --id a deposit of that very "
            "claim still outranks it.",
    .args_min = 1,
    .args_max = 1,
    .go = go_void,
    .options = { { "reason", "TEXT", "why" }, { "id", "HEX", "the claim's id, all 64 digits" } },
};
const struct command command_disclose = {
    .name = "disclose",
    .args = "EXHIBIT|CASE… --to MEMBER",
    .line = "open exhibits to a member of another organisation",
    .help = "Records that these exhibits (of a case: all that it has now) are given to MEMBER, a party of this ledger or an "
            "organisation: from then on a node shows them to it, which else shows what is another organisation's to nobody but "
            "auditors. Only the organisation that a case belongs to, or that deposited an exhibit, opens it; of others it is on "
            "record, and opens nothing. What is sealed needs `custody grant`, too. It cannot be taken back.",
    .args_min = 1,
    .args_max = -1,
    .go = go_disclose,
    .options = { { "to", "MEMBER", "as `custody member ls` names it" },
                 { "purpose", "TEXT", "what for" },
                 { "authority", "TEXT", "on whose order" } },
};
const struct command command_grant = {
    .name = "grant",
    .args = "ID --to MEMBER[,MEMBER]",
    .line = "open a sealed exhibit to further readers",
    .help =
        "Records an entry that opens what was sealed to further members, by wrapping its keys for theirs; the stored bytes stay "
        "as "
        "they are. It takes a key that opens it: the organisation's, or one of --identity. Only its depositor says so, or the "
        "organisation that runs him. Of an exhibit that two must open, whoever has the first key alone opens it to those who "
        "have "
        "the second. A grant cannot be taken back.",
    .args_min = 1,
    .args_max = 1,
    .go = go_grant,
    .options = { { "to", "MEMBERS", "names with commas between" },
                 { "identity", "FILE", "keys that open what is sealed, as `age-keygen` writes them" },
                 { "note", "TEXT", "why; it is not sealed" } },
};
