/* Evidence handed in over HTTP: claims, and their bytes by tus 1.0, by libcurl; ports/carrier.h. What was not answered is asked again a few times,
 * but for the bytes: whoever sends them asks first how far they came. */
#include "client/client.h"

#include "custody/limits.h"
#include "custody/text.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TRIES = 4, SOON_MS = 200, SAID_MAX = 65536, SEND_BYTES = 524288, HEADERS = 8 };

struct carrier {
    struct cu_client_ends ends;
    CURL *handle;
};

/* ---- one exchange ---- */
struct exchange {
    struct carrier *carrier;
    char path[200], at[CU_ADDRESS_MAX]; /* who was asked last */
    const char *method;                 /* NULL: GET */
    char header[HEADERS][200];
    size_t headers_n;
    struct cu_span body;
    cu_carrier_read *read; /* or the body is read, `left` bytes of it */
    void *arg;
    uint64_t left;
    unsigned wait_s; /* so long the answer may take, for it is waited for over there */
    struct cu_buf *answer;
    struct cu_buf problem;
    long http;
    uint64_t offset; /* what the header Upload-Offset says; UINT64_MAX: it is not there */
    cu_status fed;
    struct cu_err why;
};

static void add_header(struct exchange *x, const char *name, const char *value)
{
    CU_ASSERT(x->headers_n < HEADERS);
    snprintf(x->header[x->headers_n++], sizeof *x->header, "%s: %s", name, value);
}

static size_t take_answer(char *bytes, size_t one, size_t n, void *arg)
{
    struct exchange *x = arg;
    struct cu_buf *to;

    (void)one;
    if (x->http == 0) curl_easy_getinfo(x->carrier->handle, CURLINFO_RESPONSE_CODE, &x->http);
    to = x->http / 100 == 2 && x->answer ? x->answer : &x->problem;
    cu_buf_add(to, cu_span(bytes, n));
    return cu_buf_ok(to, NULL) == CU_OK ? n : 0;
}

static size_t take_header(char *bytes, size_t one, size_t n, void *arg)
{
    static const char name[] = "upload-offset:";
    struct exchange *x = arg;
    uint64_t offset = 0;
    size_t at = sizeof name - 1, end = n;

    if (n <= at || strncasecmp(bytes, name, at) != 0) return n * one;
    while (at < end && bytes[at] == ' ') at++;
    while (end > at && (bytes[end - 1] == '\r' || bytes[end - 1] == '\n' || bytes[end - 1] == ' ')) end--;
    if (cu_decimal_read(cu_span(bytes + at, end - at), INT64_MAX, &offset, NULL) == CU_OK) x->offset = offset;
    return n * one;
}

static size_t give_bytes(char *ret, size_t one, size_t n, void *arg)
{
    struct exchange *x = arg;
    size_t got = 0;

    n *= one;
    if (x->left == 0) return 0;
    x->fed = x->read(x->arg, (uint8_t *)ret, n < x->left ? n : (size_t)x->left, &got, &x->why);
    if (x->fed != CU_OK) return CURL_READFUNC_ABORT;
    x->left -= got;
    return got;
}

static void set_body(struct exchange *x, CURL *h)
{
    if (x->read) {
        curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(h, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BYTES);
        curl_easy_setopt(h, CURLOPT_READFUNCTION, give_bytes);
        curl_easy_setopt(h, CURLOPT_READDATA, x);
        curl_easy_setopt(h, CURLOPT_INFILESIZE_LARGE, (curl_off_t)x->left);
    } else if (x->method && strcmp(x->method, "HEAD") != 0) {
        curl_easy_setopt(h, CURLOPT_POSTFIELDS, x->body.n ? (const char *)x->body.p : "");
        curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body.n);
    } else if (x->method) curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
    if (x->method) curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, x->method);
}

static CURLcode perform(struct exchange *x, struct curl_slist *headers, char why[CURL_ERROR_SIZE])
{
    CURL *h = x->carrier->handle;
    char url[sizeof x->at + sizeof x->path];

    snprintf(x->at, sizeof x->at, "%s", cu_client_base(&x->carrier->ends));
    snprintf(url, sizeof url, "%s/%s", x->at, x->path);
    x->http = 0;
    x->offset = UINT64_MAX;
    cu_buf_clear(&x->problem);
    cu_client_prepare(h, url, &x->carrier->ends, x->wait_s, why);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
    set_body(x, h);
    const CURLcode code = curl_easy_perform(h);
    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &x->http);
    return code;
}

static cu_status status_of(long http)
{
    switch (http) {
    case 404: return CU_NOT_FOUND;
    case 423: return CU_BUSY;
    case 460: return CU_BAD_HASH;
    default: return CU_IO;
    }
}

static cu_status failed(struct exchange *x, CURLcode code, const char *why, struct cu_err *err)
{
    const int n = (int)strcspn(x->path, "?");
    const bool answered = x->http / 100 > 2;
    cu_status status = CU_IO;
    char text[400];

    if (x->fed != CU_OK) return cu_fail(err, x->fed, "%s", x->why.text);
    ENSURE(code == CURLE_OK || answered, err, CU_IO, "%s/%.*s: %s. Run the same again: it goes on where it was", x->at, n,
           x->path, why[0] ? why : curl_easy_strerror(code));
    const bool ours = cu_problem_read(cu_buf_span(&x->problem), &status, text);
    if (x->http == 423 || x->http == 460 || x->http == 409 || !ours) status = status_of(x->http);
    return ours ? cu_fail(err, status, "%s", text)
                : cu_fail(err, status, "%s/%.*s: the answer is %ld, and not as it should be", x->at, n, x->path, x->http);
}

/* Another node of the ledger has nothing of what one had: whoever sends asks it how far that came, and begins there. */
static cu_status talk(struct exchange *x, struct cu_err *err)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:"), *more;
    const size_t had = x->answer ? x->answer->n : 0;
    char why[CURL_ERROR_SIZE] = "";
    CURLcode code = CURLE_OUT_OF_MEMORY;
    bool ready = headers != NULL;

    x->problem = cu_buf_heap(SAID_MAX);
    for (size_t i = 0; ready && i < x->headers_n; i++) {
        more = curl_slist_append(headers, x->header[i]);
        ready = more != NULL;
        if (ready) headers = more;
    }
    for (unsigned tries = 1; ready; tries++) {
        if (x->answer) x->answer->n = had;
        code = perform(x, headers, why);
        const struct cu_client_asked was = { (int)code, why, x->http, cu_buf_span(&x->problem) };
        if (cu_client_answered((int)code, x->http) || x->read || !cu_client_again(&x->carrier->ends, &was, tries, TRIES)) break;
    }
    curl_slist_free_all(headers);
    const cu_status done = code == CURLE_OK && x->http / 100 == 2 ? CU_OK : failed(x, code, why, err);
    cu_buf_free(&x->problem);
    return done;
}

static struct exchange about(struct carrier *carrier, const char *where, const cu_hash *id, const char *rest)
{
    struct exchange x = { .carrier = carrier };
    char hex[65];

    cu_hash_hex(id, hex);
    snprintf(x.path, sizeof x.path, "v1/%s/%s%s", where, hex, rest);
    return x;
}

/* ---- claims ---- */

bool cu_carriage_read(struct cu_span body, struct cu_carriage *ret)
{
    static const char *const names[] = { "claimed", "receiving", "checking", "accepted", "refused", "recorded" };
    uint8_t memory[2000];
    struct cu_buf value = cu_buf_over(memory, sizeof memory), shown = cu_buf_over(ret->reason, sizeof ret->reason - 1);
    struct cu_fields f = { .rest = body };
    bool known = false;
    char name[32];

    memset(ret, 0, sizeof *ret);
    while (cu_fields_next(&f, name, &value)) {
        const struct cu_span v = cu_buf_span(&value);
        if (strcmp(name, "offset") == 0 && cu_decimal_read(v, INT64_MAX, &ret->offset, NULL) != CU_OK) return false;
        if (strcmp(name, "reason") == 0) cu_buf_clear(&shown), cu_text_printable(&shown, v);
        for (size_t i = 0; strcmp(name, "state") == 0 && i < sizeof names / sizeof *names; i++)
            if (cu_span_is(v, names[i])) ret->state = (enum cu_carriage_state)i, known = true;
    }
    ret->reason[shown.n] = 0;
    return known && !f.bad;
}

static cu_status ask_state(struct exchange *x, struct cu_carriage *ret, struct cu_err *err)
{
    CU_BUF answer = cu_buf_heap(SAID_MAX);

    x->answer = &answer; // cppcheck-suppress autoVariables ; x is of this exchange alone
    TRY(talk(x, err));
    ENSURE(cu_carriage_read(cu_buf_span(&answer), ret), err, CU_IO, "%s: the answer does not say how far the claim came", x->at);
    return CU_OK;
}

static cu_status put_claim(void *self, struct cu_span claim_file, struct cu_carriage *ret, struct cu_err *err)
{
    struct exchange x = { .carrier = self, .method = "POST", .body = claim_file };

    snprintf(x.path, sizeof x.path, "v1/claims");
    add_header(&x, "Content-Type", "application/cbor");
    return ask_state(&x, ret, err);
}

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Who is told at once that nothing has changed does not ask again at once. */
static cu_status get_state(void *self, const cu_hash *id, unsigned wait_s, struct cu_carriage *ret, struct cu_err *err)
{
    char rest[32] = "";
    const uint64_t began = now_ms();

    if (wait_s) snprintf(rest, sizeof rest, "?wait=%u", wait_s);
    struct exchange x = about(self, "claims", id, rest);
    x.wait_s = wait_s;
    TRY(ask_state(&x, ret, err));
    if (wait_s && ret->state < CU_CARRIED_ACCEPTED && now_ms() - began < SOON_MS) cu_client_pause(SOON_MS);
    return CU_OK;
}

static cu_status get_record(void *self, const cu_hash *id, struct cu_buf *ret, struct cu_err *err)
{
    struct exchange x = about(self, "claims", id, "/record");

    x.answer = ret;
    return talk(&x, err);
}

static cu_status put_chunks(void *self, const cu_hash *id, struct cu_span roots, struct cu_err *err)
{
    struct exchange x = about(self, "claims", id, "/chunks");

    x.method = "PUT";
    x.body = roots;
    add_header(&x, "Content-Type", "application/octet-stream");
    const cu_status put = talk(&x, err);
    return x.http == 409 ? CU_OK : put; /* bytes came before them: an earlier run told them */
}

/* ---- bytes ---- */

#define TUS "Tus-Resumable", "1.0.0"

static cu_status begin_upload(struct carrier *carrier, const cu_hash *id, uint64_t length, uint64_t *ret, struct cu_err *err)
{
    struct exchange x = { .carrier = carrier, .method = "POST" };
    char hex[65], number[24];
    uint8_t text[160];
    struct cu_buf metadata = cu_buf_over(text, sizeof text);

    cu_hash_hex(id, hex);
    cu_buf_add_str(&metadata, "claim ");
    cu_base64_put(&metadata, cu_span_str(hex));
    cu_buf_add_byte(&metadata, 0);
    snprintf(number, sizeof number, "%llu", LLU(length));
    snprintf(x.path, sizeof x.path, "v1/uploads");
    add_header(&x, TUS);
    add_header(&x, "Upload-Length", number);
    add_header(&x, "Upload-Metadata", (const char *)text);
    TRY(talk(&x, err));
    *ret = x.offset == UINT64_MAX ? 0 : x.offset;
    return CU_OK;
}

static cu_status get_offset(void *self, const cu_hash *id, uint64_t length, uint64_t *ret, struct cu_err *err)
{
    struct exchange x = about(self, "uploads", id, "");

    x.method = "HEAD";
    add_header(&x, TUS);
    const cu_status asked = talk(&x, err);
    if (asked == CU_NOT_FOUND) return begin_upload(self, id, length, ret, err);
    TRY(asked);
    ENSURE(x.offset != UINT64_MAX, err, CU_IO, "%s: the answer does not say how much has arrived", x.at);
    *ret = x.offset;
    return CU_OK;
}

static cu_status send_bytes(void *self, const cu_hash *id, uint64_t from, uint64_t to, cu_carrier_read *read, void *arg,
                            struct cu_err *err)
{
    struct exchange x = about(self, "uploads", id, "");
    char number[24];

    snprintf(number, sizeof number, "%llu", LLU(from));
    x.method = "PATCH";
    x.read = read;
    x.arg = arg;
    x.left = to - from;
    add_header(&x, TUS);
    add_header(&x, "Upload-Offset", number);
    add_header(&x, "Content-Type", "application/offset+octet-stream");
    return talk(&x, err);
}

static void close_carrier(void *self)
{
    struct carrier *carrier = self;

    curl_easy_cleanup(carrier->handle);
    free(carrier);
}

cu_status cu_carrier_open(const struct cu_remote_address *at, struct cu_carrier *ret, struct cu_err *err)
{
    static const struct cu_carrier_ops ops = {
        put_claim, get_state, get_record, put_chunks, get_offset, send_bytes, close_carrier
    };
    struct cu_client_ends ends;

    TRY(cu_client_ends_read(at, &ends, err));
    struct carrier *carrier = calloc(1, sizeof *carrier);
    if (carrier && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) carrier->handle = curl_easy_init();
    if (!carrier || !carrier->handle) {
        free(carrier);
        return cu_fail(err, CU_NO_MEMORY, "no memory to ask %s", at->url);
    }
    carrier->ends = ends;
    *ret = (struct cu_carrier){ carrier, &ops };
    return CU_OK;
}
