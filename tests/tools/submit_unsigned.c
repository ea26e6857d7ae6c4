/* Deposits that one party has not signed, submitted to a ledger past its own client: what the ledger itself says to each.
 *
 *     submit_unsigned LEDGER CASE         one line an attempt: what was tried, the status, the sentence. Exit 0 when every one was refused
 *                                         and the log is as it was
 *     submit_unsigned LEDGER CASE DIR     nothing is submitted: the records lie in DIR/0, DIR/1 …, for a ledger behind an address
 */
#include "folder.h"

#define EVIDENCE "bytes that somebody would like to have deposited\n"

struct attempt {
    const char *what;
    enum { UNSIGNED, DEPOSITOR_SIGNS_BOTH, FOREIGN_KEY, CLAIM_OF_ANOTHER, CLAIM_ALONE, ALTERED } how;
};
static const struct attempt attempts[] = {
    { "the provider did not sign", UNSIGNED },
    { "the depositor signed in the provider's place", DEPOSITOR_SIGNS_BOTH },
    { "a key that nobody enrolled signed in the provider's place", FOREIGN_KEY },
    { "the provider signed a claim that a stranger signed", CLAIM_OF_ANOTHER },
    { "the depositor's claim alone, without any acceptance", CLAIM_ALONE },
    { "both signed, then one bit of the time was changed", ALTERED },
};

struct forger {
    struct folder f;
    struct cu_private_key stranger;
    cu_case_id case_id;
    const char *to; /* NULL: to the ledger */
};

static cu_status write_claim(struct forger *x, const struct cu_private_key *by, struct cu_record *io_parts,
                             struct cu_buf *details, struct cu_buf *ret, uint64_t *ret_time, struct cu_err *err)
{
    static const uint8_t salt[CU_SALT_LEN];
    const struct cu_span evidence = cu_span_str(EVIDENCE);
    const struct cu_details_deposit says = { .name = cu_span_str("evidence.txt"), .tool = cu_span_str(CU_TOOL_NAME) };
    struct cu_claim claim = { .case_id = x->case_id,
                              .content = CU_CONTENT_ITEM,
                              .size = evidence.n,
                              .root = cu_content_root_of(evidence),
                              .time = cu_place_now(&x->f.place).v };
    struct cu_serials serials = { 0 };

    TRY(cu_details_write(CU_PROFILE_PLAIN, &says, details, err));
    TRY(cu_ledger_serials(x->f.place.ledger, &by->id, &serials, err));
    TRY(cu_ledger_newest_block(x->f.place.ledger, &claim.seen, err));
    claim.serial = serials.highest + 1;
    *ret_time = claim.time;
    claim.commitment = cu_commitment(CU_SPAN_OF(salt), cu_buf_span(details));
    *io_parts = (struct cu_record){ .salt = CU_SPAN_OF(salt), .details = cu_buf_span(details), .content = evidence };
    return cu_statement_sign(CU_KIND_CLAIM, &claim, &x->f.place.trust.network, by, ret, err);
}

static cu_status write_acceptance(struct forger *x, const struct cu_private_key *by, struct cu_span claim, struct cu_buf *ret,
                                  struct cu_err *err)
{
    struct cu_deposit deposit = { .claim = claim, .time = cu_place_now(&x->f.place).v };

    TRY(cu_ledger_newest_block(x->f.place.ledger, &deposit.seen, err));
    return cu_statement_sign(CU_KIND_DEPOSIT, &deposit, &x->f.place.trust.network, by, ret, err);
}

/* The signature is the last 64 bytes, after its head 58 40: it becomes an empty string. */
static void take_signature_away(struct cu_buf *entry)
{
    entry->n -= CU_SIGNATURE_LEN + 1;
    entry->p[entry->n - 1] = 0x40;
}

static void change_time(struct cu_buf *entry, uint64_t time)
{
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(time >> (56 - 8 * i));
    uint8_t *at = memmem(entry->p, entry->n, bytes, sizeof bytes);
    CU_ASSERT(at);
    at[7] ^= 1;
}

static cu_status forge(struct forger *x, const struct attempt *a, struct cu_buf *ret_record, struct cu_err *err)
{
    CU_BUF claim = cu_buf_heap(CU_CLAIM_MAX), entry = cu_buf_heap(CU_ENTRY_MAX), details = cu_buf_heap(CU_DETAILS_MAX);
    const struct cu_private_key *key = x->f.place.key;
    const struct cu_private_key *claims = a->how == CLAIM_OF_ANOTHER ? &x->stranger : &key[CU_SIGNER_DEPOSITOR];
    const struct cu_private_key *accepts = a->how == DEPOSITOR_SIGNS_BOTH ? &key[CU_SIGNER_DEPOSITOR]
                                           : a->how == FOREIGN_KEY        ? &x->stranger
                                                                          : &key[CU_SIGNER_PROVIDER];
    struct cu_record record;
    uint64_t claimed_at;

    TRY(write_claim(x, claims, &record, &details, &claim, &claimed_at, err));
    TRY(write_acceptance(x, accepts, cu_buf_span(&claim), &entry, err));
    if (a->how == UNSIGNED) take_signature_away(&entry);
    if (a->how == CLAIM_ALONE) cu_buf_clear(&entry), cu_buf_add(&entry, cu_buf_span(&claim));
    if (a->how == ALTERED) change_time(&entry, claimed_at);
    record.entry = cu_buf_span(&entry);
    return cu_record_write(&record, ret_record, err);
}

static cu_status put_aside(const struct forger *x, size_t n, struct cu_span record, struct cu_err *err)
{
    char path[4200];

    snprintf(path, sizeof path, "%s/%zu", x->to, n);
    FILE *f = fopen(path, "wb");
    const bool put = f && fwrite(record.p, 1, record.n, f) == record.n;
    ENSURE(f && fclose(f) == 0 && put, err, CU_IO, "%s was not written", path);
    printf("%s\n", attempts[n].what);
    return CU_OK;
}

static cu_status attempt(struct forger *x, const struct attempt *a, struct cu_err *err)
{
    CU_BUF record = cu_buf_heap(CU_RECORD_MAX);
    struct cu_engine *engine = &x->f.engine;
    struct cu_outcome outcome;

    TRY(forge(x, a, &record, err));
    const struct cu_span span = cu_buf_span(&record);
    if (x->to) return put_aside(x, (size_t)(a - attempts), span, err);
    TRY(engine->submit(engine->self, &span, 1, &outcome, err));
    printf("%-60s %-18s %s\n", a->what, cu_status_name(outcome.status), outcome.text);
    ENSURE(outcome.status != CU_OK && outcome.status != CU_DUPLICATE, err, CU_BAD_PROOF, "it was recorded");
    return CU_OK;
}

static cu_status attack(struct forger *x, const char *dir, const char *case_name, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };

    TRY(folder_parts(&x->f, dir, false, err));
    TRY(cu_place_load(&x->f.place, err));
    TRY(cu_follow(&x->f.place, err));
    TRY(cu_lookup_case(&x->f.place, cu_span_str(case_name), &found, err));
    x->case_id = found.row.case_id;
    TRY(cu_private_generate(CU_ALG_ES256, &x->stranger, err));
    TRY(folder_engine(&x->f, false, err));
    const struct cu_tip before = x->f.engine.tip(x->f.engine.self);
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) TRY(attempt(x, &attempts[i], err));
    const struct cu_tip after = x->f.engine.tip(x->f.engine.self);
    ENSURE(cu_hash_eq(&before.root, &after.root), err, CU_BAD_PROOF, "the log has changed");
    if (!x->to) printf("the log has %llu entries, as before\n", (unsigned long long)after.size.v);
    return folder_close(&x->f, err);
}

int main(int argc, char **argv)
{
    static struct forger x;
    struct cu_err err = { 0 };

    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: submit_unsigned LEDGER CASE [DIR]\n");
        return 1;
    }
    x.to = argv[3];
    if (attack(&x, argv[1], argv[2], &err) == CU_OK) return 0;
    fprintf(stderr, "submit_unsigned: %s\n", err.text);
    return 1;
}
