/* What an engine hands over while it drains its journal: details and inline content, into the packs of both stores.
 *
 * They are put without asking the stores whether they have them: details are salted, so they never do; content of 32 KiB or less
 * that comes again is cheaper kept twice than looked for among millions while the log waits.
 */
#include "content/put.h"

static cu_status put_record(struct cu_attachment_writer *w, const struct cu_record *record, struct cu_err *err)
{
    uint8_t bytes[CU_SALT_LEN + CU_DETAILS_MAX];

    if (!w->put) {
        TRY(cu_put_begin(w->stores, w->n, &w->put, err));
        w->put->unasked = true;
    }
    if (record->salt.n > 0) {
        struct cu_buf details = cu_buf_over(bytes, sizeof bytes);
        cu_buf_add(&details, record->salt);
        cu_buf_add(&details, record->details);
        TRY(cu_buf_ok(&details, err));
        cu_hash name = cu_commitment(record->salt, record->details);
        TRY(cu_put_small(w->put, CU_OBJECT_DETAILS, &name, cu_buf_span(&details), err));
    }
    if (!record->content.p) return CU_OK;
    cu_hash root = cu_content_root_of(record->content);
    return cu_put_small(w->put, CU_OBJECT_CONTENT, &root, record->content, err);
}

void cu_attachments_forget(struct cu_attachment_writer *w)
{
    cu_put_free(w->put);
    w->put = NULL;
}

/* After a failure nothing of the batch counts: the journal keeps what it has and hands all of it over again. */
static cu_status put(void *self, cu_seq seq, const struct cu_record *record, struct cu_err *err)
{
    struct cu_attachment_writer *w = self;
    (void)seq;

    cu_status status = put_record(w, record, err);
    w->failed = status != CU_OK;
    if (w->failed) cu_attachments_forget(w);
    return status;
}

static cu_status sync(void *self, struct cu_err *err)
{
    struct cu_attachment_writer *w = self;

    ENSURE(!w->failed, err, CU_IO, "an attachment could not be written: nothing of this batch is stored");
    cu_status status = w->put ? cu_put_commit(w->put, err) : CU_OK;
    cu_attachments_forget(w);
    return status;
}

struct cu_attachments cu_objects_attachments(struct cu_attachment_writer *state)
{
    return (struct cu_attachments){ state, put, sync };
}
