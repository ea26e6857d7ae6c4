/* A record: an entry with what is attached to it. [entry, salt, details, content], absent parts null. */
#include "fields.h"

#include "custody/content.h"

/* A byte string, or null: an empty span without an address. */
static struct cu_span read_optional(struct cu_cbor_reader *in, size_t min, size_t max)
{
    struct cu_span bytes;

    if (cu_cbor_peek(in) == CU_CBOR_SIMPLE) {
        cu_cbor_null(in);
        return CU_SPAN_EMPTY;
    }
    bytes = cu_cbor_bytes(in, min, max);
    return bytes.n ? bytes : cu_span(in->all.p, 0); /* an empty file is there */
}

static void put_optional(struct cu_buf *out, struct cu_span bytes, bool there)
{
    if (there) cu_cbor_put_bytes(out, bytes);
    else cu_cbor_put_null(out);
}

cu_status cu_record_read(struct cu_span bytes, struct cu_record *ret, struct cu_err *err)
{
    struct cu_cbor_reader in = cu_cbor_read(bytes);
    struct cu_record out;

    ENSURE(bytes.n <= CU_RECORD_MAX, err, CU_TOO_LARGE, "record: %zu bytes, more than %d", bytes.n, CU_RECORD_MAX);
    if (cu_cbor_enter_array(&in, 4) != 4) cu_cbor_fault(&in, "a record has four parts");
    out.entry = cu_cbor_bytes(&in, 1, CU_ENTRY_MAX);
    out.salt = read_optional(&in, CU_SALT_LEN, CU_SALT_LEN);
    out.details = read_optional(&in, 1, CU_DETAILS_MAX);
    out.content = read_optional(&in, 0, CU_CONTENT_INLINE_MAX);
    cu_cbor_leave(&in);
    TRY(cu_cbor_done(&in, "record", err));
    ENSURE((out.salt.n > 0) == (out.details.n > 0), err, CU_MALFORMED, "record: salt and details come together");
    *ret = out;
    return CU_OK;
}

cu_status cu_record_write(const struct cu_record *record, struct cu_buf *out, struct cu_err *err)
{
    size_t before = out->n;
    bool details = record->salt.n > 0;

    ENSURE(details == (record->details.n > 0) && (!details || record->salt.n == CU_SALT_LEN), err, CU_MALFORMED,
           "record: details go with a salt of %d bytes", CU_SALT_LEN);
    ENSURE(record->entry.n > 0 && record->entry.n <= CU_ENTRY_MAX && record->details.n <= CU_DETAILS_MAX &&
               record->content.n <= CU_CONTENT_INLINE_MAX,
           err, CU_TOO_LARGE, "record: a part of it is beyond its limit");
    cu_cbor_put_array(out, 4);
    cu_cbor_put_bytes(out, record->entry);
    put_optional(out, record->salt, details);
    put_optional(out, record->details, details);
    put_optional(out, record->content, record->content.p != NULL);
    if (out->n - before > CU_RECORD_MAX) {
        out->n = before;
        return cu_fail(err, CU_TOO_LARGE, "record: with its attachments it is larger than %d bytes", CU_RECORD_MAX);
    }
    return cu_buf_ok(out, err);
}

cu_hash cu_commitment(struct cu_span salt, struct cu_span details)
{
    const struct cu_span parts[] = { salt, details };

    return cu_sha256_parts(parts, 2);
}

static cu_status match_details(const struct cu_record *record, const struct cu_entry *entry, struct cu_err *err)
{
    const cu_hash *promised = cu_entry_commitment(entry);
    cu_hash found;

    if (!promised) {
        ENSURE(!record->salt.n && !record->details.n, err, CU_BAD_ATTACHMENT, "a %s has no details, but some are attached",
               cu_kind_row(entry->kind)->name);
        return CU_OK;
    }
    ENSURE(record->salt.n == CU_SALT_LEN && record->details.n, err, CU_BAD_ATTACHMENT, "the details are missing");
    found = cu_commitment(record->salt, record->details);
    ENSURE(cu_hash_eq(&found, promised), err, CU_BAD_ATTACHMENT, "the details are not those that were signed");
    return CU_OK;
}

static cu_status match_content(const struct cu_record *record, const struct cu_entry *entry, struct cu_err *err)
{
    const struct cu_claim *claim = &entry->inner.body.claim;
    bool inline_ = entry->kind == CU_KIND_DEPOSIT && claim->size <= CU_CONTENT_INLINE_MAX;
    cu_hash found;

    if (!inline_) {
        ENSURE(!record->content.p, err, CU_BAD_ATTACHMENT, "content is attached where none belongs");
        return CU_OK;
    }
    ENSURE(record->content.p, err, CU_BAD_ATTACHMENT, "the content is missing");
    ENSURE(record->content.n == claim->size, err, CU_BAD_ATTACHMENT, "the content has %zu bytes, not the %llu that were signed",
           record->content.n, LLU(claim->size));
    found = cu_content_root_of(record->content);
    ENSURE(cu_hash_eq(&found, &claim->root), err, CU_BAD_ATTACHMENT, "the content is not what was signed");
    return CU_OK;
}

cu_status cu_record_match(const struct cu_record *record, const struct cu_entry *entry, struct cu_err *err)
{
    TRY(match_details(record, entry, err));
    return match_content(record, entry, err);
}

cu_status cu_records_split(struct cu_span body, struct cu_span *ret, size_t max, size_t *ret_n, struct cu_err *err)
{
    size_t n = 0;

    ENSURE(body.n > 0, err, CU_MALFORMED, "the body is empty: there is no record in it");
    for (size_t at = 0; at < body.n;) {
        struct cu_cbor_reader in = cu_cbor_read(cu_span_from(body, at));
        const struct cu_span item = cu_cbor_item(&in);
        ENSURE(cu_cbor_good(&in) && item.n > 0, err, CU_MALFORMED,
               "record %zu of the body is no canonical CBOR: nothing was recorded", n);
        ENSURE(n < max, err, CU_TOO_LARGE, "more records than %zu in one body: nothing was recorded", max);
        ENSURE(item.n <= CU_RECORD_MAX, err, CU_TOO_LARGE, "record %zu has %zu bytes; at most %d are taken: nothing was recorded",
               n, item.n, CU_RECORD_MAX);
        ret[n++] = item;
        at += item.n;
    }
    *ret_n = n;
    return CU_OK;
}
