/* Bytes that were claimed come in by tus 1.0: the routes that whoever takes uploads has in his table, beside his own.
 *
 * A worker's context begins with a pointer to its host. */
#ifndef CU_HTTP_UPLOAD_H
#define CU_HTTP_UPLOAD_H

#include "http/server.h"
#include "service/provide.h"

struct cu_upload_host {
    struct cu_spool *spool;
    void *self;
    /* May he see, and send for, what was claimed with this key? */
    bool (*may)(void *self, const struct cu_peer *peer, const cu_hash *kid);
    /* Somebody names a claim that is not on its way. NULL: then it is not taken. */
    cu_status (*begin)(void *self, const cu_hash *id, struct cu_err *err);
    void (*came)(void *self); /* bytes did */
    struct cu_provider *provider; /* takes claims; NULL: nobody here does */
};
struct cu_upload_context { struct cu_upload_host *host; };

/** The id that the path names, of a claim that is on its way and his. NOT_FOUND. */
CU_MUST_USE cu_status cu_upload_of(struct cu_upload_host *host, const struct cu_http_request *q, cu_hash *ret_id, struct cu_spooled_view *ret, struct cu_err *err);

/** What is told of one: a JSON object, and a line's end. */
void cu_upload_put_state(struct cu_buf *out, const cu_hash *id, const struct cu_spooled_view *view);

cu_http_handler cu_put_chunks, cu_tus_options, cu_post_upload, cu_head_upload, cu_patch_upload;
cu_http_handler cu_post_claim, cu_get_claim, cu_get_claim_record;
cu_http_taker cu_take_upload;
void cu_drop_upload(void *stream);

// clang-format off
#define CU_CLAIM_ROUTES \
    { "POST", "/v1/claims", cu_post_claim, "bring a claim file: 201, or 200 when it is known; what is not wanted is refused, signed", .act = CU_ASK_GIVE, \
      .takes = { "application/cbor" }, .takes_max = CU_RECORD_MAX, .gives = "application/json", .shape = CU_CLAIM_SHAPE, .also = 201, .heads = "Location" }, \
    { "GET", "/v1/claims/{claim}", cu_get_claim, "what became of a claim: claimed, receiving, checking, accepted, refused or recorded", .act = CU_ASK_GIVE, .gives = "application/json", .shape = CU_CLAIM_SHAPE, \
      .flags = CU_HTTP_WAITS, .query = { { "wait", "so many seconds at most for acceptance, refusal or record, 60 or fewer" } } }, \
    { "GET", "/v1/claims/{claim}/record", cu_get_claim_record, "the signed outcome, as a record that POST /v1/submit of the ledger takes", .act = CU_ASK_GIVE, .gives = "application/cbor" }
#define CU_UPLOAD_TYPE "application/offset+octet-stream"
#define CU_UPLOAD_CHUNKS_MAX ((size_t)8 << 20) /* of 256 GiB */
#define CU_CLAIM_SHAPE "id state offset# ?length# ?reason upload ?entry#"
#define CU_UPLOAD_ROUTES \
    { "PUT", "/v1/claims/{claim}/chunks", cu_put_chunks, "before the first byte: the root of each MiB, 32 bytes each, so that each is judged as it comes", .act = CU_ASK_GIVE, \
      .takes = { "application/octet-stream" }, .takes_max = CU_UPLOAD_CHUNKS_MAX, .gives = "application/json", .shape = CU_CLAIM_SHAPE }, \
    { "OPTIONS", "/v1/uploads", cu_tus_options, "what of tus is spoken here", .act = CU_ASK_PUBLIC, .flags = CU_HTTP_TUS, .success = 204, .heads = "Tus-Version Tus-Extension Tus-Checksum-Algorithm" }, \
    { "POST", "/v1/uploads", cu_post_upload, "begin to send what a claim is for: Upload-Length, Upload-Metadata: claim BASE64(its id)", .act = CU_ASK_GIVE, \
      .flags = CU_HTTP_TUS, .success = 201, .wants = "?Tus-Resumable Upload-Length Upload-Metadata", .heads = "Location Upload-Offset" }, \
    { "HEAD", "/v1/uploads/{claim}", cu_head_upload, "how far it has come: Upload-Offset", .act = CU_ASK_GIVE, .flags = CU_HTTP_TUS, .wants = "?Tus-Resumable", .heads = "Upload-Offset" }, \
    { "PATCH", "/v1/uploads/{claim}", cu_patch_upload, "more of it, from Upload-Offset on; Upload-Checksum may go with it", .act = CU_ASK_GIVE, .takes = { CU_UPLOAD_TYPE }, \
      .takes_max = SIZE_MAX, .flags = CU_HTTP_TUS, .wants = "?Tus-Resumable Upload-Offset ?Upload-Checksum", .heads = "Upload-Offset", .take = cu_take_upload, .drop = cu_drop_upload, .success = 204 }
// clang-format on

#endif
