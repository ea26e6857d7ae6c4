/* Judging a receipt offline. This file is the order of the checks; each is a small function in a file beside it.
 *
 *  1. What is read is in its one spelling; what is not is refused, with no verdict but FAIL.
 *  2. Every entry that a check needs stands in the receipt, under the same checkpoint as the record; and nothing else does: an
 *     entry that no check asked for is refused. So `extra` is determined by the record and the log, and no bit of it is idle.
 *  3. A verdict only ever sinks: PASS, NOT PROVEN, FAIL. What sank it first is its sentence.
 *  4. No signature line that a policy does not need has a say in verdict or sentence: dropping it changes neither.
 *  5. What is not shown to be in the log is not interpreted further.
 *  6. Nothing allocates: `extra` is decoded into the caller's scratch memory, messages to be verified are built behind it.
 */
#include "judge.h"

/* ---- lines --------------------------------------------------------------------------------------------------------- */

void cu_fill(struct cu_buf *out, const char *words, const struct cu_arg *args, bool zh)
{
    for (; *words; words++) {
        if (words[0] != '{') {
            cu_buf_add_byte(out, (uint8_t)*words);
            continue;
        }
        const struct cu_arg *arg = &args[words[1] - '0'];
        if (arg->en) cu_buf_add_str(out, zh ? arg->zh : arg->en);
        else cu_buf_addf(out, "%llu", LLU(arg->n));
        words += 2;
    }
}

struct row {
    const char *name;
    enum cu_verdict_name counts_to;
    const char *words[2][2]; /* bad or good, English or Chinese */
};
#define CU_VERDICT_NONE CU_VERDICTS
#define ROW(id, name, verdict, good, good_zh, bad, bad_zh) \
    [CU_CHECK_##id] = { name, CU_VERDICT_##verdict, { { bad, bad_zh }, { good, good_zh } } },
static const struct row rows[CU_CHECKS] = { CU_CHECK_TABLE(ROW) };

const char *cu_check_name(enum cu_check check) { return rows[check].name; }

/* Cut at a whole character. Returns where the reason begins. */
static size_t put_words(char *ret, size_t size, const char *words, const struct cu_arg *args, bool zh, const char *why)
{
    char room[2048];
    struct cu_buf out = cu_buf_over(room, sizeof room);

    cu_fill(&out, words, args, zh);
    const size_t before = out.n;
    if (why) cu_buf_add_str(&out, zh ? "：" : ": "), cu_buf_add_str(&out, why);
    size_t n = cu_text_whole(cu_buf_span(&out), size - 1);
    memcpy(ret, room, n);
    ret[n] = '\0';
    return before < n ? before : n;
}

static bool any_failed(const struct cu_report *r)
{
    for (int v = 0; v < CU_VERDICTS; v++)
        if (r->verdict[v] == CU_FAIL) return true;
    return false;
}

void cu_judge_say(struct cu_judge *j, enum cu_check check, enum cu_verdict v, cu_status status, const struct cu_err *why,
                  const struct cu_arg *args)
{
    const struct row *row = &rows[check];
    struct cu_report *r = j->report;
    struct cu_check_line line = { .check = check, .verdict = v, .status = status };
    const bool good = v >= CU_PASS;
    const enum cu_verdict_name which = row->counts_to;

    line.words_n = put_words(line.text, sizeof line.text, row->words[good][0], args, false, good || !why ? NULL : why->text);
    (void)put_words(line.text_zh, sizeof line.text_zh, row->words[good][1], args, true,
                    good || !why ? NULL : cu_status_text_zh(status));
    if (r->lines_n < CU_REPORT_LINES) r->line[r->lines_n++] = line; /* verdicts do not live in lines: more of them are dropped */
    if (v == CU_PASS && which == CU_VERDICT_TIME && r->verdict[which] == CU_PASS) r->why[which] = line;
    if (good) return;
    if (r->status == CU_OK || (v == CU_FAIL && !any_failed(r))) r->status = status;
    if (which == CU_VERDICTS || v >= r->verdict[which]) return;
    r->verdict[which] = v;
    r->why[which] = line;
}

/* ---- what the receipt is ------------------------------------------------------------------------------------------- */

cu_status cu_judge_open(struct cu_judge *j, struct cu_span receipt, uint8_t *scratch)
{
    struct cu_buf bytes = cu_buf_over(scratch, CU_VERIFY_SCRATCH);

    TRY(cu_tlog_proof_read(receipt, &j->proof, j->err));
    TRY(cu_note_read(j->proof.checkpoint, &j->note, j->err));
    TRY(cu_checkpoint_read(j->note.text, &j->report->checkpoint, j->err));
    ENSURE(j->proof.extra.n > 0, j->err, CU_MALFORMED, "receipt: no extra line, so it is some other log's proof");
    TRY(cu_base64_read(j->proof.extra, &bytes, j->err));
    TRY(cu_schema_read(&cu_extra_schema, cu_buf_span(&bytes), &j->extra, j->err));
    ENSURE(cu_span_is(j->extra.type, CU_EXTRA_TYPE), j->err, CU_NEWER_FORMAT, "receipt: its type is not %s", CU_EXTRA_TYPE);
    ENSURE(j->extra.hashes.n % sizeof(cu_hash) == 0, j->err, CU_MALFORMED, "receipt: hashes are 32 bytes each");
    j->room = cu_buf_over(scratch + bytes.n, CU_VERIFY_SCRATCH - bytes.n);
    return CU_OK;
}

static cu_status read_record(struct cu_judge *j)
{
    struct cu_report *r = j->report;

    TRY(cu_record_read(j->extra.record, &r->record, j->err));
    TRY(cu_entry_read(r->record.entry, &r->entry, j->err));
    r->seq = j->proof.index;
    r->leaf = r->entry.leaf;
    r->id = r->entry.signed_ ? cu_entry_innermost(&r->entry)->id : r->entry.leaf;
    return CU_OK;
}

static void place_record(struct cu_judge *j)
{
    const struct cu_report *r = j->report;
    struct cu_support s = { r->seq.v, r->record.entry, r->record.salt, r->record.details,
                            .has_details = r->record.details.n > 0 };

    j->placed[j->n++] = (struct cu_placed){ s, r->entry, .used = true };
}

static cu_status place_brought(struct cu_judge *j, const struct cu_support *s)
{
    struct cu_placed *p = &j->placed[j->n];

    ENSURE(j->n == 0 || p[-1].s.seq < s->seq, j->err, CU_MALFORMED,
           "receipt: entries ascend, each once, and the record is not among them");
    ENSURE(s->has_salt == s->has_details, j->err, CU_MALFORMED, "receipt: salt and details come together");
    cu_status status = cu_entry_read(s->entry, &p->entry, j->err);
    if (status != CU_OK) return cu_fail_while(j->err, status, "entry %llu of the receipt", LLU(s->seq));
    p->s = *s;
    j->n++;
    return CU_OK;
}

cu_status cu_judge_form(struct cu_judge *j, struct cu_span receipt, uint8_t *scratch)
{
    struct cu_support s;
    size_t at = 0;
    bool placed = false;

    TRY(cu_judge_open(j, receipt, scratch));
    TRY(read_record(j));
    while (cu_list_next(&j->extra.support, &cu_support_schema, &at, &s)) {
        if (!placed && s.seq >= j->proof.index.v) place_record(j), placed = true;
        TRY(place_brought(j, &s));
    }
    if (!placed) place_record(j);
    PASSED(j, FORM, NUM(j->proof.index.v), KIND(j->report->entry.kind), NUM(j->n - 1));
    return CU_OK;
}

cu_status cu_judge_complete(struct cu_judge *j)
{
    if (any_failed(j->report)) return CU_OK; /* what failed keeps its own name */
    for (size_t i = 0; i < j->n; i++)
        ENSURE(j->placed[i].used, j->err, CU_MALFORMED, "receipt: entry %llu goes with it, but nothing needs it",
               LLU(j->placed[i].s.seq));
    PASSED(j, COMPLETE);
    return CU_OK;
}

/* ---- what the checks share ----------------------------------------------------------------------------------------- */

struct cu_placed *cu_judge_next(struct cu_judge *j, struct cu_placed *after, enum cu_kind kind)
{
    struct cu_placed *p = after == NULL ? j->placed : after + 1;

    while (p < j->placed + j->n && p->entry.kind != kind) p++;
    return p < j->placed + j->n ? p : NULL;
}

cu_status cu_judge_dating(struct cu_judge *j, uint64_t seq, const struct cu_placed **ret)
{
    EACH (j, p, CU_KIND_BLOCK) {
        const struct cu_block *block = &p->entry.outer.body.block;
        if (seq < block->first || seq - block->first >= block->count) continue;
        p->used = true;
        *ret = p;
        return CU_OK;
    }
    return cu_fail(j->err, CU_MALFORMED, "receipt: the block entry that dates entry %llu is missing", LLU(seq));
}

struct cu_span cu_judge_name(const struct cu_judge *j, uint64_t party)
{
    struct cu_party_name name;
    size_t at = 0;

    while (cu_list_next(&j->names, &cu_party_name_schema, &at, &name))
        if (name.id == party) return name.name;
    for (const struct cu_placed *p = j->placed; p < j->placed + j->n; p++) {
        const union cu_payload *body = &p->entry.outer.body;
        const bool joins = p->entry.kind == CU_KIND_PROPOSE && body->propose.change == CU_CHANGE_JOIN &&
                           body->propose.party == party;
        struct cu_details_member d;
        if (!joins && (p->entry.kind != CU_KIND_MEMBER || body->member.party != party)) continue;
        if (cu_schema_read(cu_profile_schema(CU_PROFILE_MEMBER), p->s.details, &d, NULL) == CU_OK) return d.name;
    }
    return CU_SPAN_EMPTY;
}

uint64_t cu_judge_holder(const struct cu_judge *j, const struct cu_vkey *key)
{
    const cu_hash kid = cu_key_id(&key->pub);
    const uint64_t organisation = cu_judge_organisation(j, &kid);
    struct cu_span name = key->name;
    uint64_t party;

    if (organisation || key->type != CU_NOTE_COSIGNATURE || name.n < j->genesis.origin.n ||
        !cu_span_eq(cu_span(name.p, j->genesis.origin.n), j->genesis.origin))
        return organisation;
    name = cu_span_from(name, j->genesis.origin.n);
    return cu_span_take(&name, "/cosigner/") && cu_decimal_read(name, CU_PARTIES_MAX, &party, NULL) == CU_OK ? party : 0;
}

uint64_t cu_judge_organisation(const struct cu_judge *j, const cu_hash *kid)
{
    const struct cu_member_key *key = cu_members_key(&j->members, kid);

    return key == NULL ? 0 : cu_members_party(&j->members, key->party)->organisation;
}

const char *cu_shown(struct cu_span name, char ret[CU_SHOWN])
{
    struct cu_buf out = cu_buf_over(ret, CU_SHOWN - 1);

    cu_text_shortened(&out, name, CU_NAME_SHOWN);
    ret[out.n] = '\0';
    return ret;
}

/* ---- the order ----------------------------------------------------------------------------------------------------- */

/* What is not in the log is not interpreted. */
static cu_status leave_unjudged(struct cu_judge *j)
{
    UNPROVEN(j, SIGNER_UNJUDGED, CU_BAD_PROOF);
    UNPROVEN(j, TIME_UNJUDGED, CU_BAD_PROOF);
    return CU_OK;
}

static cu_status judge(struct cu_judge *j, const struct cu_evidence *evidence)
{
    cu_judge_inclusion(j);
    if (any_failed(j->report)) return leave_unjudged(j);
    cu_judge_checkpoint(j);
    TRY(cu_judge_network(j));
    TRY(cu_judge_attachments(j));
    cu_judge_members(j);
    TRY(cu_judge_case(j));
    TRY(cu_judge_notice(j));
    TRY(cu_judge_copies(j));
    cu_judge_policy(j);
    TRY(cu_judge_signers(j));
    TRY(cu_judge_time(j));
    TRY(cu_judge_complete(j));
    cu_judge_evidence(j, evidence);
    return CU_OK;
}

/* No receipt at all: one line stands for everything, whatever was found before. */
static cu_status refuse(struct cu_judge *j, enum cu_check check, cu_status status)
{
    struct cu_report *r = j->report;

    r->verdict[CU_VERDICT_INTEGRITY] = CU_PASS;
    cu_judge_say(j, check, CU_FAIL, status, j->err, ARGS());
    r->status = status;
    for (int v = CU_VERDICT_INTEGRITY + 1; v < CU_VERDICTS; v++)
        r->verdict[v] = CU_FAIL, r->why[v] = r->why[CU_VERDICT_INTEGRITY];
    return status;
}

cu_status cu_receipt_verify(struct cu_span receipt, const struct cu_trust *trust, const struct cu_evidence *evidence,
                            struct cu_verifier *by, uint8_t *scratch, struct cu_report *ret, struct cu_err *err)
{
    struct cu_err own = { 0 };
    struct cu_judge j = { .report = ret, .trust = trust, .by = by, .err = err != NULL ? err : &own };
    enum cu_check check = CU_CHECK_FORM;

    *ret = (struct cu_report){ .verdict = { CU_PASS, CU_PASS, CU_PASS }, .pinned = trust != NULL, .copies_ok = true };
    cu_status status = cu_judge_form(&j, receipt, scratch);
    if (status == CU_OK) check = CU_CHECK_COMPLETE, status = judge(&j, evidence);
    if (status != CU_OK) status = refuse(&j, check, status);
    cu_report_conclude(ret, trust);
    return status;
}
