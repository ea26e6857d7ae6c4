/* Putting a file under a key: as a whole, or in parts that are sent side by side. */
#include "adapters/bucket/pin.h"
#include "adapters/s3/inside.h"
#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PART = 16 << 20, PARTS_MAX = 10000, SENDERS = 4, PIECE = 65536 };

static cu_status hash_part(struct cu_file *f, uint64_t at, uint64_t n, cu_hash *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_digest_free) struct cu_digest digest = { 0 };
    uint8_t piece[PIECE];
    size_t got = 0;

    TRY(cu_digest_start(CU_DIGEST_SHA256, &digest, err));
    for (uint64_t end = at + n; at < end; at += got) {
        TRY(f->ops->read_at(f, at, piece, end - at < PIECE ? (size_t)(end - at) : PIECE, &got, err));
        ENSURE(got > 0, err, CU_CHANGED, "a file shrank while it was sent");
        cu_digest_add(&digest, cu_span(piece, got));
    }
    cu_digest_finish(&digest, ret->b);
    return CU_OK;
}

void s3_checksum(struct s3_call *c)
{
    char text[64] = "";
    struct cu_buf out = cu_buf_over(text, sizeof text - 1);

    cu_base64_put(&out, cu_span_hash(&c->body_hash));
    s3_header(c, "x-amz-checksum-sha256: %s", text);
}

static cu_status with_part(struct s3_call *c, struct cu_file *from, uint64_t at, uint64_t n, struct cu_err *err)
{
    c->has_body = true;
    c->from = from;
    c->from_at = at;
    c->body_n = n;
    TRY(hash_part(from, at, n, &c->body_hash, err));
    s3_checksum(c);
    return CU_OK;
}

void s3_with_text(struct s3_call *c, struct cu_span text)
{
    c->has_body = true;
    c->body = text;
    c->body_n = text.n;
    c->body_hash = cu_sha256(text);
}

/* How long the version cannot be deleted by anybody. */
static void put_lock(const struct s3 *s, struct s3_call *c)
{
    char until[32];

    if (!s->address.retain_days) return;
    /* a day more, so that it is still locked for as long as was asked for when somebody signs for it */
    cu_time_text((cu_unix_ms){ ((uint64_t)time(NULL) + (s->address.retain_days + 1) * 86400) * 1000 }, until);
    s3_header(c, "x-amz-object-lock-mode: COMPLIANCE");
    s3_header(c, "x-amz-object-lock-retain-until-date: %s", until);
}

struct newest {
    const char *key;
    char version[CU_BUCKET_VERSION_MAX];
};

static cu_status keep_newest(void *arg, const struct cu_bucket_version *v, struct cu_err *err)
{
    struct newest *n = arg;
    (void)err;

    if (v->version && !v->marker && !n->version[0] && strcmp(v->key, n->key) == 0)
        snprintf(n->version, sizeof n->version, "%s", v->version);
    return CU_OK;
}

/* A store without versions names none; nor does one that says only that it was done already when it was asked the first time. */
static cu_status take_put_version(struct s3 *s, const char *key, const struct s3_call *c, char ret[CU_BUCKET_VERSION_MAX],
                                  struct cu_err *err)
{
    struct newest n = { .key = key };

    snprintf(n.version, sizeof n.version, "%s", c->version[0] || c->tries > 1 ? c->version : "null");
    if (!n.version[0]) TRY(s3_list(s, key, true, keep_newest, &n, err));
    if (!cu_bucket_version_ok(cu_span_str(n.version))) return s3_malformed("PUT", err);
    memcpy(ret, n.version, sizeof n.version);
    return CU_OK;
}

static cu_status put_whole(struct s3 *s, const char *key, struct cu_file *from, uint64_t size, bool first,
                           char ret[CU_BUCKET_VERSION_MAX], struct cu_err *err)
{
    CALL c;

    s3_call_on(s, "PUT", key, &c);
    TRY(with_part(&c, from, 0, size, err));
    put_lock(s, &c);
    if (first) s3_header(&c, "If-None-Match: *");
    TRY(s3_ask(s, &c, err));
    return take_put_version(s, key, &c, ret, err);
}

/* ---- in parts ---- */

struct part {
    char tag[S3_TAG];
    cu_hash hash;
};

struct parts {
    struct s3 *s;
    const char *key;
    struct cu_file *from;
    uint64_t size, each;
    char upload[1024];
    struct part *part;
    unsigned n;
    pthread_mutex_t lock; /* guards what follows */
    unsigned next;
    cu_status status;
    struct cu_err err;
};

static cu_status send_part(struct parts *p, unsigned i, struct cu_err *err)
{
    const uint64_t at = i * p->each, left = p->size - at;
    char number[16];
    CALL c;

    s3_call_on(p->s, "PUT", p->key, &c);
    snprintf(number, sizeof number, "%u", i + 1);
    s3_query(&c, "partNumber", number);
    s3_query(&c, "uploadId", p->upload);
    TRY(with_part(&c, p->from, at, left < p->each ? left : p->each, err));
    TRY(s3_ask(p->s, &c, err));
    if (!c.tag[0]) return s3_malformed("a part", err);
    memcpy(p->part[i].tag, c.tag, sizeof c.tag);
    p->part[i].hash = c.body_hash;
    return CU_OK;
}

static void *send_parts(void *arg)
{
    struct parts *p = arg;
    struct cu_err err = { 0 };
    cu_status status = CU_OK;

    for (;;) {
        pthread_mutex_lock(&p->lock);
        if (status != CU_OK && p->status == CU_OK) p->status = status, p->err = err;
        const unsigned i = p->status == CU_OK && p->next < p->n ? p->next++ : p->n;
        pthread_mutex_unlock(&p->lock);
        if (i == p->n) return NULL;
        status = send_part(p, i, &err);
    }
}

static cu_status send_all(struct parts *p, struct cu_err *err)
{
    pthread_t thread[SENDERS - 1];
    unsigned threads_n = 0;

    while (threads_n < SENDERS - 1 && threads_n + 1 < p->n && pthread_create(&thread[threads_n], NULL, send_parts, p) == 0)
        threads_n++;
    send_parts(p);
    for (unsigned i = 0; i < threads_n; i++) pthread_join(thread[i], NULL);
    return p->status == CU_OK ? CU_OK : cu_fail(err, p->status, "%s", p->err.text);
}

static cu_status begin_parts(struct parts *p, struct cu_err *err)
{
    CALL c;

    s3_call_on(p->s, "POST", p->key, &c);
    s3_query(&c, "uploads", "");
    s3_header(&c, "x-amz-checksum-algorithm: SHA256");
    put_lock(p->s, &c);
    s3_with_text(&c, CU_SPAN_EMPTY);
    TRY(s3_ask(p->s, &c, err));
    return s3_find_text(&c, "InitiateMultipartUploadResult/UploadId", p->upload, sizeof p->upload) ? CU_OK
                                                                                                   : s3_malformed("POST", err);
}

static void put_escaped(struct cu_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '&') cu_buf_add_str(out, "&amp;");
        else if (*text == '<') cu_buf_add_str(out, "&lt;");
        else cu_buf_add_byte(out, (uint8_t)*text);
    }
}

static cu_status end_parts(struct parts *p, bool first, char ret[CU_BUCKET_VERSION_MAX], struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(PARTS_MAX * 512);
    char tag[S3_TAG];
    CALL c;

    cu_buf_add_str(&text, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (unsigned i = 0; i < p->n; i++) {
        cu_buf_addf(&text, "<Part><PartNumber>%u</PartNumber><ETag>", i + 1);
        put_escaped(&text, p->part[i].tag);
        cu_buf_add_str(&text, "</ETag><ChecksumSHA256>");
        cu_base64_put(&text, cu_span_hash(&p->part[i].hash));
        cu_buf_add_str(&text, "</ChecksumSHA256></Part>");
    }
    cu_buf_add_str(&text, "</CompleteMultipartUpload>");
    TRY(cu_buf_ok(&text, err));
    s3_call_on(p->s, "POST", p->key, &c);
    s3_query(&c, "uploadId", p->upload);
    if (first) s3_header(&c, "If-None-Match: *");
    s3_with_text(&c, cu_buf_span(&text));
    const cu_status asked = s3_ask(p->s, &c, err);
    /* Asked again, it may be answered that there is no such upload any more: the first time did it. */
    if (asked == CU_NOT_FOUND && first && c.tries > 1) return CU_DUPLICATE;
    TRY(asked);
    if (!s3_find_text(&c, "CompleteMultipartUploadResult/ETag", tag, sizeof tag))
        return s3_malformed("the end of an upload", err);
    return take_put_version(p->s, p->key, &c, ret, err);
}

/* What was begun and will not be ended costs its owner money. Failing to say so harms nobody. */
static void abort_parts(struct parts *p)
{
    CALL c;

    s3_call_on(p->s, "DELETE", p->key, &c);
    s3_query(&c, "uploadId", p->upload);
    const cu_status said = s3_ask(p->s, &c, NULL);
    (void)said;
}

static void free_parts(struct parts *p)
{
    pthread_mutex_destroy(&p->lock);
    free(p->part);
}

static cu_status put_parts(struct s3 *s, const char *key, struct cu_file *from, uint64_t size, bool first,
                           char ret[CU_BUCKET_VERSION_MAX], struct cu_err *err)
{
    CU_CLEANUP(free_parts) struct parts p = { .s = s, .key = key, .from = from, .size = size, .each = PART };

    pthread_mutex_init(&p.lock, NULL);
    while (p.each * PARTS_MAX < size) p.each *= 2;
    p.n = (unsigned)((size + p.each - 1) / p.each);
    p.part = calloc(p.n, sizeof *p.part);
    ENSURE(p.part, err, CU_NO_MEMORY, "no memory to send %u parts", p.n);
    TRY(begin_parts(&p, err));
    cu_status sent = send_all(&p, err);
    if (sent == CU_OK) sent = end_parts(&p, first, ret, err);
    if (sent != CU_OK) abort_parts(&p);
    return sent;
}

cu_status s3_put(void *self, const char *key, struct cu_file *from, uint64_t size, bool first,
                 char ret_version[CU_BUCKET_VERSION_MAX], struct cu_err *err)
{
    return s3_not_there(self, (size <= PART ? put_whole : put_parts)(self, key, from, size, first, ret_version, err), err);
}
