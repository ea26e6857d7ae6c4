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

/* Cut at a whole character. */
static void put_text(char *ret, size_t size, const char *fmt, va_list args) CU_PRINTF(3, 0);
static void put_text(char *ret, size_t size, const char *fmt, va_list args)
{
    int n = vsnprintf(ret, size, fmt, args);

    if (n < 0 || (size_t)n < size) return;
    size_t at = size - 1;
    while (at > 0 && ((uint8_t)ret[at - 1] & 0xC0) == 0x80) at--;
    if (at > 0 && (uint8_t)ret[at - 1] >= 0xC0) at--;
    if (!cu_utf8_ok(cu_span(ret + at, size - 1 - at))) ret[at] = '\0';
}

static void put_textf(char *ret, size_t size, const char *fmt, ...) CU_PRINTF(3, 4);
static void put_textf(char *ret, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    put_text(ret, size, fmt, args);
    va_end(args);
}

/* Lines beyond the table's end are dropped: verdicts do not live in them. */
static struct cu_check_line *next_line(struct cu_report *r)
{
    return r->lines_n < CU_REPORT_LINES ? &r->line[r->lines_n++] : NULL;
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
    struct cu_check_line *at = next_line(r);
    if (at != NULL) *at = line;
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
    struct cu_check_line *at = next_line(j->report);
    va_list args;

    if (at == NULL) return;
    at->verdict = CU_PASS;
    va_start(args, fmt);
    put_text(at->text, sizeof at->text, fmt, args);
    va_end(args);
}

/* ---- what the receipt is ------------------------------------------------------------------------------------------- */

static cu_status read_extra(struct cu_judge *j, uint8_t *scratch)
{
    struct cu_buf bytes = cu_buf_over(scratch, CU_VERIFY_SCRATCH);

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

static cu_status read_brought(struct cu_judge *j, const struct cu_support *s)
{
    struct cu_brought *b = &j->brought[j->n];
    struct cu_entry entry;

    ENSURE(s->seq != j->proof.index.v && (j->n == 0 || b[-1].s.seq < s->seq), j->err, CU_MALFORMED,
           "receipt: entries ascend, each once, and the record is not among them");
    ENSURE(s->has_salt == s->has_details, j->err, CU_MALFORMED, "receipt: salt and details come together");
    cu_status status = cu_entry_read(s->entry, &entry, j->err);
    if (status != CU_OK) return cu_fail_while(j->err, status, "entry %llu of the receipt", LLU(s->seq));
    *b = (struct cu_brought){ .s = *s, .kind = entry.kind, .leaf = entry.leaf };
    if (entry.kind == CU_KIND_BLOCK) b->block = entry.outer.body.block;
    if (entry.kind == CU_KIND_CONFIRM) b->party = entry.outer.body.confirm.party;
    j->n++;
    return CU_OK;
}

cu_status cu_judge_form(struct cu_judge *j, struct cu_span receipt, uint8_t *scratch)
{
    struct cu_support s;
    size_t at = 0;

    TRY(cu_tlog_proof_read(receipt, &j->proof, j->err));
    TRY(cu_note_read(j->proof.checkpoint, &j->note, j->err));
    TRY(cu_checkpoint_read(j->note.text, &j->report->checkpoint, j->err));
    TRY(read_extra(j, scratch));
    TRY(read_record(j));
    while (cu_list_next(&j->extra.support, &cu_support_schema, &at, &s)) TRY(read_brought(j, &s));
    cu_judge_note(j, "the file is one receipt in its one spelling: entry %llu, a %s, and %zu entries that go with it",
                  LLU(j->proof.index.v), cu_kind_row(j->report->entry.kind)->name, j->n);
    return CU_OK;
}

cu_status cu_judge_nothing_unused(struct cu_judge *j)
{
    if (any_failed(j->report)) return CU_OK; /* what failed keeps its own name */
    for (size_t i = 0; i < j->n; i++)
        ENSURE(j->brought[i].used, j->err, CU_MALFORMED, "receipt: entry %llu goes with it, but nothing needs it",
               LLU(j->brought[i].s.seq));
    return CU_OK;
}

/* ---- what the checks share ----------------------------------------------------------------------------------------- */

struct cu_brought *cu_judge_at(struct cu_judge *j, uint64_t seq)
{
    for (size_t i = 0; i < j->n; i++)
        if (j->brought[i].s.seq == seq) return &j->brought[i];
    return NULL;
}

cu_status cu_judge_dating(struct cu_judge *j, uint64_t seq, const struct cu_brought **ret)
{
    for (size_t i = 0; i < j->n; i++) {
        struct cu_brought *b = &j->brought[i];
        if (b->kind != CU_KIND_BLOCK || seq < b->block.first || seq - b->block.first >= b->block.count) continue;
        b->used = true;
        *ret = b;
        return CU_OK;
    }
    return cu_fail(j->err, CU_MALFORMED, "receipt: the block entry that dates entry %llu is missing", LLU(seq));
}

struct cu_span cu_judge_name(const struct cu_judge *j, uint64_t party)
{
    const struct cu_brought *b = j->n > 0 ? &j->brought[0] : NULL;
    bool is_record = j->report->entry.kind == CU_KIND_GENESIS;
    struct cu_span details = is_record ? j->report->record.details : b != NULL && b->s.seq == 0 ? b->s.details : CU_SPAN_EMPTY;
    struct cu_details_genesis genesis;
    struct cu_party_name name;
    size_t at = 0;

    if (details.n == 0 || cu_schema_read(cu_profile_schema(CU_PROFILE_GENESIS), details, &genesis, NULL) != CU_OK)
        return CU_SPAN_EMPTY;
    while (cu_list_next(&genesis.parties, &cu_party_name_schema, &at, &name))
        if (name.id == party) return name.name;
    return CU_SPAN_EMPTY;
}

#define SHOWN_BYTES 40 /* each becomes at most 4 characters: \xNN */
const char *cu_shown(struct cu_span name, char ret[CU_SHOWN])
{
    struct cu_buf out = cu_buf_over(ret, CU_SHOWN - 1);
    bool cut = name.n > SHOWN_BYTES;

    if (cut) {
        name.n = SHOWN_BYTES;
        while (name.n > SHOWN_BYTES - 4 && (name.p[name.n] & 0xC0) == 0x80) name.n--;
    }
    cu_text_printable(&out, name);
    if (cut) cu_buf_add_str(&out, "…");
    ret[out.n] = '\0';
    return ret;
}

/* ---- the order ----------------------------------------------------------------------------------------------------- */

/* What is not in the log is not interpreted. */
static cu_status leave_unjudged(struct cu_judge *j)
{
    cu_judge_say(j, CU_VERDICT_SIGNER, CU_NOT_PROVEN, CU_BAD_PROOF, "not judged: the entries are not shown to be in the log");
    cu_judge_say(j, CU_VERDICT_TIME, CU_NOT_PROVEN, CU_BAD_PROOF, "not judged: the entries are not shown to be in the log");
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

/* No receipt at all: one sentence stands for everything. */
static void refuse(struct cu_judge *j, cu_status status)
{
    struct cu_report *r = j->report;

    cu_judge_say(j, CU_VERDICTS, CU_FAIL, status, "%s", j->err->text);
    for (int v = 0; v < CU_VERDICTS; v++) {
        r->verdict[v] = CU_FAIL;
        put_textf(r->why[v], sizeof r->why[v], "%s", j->err->text);
    }
    r->status = status;
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
