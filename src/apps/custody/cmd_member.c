/* custody member add, ls, revoke: who may be sealed for. */
#include "apps/custody/app.h"

struct change {
    struct cu_age_recipient recipient;
    uint64_t since, party;
    struct cu_outcome outcome;
};

static void tell(struct run *run, const char *what, const struct change *c)
{
    struct cu_json j = cu_json_on(&run->out);

    if (run->json) {
        cu_json_open(&j, NULL, '{');
        cu_json_hash(&j, "id", &c->outcome.id);
        if (c->party) cu_json_uint(&j, "party", c->party);
        cu_json_time(&j, "time", c->outcome.closed);
        cu_json_close(&j, '}');
    } else {
        cu_buf_addf(&run->out, "%s ", what);
        put_printable(&run->out, cu_span_str(run->args[0]));
        cu_buf_add_str(&run->out, ", recorded ");
        put_time(&run->out, c->outcome.closed);
    }
    cu_buf_add_str(&run->out, "\n");
}

static cu_status add(struct session *s, void *arg, struct cu_err *err)
{
    struct change *c = arg;

    return cu_member_add(&s->place, cu_span_str(s->run->args[0]), &c->recipient, opt_span(s->run, "note"), &c->party, &c->outcome,
                         err);
}

static cu_status go_add(struct run *run, struct cu_err *err)
{
    struct change c = { 0 };

    ENSURE(opt(run, "recipient"), err, CU_USAGE, "say for which key: --recipient age1…, as `age-keygen` prints it");
    TRY(cu_age_recipient_read(opt_span(run, "recipient"), &c.recipient, err));
    TRY(in_session(run, MODE_WRITE, add, &c, err));
    tell(run, "sealed content can now be for", &c);
    return CU_OK;
}

static cu_status revoke(struct session *s, void *arg, struct cu_err *err)
{
    struct change *c = arg;

    return cu_member_revoke(&s->place, cu_span_str(s->run->args[0]), c->since, opt_span(s->run, "note"), &c->outcome, err);
}

static cu_status go_revoke(struct run *run, struct cu_err *err)
{
    struct change c = { .since = CU_NOT_COMPROMISED };

    if (opt_is(run, "compromised-since")) TRY(number_read("entry", opt(run, "compromised-since"), INT64_MAX - 1, &c.since, err));
    TRY(in_session(run, MODE_WRITE, revoke, &c, err));
    tell(run, "revoked: nothing is sealed any more for the key of", &c);
    return CU_OK;
}

static const char *role_name(uint64_t role)
{
    return role == CU_ROLE_DEPOSITOR  ? "depositor"
           : role == CU_ROLE_PROVIDER ? "provider"
           : role == CU_ROLE_READER   ? "reader"
                                      : "organisation";
}

static void put_party(struct run *run, const struct cu_membership *m, const struct cu_member_party *party)
{
    const struct cu_member_key *key = cu_members_sealing(&m->members, party->id);
    uint8_t mem[80];
    struct cu_buf recipient = cu_buf_over(mem, sizeof mem);
    struct cu_json j = cu_json_on(&run->out);

    if (key) {
        struct cu_age_recipient it;
        memcpy(it.share, key->pub.bytes, sizeof it.share);
        cu_age_recipient_put(&recipient, &it);
    }
    if (run->json) {
        cu_json_open(&j, NULL, '{');
        cu_json_uint(&j, "party", party->id);
        cu_json_str(&j, "role", role_name(party->role));
        cu_json_uint(&j, "organisation", party->organisation);
        cu_json_text(&j, "name", cu_membership_name(m, party->id));
        if (key) cu_json_text(&j, "recipient", cu_buf_span(&recipient));
        cu_json_close(&j, '}');
    } else {
        cu_buf_addf(&run->out, "%3llu  %-13s", LLU(party->id), role_name(party->role));
        put_printable(&run->out, cu_membership_name(m, party->id));
        cu_buf_add_str(&run->out, key ? "  " : "");
        cu_buf_add(&run->out, cu_buf_span(&recipient));
    }
    cu_buf_add_str(&run->out, "\n");
}

static cu_status list(struct session *s, void *arg, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };

    (void)arg;
    TRY(cu_membership_read(&s->place, &m, err));
    for (uint64_t id = 1; id <= m.members.parties_n; id++) put_party(s->run, &m, cu_members_party(&m.members, id));
    return CU_OK;
}

static cu_status go_ls(struct run *run, struct cu_err *err) { return in_session(run, MODE_READ, list, NULL, err); }

const struct command command_member_add = {
    .name = "member add",
    .args = "NAME --recipient KEY",
    .line = "enrol a reader, or a sealing key of a party",
    .help = "Records for which key content can be sealed for NAME: an age recipient, as `age-keygen` prints it. A name that no "
            "party has is a new reader of the organisation, whose statement key vouches for it; for a party that has a statement "
            "key, that key "
            "must be here and vouches. A second key takes the place of the first. Names are kept in the details, not in the "
            "public log.",
    .args_min = 1,
    .args_max = 1,
    .go = go_add,
    .options = { { "recipient", "KEY", "age1…" }, { "note", "TEXT", "anything else" } },
};
const struct command command_member_ls = {
    .name = "member ls",
    .args = "",
    .line = "list the parties and readers",
    .help = "Lists who takes part, in which role, and the key for which content can be sealed for them.",
    .args_max = 0,
    .go = go_ls,
};
const struct command command_member_revoke = {
    .name = "member revoke",
    .args = "NAME",
    .line = "revoke a sealing key",
    .help = "Nothing is sealed any more for the key that NAME has now. What was sealed for it before can still be opened with "
            "it: revoking takes "
            "nothing back. With --compromised-since it is on record since when others may have been able to.",
    .args_min = 1,
    .args_max = 1,
    .go = go_revoke,
    .options = { { "compromised-since", "ENTRY", "the position in the log since which others may hold the key" },
                 { "note", "TEXT", "why" } },
};
