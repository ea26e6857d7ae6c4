/* custody network propose, approve, proposals: what the organisations decide together. */
#include "apps/custody/app.h"

/* ---- in words ---- */

static void put_names(struct cu_buf *out, const struct cu_membership *m, uint64_t parties)
{
    bool any = false;

    for (uint64_t id = 1; id <= m->members.parties_n; id++) {
        if (!(parties >> (id - 1) & 1)) continue;
        cu_buf_add_str(out, any ? ", " : "");
        put_printable(out, cu_membership_name(m, id));
        any = true;
    }
    if (!any) cu_buf_add_str(out, "nobody");
}

static void put_keys(struct cu_buf *out, const struct cu_proposal *p)
{
    for (size_t i = 0; i < p->keys_n; i++)
        cu_buf_addf(out, "%s%s", i == 0 ? "a new " : i + 1 < p->keys_n ? ", " : " and ", cu_purpose_name(p->key[i].purpose));
    if (p->keys_n) cu_buf_addf(out, " key%s of ", p->keys_n > 1 ? "s" : "");
    if (p->revoked_n)
        cu_buf_addf(out, "%s%zu statement key%s revoked of ", p->keys_n ? "and " : "", p->revoked_n, p->revoked_n > 1 ? "s" : "");
}

static void put_change(struct cu_buf *out, const struct cu_membership *m, const struct cu_proposal *p)
{
    const bool policy = p->change == CU_CHANGE_POLICY;

    if (p->change == CU_CHANGE_KEYS) put_keys(out, p);
    if (!policy) put_printable(out, cu_membership_name(m, p->party));
    if (p->change == CU_CHANGE_JOIN)
        cu_buf_addf(out, " joins, as organisation %llu, and acts when it has confirmed its keys", LLU(p->party));
    if (p->change == CU_CHANGE_LEAVE) cu_buf_add_str(out, " leaves: nothing acts any more that it holds");
    if (p->has_terms) {
        cu_buf_addf(out, "%sreceipts take %llu cosignatures and %llu copies", policy ? "" : "; ", LLU(p->terms.cosigners),
                    LLU(p->terms.copies));
        if (p->terms.mandatory) cu_buf_add_str(out, ", among them of "), put_names(out, m, p->terms.mandatory);
    }
    if (p->has_rules)
        cu_buf_addf(out, "%srules %llu from height %llu on", policy && !p->has_terms ? "" : "; ", LLU(p->rules.version),
                    LLU(p->rules.height));
}

static uint64_t bits(uint64_t x)
{
    uint64_t n = 0;

    for (; x; x &= x - 1) n++;
    return n;
}

static void put_open(struct run *run, const struct cu_membership *m, const struct cu_proposal *p, cu_unix_ms now)
{
    const uint64_t counted = cu_members_counted(&m->members), has = p->approvals & counted,
                   needed = cu_approvals_needed(&m->members);
    struct cu_buf *out = &run->out;
    char hex[65];

    cu_hash_hex(&p->id, hex);
    cu_buf_addf(out, "%.8s  ", hex);
    put_change(out, m, p);
    cu_buf_add_str(out, "\n          proposed by ");
    put_names(out, m, UINT64_C(1) << (p->organisation - 1));
    cu_buf_addf(out, " in entry %llu; approved by ", LLU(p->seq));
    put_names(out, m, has);
    cu_buf_addf(out, ": %llu of %llu, and it takes %llu", LLU(bits(has)), LLU(m->members.organisations), LLU(needed));
    cu_buf_add_str(out, "\n          not yet by ");
    put_names(out, m, counted & ~has);
    cu_buf_add_str(out, now.v > p->until ? "; too late since " : "; until ");
    put_time(out, (cu_unix_ms){ p->until });
    cu_buf_add_str(out, "\n");
}

static void put_parties(struct cu_json *j, const char *name, uint64_t parties)
{
    cu_json_open(j, name, '[');
    for (uint64_t id = 1; id <= CU_PARTIES_MAX; id++)
        if (parties >> (id - 1) & 1) cu_json_uint(j, NULL, id);
    cu_json_close(j, ']');
}

static void json_proposal(struct cu_json *j, const struct cu_membership *m, const struct cu_proposal *p)
{
    static const char *const changes[] = {
        [CU_CHANGE_JOIN] = "join", [CU_CHANGE_KEYS] = "keys", [CU_CHANGE_LEAVE] = "leave", [CU_CHANGE_POLICY] = "policy"
    };
    const uint64_t counted = cu_members_counted(&m->members);

    cu_json_hash(j, "id", &p->id);
    cu_json_str(j, "change", changes[p->change]);
    if (p->party) cu_json_uint(j, "party", p->party);
    if (p->party) cu_json_text(j, "organisation", cu_membership_name(m, p->party));
    cu_json_uint(j, "proposed_by", p->organisation);
    put_parties(j, "approved", p->approvals & counted);
    put_parties(j, "missing", counted & ~p->approvals);
    cu_json_uint(j, "needed", cu_approvals_needed(&m->members));
    cu_json_time(j, "until", (cu_unix_ms){ p->until });
    if (p->has_terms)
        cu_json_uint(j, "cosigners", p->terms.cosigners), cu_json_uint(j, "copies", p->terms.copies),
            put_parties(j, "mandatory", p->terms.mandatory);
    if (p->has_rules) cu_json_uint(j, "rules", p->rules.version), cu_json_uint(j, "height", p->rules.height);
}

/* ---- what became of it ---- */

/* After an approval: is the proposal still open? */
static cu_status tell(struct session *s, const cu_hash *id, const struct cu_outcome *outcome, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };
    struct run *run = s->run;
    struct cu_json j = cu_json_on(&run->out);
    struct cu_proposal p;
    char hex[65];

    cu_hash_hex(id, hex);
    TRY(cu_membership_read(&s->place, &m, err));
    const bool open = cu_proposal_find(&m, cu_span_str(hex), &p, NULL) == CU_OK;
    if (run->json) {
        cu_json_open(&j, NULL, '{');
        if (open) json_proposal(&j, &m, &p);
        else cu_json_hash(&j, "id", id);
        cu_json_bool(&j, "effective", !open);
        cu_json_uint(&j, "entry", outcome->seq.v);
        cu_json_close(&j, '}');
        cu_buf_add_str(&run->out, "\n");
        return CU_OK;
    }
    if (open) {
        cu_buf_addf(&run->out, "approved, and it waits for others (`custody network approve %.8s`):\n", hex);
        put_open(run, &m, &p, cu_place_now(&s->place));
        return CU_OK;
    }
    cu_buf_addf(&run->out, "%.8s takes effect, with entry %llu, recorded ", hex, LLU(outcome->seq.v));
    put_time(&run->out, outcome->closed);
    cu_buf_add_str(&run->out, "\n");
    return CU_OK;
}

/* ---- proposing ---- */

static cu_status read_number(struct run *run, const char *name, uint64_t max, bool *ret_has, uint64_t *ret, struct cu_err *err)
{
    char what[32];

    snprintf(what, sizeof what, "--%s", name);
    *ret_has = opt(run, name) != NULL;
    return *ret_has ? number_read(what, opt(run, name), max, ret, err) : CU_OK;
}

static cu_status read_asked(struct run *run, struct cu_proposing *r, struct cu_err *err)
{
    bool rules, height;

    TRY(read_number(run, "cosigners", CU_PARTIES_MAX, &r->has_cosigners, &r->cosigners, err));
    TRY(read_number(run, "copies", CU_PARTIES_MAX, &r->has_copies, &r->copies, err));
    TRY(read_number(run, "rules", UINT32_MAX, &rules, &r->rules.version, err));
    TRY(read_number(run, "height", INT64_MAX, &height, &r->rules.height, err));
    ENSURE(rules == height, err, CU_USAGE, "new rules begin at a height: --rules N --height H");
    r->has_mandatory = opt(run, "mandatory") != NULL;
    r->mandatory = opt_span(run, "mandatory");
    r->note = opt_span(run, "note");
    return opt(run, "until") ? time_read("--until", opt(run, "until"), &r->until, err) : CU_OK;
}

static cu_status propose_policy(struct session *s, struct cu_proposing *r, struct cu_outcome *ret, struct cu_err *err)
{
    ENSURE(r->has_cosigners || r->has_copies || r->has_mandatory || r->rules.version, err, CU_USAGE,
           "say what is to change: --cosigners, --copies, --mandatory, or --rules with --height");
    r->change = CU_CHANGE_POLICY;
    return cu_propose(&s->place, r, ret, err);
}

static cu_status propose_leave(struct session *s, struct cu_proposing *r, struct cu_outcome *ret, struct cu_err *err)
{
    r->change = CU_CHANGE_LEAVE;
    r->organisation = cu_span_str(s->run->args[1]);
    return cu_propose(&s->place, r, ret, err);
}

static cu_status propose_log_key(struct session *s, struct cu_proposing *r, struct cu_outcome *ret, struct cu_err *err)
{
    CU_BUF passphrase = cu_buf_heap(65536);

    ENSURE(!s->url, err, CU_USAGE, "a log key is made where the ledger lies: name its folder");
    TRY(session_successor(s, err));
    cu_status done = passphrase_of_keys(s, &passphrase, err);
    if (done == CU_OK) done = cu_propose_log_key(&s->place, r->note, cu_buf_span(&passphrase), ret, err);
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    return done;
}

/* Whoever takes another's place as a statement key ends him: nobody needs both. */
static cu_status revoke_statement(const struct cu_members *m, uint64_t party, struct cu_proposing *r, struct cu_buf *mem,
                                  struct cu_err *err)
{
    struct cu_given_key first;
    size_t at = 0;

    if (!cu_list_next(&r->keys, &cu_given_key_schema, &at, &first) || first.purpose != CU_PURPOSE_STATEMENT) return CU_OK;
    const struct cu_member_key *old = cu_members_newest(m, party, CU_PURPOSE_STATEMENT);
    if (!old) return CU_OK;
    TRY(cu_schema_write(&cu_revoked_schema, &(struct cu_revoked){ old->kid, CU_NOT_COMPROMISED }, mem, err));
    r->revoked = (struct cu_list){ 1, cu_buf_span(mem) };
    return CU_OK;
}

/* What an organisation handed over: it joins, or has other keys. */
static cu_status propose_file(struct session *s, struct cu_proposing *r, struct cu_outcome *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };
    CU_BUF file = cu_buf_heap(CU_FOUNDER_MAX), keys = cu_buf_heap(CU_FOUNDER_MAX), revoked = cu_buf_heap(256);
    struct cu_founder f;

    TRY(read_argument_file(s->run->args[1], CU_FOUNDER_MAX, &file, err));
    TRY(cu_founder_read(cu_buf_span(&file), &s->place.verifier, &f, err));
    TRY(cu_membership_read(&s->place, &m, err));
    TRY(cu_founder_given(&f, &m.members, &keys, &r->keys, err));
    ENSURE(r->keys.n, err, CU_DUPLICATE, "%s has no key that is not in force already: nothing was recorded", s->run->args[1]);
    r->organisation = f.name;
    r->at = f.at;
    r->http = f.http;
    for (uint64_t id = 1; r->change == CU_CHANGE_KEYS && id <= m.members.parties_n; id++)
        if (cu_members_party(&m.members, id)->role == CU_ROLE_ORGANISATION && cu_span_eq(cu_membership_name(&m, id), f.name))
            TRY(revoke_statement(&m.members, id, r, &revoked, err));
    return cu_propose(&s->place, r, ret, err);
}

static cu_status propose_join(struct session *s, struct cu_proposing *r, struct cu_outcome *ret, struct cu_err *err)
{
    r->change = CU_CHANGE_JOIN;
    return propose_file(s, r, ret, err);
}

static cu_status propose_keys(struct session *s, struct cu_proposing *r, struct cu_outcome *ret, struct cu_err *err)
{
    r->change = CU_CHANGE_KEYS;
    return propose_file(s, r, ret, err);
}

static const struct sort {
    const char *name;
    int args; /* behind the name */
    cu_status (*go)(struct session *s, struct cu_proposing *r, struct cu_outcome *ret, struct cu_err *err);
} sorts[] = {
    { "policy", 0, propose_policy }, { "join", 1, propose_join },       { "keys", 1, propose_keys },
    { "leave", 1, propose_leave },   { "log-key", 0, propose_log_key },
};

static cu_status propose(struct session *s, void *arg, struct cu_err *err)
{
    const struct sort *sort = *(const struct sort **)arg;
    struct cu_proposing r = { .change = 0 };
    struct cu_outcome outcome;

    TRY(read_asked(s->run, &r, err));
    TRY(sort->go(s, &r, &outcome, err));
    return tell(s, &outcome.id, &outcome, err);
}

static cu_status go_propose(struct run *run, struct cu_err *err)
{
    size_t i = 0;

    while (i < sizeof sorts / sizeof *sorts && strcmp(sorts[i].name, run->args[0]) != 0) i++;
    ENSURE(i < sizeof sorts / sizeof *sorts && run->args_n == 1 + sorts[i].args, err, CU_USAGE,
           "what is proposed: join FILE, keys FILE, leave ORGANISATION, policy, or log-key; `custody network propose --help`");
    const struct sort *sort = &sorts[i];
    return in_session(run, MODE_WRITE, propose, &sort, err);
}

/* ---- approving, listing ---- */

static cu_status approve(struct session *s, void *arg, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };
    struct cu_proposal p;
    struct cu_outcome outcome;

    (void)arg;
    TRY(cu_membership_read(&s->place, &m, err));
    TRY(cu_proposal_find(&m, cu_span_str(s->run->args[0]), &p, err));
    TRY(cu_approve(&s->place, &p.id, &outcome, err));
    return tell(s, &p.id, &outcome, err);
}

static cu_status go_network_approve(struct run *run, struct cu_err *err)
{
    return in_session(run, MODE_WRITE, approve, NULL, err);
}

static cu_status list(struct session *s, void *arg, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };
    struct run *run = s->run;

    (void)arg;
    TRY(cu_membership_read(&s->place, &m, err));
    for (size_t i = 0; i < m.members.proposals_n; i++) {
        struct cu_json j = cu_json_on(&run->out);
        if (!run->json) {
            put_open(run, &m, &m.members.proposal[i], cu_place_now(&s->place));
            continue;
        }
        cu_json_open(&j, NULL, '{');
        json_proposal(&j, &m, &m.members.proposal[i]);
        cu_json_close(&j, '}');
        cu_buf_add_str(&run->out, "\n");
    }
    if (!m.members.proposals_n) say(run, "no proposal is open\n");
    return CU_OK;
}

static cu_status go_proposals(struct run *run, struct cu_err *err) { return in_session(run, MODE_READ, list, NULL, err); }

#define WHO_SAYS "The organisation's key says so: the one in the ledger's folder or, for a ledger behind an address, --key FILE. "

const struct command command_network_propose = {
    .name = "network propose",
    .args = "join FILE|keys FILE|leave ORGANISATION|policy|log-key",
    .line = "propose a change that more than two thirds of the organisations decide",
    .help = "Records a proposal, and this organisation's approval of it. It takes effect with the approval (`custody network "
            "approve`) by which more than two thirds of the organisations have approved, at that entry; until then nothing "
            "changes. An "
            "organisation has one proposal open: a second one takes the place of the first. "
            "join, keys: the organisation that handed over FILE (`custody network request --network`, `custody network rotate`) "
            "joins, or has the keys in "
            "it instead of those in force; compare its fingerprint by telephone first. policy: how many cosignatures and copies "
            "a receipt takes, who must hold one of the copies, or the rules that hold from a height on. leave: "
            "no key of the organisation acts any more, nor of whom it runs; what they signed stays good. log-key: this "
            "organisation's checkpoints are signed by a new "
            "key, which is made in keys/. Where log keys, cosigners or their number change, trust/ledger.trust has a new epoch "
            "from the next checkpoint on: hand "
            "it out anew; receipts from before stay good by it. " WHO_SAYS,
    .args_min = 1,
    .args_max = 2,
    .go = go_propose,
    .options = { { "cosigners", "N", "cosignatures that a receipt takes" },
                 { "copies", "N", "organisations that must hold a copy of each deposit" },
                 { "mandatory", "NAME,…", "organisations that must be among them (empty: none)" },
                 { "rules", "N", "the next version of the rules," },
                 { "height", "H", "by which heights are judged from this one on" },
                 SUCCESSOR,
                 { "until", "TIME", "it can be approved until then (by default a month)" },
                 { "note", "TEXT", "why" } },
};
const struct command command_network_approve = {
    .name = "network approve",
    .args = "ID",
    .line = "approve a proposal",
    .help = "Records this organisation's approval of the proposal that `custody network proposals` lists under ID, or the first "
            "digits "
            "of it (four or more). Says who is missing, or that it takes effect. " WHO_SAYS,
    .args_min = 1,
    .args_max = 1,
    .go = go_network_approve,
    .options = { { NULL, NULL, NULL } },
};
const struct command command_network_proposals = {
    .name = "network proposals",
    .args = "",
    .line = "list the proposals that are open",
    .help = "Of each: what changes, who proposed it, who has approved, who is missing, and until when it can be approved.",
    .go = go_proposals,
    .options = { { NULL, NULL, NULL } },
};
