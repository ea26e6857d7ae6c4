/* Deposits that are signed and not recorded: what a client brings to a node. The ledger's folder is read, nothing is written to it.
 *
 *     sign_deposits LEDGER CASE FIRST N [SIZE]     on standard output N records, with serial numbers from FIRST: a CBOR sequence
 *     sign_deposits LEDGER CASE                    a record that opens the case
 *     sign_deposits LEDGER stored SEQ              the organisation's word that it holds what was deposited there, whether it does or not
 */
#include "folder.h"

static cu_status sign_one(struct folder *f, const cu_case_id *case_id, uint64_t serial, size_t size, struct cu_buf *out,
                          struct cu_err *err)
{
    CU_BUF details = cu_buf_heap(CU_DETAILS_MAX), claimed = cu_buf_heap(CU_RECORD_MAX), accepted = cu_buf_heap(CU_RECORD_MAX);
    struct cu_place *p = &f->place;
    char name[64], text[CU_CONTENT_INLINE_MAX];
    struct cu_record claim, record;

    snprintf(name, sizeof name, "note-%llu.txt", LLU(serial));
    snprintf(text, sizeof text, "what was seen, note %llu\n", LLU(serial));
    const size_t said = strlen(text);
    if (size > said) memset(text + said, '.', size - said);
    const struct cu_span content = cu_span(text, size > said ? size : said);
    const struct cu_details_deposit says = { .name = cu_span_str(name), .tool = cu_span_str(CU_TOOL_NAME) };
    struct cu_claim body = {
        .serial = serial, .case_id = *case_id, .content = CU_CONTENT_ITEM, .size = content.n, .root = cu_content_root_of(content)
    };
    TRY(cu_details_write(CU_PROFILE_PLAIN, &says, &details, err));
    TRY(cu_say_raw(p, CU_KIND_CLAIM, &body, CU_SIGNER_DEPOSITOR, cu_buf_span(&details), &claimed, err));
    TRY(cu_record_read(cu_buf_span(&claimed), &claim, err));
    struct cu_deposit deposit = { .claim = claim.entry };
    TRY(cu_say_raw(p, CU_KIND_DEPOSIT, &deposit, CU_SIGNER_PROVIDER, CU_SPAN_EMPTY, &accepted, err));
    TRY(cu_record_read(cu_buf_span(&accepted), &record, err));
    record.salt = claim.salt;
    record.details = claim.details;
    record.content = content;
    return cu_record_write(&record, out, err);
}

static cu_status sign_case(struct folder *f, const char *name, struct cu_buf *out, struct cu_err *err)
{
    const struct cu_details_case says = { .name = cu_span_str(name) };
    struct cu_case body = { { { 0 } } };

    TRY(f->place.random.fill(f->place.random.self, body.case_id.b, sizeof body.case_id.b, err));
    return cu_say(&f->place, &(struct cu_saying){ CU_KIND_CASE, &body, CU_SIGNER_DEPOSITOR, CU_PROFILE_CASE, &says }, out, err);
}

static cu_status sign_stored(struct folder *f, uint64_t seq, struct cu_buf *out, struct cu_err *err)
{
    CU_BUF list = cu_buf_heap(64);

    TRY(cu_schema_write(&cu_range_schema, &(struct cu_range){ seq, seq }, &list, err));
    struct cu_stored body = { .ranges = { 1, cu_buf_span(&list) } };
    return cu_say(&f->place, &(struct cu_saying){ CU_KIND_STORED, &body, CU_SIGNER_ORGANISATION, CU_PROFILE_NONE, NULL }, out,
                  err);
}

static cu_status sign(struct folder *f, int argc, char **argv, struct cu_buf *out, struct cu_err *err)
{
    CU_CLEANUP(cu_found_free) struct cu_found found = { 0 };

    TRY(folder_parts(f, argv[1], true, err));
    TRY(cu_place_load(&f->place, err));
    TRY(cu_follow(&f->place, err));
    if (argc == 4) return sign_stored(f, strtoull(argv[3], NULL, 10), out, err);
    if (argc == 3) return sign_case(f, argv[2], out, err);
    TRY(cu_lookup_case(&f->place, cu_span_str(argv[2]), &found, err));
    const uint64_t first = strtoull(argv[3], NULL, 10), n = strtoull(argv[4], NULL, 10);
    const size_t size = argc > 5 ? strtoull(argv[5], NULL, 10) : 0;
    ENSURE(size <= CU_CONTENT_INLINE_MAX, err, CU_TOO_LARGE, "more than travels with a record");
    for (uint64_t i = 0; i < n; i++) TRY(sign_one(f, &found.row.case_id, first + i, size, out, err));
    TRY(cu_buf_ok(out, err));
    return folder_close(f, err);
}

int main(int argc, char **argv)
{
    CU_BUF out = cu_buf_heap((size_t)1 << 30);
    static struct folder f;
    struct cu_err err = { 0 };

    if (argc < 3 || (argc == 4 && strcmp(argv[2], "stored") != 0) || argc > 6)
        return fprintf(stderr, "usage: sign_deposits LEDGER CASE [FIRST N [SIZE]] | LEDGER stored SEQ\n"), 1;
    if (cu_crypto_init(&err) != CU_OK || sign(&f, argc, argv, &out, &err) != CU_OK)
        return fprintf(stderr, "sign_deposits: %s\n", err.text), 1;
    return fwrite(out.p, 1, out.n, stdout) == out.n ? 0 : 1;
}
