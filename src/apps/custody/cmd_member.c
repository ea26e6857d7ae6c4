/* custody member: who may say what in this ledger, and for whom content can be sealed. */
#include "apps/custody/app.h"

#include <unistd.h>

struct change {
    struct cu_age_recipient recipient;
    uint64_t since, party;
    unsigned purpose;
    bool rotate;
    struct cu_buf request, who;
    struct cu_outcome outcome;
};

static void tell(struct run *run, const char *what, struct cu_span who, const struct change *c)
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
        put_printable(&run->out, who);
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
    tell(run, "sealed content can now be for", cu_span_str(run->args[0]), &c);
    return CU_OK;
}

static cu_status read_since(struct run *run, struct change *c, struct cu_err *err)
{
    c->since = CU_NOT_COMPROMISED;
    return opt_is(run, "compromised-since") ? number_read("entry", opt(run, "compromised-since"), INT64_MAX - 1, &c->since, err)
                                            : CU_OK;
}

static cu_status revoke_keys(struct session *s, void *arg, struct cu_err *err)
{
    struct change *c = arg;

    return cu_member_revoke(&s->place, cu_span_str(s->run->args[0]), c->purpose, c->since, opt_span(s->run, "note"), &c->outcome,
                            err);
}

static cu_status go_revoke(struct run *run, struct cu_err *err)
{
    struct change c = { 0 };
    const struct cu_span only = opt_span(run, "only");

    if (cu_span_is(only, "statement")) c.purpose = CU_PURPOSE_STATEMENT;
    else if (cu_span_is(only, "sealing")) c.purpose = CU_PURPOSE_SEALING;
    else ENSURE(only.n == 0, err, CU_USAGE, "--only: statement or sealing");
    TRY(read_since(run, &c, err));
    TRY(in_session(run, MODE_WRITE, revoke_keys, &c, err));
    tell(run,
         c.purpose == CU_PURPOSE_STATEMENT ? "revoked: nothing more is recorded that is signed by the key of"
         : c.purpose                       ? "revoked: nothing is sealed any more for the key of"
                                           : "revoked: nothing more is recorded or sealed for the keys of",
         cu_span_str(run->args[0]), &c);
    return CU_OK;
}

/* ---- who waits ------------------------------------------------------------------------------------------------------- */

static cu_status put_waiting(struct session *s, const struct cu_applicant *w, struct cu_err *err)
{
    struct run *run = s->run;
    struct cu_json j = cu_json_on(&run->out);
    struct cu_enrol_request r;
    struct cu_public_key key;
    char hex[65];

    if (cu_enrol_request_read(w->request, &s->place.trust.network, &s->place.verifier, &r, &key, NULL) != CU_OK) return CU_OK;
    const cu_hash kid = cu_key_id(&key);
    cu_hash_hex(&kid, hex);
    if (run->json) {
        cu_json_open(&j, NULL, '{');
        cu_json_hash(&j, "kid", &kid);
        cu_json_str(&j, "role", cu_role_name(r.role));
        cu_json_text(&j, "name", r.name);
        cu_json_time(&j, "time", (cu_unix_ms){ w->time });
        cu_json_text(&j, "from", w->from);
        cu_json_close(&j, '}');
    } else {
        cu_buf_addf(&run->out, "%.16s  %-13s  ", hex, cu_role_name(r.role));
        put_printable(&run->out, r.name);
        cu_buf_add_str(&run->out, "  asked ");
        put_time(&run->out, (cu_unix_ms){ w->time });
        cu_buf_add_str(&run->out, " from ");
        put_printable(&run->out, w->from);
    }
    cu_buf_add_str(&run->out, "\n");
    return cu_buf_ok(&run->out, err);
}

static cu_status list_waiting(struct session *s, struct cu_err *err)
{
    CU_BUF rows = cu_buf_heap(CU_PENDING_MAX);
    struct cu_applicant w;

    TRY(cu_enrolments_read(&s->place, &s->place.members, &rows, err));
    for (struct cu_cbor_reader in = cu_cbor_read(cu_buf_span(&rows)); cu_cbor_peek(&in) != CU_CBOR_END && cu_cbor_good(&in);)
        if (cu_schema_read(&cu_applicant_schema, cu_cbor_item(&in), &w, NULL) == CU_OK) TRY(put_waiting(s, &w, err));
    return CU_OK;
}

static cu_status find_waiting(struct session *s, struct cu_buf *ret_request, cu_hash *ret_kid, struct cu_err *err)
{
    CU_BUF rows = cu_buf_heap(CU_PENDING_MAX);
    struct cu_applicant w;

    TRY(cu_enrolments_read(&s->place, &s->place.members, &rows, err));
    TRY(cu_enrolments_find(cu_buf_span(&rows), cu_span_str(s->run->args[0]), &w, ret_kid, err));
    cu_buf_add(ret_request, w.request);
    return cu_buf_ok(ret_request, err);
}

static cu_status reject(struct session *s, void *arg, struct cu_err *err)
{
    CU_BUF request = cu_buf_heap(CU_ENROL_REQUEST_MAX);

    TRY(find_waiting(s, &request, arg, err));
    return cu_enrolment_refuse(&s->place, &s->place.members, arg, opt_span(s->run, "reason"), err);
}

static cu_status go_reject(struct run *run, struct cu_err *err)
{
    struct cu_json j = cu_json_on(&run->out);
    char hex[65];
    cu_hash kid;

    ENSURE(opt(run, "reason"), err, CU_USAGE, "say why, for who asked is told: --reason TEXT; nothing was done");
    TRY(in_session(run, MODE_READ, reject, &kid, err));
    cu_hash_hex(&kid, hex);
    if (run->json) {
        cu_json_open(&j, NULL, '{');
        cu_json_hash(&j, "kid", &kid);
        cu_json_str(&j, "state", "refused");
        cu_json_close(&j, '}');
        cu_buf_add_str(&run->out, "\n");
    } else cu_buf_addf(&run->out, "refused: whoever asks with the key %.16s is told why\n", hex);
    return CU_OK;
}

/* ---- requests --------------------------------------------------------------------------------------------------------- */

static cu_status admit(struct session *s, void *arg, struct cu_err *err)
{
    struct change *c = arg;
    struct cu_enrol_request r;
    struct cu_public_key key;
    cu_hash asked;
    char hex[65];

    if (!c->request.n) TRY(find_waiting(s, &c->request, &asked, err));
    TRY(cu_enrol_request_read(cu_buf_span(&c->request), &s->place.trust.network, &s->place.verifier, &r, &key, err));
    const cu_hash kid = cu_key_id(&key);
    cu_hash_hex(&kid, hex);
    const struct cu_span said = opt_span(s->run, "fingerprint");
    ENSURE(cu_span_starts(cu_span_str(hex), said), err, CU_BAD_HASH,
           "the request is for the key %.16s…, not for the one that was read out: nothing was recorded", hex);
    cu_buf_add(&c->who, r.name);
    cu_buf_addf(&c->who, ", %s, key %.16s", cu_role_name(r.role), hex);
    return cu_member_admit(&s->place, cu_buf_span(&c->request), c->rotate, c->since, opt_span(s->run, "note"), &c->party,
                           &c->outcome, err);
}

static cu_status go_admit(struct run *run, bool rotate, struct cu_err *err)
{
    CU_BUF request = cu_buf_heap(CU_ENROL_REQUEST_MAX), who = cu_buf_heap(4096);
    struct change c = { .rotate = rotate, .request = request, .who = who };

    if (rotate) TRY(read_since(run, &c, err));
    else c.since = CU_NOT_COMPROMISED;
    cu_status done = CU_OK;
    if (strcmp(run->args[0], "-") == 0 || access(run->args[0], F_OK) == 0)
        done = read_argument_file(run->args[0], CU_ENROL_REQUEST_MAX, &c.request, err);
    if (done == CU_OK) done = in_session(run, MODE_WRITE, admit, &c, err);
    request = c.request; /* what it has grown to */
    who = c.who;
    TRY(done);
    tell(run, rotate ? "a new key, in place of the old ones, of" : "enrolled", cu_buf_span(&who), &c);
    return CU_OK;
}

static cu_status go_approve(struct run *run, struct cu_err *err) { return go_admit(run, false, err); }
static cu_status go_rotate(struct run *run, struct cu_err *err) { return go_admit(run, true, err); }

/* ---- who is there ------------------------------------------------------------------------------------------------------ */

static struct cu_span recipient_of(const struct cu_member_key *key, uint8_t mem[80])
{
    struct cu_buf text = cu_buf_over(mem, 80);
    struct cu_age_recipient it;

    memcpy(it.share, key->pub.bytes, sizeof it.share);
    cu_age_recipient_put(&text, &it);
    return cu_buf_span(&text);
}

static void put_key(struct run *run, struct cu_json *j, const struct cu_member_key *key)
{
    const bool statement = key->purpose == CU_PURPOSE_STATEMENT, revoked = key->until_seq != UINT64_MAX;
    uint8_t mem[80];
    const struct cu_span recipient = statement ? CU_SPAN_EMPTY : recipient_of(key, mem);
    char hex[65];

    cu_hash_hex(&key->kid, hex);
    if (run->json) {
        cu_json_open(j, NULL, '{');
        cu_json_str(j, "purpose", statement ? "statement" : "sealing");
        cu_json_hash(j, "kid", &key->kid);
        if (!statement) cu_json_text(j, "recipient", recipient);
        if (key->from_seq != UINT64_MAX) cu_json_uint(j, "from", key->from_seq);
        if (revoked) cu_json_uint(j, "revoked", key->until_seq);
        if (key->since_seq != CU_NOT_COMPROMISED) cu_json_uint(j, "compromised_since", key->since_seq);
        cu_json_close(j, '}');
        return;
    }
    if (!revoked && statement) cu_buf_addf(&run->out, "\n       signs  %.16s", hex);
    if (!revoked && !statement) cu_buf_addf(&run->out, "\n       seals  %.*s", (int)recipient.n, (const char *)recipient.p);
    if (!revoked) return;
    cu_buf_addf(&run->out, "\n       %s  %.16s, revoked by entry %llu", statement ? "signed" : "sealed", hex,
                LLU(key->until_seq));
    if (key->since_seq != CU_NOT_COMPROMISED) cu_buf_addf(&run->out, ", with others since %llu", LLU(key->since_seq));
}

static void put_party(struct run *run, const struct cu_membership *m, const struct cu_member_party *party)
{
    const struct cu_member_key *sealing = cu_members_sealing(&m->members, party->id); /* what is sealed for now */
    struct cu_json j = cu_json_on(&run->out);
    uint8_t mem[80];

    if (run->json) {
        cu_json_open(&j, NULL, '{');
        cu_json_uint(&j, "party", party->id);
        cu_json_str(&j, "role", cu_role_name(party->role));
        cu_json_uint(&j, "organisation", party->organisation);
        cu_json_text(&j, "name", cu_membership_name(m, party->id));
        if (sealing) cu_json_text(&j, "recipient", recipient_of(sealing, mem));
        cu_json_open(&j, "keys", '[');
    } else {
        cu_buf_addf(&run->out, "%3llu  %-13s  ", LLU(party->id), cu_role_name(party->role));
        put_printable(&run->out, cu_membership_name(m, party->id));
    }
    for (size_t i = 0; i < m->members.keys_n; i++) {
        const struct cu_member_key *key = &m->members.key[i];
        const bool shown = key->purpose == CU_PURPOSE_STATEMENT || key->purpose == CU_PURPOSE_SEALING;
        if (shown && key->party == party->id) put_key(run, &j, key);
    }
    if (run->json) cu_json_close(&j, ']'), cu_json_close(&j, '}');
    cu_buf_add_str(&run->out, "\n");
}

static cu_status list(struct session *s, void *arg, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };

    (void)arg;
    if (opt_is(s->run, "waiting")) return list_waiting(s, err);
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
const struct command command_member_approve = {
    .name = "member approve",
    .args = "REQUEST|FINGERPRINT",
    .line = "enrol who made a request",
    .help = "Enters a request of `custody enrol` in the ledger, a file, or one that waits at the node by the "
            "first digits of its fingerprint: its key acts from the next entry on. The organisation's key says so or, with "
            "--key FILE, an administrator's. Compare the fingerprint with the one that its maker reads out.",
    .args_min = 1,
    .args_max = 1,
    .go = go_approve,
    .options = { { "fingerprint", "HEX", "as it was read out: a request for another key is refused" },
                 { "note", "TEXT", "anything else" } },
};
const struct command command_member_rotate = {
    .name = "member rotate",
    .args = "REQUEST|FINGERPRINT",
    .line = "enter a new key of a member",
    .help = "Enters the key of a request that the member of the same name made, and in the same entry revokes the keys that it "
            "signed with "
            "before.",
    .args_min = 1,
    .args_max = 1,
    .go = go_rotate,
    .options = { { "fingerprint", "HEX", "as it was read out: a request for another key is refused" },
                 { "compromised-since", "ENTRY", "the position in the log since which others may hold the old keys" },
                 { "note", "TEXT", "why" } },
};
const struct command command_member_ls = {
    .name = "member ls",
    .args = "",
    .line = "list the parties and their keys",
    .help = "Lists who takes part, in which role, with the keys that sign and those that content can be sealed for, and what was "
            "revoked. With --waiting: who has asked the node to be enrolled, and was neither approved nor refused.",
    .args_max = 0,
    .go = go_ls,
    .options = { { "waiting", NULL, "those who wait to be enrolled" } },
};
const struct command command_member_reject = {
    .name = "member reject",
    .args = "FINGERPRINT --reason TEXT",
    .line = "refuse who waits to be enrolled",
    .help = "Who asked the node by `custody enrol` with the key of that fingerprint is not enrolled: nothing is recorded, and "
            "who asks "
            "again is told why, for a month.",
    .args_min = 1,
    .args_max = 1,
    .go = go_reject,
    .options = { { "reason", "TEXT", "why, in words that are told" } },
};
const struct command command_member_revoke = {
    .name = "member revoke",
    .args = "NAME",
    .line = "revoke a member's keys",
    .help = "Nothing more is recorded that is signed by the keys that NAME has now, and nothing is sealed for them. What was "
            "recorded before "
            "stands, and what was sealed for them can still be opened: revoking takes nothing back. With --compromised-since it "
            "is on "
            "record since when others may have been able to: what was signed from that entry on is disputed, and its receipts "
            "say so.",
    .args_min = 1,
    .args_max = 1,
    .go = go_revoke,
    .options = { { "only", "PURPOSE", "statement or sealing: the keys of that purpose alone" },
                 { "compromised-since", "ENTRY", "the position in the log since which others may hold the key" },
                 { "note", "TEXT", "why" } },
};
