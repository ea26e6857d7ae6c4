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

#include <stdarg.h>
#include <stdio.h>

/* ---- lines --------------------------------------------------------------------------------------------------------- */

size_t cu_whole(struct cu_span text, size_t max)
{
    size_t n = text.n < max ? text.n : max, at = n;

    while (at > 0 && n - at < 4 && (text.p[at - 1] & 0xC0) == 0x80) at--;
    if (at > 0 && text.p[at - 1] >= 0xC0) at--;
    return at == n || cu_utf8_ok(cu_span(text.p + at, n - at)) ? n : at;
}

/* Cut at a whole character. */
static void put_text(char *ret, size_t size, const char *fmt, va_list args) CU_PRINTF(3, 0);
static void put_text(char *ret, size_t size, const char *fmt, va_list args)
{
    int n = vsnprintf(ret, size, fmt, args);

    if (n > 0) ret[cu_whole(cu_span_str(ret), size)] = '\0';
}

/* Lines beyond the table's end are dropped: verdicts do not live in them. */
static void add_line(struct cu_report *r, const struct cu_check_line *line)
{
    if (r->lines_n < CU_REPORT_LINES) r->line[r->lines_n++] = *line;
}

static bool any_failed(const struct cu_report *r)
{
    for (int v = 0; v < CU_VERDICTS; v++)
        if (r->verdict[v] == CU_FAIL) return true;
    return false;
}

void cu_judge_say(struct cu_judge *j, enum cu_verdict_name which, enum cu_verdict v, cu_status status, const char *fmt, ...)
{
    struct cu_report *r = j->report;
    struct cu_check_line line = { .verdict = v };
    va_list args;

    va_start(args, fmt);
    put_text(line.text, sizeof line.text, fmt, args);
    va_end(args);
    add_line(r, &line);
    if (v == CU_PASS && which == CU_VERDICT_TIME && r->verdict[which] == CU_PASS)
        memcpy(r->why[which], line.text, sizeof line.text);
    if (v == CU_PASS) return;
    if (r->status == CU_OK || (v == CU_FAIL && !any_failed(r))) r->status = status;
    if (which == CU_VERDICTS || v >= r->verdict[which]) return;
    r->verdict[which] = v;
    memcpy(r->why[which], line.text, sizeof line.text);
}

void cu_judge_note(struct cu_judge *j, const char *fmt, ...)
{
    struct cu_check_line line = { .verdict = CU_PASS };
    va_list args;

    va_start(args, fmt);
    put_text(line.text, sizeof line.text, fmt, args);
    va_end(args);
    add_line(j->report, &line);
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
    cu_judge_note(j, "the file is one receipt in its one spelling: entry %llu, a %s, and %zu entries that go with it",
                  LLU(j->proof.index.v), cu_kind_row(j->report->entry.kind)->name, j->n - 1);
    return CU_OK;
}

cu_status cu_judge_nothing_unused(struct cu_judge *j)
{
    if (any_failed(j->report)) return CU_OK; /* what failed keeps its own name */
    for (size_t i = 0; i < j->n; i++)
        ENSURE(j->placed[i].used, j->err, CU_MALFORMED, "receipt: entry %llu goes with it, but nothing needs it",
               LLU(j->placed[i].s.seq));
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
    return CU_SPAN_EMPTY;
}

uint64_t cu_judge_organisation(const struct cu_judge *j, const cu_hash *kid)
{
    const struct cu_member_key *key = cu_members_key(&j->members, kid);

    return key == NULL ? 0 : cu_members_party(&j->members, key->party)->organisation;
}

#define SHOWN_BYTES 40 /* each becomes at most 4 characters: \xNN */
const char *cu_shown(struct cu_span name, char ret[CU_SHOWN])
{
    struct cu_buf out = cu_buf_over(ret, CU_SHOWN - 1);

    cu_text_printable(&out, cu_span(name.p, cu_whole(name, SHOWN_BYTES)));
    if (name.n > SHOWN_BYTES) cu_buf_add_str(&out, "…");
    ret[out.n] = '\0';
    return ret;
}

/* ---- the order ----------------------------------------------------------------------------------------------------- */

/* What is not in the log is not interpreted. */
static cu_status leave_unjudged(struct cu_judge *j)
{
    UNPROVEN(j, SIGNER, CU_BAD_PROOF, "not judged: the entries are not shown to be in the log");
    UNPROVEN(j, TIME, CU_BAD_PROOF, "not judged: the entries are not shown to be in the log");
    return CU_OK;
}

static cu_status judge(struct cu_judge *j, struct cu_span receipt, const struct cu_evidence *evidence, uint8_t *scratch)
{
    TRY(cu_judge_form(j, receipt, scratch));
    cu_judge_inclusion(j);
    if (any_failed(j->report)) return leave_unjudged(j);
    cu_judge_checkpoint(j);
    TRY(cu_judge_network(j));
    TRY(cu_judge_attachments(j));
    cu_judge_members(j);
    TRY(cu_judge_case(j));
    TRY(cu_judge_copies(j));
    TRY(cu_judge_signers(j));
    TRY(cu_judge_time(j));
    cu_judge_evidence(j, evidence);
    return cu_judge_nothing_unused(j);
}

/* No receipt at all: one sentence stands for everything, whatever was found before. */
static void refuse(struct cu_judge *j, cu_status status)
{
    struct cu_report *r = j->report;

    r->verdict[CU_VERDICT_INTEGRITY] = CU_PASS;
    FAILED(j, INTEGRITY, status, "%s", j->err->text);
    r->status = status;
    for (int v = CU_VERDICT_INTEGRITY + 1; v < CU_VERDICTS; v++) {
        r->verdict[v] = CU_FAIL;
        memcpy(r->why[v], r->why[CU_VERDICT_INTEGRITY], sizeof r->why[v]);
    }
}

cu_status cu_receipt_verify(struct cu_span receipt, const struct cu_trust *trust, const struct cu_evidence *evidence,
                            struct cu_verifier *by, uint8_t *scratch, struct cu_report *ret, struct cu_err *err)
{
    struct cu_err own = { 0 };
    struct cu_judge j = { .report = ret, .trust = trust, .by = by, .err = err != NULL ? err : &own };

    *ret = (struct cu_report){ .verdict = { CU_PASS, CU_PASS, CU_PASS }, .pinned = trust != NULL, .copies_ok = true };
    cu_status status = judge(&j, receipt, evidence, scratch);
    if (status != CU_OK) refuse(&j, status);
    cu_report_conclude(ret, trust);
    return status;
}
