/* custody notice: who asks a provider for data, and what came of it. custody refuse, custody supervise: claims that are not accepted. */
#include "apps/custody/app.h"

struct asking {
    struct cu_notice_request r;
    struct cu_notice_told told;
    struct cu_outcome outcome;
};

static void put_outcome(struct cu_json *j, const struct cu_outcome *outcome)
{
    cu_json_hash(j, "id", &outcome->id);
    cu_json_hash(j, "leaf", &outcome->leaf);
    cu_json_time(j, "time", outcome->closed);
}

/* "words", when it was recorded and, where it is said under an id of its own, that. */
static void put_recorded(struct run *run, const char *words, const struct cu_outcome *outcome)
{
    struct cu_json j = cu_json_on(&run->out);

    if (run->json) {
        cu_json_open(&j, NULL, '{');
        put_outcome(&j, outcome);
        cu_json_close(&j, '}');
    } else {
        cu_buf_addf(&run->out, "%s recorded ", words);
        put_time(&run->out, outcome->closed);
        cu_buf_add_str(&run->out, "\n  id        ");
        put_short_id(&run->out, &outcome->id);
    }
    cu_buf_add_str(&run->out, "\n");
}

cu_status put_why(struct session *s, const struct cu_index_row *row, struct cu_buf *out, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct cu_entry e;
    struct cu_span bytes;
    char hex[65];

    if (row->kind != CU_KIND_REFUSAL && row->kind != CU_KIND_TIMEOUT && row->kind != CU_KIND_ACKNOWLEDGE &&
        row->kind != CU_KIND_ANSWER && (row->kind != CU_KIND_DEPOSIT || !row->has_ref))
        return CU_OK;
    TRY(cu_log_entry(&s->place.log, row->seq, &bytes, err));
    TRY(cu_entry_read(bytes, &e, err));
    const struct cu_answer *answer = &e.outer.body.answer;
    if (e.kind == CU_KIND_REFUSAL) cu_buf_addf(out, "  %s", cu_reason_name(e.outer.body.refusal.reason));
    if (e.kind == CU_KIND_ANSWER && answer->has_reason) cu_buf_addf(out, "  %s", cu_reason_name(answer->reason));
    else if (e.kind == CU_KIND_ANSWER) cu_buf_addf(out, "  %llu deposit%s", LLU(answer->n), answer->n == 1 ? "" : "s");
    const cu_hash *notice = cu_entry_notice(&e);
    if (notice) cu_hash_hex(notice, hex);
    if (notice && cu_lookup(&s->place, cu_span_str(hex), &found, NULL) == CU_OK && found.row.label.n) {
        cu_buf_add_str(out, "  notice ");
        put_printable(out, found.row.label);
    }
    return CU_OK;
}

/* ---- create ---- */

static cu_status outcome_of(struct session *s, cu_seq seq, struct cu_outcome *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };

    TRY(cu_lookup_seq(&s->place, seq, &found, err));
    *ret = (struct cu_outcome){ .status = CU_OK,
                                .seq = seq,
                                .id = found.row.id,
                                .leaf = found.row.leaf,
                                .block = found.row.block,
                                .closed = found.row.recorded };
    return CU_OK;
}

/* By an address an answer may have been lost: the same notice, by the same key, is not served twice. */
static bool asked_before(struct session *s, struct asking *a)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };
    struct cu_notice_told told;

    return cu_lookup(&s->place, a->r.words.number, &found, NULL) == CU_OK && found.row.kind == CU_KIND_NOTICE &&
           cu_hash_eq(&found.row.kid, &s->place.key[CU_SIGNER_DEPOSITOR].id) && cu_span_eq(found.row.name, a->r.words.object) &&
           cu_notice_of(&s->place, &found.row, &told, NULL) == CU_OK && told.said.deadline == a->r.until.v &&
           cu_span_eq(cu_party_named(&s->place, told.said.provider), a->r.provider) &&
           outcome_of(s, found.row.seq, &a->outcome, NULL) == CU_OK;
}

static cu_status create(struct session *s, void *arg, struct cu_err *err)
{
    struct asking *a = arg;

    if (s->url && asked_before(s, a)) return CU_OK;
    ENSURE(a->r.until.v > cu_place_now(&s->place).v, err, CU_USAGE, "--until %s has passed already: nobody was asked",
           opt(s->run, "until"));
    return cu_notice_create(&s->place, &a->r, &a->outcome, err);
}

static cu_status go_create(struct run *run, struct cu_err *err)
{
    static const char *const needed[] = { "to", "number", "basis", "object", "until" };
    struct asking a = { .r = { .provider = opt_span(run, "to"), .case_name = opt_span(run, "case") } };

    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        ENSURE(opt(run, needed[i]), err, CU_USAGE,
               "a notice says whom it asks, its number, on what basis, for what and until when: --%s is missing", needed[i]);
    a.r.words = (struct cu_details_notice){ .number = opt_span(run, "number"),
                                            .basis = opt_span(run, "basis"),
                                            .object = opt_span(run, "object"),
                                            .span = opt_span(run, "span"),
                                            .has_span = opt_is(run, "span") };
    TRY(time_read("--until", opt(run, "until"), &a.r.until, err));
    TRY(in_session(run, MODE_WRITE, create, &a, err));
    put_recorded(run, "notice", &a.outcome);
    if (run->json) return CU_OK;
    cu_buf_add_str(&run->out, "  the answer is due by ");
    put_time(&run->out, a.r.until);
    cu_buf_add_str(&run->out, "\n");
    return CU_OK;
}

/* ---- ls, show ---- */
static void put_standing(struct cu_buf *out, const struct cu_notice_told *t, cu_unix_ms now)
{
    if (t->answered.v && t->reason) cu_buf_addf(out, "refused: %s", cu_reason_name(t->reason));
    else if (t->answered.v) cu_buf_addf(out, "answered by %llu deposit%s", LLU(t->deposits), t->deposits == 1 ? "" : "s");
    else cu_buf_add_str(out, t->acknowledged.v ? "acknowledged" : "open");
    if (!t->answered.v && t->deposits) cu_buf_addf(out, ", %llu deposits so far", LLU(t->deposits));
    if (t->timed_out.v || (!t->answered.v && now.v > t->said.deadline))
        cu_buf_add_str(out, t->answered.v ? ", late" : ", overdue");
}

static void put_if(struct cu_json *j, const char *key, cu_unix_ms time)
{
    if (time.v) cu_json_time(j, key, time);
}

static void put_json(struct session *s, const struct cu_index_row *row, const struct cu_notice_told *t, const char *standing)
{
    struct cu_json j = cu_json_on(&s->run->out);

    cu_json_open(&j, NULL, '{');
    cu_json_text(&j, "number", row->label);
    cu_json_hash(&j, "id", &t->id);
    cu_json_text(&j, "by", cu_key_holder(&s->place, &row->kid));
    cu_json_text(&j, "to", cu_party_named(&s->place, t->said.provider));
    cu_json_text(&j, "object", row->name);
    cu_json_time(&j, "time", row->recorded);
    cu_json_time(&j, "until", (cu_unix_ms){ t->said.deadline });
    cu_json_str(&j, "standing", standing);
    put_if(&j, "acknowledged", t->acknowledged);
    put_if(&j, "answered", t->answered);
    put_if(&j, "timed_out", t->timed_out);
    cu_json_uint(&j, "deposits", t->deposits);
    if (t->reason) cu_json_str(&j, "reason", cu_reason_name(t->reason));
    cu_json_close(&j, '}');
}

static cu_status put_notice(void *arg, const struct cu_index_row *row, struct cu_err *err)
{
    struct session *s = arg;
    CU_BUF standing = cu_buf_heap(256);
    struct cu_buf *out = &s->run->out;
    struct cu_notice_told t;

    if (s->url && row->label.n == 0) return CU_OK; /* another's: nothing of it is shown here */
    TRY(cu_notice_of(&s->place, row, &t, err));
    put_standing(&standing, &t, cu_place_now(&s->place));
    cu_buf_add_byte(&standing, 0);
    TRY(cu_buf_ok(&standing, err));
    if (s->run->json) put_json(s, row, &t, (const char *)standing.p);
    else {
        put_short_id(out, &t.id);
        cu_buf_add_str(out, "  ");
        put_printable(out, row->label);
        cu_buf_add_str(out, "  to ");
        put_printable(out, cu_party_named(&s->place, t.said.provider));
        cu_buf_add_str(out, "  until ");
        put_time(out, (cu_unix_ms){ t.said.deadline });
        cu_buf_addf(out, "  %s", (const char *)standing.p);
    }
    cu_buf_add_str(out, "\n");
    return CU_OK;
}

static cu_status list(struct session *s, void *arg, struct cu_err *err)
{
    const struct cu_index_query q = { .by = CU_FIND_KIND, .kind = CU_KIND_NOTICE };

    (void)arg;
    return s->place.index.find(s->place.index.self, &q, put_notice, s, err);
}

static cu_status go_ls(struct run *run, struct cu_err *err) { return in_session(run, MODE_READ, list, NULL, err); }

/* ---- acknowledge, refuse ---- */
static cu_status acknowledge(struct session *s, void *arg, struct cu_err *err)
{
    return cu_notice_acknowledge(&s->place, cu_span_str(s->run->args[0]), arg, err);
}

static cu_status go_acknowledge(struct run *run, struct cu_err *err)
{
    struct cu_outcome outcome;

    TRY(in_session(run, MODE_WRITE, acknowledge, &outcome, err));
    put_recorded(run, "acknowledgement", &outcome);
    return CU_OK;
}

cu_status notice_answered(struct session *s, uint64_t reason, struct cu_err *err)
{
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    const struct deposit_output output = deposit_output_of(s);
    struct cu_notice_told told = { .reason = 0 };
    struct cu_outcome outcome;
    char name[300], path[4400];

    if (s->url) TRY(cu_notice_find(&s->place, cu_span_str(s->run->args[0]), &told, err));
    if (told.answered.v && told.reason == reason) TRY(outcome_of(s, told.answer, &outcome, err)); /* and nobody heard of it */
    else TRY(cu_notice_answer(&s->place, cu_span_str(s->run->args[0]), reason, opt_span(s->run, "note"), &outcome, err));
    TRY(cu_receipt_of(&s->place, outcome.seq, &receipt, err));
    cu_receipt_name("", &outcome.id, name);
    TRY(save_receipt(&output, name, cu_buf_span(&receipt), path, err));
    if (s->run->json) {
        struct cu_json j = cu_json_on(&s->run->out);
        cu_json_open(&j, NULL, '{');
        put_outcome(&j, &outcome);
        cu_json_str(&j, "receipt", path);
        cu_json_close(&j, '}');
        cu_buf_add_str(&s->run->out, "\n");
        return CU_OK;
    }
    put_recorded(s->run, reason ? "refusal of the notice" : "answer", &outcome);
    cu_buf_addf(&s->run->out, "  receipt   %s\n", path);
    return CU_OK;
}

static cu_status reason_of(struct run *run, uint64_t *ret, struct cu_err *err)
{
    *ret = cu_reason_by_name(opt_span(run, "reason"));
    ENSURE(*ret, err, CU_USAGE,
           "--reason: damaged, incomplete, not-accepted, quota, mistake, lost, stopped, not-held or no-basis%s",
           opt(run, "reason") ? "" : " is needed");
    return CU_OK;
}

static cu_status refuse_notice(struct session *s, void *reason, struct cu_err *err)
{
    return notice_answered(s, *(const uint64_t *)reason, err);
}

static cu_status go_refuse_notice(struct run *run, struct cu_err *err)
{
    uint64_t reason;

    TRY(reason_of(run, &reason, err));
    return in_session(run, MODE_WRITE, refuse_notice, &reason, err);
}

/* ---- claims ---- */
struct claimed {
    struct cu_buf file;
    uint64_t reason;
    cu_hash id;
    cu_unix_ms due;
    struct cu_outcome outcome;
};

static cu_status with_claim(struct run *run, struct claimed *c, session_work *work, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_RECORD_MAX);

    TRY(read_argument_file(run->args[0], CU_RECORD_MAX, &file, err));
    c->file = file;
    return in_session(run, MODE_WRITE, work, c, err);
}

static cu_status refuse(struct session *s, void *arg, struct cu_err *err)
{
    struct claimed *c = arg;

    return cu_claim_refuse(&s->place, cu_buf_span(&c->file), c->reason, &c->outcome, err);
}

static cu_status go_refuse(struct run *run, struct cu_err *err)
{
    struct claimed c = { .reason = 0 };

    TRY(reason_of(run, &c.reason, err));
    TRY(with_claim(run, &c, refuse, err));
    put_recorded(run, "refusal", &c.outcome);
    return CU_OK;
}

static cu_status supervise(struct session *s, void *arg, struct cu_err *err)
{
    struct claimed *c = arg;

    return cu_supervise(&s->place, cu_buf_span(&c->file), &c->id, &c->due, err);
}

static cu_status go_supervise(struct run *run, struct cu_err *err)
{
    struct claimed c = { .reason = 0 };
    struct cu_json j = cu_json_on(&run->out);

    TRY(with_claim(run, &c, supervise, err));
    if (run->json) {
        cu_json_open(&j, NULL, '{');
        cu_json_hash(&j, "id", &c.id);
        cu_json_time(&j, "due", c.due);
        cu_json_close(&j, '}');
    } else {
        cu_buf_add_str(&run->out, "watched: unless its outcome is recorded, a timeout will be after ");
        put_time(&run->out, c.due);
    }
    cu_buf_add_str(&run->out, "\n");
    return CU_OK;
}

const struct command command_notice_create = {
    .name = "notice create",
    .args = "--to PROVIDER --number N --basis TEXT --object TEXT --until TIME",
    .line = "ask a provider for data, by a deadline",
    .help = "Records a notice: the provider named is asked for what --object says, on the legal basis named, by the deadline. "
            "Number, basis, object and span are "
            "kept in the details, not in the public log. When no answer is recorded in time, a timeout is.",
    .args_max = 0,
    .go = go_create,
    .options = { { "to", "PROVIDER", "whom to ask, as `custody member ls` names it" },
                 { "number", "N", "the number of the notice on paper" },
                 { "basis", "TEXT", "the legal basis" },
                 { "object", "TEXT", "what is asked for" },
                 { "span", "TEXT", "of which time" },
                 { "until", "TIME", "2026-12-01, or 2026-12-01T17:00 with Z or +08:00 behind it; local time without" },
                 { "case", "C", "the case that the answer belongs to (by default `unfiled`)" } },
};
const struct command command_notice_ls = {
    .name = "notice ls",
    .args = "",
    .line = "list the notices, and what came of them",
    .help = "Lists each notice with its short id, number, whom it asks, the deadline, and how it stands.",
    .args_max = 0,
    .go = go_ls,
};
const struct command command_notice_acknowledge = {
    .name = "notice acknowledge",
    .args = "NOTICE",
    .line = "record that the provider has a notice",
    .help = "Records, by the provider's key or, with --key FILE, that of its member, that it has the notice: its number, or a "
            "prefix of its id.",
    .args_min = 1,
    .args_max = 1,
    .go = go_acknowledge,
};
const struct command command_notice_refuse = {
    .name = "notice refuse",
    .args = "NOTICE --reason REASON",
    .line = "record that a notice is not answered, and why",
    .help = "Records the provider's answer that nothing comes, with the reason, and writes its receipt. Deposits may answer the "
            "notice later all the same.",
    .args_min = 1,
    .args_max = 1,
    .go = go_refuse_notice,
    .options = { { "reason", "REASON", "not-held, no-basis, or one of those of `custody refuse`" },
                 { "note", "TEXT", "in words" },
                 { "receipts", "DIR", "where the receipt is written (by default receipts/ of the ledger)" } },
};
const struct command command_refuse = {
    .name = "refuse",
    .args = "CLAIM --reason REASON",
    .line = "record that a claim is not accepted, and why",
    .help = "Records that the provider does not accept what the claim file CLAIM was signed for; or, of a claim that answers a "
            "notice, that who asked does not. "
            "Its serial number is taken then, and a later deposit of the same claim still outranks it.",
    .args_min = 1,
    .args_max = 1,
    .go = go_refuse,
    .options = { { "reason", "REASON", "damaged, incomplete, not-accepted, quota, mistake, lost or stopped" } },
};
const struct command command_supervise = {
    .name = "supervise",
    .args = "CLAIM",
    .line = "watch a claim: if it is not accepted in time, say so",
    .help = "Hands the claim file CLAIM to the organisation's node. When no outcome of it is recorded within the time in which "
            "the policy lets it be accepted, the next "
            "verb that writes, or a running node, records a timeout: it takes the claim's serial number, and a later deposit of "
            "it still outranks it.",
    .args_min = 1,
    .args_max = 1,
    .go = go_supervise,
};
