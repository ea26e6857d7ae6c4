/* Uploads by tus. Where their meaning and ours meet: an offset that is acknowledged is durable, and its whole chunks are those claimed; bytes that are
 * others than claimed are answered like a wrong checksum, and the offset is the begin of their chunk again. */
#include "http/upload.h"

#include "custody/json.h"
#include "custody/text.h"
#include "http/tus.h"

#include <stdio.h>
#include <stdlib.h>

static struct cu_upload_host *host_of(void *context) { return ((struct cu_upload_context *)context)->host; }

static cu_status fail_as(struct cu_http_answer *a, unsigned http, cu_status status)
{
    a->http = http;
    return status;
}

static cu_status version(struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_span value;

    if (!cu_http_header_of(q, "Tus-Resumable", &value) || cu_span_is(value, CU_TUS_VERSION)) return CU_OK;
    cu_http_head(a, "Tus-Version: " CU_TUS_VERSION);
    return fail_as(a, 412, cu_fail(err, CU_USAGE, "this server speaks tus " CU_TUS_VERSION));
}

cu_status cu_tus_options(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    (void)context, (void)q, (void)err;
    cu_http_head(a, "Tus-Version: " CU_TUS_VERSION);
    cu_http_head(a, "Tus-Extension: " CU_TUS_EXTENSIONS);
    cu_http_head(a, "Tus-Checksum-Algorithm: " CU_TUS_CHECKSUMS);
    return CU_OK;
}

/* Whose it is not learns nothing of it. */
static cu_status look(struct cu_upload_host *host, const struct cu_http_request *q, const cu_hash *id,
                      struct cu_spooled_view *ret, struct cu_err *err)
{
    TRY(cu_spool_look(host->spool, id, ret, err));
    ENSURE(host->may(host->self, &q->peer, &ret->kid), err, CU_NOT_FOUND, "no such claim is here");
    return CU_OK;
}

static cu_status id_of(const struct cu_http_request *q, cu_hash *ret, struct cu_err *err)
{
    ENSURE(cu_hex_read(q->arg[0], ret->b, sizeof ret->b, NULL) == CU_OK, err, CU_NOT_FOUND,
           "no such claim is here: its id is 64 hex digits");
    return CU_OK;
}

cu_status cu_upload_of(struct cu_upload_host *host, const struct cu_http_request *q, cu_hash *ret_id, struct cu_spooled_view *ret,
                       struct cu_err *err)
{
    TRY(id_of(q, ret_id, err));
    return look(host, q, ret_id, ret, err);
}

static void put_offset(struct cu_http_answer *a, const struct cu_spooled_view *view)
{
    cu_http_head(a, "Upload-Offset: %llu", LLU(view->offset));
}

void cu_upload_put_state(struct cu_buf *out, const cu_hash *id, const struct cu_spooled_view *view)
{
    struct cu_json j = cu_json_on(out);
    char hex[65], path[80];

    cu_hash_hex(id, hex);
    snprintf(path, sizeof path, "/v1/uploads/%s", hex);
    cu_json_open(&j, NULL, '{');
    cu_json_str(&j, "id", hex);
    cu_json_str(&j, "state", cu_spooled_state_name(view->state));
    cu_json_uint(&j, "offset", view->offset);
    if (view->whole) cu_json_uint(&j, "length", view->length);
    if (view->why[0]) cu_json_text(&j, "reason", cu_span_str(view->why));
    cu_json_str(&j, "upload", path);
    if (view->state == CU_SPOOLED_RECORDED) cu_json_uint(&j, "entry", view->seq);
    cu_json_close(&j, '}');
    cu_buf_add_str(out, "\n");
}

/* ---- the list of chunks ---- */

static cu_status keep_chunks(struct cu_upload_host *host, const cu_hash *id, struct cu_http_request *q, struct cu_http_answer *a,
                             struct cu_err *err)
{
    struct cu_spooled *at;
    const cu_status taken = cu_spool_take(host->spool, id, NULL, &at, err);

    if (taken == CU_OUT_OF_ORDER) return fail_as(a, 409, taken);
    if (taken == CU_BUSY) return fail_as(a, 423, taken);
    TRY(taken);
    const cu_status kept = cu_receive_set_chunks(&at->in, q->body, err);
    cu_spooled_received(at);
    return kept == CU_OUT_OF_ORDER ? fail_as(a, 409, kept) : kept;
}

cu_status cu_put_chunks(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_upload_host *host = host_of(context);
    struct cu_spooled_view view;
    cu_hash id;

    TRY(cu_upload_of(host, q, &id, &view, err));
    TRY(keep_chunks(host, &id, q, a, err));
    TRY(look(host, q, &id, &view, err));
    cu_upload_put_state(&a->body, &id, &view);
    return CU_OK;
}

/* ---- creation ---- */

static cu_status metadata(struct cu_http_request *q, cu_hash *ret, struct cu_err *err)
{
    struct cu_span value;

    ENSURE(cu_http_header_of(q, "Upload-Metadata", &value), err, CU_USAGE,
           "Upload-Metadata has to name the claim that the bytes are for: claim BASE64(its id)");
    return cu_tus_claim(value, ret, err);
}

static cu_status right_length(struct cu_http_request *q, const struct cu_spooled_view *view, struct cu_err *err)
{
    struct cu_span value;
    uint64_t length;

    ENSURE(cu_http_header_of(q, "Upload-Length", &value), err, CU_USAGE, "Upload-Length is missing");
    TRY(cu_tus_number("Upload-Length", value, &length, err));
    ENSURE(!view->whole || length == view->length, err, CU_USAGE,
           "Upload-Length is %llu, and %llu bytes were claimed: nothing was begun", LLU(length), LLU(view->length));
    return CU_OK;
}

cu_status cu_post_upload(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_upload_host *host = host_of(context);
    struct cu_spooled_view view;
    char hex[65];
    cu_hash id;

    TRY(version(q, a, err));
    TRY(metadata(q, &id, err));
    cu_status found = look(host, q, &id, &view, err);
    if (found == CU_NOT_FOUND && host->begin) {
        TRY(host->begin(host->self, &id, err));
        found = look(host, q, &id, &view, err);
    }
    TRY(found);
    ENSURE(view.state != CU_SPOOLED_REFUSED, err, CU_NOT_ALLOWED, "the claim was refused: %s", view.why);
    TRY(right_length(q, &view, err));
    cu_hash_hex(&id, hex);
    cu_http_head(a, "Location: /v1/uploads/%s", hex);
    put_offset(a, &view);
    return CU_OK;
}

cu_status cu_head_upload(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_spooled_view view;
    cu_hash id;

    TRY(version(q, a, err));
    TRY(cu_upload_of(host_of(context), q, &id, &view, err));
    put_offset(a, &view);
    if (view.whole) cu_http_head(a, "Upload-Length: %llu", LLU(view.length));
    else cu_http_head(a, "Upload-Defer-Length: 1");
    return CU_OK;
}

/* ---- bytes ---- */

struct arriving {
    struct cu_upload_host *host;
    struct cu_spooled *at;
    struct cu_digest digest;
    struct cu_tus_checksum want; /* alg NONE: not asked for */
};

static void free_arriving(struct arriving *s)
{
    cu_digest_free(&s->digest);
    free(s);
}

void cu_drop_upload(void *stream)
{
    struct arriving *s = stream;

    cu_spooled_cut(s->at);
    s->host->came(s->host->self); /* whoever looks after uploads makes it durable */
    free_arriving(s);
}

static cu_status say_offset(struct cu_upload_host *host, struct cu_http_request *q, struct cu_http_answer *a, cu_status failed)
{
    struct cu_spooled_view view;
    cu_hash id;

    if (cu_upload_of(host, q, &id, &view, NULL) == CU_OK) put_offset(a, &view);
    return failed;
}

static cu_status take_up(struct cu_upload_host *host, struct cu_http_request *q, struct cu_http_answer *a,
                         struct cu_spooled **ret, struct cu_err *err)
{
    struct cu_spooled_view view;
    struct cu_span value;
    uint64_t offset;
    cu_hash id;

    TRY(version(q, a, err));
    TRY(cu_upload_of(host, q, &id, &view, err));
    ENSURE(cu_http_header_of(q, "Upload-Offset", &value), err, CU_USAGE, "Upload-Offset is missing: nothing was kept");
    TRY(cu_tus_number("Upload-Offset", value, &offset, err));
    const cu_status taken = cu_spool_take(host->spool, &id, &offset, ret, err);
    if (taken == CU_CHANGED || taken == CU_OUT_OF_ORDER) return say_offset(host, q, a, fail_as(a, 409, taken));
    return taken == CU_BUSY ? fail_as(a, 423, taken) : taken;
}

static cu_status begin(struct cu_upload_host *host, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct arriving *s = calloc(1, sizeof *s);
    struct cu_span value;
    cu_status begun = CU_OK;

    ENSURE(s, err, CU_NO_MEMORY, "no memory for an upload: nothing was kept");
    s->host = host;
    if (cu_http_header_of(q, "Upload-Checksum", &value)) begun = cu_tus_checksum(value, &s->want, err);
    if (begun == CU_OK && s->want.alg != CU_DIGEST_NONE) begun = cu_digest_start(s->want.alg, &s->digest, err);
    if (begun == CU_OK) begun = take_up(host, q, a, &s->at, err);
    if (begun == CU_OK) {
        begun = cu_receive_begin(&s->at->in, s->want.alg != CU_DIGEST_NONE, err);
        if (begun != CU_OK) cu_spooled_received(s->at);
    }
    if (begun == CU_OK) q->stream = s;
    else free_arriving(s);
    return begun;
}

/* Durable; and only then it is said. */
static cu_status end(struct cu_http_request *q, struct cu_http_answer *a, bool keep, struct cu_err *err)
{
    struct arriving *s = q->stream;
    struct cu_upload_host *host = s->host;
    const cu_status ended = cu_receive_end(&s->at->in, keep, err);

    q->stream = NULL;
    cu_spooled_received(s->at);
    free_arriving(s);
    host->came(host->self);
    return say_offset(host, q, a, ended);
}

cu_status cu_take_upload(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    if (!q->stream) TRY(begin(host_of(context), q, a, err));
    struct arriving *s = q->stream;
    if (s->want.alg != CU_DIGEST_NONE) cu_digest_add(&s->digest, q->body);
    const cu_status added = cu_spooled_add(s->at, q->body, err);
    if (added == CU_OK) return CU_OK;
    if (added == CU_BAD_HASH) a->http = 460;
    return end(q, a, added == CU_BAD_HASH || added == CU_TOO_LARGE, NULL), added;
}

cu_status cu_patch_upload(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    uint8_t is[CU_DIGEST_LEN_MAX] = { 0 };

    if (!q->stream) TRY(begin(host_of(context), q, a, err));
    struct arriving *s = q->stream;
    const enum cu_digest_alg alg = s->want.alg;
    if (alg != CU_DIGEST_NONE) cu_digest_finish(&s->digest, is);
    if (alg == CU_DIGEST_NONE || memcmp(is, s->want.value, cu_digest_len(alg)) == 0) return end(q, a, true, err);
    (void)!end(q, a, false, NULL);
    return fail_as(a, 460,
                   cu_fail(err, CU_BAD_HASH, "the bytes do not have the checksum that came with them: none of them was kept"));
}

/* ---- claims ---- */

static cu_status put_claim(struct cu_upload_host *host, const struct cu_http_request *q, const cu_hash *id,
                           struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_spooled_view view;

    ENSURE(host->provider, err, CU_NOT_FOUND, "no such claim is here");
    TRY(cu_provider_look(host->provider, id, &view, err));
    ENSURE(host->may(host->self, &q->peer, &view.kid), err, CU_NOT_FOUND, "no such claim is here");
    cu_upload_put_state(&a->body, id, &view);
    a->not_yet = view.state < CU_SPOOLED_ACCEPTED;
    return CU_OK;
}

cu_status cu_post_claim(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_upload_host *host = host_of(context);
    char hex[65];
    cu_hash id;
    bool new;

    ENSURE(host->provider, err, CU_NOT_ALLOWED, "nobody here has a key to accept with: nothing was taken");
    TRY(cu_provider_claim(host->provider, q->body, &id, &new, err));
    if (new) host->came(host->self); /* an empty one is whole already */
    cu_hash_hex(&id, hex);
    cu_http_head(a, "Location: /v1/claims/%s", hex);
    if (new) a->http = 201;
    return put_claim(host, q, &id, a, err);
}

cu_status cu_get_claim(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    cu_hash id;

    TRY(id_of(q, &id, err));
    return put_claim(host_of(context), q, &id, a, err);
}

cu_status cu_get_claim_record(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_upload_host *host = host_of(context);
    struct cu_spooled_view view;
    cu_hash id;

    TRY(cu_upload_of(host, q, &id, &view, err));
    return cu_spool_record(host->spool, &id, &a->body, err);
}
