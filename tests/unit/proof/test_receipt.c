/* Receipts of every kind verify; what was altered in one does not. */
#include "../../one_of.h"
#include "synthetic.h"
#include "../../schema_check.h"

static const char content[] = "evidence, in so many bytes";

struct ledger {
    struct synthetic *s;
    struct cu_buf trust, note;
    uint64_t opened, deposit, big, folder, refusal, stored, inventory, voided, correction, incident, disclosure;
    uint8_t bytes[100000];
};

static void add_folder(struct ledger *l)
{
    CU_BUF manifest = cu_buf_heap(CU_CONTENT_INLINE_MAX);
    CU_BUF row = cu_buf_heap(CU_MANIFEST_ROW_MAX);
    cu_hash digest = cu_sha256(CU_SPAN_OF(content)), root = cu_content_root_of(CU_SPAN_OF(content));
    struct cu_item item = { .path = cu_span_str("a.txt"),
                            .type = CU_ITEM_FILE,
                            .size = sizeof content,
                            .root = root,
                            .has_root = true,
                            .sha256 = digest,
                            .has_sha256 = true,
                            .mode = 0644 };
    struct order o = { .is_folder = true };

    cu_manifest_header_put(1, sizeof content, &manifest);
    OK(cu_item_write(&item, &row, &error));
    cu_buf_add(&manifest, cu_buf_span(&row));
    o.content = cu_buf_span(&manifest);
    o.folder = (struct cu_folder){ 1, sizeof content, cu_leaf_hash(cu_buf_span(&row)) };
    l->folder = add_deposit(l->s, l->opened, &o);
}

/* One organisation, one of everything. */
static int set_up(void **state)
{
    struct ledger *l = calloc(1, sizeof *l);
    struct synthetic *s = l->s = synthetic_new(1);
    CU_BUF claim = cu_buf_heap(CU_CLAIM_MAX);

    for (size_t i = 0; i < sizeof l->bytes; i++) l->bytes[i] = (uint8_t)(i * i >> 7);
    l->opened = add_case(s, "C1", 1);
    add_block(s);
    l->deposit = add_deposit(s, l->opened, &(struct order){ .content = CU_SPAN_OF(content), .keep_claim = &claim });
    l->big = add_deposit(s, l->opened, &(struct order){ .content = CU_SPAN_OF(l->bytes), .claim_seen = seen_at(s, 2) });
    add_block(s);
    l->stored = add_stored(s, 0, l->deposit, l->big);
    add_block(s);
    add_folder(l);
    l->refusal = add_deposit(s, l->opened, &(struct order){ .content = CU_SPAN_OF(content), .refuse = true });
    add_block(s);
    add_stored(s, 0, l->folder, l->folder);
    l->inventory = add_inventory(s, l->opened, (cu_hash[]){ s->at[l->deposit].id, s->at[l->big].id, s->at[l->folder].id }, 3);
    l->voided = add_void(s);
    l->correction = add_correction(s, &s->at[l->deposit].id);
    l->incident = add_incident(s, cu_buf_span(&claim));
    l->disclosure = add_disclosure(s, &s->at[l->deposit].id);
    add_block(s);
    l->note = cu_buf_heap(CU_NOTE_MAX);
    l->trust = cu_buf_heap(CU_TRUST_MAX);
    put_note(s, s->n, 0, 0, &l->note);
    put_trust(s, "integrity signer", "quorum none", &l->trust);
    *state = l;
    return 0;
}

static int tear_down(void **state)
{
    struct ledger *l = *state;

    cu_buf_free(&l->note);
    cu_buf_free(&l->trust);
    synthetic_free(l->s);
    free(l);
    return 0;
}

static void print(const struct cu_report *r)
{
    CU_BUF out = cu_buf_heap(1 << 20);

    cu_report_text(r, &out);
    fwrite(out.p, 1, out.n, stderr);
}

static void expect(const struct cu_report *r, enum cu_verdict integrity, enum cu_verdict signer, enum cu_verdict time, int exit)
{
    if (r->verdict[0] != integrity || r->verdict[1] != signer || r->verdict[2] != time || r->exit_code != exit) {
        print(r);
        fail_msg("verdicts %d %d %d, exit %d", r->verdict[0], r->verdict[1], r->verdict[2], r->exit_code);
    }
}

static void every_kind_of_entry_has_a_receipt_that_verifies(void **state)
{
    struct ledger *l = *state;

    for (size_t seq = 0; seq < l->s->n; seq++) {
        CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
        struct cu_report r;
        put_receipt(l->s, seq, cu_buf_span(&l->note), &receipt);
        OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&l->trust), NULL, &r));
        expect(&r, CU_PASS, CU_PASS, CU_NOT_PROVEN, 0);
        assert_true(r.one_keeper);
        assert_int_equal(r.seq.v, seq);
    }
}

static struct cu_evidence evidence_of(struct cu_span bytes)
{
    return (struct cu_evidence){ true, bytes.n, cu_content_root_of(bytes), cu_sha256(bytes) };
}

static void the_file_is_compared_with_what_was_signed(void **state)
{
    struct ledger *l = *state;
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    struct cu_evidence same = evidence_of(CU_SPAN_OF(l->bytes)), other;
    struct cu_report r;

    put_receipt(l->s, l->big, cu_buf_span(&l->note), &receipt);
    OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&l->trust), &same, &r));
    expect(&r, CU_PASS, CU_PASS, CU_NOT_PROVEN, 0);
    assert_int_equal(r.evidence, CU_EVIDENCE_SAME);
    assert_non_null(strstr(r.statement_en, "are those that were signed"));
    assert_int_equal(r.copies, 1);

    l->bytes[77777] ^= 1;
    other = evidence_of(CU_SPAN_OF(l->bytes));
    l->bytes[77777] ^= 1;
    OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&l->trust), &other, &r));
    expect(&r, CU_FAIL, CU_PASS, CU_NOT_PROVEN, 2);
    assert_int_equal(r.status, CU_BAD_HASH);
    other = same, other.size++;
    OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&l->trust), &other, &r));
    expect(&r, CU_FAIL, CU_PASS, CU_NOT_PROVEN, 2);
    other = same, other.sha256.b[0] ^= 1;
    OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&l->trust), &other, &r));
    expect(&r, CU_FAIL, CU_PASS, CU_NOT_PROVEN, 2);
}

static void without_a_file_the_sentence_says_that_nothing_was_compared(void **state)
{
    struct ledger *l = *state;
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    struct cu_report r;

    put_receipt(l->s, l->big, cu_buf_span(&l->note), &receipt);
    OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&l->trust), NULL, &r));
    if (getenv("SHOW")) print(&r);
    assert_non_null(strstr(r.statement_en, "No file was compared"));
    assert_non_null(strstr(r.statement_en, "One party holds every key"));
    assert_non_null(strstr(r.statement_zh, "全部密钥由一方持有"));
    assert_null(strstr(r.statement_en, "\xE2\x80\xAE")); /* a name that would reverse the line is shown escaped */
}

static void a_file_given_to_a_receipt_of_no_file_is_not_passed_over(void **state)
{
    struct ledger *l = *state;
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    struct cu_evidence e = evidence_of(CU_SPAN_OF(content));
    struct cu_report r;

    put_receipt(l->s, l->inventory, cu_buf_span(&l->note), &receipt);
    OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&l->trust), &e, &r));
    expect(&r, CU_NOT_PROVEN, CU_PASS, CU_NOT_PROVEN, 2);
}

/* What people read and what scripts read say the same. */
static void the_report_is_text_and_json(void **state)
{
    struct ledger *l = *state;
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX), text = cu_buf_heap(1 << 20), json = cu_buf_heap(1 << 20);
    struct cu_report r;

    put_receipt(l->s, l->deposit, cu_buf_span(&l->note), &receipt);
    OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&l->trust), NULL, &r));
    cu_report_text(&r, &text);
    cu_report_json(&r, &json);
    cu_buf_add_byte(&text, 0), cu_buf_add_byte(&json, 0);
    assert_non_null(strstr((char *)text.p, "\ntime       NOT PROVEN  signed after "));
    assert_non_null(strstr((char *)text.p, r.statement_zh));
    assert_non_null(strstr((char *)json.p, "\"exit_code\":0"));
    assert_non_null(strstr((char *)json.p, "\"one_keeper\":true"));
    assert_non_null(strstr((char *)json.p, "\"depositor\":\"陈警官"));
}

static void a_folder_judged_outside_folds_into_the_report(void **state)
{
    struct ledger *l = *state;
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    struct cu_trust trust;
    struct cu_report r;

    put_receipt(l->s, l->folder, cu_buf_span(&l->note), &receipt);
    OK(cu_trust_read(cu_buf_span(&l->trust), &trust, &error));
    OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&l->trust), NULL, &r));
    assert_true(r.manifest.n > 0);
    assert_int_equal(r.copies, 1); /* attested: of a folder the manifest alone travels with the record */
    cu_report_evidence(&r, &trust, CU_CHECK_FOLDER, CU_OK, "", "");
    expect(&r, CU_PASS, CU_PASS, CU_NOT_PROVEN, 0);
    assert_non_null(strstr(r.statement_en, "are those that were signed"));
    cu_report_evidence(&r, &trust, CU_CHECK_FOLDER, CU_BAD_HASH, "a.txt differs", "a.txt 有改动");
    expect(&r, CU_FAIL, CU_PASS, CU_NOT_PROVEN, 2);
    assert_non_null(strstr(r.statement_en, "a.txt differs"));
    assert_non_null(strstr(r.statement_zh, "与存证不符：a.txt 有改动。"));
}

static void without_a_pinned_trust_it_never_exits_0(void **state)
{
    struct ledger *l = *state;
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    struct cu_report r;

    put_receipt(l->s, l->deposit, cu_buf_span(&l->note), &receipt);
    OK(judge(l->s, cu_buf_span(&receipt), CU_SPAN_EMPTY, NULL, &r));
    expect(&r, CU_PASS, CU_NOT_PROVEN, CU_NOT_PROVEN, 4);
}

static void a_required_time_that_one_keeper_alone_attests_exits_5(void **state)
{
    struct ledger *l = *state;
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    CU_BUF trust = cu_buf_heap(CU_TRUST_MAX);
    struct cu_report r;

    put_trust(l->s, "integrity signer time", "quorum none", &trust);
    put_receipt(l->s, l->deposit, cu_buf_span(&l->note), &receipt);
    OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&trust), NULL, &r));
    expect(&r, CU_PASS, CU_PASS, CU_NOT_PROVEN, 5);
}

static void an_outside_witness_that_the_trust_demands_proves_when_it_existed(void **state)
{
    struct ledger *l = *state;
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    CU_BUF trust = cu_buf_heap(CU_TRUST_MAX), note = cu_buf_heap(CU_NOTE_MAX);
    struct cu_report r;

    put_trust(l->s, "integrity signer time", "group outside 2 w0 w1 w2\nquorum outside", &trust);
    put_note(l->s, l->s->n, 5, 0, &note);
    put_receipt(l->s, l->deposit, cu_buf_span(&note), &receipt);
    OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&trust), NULL, &r));
    expect(&r, CU_PASS, CU_PASS, CU_PASS, 0);
    assert_false(r.one_keeper);
    assert_int_equal(r.witnessed_by.v, (l->s->now / 1000 + 2) * 1000);

    cu_buf_clear(&note), cu_buf_clear(&receipt); /* one of three is no quorum */
    put_note(l->s, l->s->n, 1, 0, &note);
    put_receipt(l->s, l->deposit, cu_buf_span(&note), &receipt);
    OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&trust), NULL, &r));
    expect(&r, CU_PASS, CU_NOT_PROVEN, CU_NOT_PROVEN, 4);
    assert_int_equal(r.status, CU_UNTRUSTED);
}

static void a_witness_that_the_trust_does_not_demand_decides_nothing(void **state)
{
    struct ledger *l = *state;
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX);
    struct cu_report r;

    put_note(l->s, l->s->n, 7, 0, &note);
    put_receipt(l->s, l->deposit, cu_buf_span(&note), &receipt);
    OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&l->trust), NULL, &r));
    expect(&r, CU_PASS, CU_PASS, CU_NOT_PROVEN, 0);
    assert_true(r.one_keeper);
}

/* ---- a consortium -------------------------------------------------------------------------------------------------- */

static void several_organisations_prove_time_and_copies(void **state)
{
    (void)state;
    struct synthetic *s = synthetic_new(4);
    static uint8_t bytes[50000];
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    CU_BUF trust = cu_buf_heap(CU_TRUST_MAX), note = cu_buf_heap(CU_NOTE_MAX);
    struct cu_report r;

    uint64_t opened = add_case(s, "C1", 1);
    add_block(s);
    uint64_t deposit = add_deposit(s, opened, &(struct order){ .content = CU_SPAN_OF(bytes) });
    add_block(s);
    add_stored(s, 3, deposit, deposit);
    add_block(s);
    put_trust(s, "integrity signer time", "group orgs 3 o1 o2 o3 o4\nquorum orgs", &trust);
    put_note(s, s->n, 0, 15, &note);
    put_receipt(s, deposit, cu_buf_span(&note), &receipt);
    OK(judge(s, cu_buf_span(&receipt), cu_buf_span(&trust), NULL, &r));
    expect(&r, CU_PASS, CU_PASS, CU_PASS, 3); /* one copy of two */
    assert_int_equal(r.copies, 1);

    add_stored(s, 1, deposit, deposit);
    add_block(s);
    cu_buf_clear(&note), cu_buf_clear(&receipt);
    put_note(s, s->n, 0, 11, &note);
    put_receipt(s, deposit, cu_buf_span(&note), &receipt);
    OK(judge(s, cu_buf_span(&receipt), cu_buf_span(&trust), NULL, &r));
    expect(&r, CU_PASS, CU_PASS, CU_PASS, 3); /* two, but not the mandatory one */
    assert_int_equal(r.copies, 2);

    add_stored(s, 2, deposit, deposit);
    add_block(s);
    cu_buf_clear(&note), cu_buf_clear(&receipt);
    put_note(s, s->n, 0, 7, &note);
    put_receipt(s, deposit, cu_buf_span(&note), &receipt);
    OK(judge(s, cu_buf_span(&receipt), cu_buf_span(&trust), NULL, &r));
    expect(&r, CU_PASS, CU_PASS, CU_PASS, 0);
    assert_int_equal(r.copies, 3);
    assert_false(r.one_keeper);
    assert_int_equal(r.witnessed_by.v, 0);

    cu_buf_clear(&trust); /* a reader who trusts one organisation's word has one party's clock */
    put_trust(s, "integrity signer time", "quorum o1", &trust);
    OK(judge(s, cu_buf_span(&receipt), cu_buf_span(&trust), NULL, &r));
    expect(&r, CU_PASS, CU_PASS, CU_NOT_PROVEN, 5);
    synthetic_free(s);
}

/* ---- forged -------------------------------------------------------------------------------------------------------- */

/* A keeper who records what the rules forbid: the receipt shows it. */
static void judge_order(const struct order *o, struct cu_report *ret)
{
    struct synthetic *s = synthetic_new(1);
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    CU_BUF trust = cu_buf_heap(CU_TRUST_MAX), note = cu_buf_heap(CU_NOTE_MAX);
    struct order with = *o;

    uint64_t opened = add_case(s, "C1", 1);
    add_block(s);
    if (with.content.n == 0) with.content = CU_SPAN_OF(content);
    uint64_t deposit = add_deposit(s, opened, &with);
    add_block(s);
    put_note(s, s->n, 0, 0, &note);
    put_trust(s, "integrity signer", "quorum none", &trust);
    put_receipt(s, deposit, cu_buf_span(&note), &receipt);
    OK(judge(s, cu_buf_span(&receipt), cu_buf_span(&trust), NULL, ret));
    synthetic_free(s);
}

static void forged(const struct order *o, enum cu_verdict_name which, cu_status status)
{
    struct cu_report r;

    judge_order(o, &r);
    if (r.verdict[which] == CU_FAIL && r.status == status && r.exit_code != 0) return;
    print(&r);
    fail_msg("status %s, exit %d", cu_status_name(r.status), r.exit_code);
}

static bool says(const struct cu_report *r, const char *words)
{
    for (size_t i = 0; i < r->lines_n; i++)
        if (strstr(r->line[i].text, words) != NULL) return true;
    return false;
}

static void details_that_are_not_understood_are_shown_as_that_and_nothing_fails(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
    } details[] = {
        { "\xa1\x67profile\x65photo", 15 },
        { "\xa2\x64name\x61x\x67profile\x64"
          "case",
          21 },
        { "\xa1\x67profile\x65plain", 15 },
    };
    struct cu_report r;

    for (size_t i = 0; i < sizeof details / sizeof *details; i++) {
        judge_order(&(struct order){ .details = cu_span(details[i].bytes, details[i].n) }, &r);
        assert_true(says(&r, "they are not interpreted"));
        assert_int_equal(r.verdict[CU_VERDICT_INTEGRITY], CU_PASS);
        assert_true(r.item_name.n == 0 && !r.has_sha256);
    }
}

static void content_with_another_sha256_than_was_signed_fails(void **state)
{
    (void)state;
    cu_hash other = { { 7 } };

    forged(&(struct order){ .sha256 = &other }, CU_VERDICT_INTEGRITY, CU_BAD_HASH);
}

static void a_manifest_that_does_not_add_up_fails(void **state)
{
    (void)state;
    CU_BUF manifest = cu_buf_heap(CU_CONTENT_INLINE_MAX);
    struct order o = { .is_folder = true, .content = cu_span_str("no manifest"), .folder = { 0, 0, cu_empty_root() } };

    forged(&o, CU_VERDICT_INTEGRITY, CU_MALFORMED);
    cu_manifest_header_put(1, 0, &manifest);
    o.content = cu_buf_span(&manifest);
    forged(&o, CU_VERDICT_INTEGRITY, CU_MALFORMED); /* announced, and not there */
    cu_buf_clear(&manifest);
    cu_manifest_header_put(0, 0, &manifest);
    o.content = cu_buf_span(&manifest);
    for (int i = 0; i < 3; i++) {
        o.folder = (struct cu_folder){ i == 0, i == 1, i == 2 ? (cu_hash){ { 1 } } : cu_empty_root() };
        forged(&o, CU_VERDICT_INTEGRITY, CU_BAD_HASH);
    }
}

static void a_foreign_depositor_is_not_enrolled(void **state)
{
    (void)state;
    struct cu_private_key key;

    OK(cu_private_generate(CU_ALG_ES256, &key, &error));
    forged(&(struct order){ .depositor = &key }, CU_VERDICT_SIGNER, CU_UNKNOWN_KEY);
    forged(&(struct order){ .provider = &key }, CU_VERDICT_SIGNER, CU_UNKNOWN_KEY);
    cu_private_free(&key);
}

static void a_statement_of_another_ledger_fails(void **state)
{
    (void)state;
    cu_hash other = { { 7 } };

    forged(&(struct order){ .network = &other }, CU_VERDICT_SIGNER, CU_WRONG_NETWORK);
}

static void a_block_that_was_never_there_fails(void **state)
{
    (void)state;
    struct cu_seen lie = { 2, { { 1 } } };

    forged(&(struct order){ .claim_seen = lie }, CU_VERDICT_TIME, CU_UNKNOWN_BLOCK);
}

/* Take an entry of the good ledger, spoil it, and put a log together around it as a keeper could. */
static void spoil(struct ledger *l, uint64_t seq, struct cu_span entry, cu_status refused, cu_status status)
{
    struct synthetic *s = l->s;
    struct made *m = &s->at[seq], kept = *m;
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX);
    struct cu_report r;

    m->bytes = cu_buf_heap(CU_ENTRY_MAX);
    cu_buf_add(&m->bytes, entry);
    m->leaf = cu_leaf_hash(entry);
    put_note(s, s->n, 0, 0, &note);
    put_receipt(s, seq, cu_buf_span(&note), &receipt);
    cu_status got = judge(s, cu_buf_span(&receipt), cu_buf_span(&l->trust), NULL, &r);
    if (got != refused || r.status != status || r.exit_code == 0) {
        print(&r);
        fail_msg("returned %s, status %s", cu_status_name(got), cu_status_name(r.status));
    }
    cu_buf_free(&m->bytes);
    *m = kept;
}

static void another_signature_under_an_enrolled_key_fails(void **state)
{
    struct ledger *l = *state;
    CU_BUF bytes = cu_buf_heap(CU_ENTRY_MAX);

    cu_buf_add(&bytes, cu_buf_span(&l->s->at[l->deposit].bytes));
    bytes.p[bytes.n - 60] ^= 1; /* within r of the outer signature */
    spoil(l, l->deposit, cu_buf_span(&bytes), CU_OK, CU_BAD_SIGNATURE);
}

/* s' = n - s verifies anywhere but here. */
static void a_high_s_fails_as_that(void **state)
{
    static const uint8_t order_n[32] = { 0xFF, 0xFF, 0xFF, 0xFF, 0,    0,    0,    0,    0xFF, 0xFF, 0xFF,
                                         0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17,
                                         0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51 };
    struct ledger *l = *state;
    CU_BUF bytes = cu_buf_heap(CU_ENTRY_MAX);
    int borrow = 0;

    cu_buf_add(&bytes, cu_buf_span(&l->s->at[l->deposit].bytes));
    for (int i = 31; i >= 0; i--) {
        int d = order_n[i] - bytes.p[bytes.n - 32 + i] - borrow;
        borrow = d < 0;
        bytes.p[bytes.n - 32 + i] = (uint8_t)(d + (borrow ? 256 : 0));
    }
    spoil(l, l->deposit, cu_buf_span(&bytes), CU_OK, CU_HIGH_S);
}

static size_t find(struct cu_span in, const char *what, size_t n)
{
    for (size_t i = 0; i + n <= in.n; i++)
        if (memcmp(in.p + i, what, n) == 0) return i;
    fail_msg("not found");
    return 0;
}

static void something_in_an_unprotected_header_is_refused(void **state)
{
    struct ledger *l = *state;
    CU_BUF bytes = cu_buf_heap(CU_ENTRY_MAX);
    struct cu_entry e;
    struct cu_span good = cu_buf_span(&l->s->at[l->deposit].bytes);

    OK(cu_entry_read(good, &e, &error));
    size_t at = (size_t)(e.outer.protected_.p + e.outer.protected_.n - good.p); /* the empty map stands behind */
    assert_int_equal(good.p[at], 0xA0);
    cu_buf_add(&bytes, cu_span(good.p, at));
    cu_buf_add(&bytes, cu_span("\xA1\x18\x63\x01", 4));
    cu_buf_add(&bytes, cu_span(good.p + at + 1, good.n - at - 1));
    spoil(l, l->deposit, cu_buf_span(&bytes), CU_UNPROTECTED_HEADER, CU_UNPROTECTED_HEADER);
}

static void a_missing_signature_is_refused(void **state)
{
    struct ledger *l = *state;
    CU_BUF bytes = cu_buf_heap(CU_ENTRY_MAX);
    struct cu_span good = cu_buf_span(&l->s->at[l->deposit].bytes);

    cu_buf_add(&bytes, cu_span(good.p, good.n - 66));
    cu_buf_add_byte(&bytes, 0x40);
    spoil(l, l->deposit, cu_buf_span(&bytes), CU_MISSING_SIGNATURE, CU_MISSING_SIGNATURE);
}

static void a_statement_of_another_kind_is_refused(void **state)
{
    struct ledger *l = *state;
    CU_BUF bytes = cu_buf_heap(CU_ENTRY_MAX);
    struct cu_span good = cu_buf_span(&l->s->at[l->voided].bytes);

    cu_buf_add(&bytes, good);
    size_t at = find(good, "custody-void+cose", 17);
    memcpy(bytes.p + at, "custody-case+cose", 17);
    struct cu_report r;
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    struct made *m = &l->s->at[l->voided], kept = *m;
    CU_BUF note = cu_buf_heap(CU_NOTE_MAX);
    m->bytes = bytes, m->leaf = cu_leaf_hash(cu_buf_span(&bytes));
    put_note(l->s, l->s->n, 0, 0, &note);
    put_receipt(l->s, l->voided, cu_buf_span(&note), &receipt);
    assert_int_not_equal(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&l->trust), NULL, &r), CU_OK);
    assert_int_equal(r.exit_code, 2);
    *m = kept;
}

/* The provider's signature is over another claim than the one it now stands around. */
static void an_acceptance_replayed_over_another_claim_fails(void **state)
{
    struct ledger *l = *state;
    struct cu_span a = cu_buf_span(&l->s->at[l->deposit].bytes), b = cu_buf_span(&l->s->at[l->refusal].bytes);
    struct cu_entry of_a, of_b;
    CU_BUF bytes = cu_buf_heap(CU_ENTRY_MAX);

    OK(cu_entry_read(a, &of_a, &error));
    OK(cu_entry_read(b, &of_b, &error));
    struct cu_span claim_a = of_a.outer.body.deposit.claim, claim_b = of_b.outer.body.refusal.claim;
    assert_int_equal(claim_a.n, claim_b.n);
    cu_buf_add(&bytes, a);
    memcpy(bytes.p + (claim_a.p - a.p), claim_b.p, claim_b.n);
    struct made *m = &l->s->at[l->deposit], *other = &l->s->at[l->refusal], kept = *m;
    m->details = other->details; /* the other claim's own details, so that nothing else is amiss */
    memcpy(m->salt, other->salt, sizeof m->salt);
    m->seen[0] = other->seen[0];
    spoil(l, l->deposit, cu_buf_span(&bytes), CU_OK, CU_BAD_SIGNATURE);
    *m = kept;
}

static void a_receipt_of_another_ledger_fails(void **state)
{
    struct ledger *l = *state;
    struct synthetic *other = synthetic_new(1);
    CU_BUF trust = cu_buf_heap(CU_TRUST_MAX), receipt = cu_buf_heap(CU_RECEIPT_MAX);
    struct cu_report r;

    put_trust(other, "integrity signer", "quorum none", &trust);
    put_receipt(l->s, l->deposit, cu_buf_span(&l->note), &receipt);
    OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&trust), NULL, &r));
    expect(&r, CU_PASS, CU_FAIL, CU_NOT_PROVEN, 4);
    synthetic_free(other);
}

static void a_manifest_is_compared_as_evidence_of_its_folder(void **state)
{
    struct ledger *l = *state;
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    struct cu_evidence e = evidence_of(cu_buf_span(&l->s->at[l->folder].content));
    struct cu_report r;

    put_receipt(l->s, l->folder, cu_buf_span(&l->note), &receipt);
    OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&l->trust), &e, &r));
    assert_true(says(&r, "the manifest that was given is what was signed"));
    assert_int_equal(r.evidence, CU_EVIDENCE_NONE); /* the files themselves are compared by the caller */
    e.root.b[0] ^= 1;
    OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&l->trust), &e, &r));
    assert_int_equal(r.status, CU_BAD_HASH);
}

static void a_report_under_no_trust_any_more_is_not_exit_0(void **state)
{
    struct ledger *l = *state;
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    struct cu_report r;

    put_receipt(l->s, l->folder, cu_buf_span(&l->note), &receipt);
    OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&l->trust), NULL, &r));
    cu_report_evidence(&r, NULL, CU_CHECK_FOLDER, CU_OK, "", "");
    assert_int_equal(r.exit_code, 4);
    cu_report_evidence(&r, NULL, CU_CHECK_FOLDER, CU_OK, "", "");
    assert_int_equal(r.evidence, CU_EVIDENCE_SAME);
}

static void a_trust_file_that_covers_another_size_proves_no_signer(void **state)
{
    struct ledger *l = *state;
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX), trust = cu_buf_heap(CU_TRUST_MAX);
    struct cu_report r;
    size_t at = find(cu_buf_span(&l->trust), "epoch 0 -", 9);

    cu_buf_add(&trust, cu_span(l->trust.p, at));
    cu_buf_add_str(&trust, "epoch 1000 -");
    cu_buf_add(&trust, cu_span(l->trust.p + at + 9, l->trust.n - at - 9));
    put_receipt(l->s, l->deposit, cu_buf_span(&l->note), &receipt);
    OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&trust), NULL, &r));
    assert_int_equal(r.verdict[CU_VERDICT_SIGNER], CU_NOT_PROVEN);
    assert_int_equal(r.status, CU_UNTRUSTED);
}

static void a_case_that_was_opened_after_it_fails(void **state)
{
    (void)state;
    struct synthetic *s = synthetic_new(1);
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX), trust = cu_buf_heap(CU_TRUST_MAX), note = cu_buf_heap(CU_NOTE_MAX);
    bool set[ENTRIES_MAX] = { false };
    struct cu_report r;

    uint64_t opened = add_case(s, "C1", 1);
    add_block(s);
    uint64_t deposit = add_deposit(s, opened, &(struct order){ .content = CU_SPAN_OF(content) });
    add_block(s);
    uint64_t later = add_case(s, "C1", 1); /* no ledger admits it: a keeper's own log */
    add_block(s);
    put_note(s, s->n, 0, 0, &note);
    put_trust(s, "integrity signer", "quorum none", &trust);
    support_of(s, deposit, set);
    set[opened] = false, set[later] = true;
    put_receipt_with(s, deposit, set, cu_buf_span(&note), &receipt);
    OK(judge(s, cu_buf_span(&receipt), cu_buf_span(&trust), NULL, &r));
    assert_int_equal(r.status, CU_OUT_OF_ORDER);
    synthetic_free(s);
}

static void an_inventory_tells_of_open_numbers_and_may_be_of_a_key(void **state)
{
    (void)state;
    struct synthetic *s = synthetic_new(1);
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX), trust = cu_buf_heap(CU_TRUST_MAX), note = cu_buf_heap(CU_NOTE_MAX);
    CU_BUF open = cu_buf_heap(200);
    struct cu_report r;

    struct made *m = new_entry(s);
    struct cu_open_serials row = { s->depositor.id, { 1, cu_span("\x02", 1) } };
    OK(cu_schema_write(&cu_open_serials_schema, &row, &open, &error));
    struct cu_inventory v = { .time = s->now,
                              .seen = seen_now(s),
                              .kid = s->depositor.id,
                              .has_kid = true,
                              .root = cu_empty_root(),
                              .open = { 1, cu_buf_span(&open) } };
    OK(cu_statement_sign(CU_KIND_INVENTORY, &v, &s->network, &s->depositor, &m->bytes, &error));
    m->orgs = 1, m->seen[0] = v.seen.seq;
    uint64_t seq = enter(s, m);
    add_block(s);
    put_note(s, s->n, 0, 0, &note);
    put_trust(s, "integrity signer", "quorum none", &trust);
    put_receipt(s, seq, cu_buf_span(&note), &receipt);
    OK(judge(s, cu_buf_span(&receipt), cu_buf_span(&trust), NULL, &r));
    assert_int_equal(r.exit_code, 0);
    assert_true(says(&r, "the key has exactly 0 deposits") && says(&r, "serial numbers of 1 keys are still open"));
    synthetic_free(s);
}

static void a_confirmation_that_is_not_signed_enrols_nobody(void **state)
{
    struct ledger *l = *state;
    struct made *confirm = &l->s->at[1];
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX), note = cu_buf_heap(CU_NOTE_MAX);
    struct cu_report r;

    confirm->bytes.p[confirm->bytes.n - 60] ^= 1;
    cu_hash kept = confirm->leaf;
    confirm->leaf = cu_leaf_hash(cu_buf_span(&confirm->bytes));
    put_note(l->s, l->s->n, 0, 0, &note);
    put_receipt(l->s, l->deposit, cu_buf_span(&note), &receipt);
    OK(judge(l->s, cu_buf_span(&receipt), cu_buf_span(&l->trust), NULL, &r));
    confirm->bytes.p[confirm->bytes.n - 60] ^= 1;
    confirm->leaf = kept;
    assert_int_equal(r.status, CU_BAD_SIGNATURE);
    assert_true(says(&r, "organisation 1 (Organisation 1) did not prove that it holds its keys: "));
}

/* The receipt with its `extra` changed. */
static void expect_extra(struct ledger *l, struct cu_span receipt, const struct cu_extra *extra, const char *words)
{
    CU_BUF raw = cu_buf_heap(CU_RECEIPT_MAX), out = cu_buf_heap(CU_RECEIPT_MAX);
    struct cu_tlog_proof proof;
    struct cu_report r;

    OK(cu_tlog_proof_read(receipt, &proof, &error));
    if (extra != NULL) OK(cu_schema_write(&cu_extra_schema, extra, &raw, &error));
    OK(cu_tlog_proof_write(&proof, cu_buf_span(&raw), &out, &error));
    cu_status status = judge(l->s, cu_buf_span(&out), cu_buf_span(&l->trust), NULL, &r);
    if (status != CU_MALFORMED || strstr(error.text, words) == NULL) fail_msg("%s: %s", cu_status_name(status), error.text);
}

static void an_extra_of_other_parts_is_refused(void **state)
{
    struct ledger *l = *state;
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX), raw = cu_buf_heap(CU_RECEIPT_MAX), list = cu_buf_heap(CU_RECEIPT_MAX);
    struct cu_tlog_proof proof;
    struct cu_extra extra, changed;

    put_receipt(l->s, l->deposit, cu_buf_span(&l->note), &receipt);
    OK(cu_tlog_proof_read(cu_buf_span(&receipt), &proof, &error));
    OK(cu_base64_read(proof.extra, &raw, &error));
    OK(cu_schema_read(&cu_extra_schema, cu_buf_span(&raw), &extra, &error));
    expect_extra(l, cu_buf_span(&receipt), NULL, "no extra line");
    changed = extra, changed.hashes.n--;
    expect_extra(l, cu_buf_span(&receipt), &changed, "32 bytes each");

    for (int details = 0; details < 2; details++) { /* of the first block: a salt alone; then details, which no block has */
        struct cu_support s;
        struct cu_entry entry;
        size_t at = 0;
        cu_buf_clear(&list);
        for (bool done = false; cu_list_next(&extra.support, &cu_support_schema, &at, &s);) {
            OK(cu_entry_read(s.entry, &entry, &error));
            if (!done && entry.kind == CU_KIND_BLOCK) {
                s.salt = cu_span("0123456789abcdef0123456789abcdef", CU_SALT_LEN), s.has_salt = done = true;
                if (details) s.details = cu_span("\xa0", 1), s.has_details = true;
            }
            OK(cu_schema_write(&cu_support_schema, &s, &list, &error));
        }
        changed = extra, changed.support.bytes = cu_buf_span(&list);
        expect_extra(l, cu_buf_span(&receipt), &changed, details ? "has no details, but some go with it" : "come together");
    }
}

static cu_status no_node(void *self, unsigned level, uint64_t index, cu_hash *ret, struct cu_err *err)
{
    unsigned *left = self;

    (void)level, (void)index;
    *ret = (cu_hash){ { 0 } };
    if (*left == 0) return cu_fail(err, CU_CORRUPT, "a tile is damaged");
    --*left;
    return CU_OK;
}

static void a_receipt_that_cannot_be_made_says_why(void **state)
{
    struct ledger *l = *state;
    static struct cu_support many[CU_RECEIPT_SUPPORT_MAX + 1];
    CU_BUF record = cu_buf_heap(CU_RECORD_MAX), out = cu_buf_heap(CU_RECEIPT_MAX);
    unsigned left = UINT32_MAX;
    struct cu_node_source nodes = { &left, no_node };

    put_record(&l->s->at[l->deposit], &record);
    for (size_t i = 0; i < sizeof many / sizeof *many; i++)
        many[i] = (struct cu_support){ .seq = 1000 + i, .entry = cu_span_str("e") };
    struct cu_receipt_parts parts = {
        cu_buf_span(&l->note), { l->deposit }, cu_buf_span(&record), many, CU_RECEIPT_SUPPORT_MAX + 1
    };
    assert_int_equal(cu_receipt_make(&parts, &nodes, &out, &error), CU_TOO_LARGE);
    parts.support_n = 2; /* beyond the log */
    assert_int_equal(cu_receipt_make(&parts, &nodes, &out, &error), CU_MALFORMED);
    many[0].entry = CU_SPAN_EMPTY;
    assert_int_equal(cu_receipt_make(&parts, &nodes, &out, &error), CU_MALFORMED);
    parts.support_n = 0, parts.seq.v = 1000;
    assert_int_equal(cu_receipt_make(&parts, &nodes, &out, &error), CU_MALFORMED);
    parts.seq.v = l->deposit, parts.record = CU_SPAN_EMPTY;
    assert_int_equal(cu_receipt_make(&parts, &nodes, &out, &error), CU_MALFORMED);
    parts.record = cu_buf_span(&record), parts.checkpoint = cu_span_str("no note");
    assert_int_equal(cu_receipt_make(&parts, &nodes, &out, &error), CU_MALFORMED);
    parts.checkpoint = cu_span_str("o\n\n\xE2\x80\x94 o AAAAAAA=\n"); /* a note, and no checkpoint */
    assert_int_equal(cu_receipt_make(&parts, &nodes, &out, &error), CU_MALFORMED);
    parts.checkpoint = cu_buf_span(&l->note);
    left = 0;
    assert_int_equal(cu_receipt_make(&parts, &nodes, &out, &error), CU_CORRUPT);
    assert_int_equal(out.n, 0);
}

static void an_entry_that_nothing_needs_is_refused(void **state)
{
    struct ledger *l = *state;

    for (uint64_t extra = 1; extra < l->s->n; extra++) {
        bool set[ENTRIES_MAX] = { false };
        CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
        struct cu_report r;
        support_of(l->s, l->deposit, set);
        if (extra == l->deposit) continue;
        set[extra] = !set[extra]; /* and one that is needed, taken out */
        put_receipt_with(l->s, l->deposit, set, cu_buf_span(&l->note), &receipt);
        cu_status status = judge(l->s, cu_buf_span(&receipt), cu_buf_span(&l->trust), NULL, &r);
        assert_true(status != CU_OK || r.exit_code != 0);
    }
}

/* ---- what was handed out once ------------------------------------------------------------------------------------- */

static struct cu_span load(const char *name, uint8_t *mem, size_t size)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/tests/vectors/%s", TEST_SOURCE_DIR, name);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    size_t n = fread(mem, 1, size, in);
    fclose(in);
    return cu_span(mem, n);
}

static void the_tables_of_the_formats_are_in_order(void **state)
{
    (void)state;
    schema_check(&cu_support_schema);
    schema_check(&cu_extra_schema);
    schema_check(&cu_fork_schema);
}

static void the_first_receipt_and_fork_proof_of_the_format_still_verify(void **state)
{
    struct ledger *l = *state;
    static uint8_t receipt_mem[65536], trust_mem[65536], fork_mem[65536];
    struct cu_span trust_text = load("receipt_golden.trust", trust_mem, sizeof trust_mem);
    struct cu_evidence x = evidence_of(cu_span("x", 1));
    struct cu_trust trust;
    struct cu_fork_report fork;
    struct cu_report r;

    OK(judge(l->s, load("receipt_golden.tlog-proof", receipt_mem, sizeof receipt_mem), trust_text, &x, &r));
    expect(&r, CU_PASS, CU_PASS, CU_NOT_PROVEN, 0);
    assert_int_equal(r.evidence, CU_EVIDENCE_SAME);
    OK(cu_trust_read(trust_text, &trust, &error));
    OK(cu_fork_verify(load("receipt_golden.fork", fork_mem, sizeof fork_mem), &trust, &l->s->by, &fork, &error));
    assert_int_equal(fork.convicted_n, 1);
}

/* ---- single bits --------------------------------------------------------------------------------------------------- */

static bool same_result(const struct cu_report *a, const struct cu_report *b)
{
    return memcmp(a->verdict, b->verdict, sizeof a->verdict) == 0 && a->exit_code == b->exit_code &&
           strcmp(a->statement_en, b->statement_en) == 0 && strcmp(a->statement_zh, b->statement_zh) == 0;
}

static bool names_an_ignored_line(const struct cu_report *r)
{
    for (size_t i = 0; i < r->lines_n; i++)
        if (r->line[i].check == CU_CHECK_IGNORED) return true;
    return false;
}

/* Returns how many flips were accepted, each with the same result and an ignored line named. */
static size_t flip_all(struct synthetic *s, struct cu_span receipt, struct cu_span trust)
{
    uint8_t *copy = malloc(receipt.n);
    struct cu_report good, r;
    size_t accepted = 0;

    OK(judge(s, receipt, trust, NULL, &good));
    assert_int_equal(good.exit_code, 0);
    memcpy(copy, receipt.p, receipt.n);
    for (size_t bit = 0; bit < receipt.n * 8; bit += ONE_OF(7)) {
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cu_status status = judge(s, cu_span(copy, receipt.n), trust, NULL, &r);
        if (status == CU_OK && r.exit_code == 0) {
            if (!same_result(&good, &r) || !names_an_ignored_line(&r)) {
                print(&r);
                fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
            }
            accepted++;
        }
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(copy);
    return accepted;
}

static void without_cosignatures_every_flipped_bit_is_refused(void **state)
{
    struct ledger *l = *state;
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);

    put_receipt(l->s, l->deposit, cu_buf_span(&l->note), &receipt);
    assert_int_equal(flip_all(l->s, cu_buf_span(&receipt), cu_buf_span(&l->trust)), 0);
    cu_buf_clear(&receipt);
    put_receipt(l->s, l->inventory, cu_buf_span(&l->note), &receipt);
    assert_int_equal(flip_all(l->s, cu_buf_span(&receipt), cu_buf_span(&l->trust)), 0);
}

static void with_cosignatures_a_flipped_bit_is_refused_or_ignores_a_named_line(void **state)
{
    struct ledger *l = *state;
    CU_BUF receipt = cu_buf_heap(CU_RECEIPT_MAX);
    CU_BUF trust = cu_buf_heap(CU_TRUST_MAX), note = cu_buf_heap(CU_NOTE_MAX);

    put_trust(l->s, "integrity signer time", "group outside 2 w0 w1 w2\nquorum outside", &trust);
    put_note(l->s, l->s->n, 7, 0, &note);
    put_receipt(l->s, l->deposit, cu_buf_span(&note), &receipt);
    size_t accepted = flip_all(l->s, cu_buf_span(&receipt), cu_buf_span(&trust));
    print_message("%zu of %zu flips leave the verdict and name the ignored line\n", accepted, receipt.n * 8);
    assert_true(accepted > 0);

    cu_buf_clear(&receipt), cu_buf_clear(&trust); /* witnesses that nobody demands */
    put_trust(l->s, "integrity signer", "quorum none", &trust);
    put_receipt(l->s, l->opened, cu_buf_span(&note), &receipt);
    assert_true(flip_all(l->s, cu_buf_span(&receipt), cu_buf_span(&trust)) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_entry_has_a_receipt_that_verifies),
        cmocka_unit_test(the_file_is_compared_with_what_was_signed),
        cmocka_unit_test(without_a_file_the_sentence_says_that_nothing_was_compared),
        cmocka_unit_test(a_file_given_to_a_receipt_of_no_file_is_not_passed_over),
        cmocka_unit_test(the_report_is_text_and_json),
        cmocka_unit_test(a_folder_judged_outside_folds_into_the_report),
        cmocka_unit_test(without_a_pinned_trust_it_never_exits_0),
        cmocka_unit_test(a_required_time_that_one_keeper_alone_attests_exits_5),
        cmocka_unit_test(an_outside_witness_that_the_trust_demands_proves_when_it_existed),
        cmocka_unit_test(a_witness_that_the_trust_does_not_demand_decides_nothing),
        cmocka_unit_test(several_organisations_prove_time_and_copies),
        cmocka_unit_test(a_foreign_depositor_is_not_enrolled),
        cmocka_unit_test(details_that_are_not_understood_are_shown_as_that_and_nothing_fails),
        cmocka_unit_test(content_with_another_sha256_than_was_signed_fails),
        cmocka_unit_test(a_manifest_that_does_not_add_up_fails),
        cmocka_unit_test(a_manifest_is_compared_as_evidence_of_its_folder),
        cmocka_unit_test(a_report_under_no_trust_any_more_is_not_exit_0),
        cmocka_unit_test(a_trust_file_that_covers_another_size_proves_no_signer),
        cmocka_unit_test(a_case_that_was_opened_after_it_fails),
        cmocka_unit_test(an_inventory_tells_of_open_numbers_and_may_be_of_a_key),
        cmocka_unit_test(a_confirmation_that_is_not_signed_enrols_nobody),
        cmocka_unit_test(an_extra_of_other_parts_is_refused),
        cmocka_unit_test(a_receipt_that_cannot_be_made_says_why),
        cmocka_unit_test(a_statement_of_another_ledger_fails),
        cmocka_unit_test(a_block_that_was_never_there_fails),
        cmocka_unit_test(another_signature_under_an_enrolled_key_fails),
        cmocka_unit_test(a_high_s_fails_as_that),
        cmocka_unit_test(something_in_an_unprotected_header_is_refused),
        cmocka_unit_test(a_missing_signature_is_refused),
        cmocka_unit_test(a_statement_of_another_kind_is_refused),
        cmocka_unit_test(an_acceptance_replayed_over_another_claim_fails),
        cmocka_unit_test(a_receipt_of_another_ledger_fails),
        cmocka_unit_test(an_entry_that_nothing_needs_is_refused),
        cmocka_unit_test(the_tables_of_the_formats_are_in_order),
        cmocka_unit_test(the_first_receipt_and_fork_proof_of_the_format_still_verify),
        cmocka_unit_test(without_cosignatures_every_flipped_bit_is_refused),
        cmocka_unit_test(with_cosignatures_a_flipped_bit_is_refused_or_ignores_a_named_line),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
