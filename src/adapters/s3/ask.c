/* One question to the store: signed, sent, repeated while that may help, and its answer taken for what it is.
 *
 * (1) URLs are canonical, because libcurl signs them as they stand: paths and values percent-encoded, names of the query in order,
 *     each with its '='; the SHA-256 of what is sent always goes along.
 * (2) Repeated is what may have another end: no connection, no answer in time, 429, 5xx, an answer that is cut short or is not what
 *     was asked for. A conditional PUT that comes a second time is answered "it is there": DUPLICATE, and the caller looks.
 */
#include "adapters/s3/inside.h"
#include "custody/text.h"
#include "codec/xml.h"

#include <curl/curl.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

enum { FIRST_WAIT_MS = 100, LONGEST_WAIT_MS = 4000, CONNECT_S = 10, PIECE = 65536 };

/* ---- the question ---- */

static void encode(const char *text, bool slashes, char *ret, size_t max)
{
    size_t n = strlen(ret);

    for (; *text && n + 4 < max; text++) {
        const uint8_t c = (uint8_t)*text;
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                           c == '.' || c == '~' || (c == '/' && slashes);
        n += (size_t)snprintf(ret + n, max - n, plain ? "%c" : "%%%02X", (unsigned)c);
    }
}

void s3_call_on(const struct s3 *s, const char *method, const char *key, struct s3_call *ret)
{
    *ret = (struct s3_call){ .method = method, .body_hash = cu_sha256(CU_SPAN_EMPTY), .text = cu_buf_heap(S3_ANSWER_MAX) };
    snprintf(ret->url, sizeof ret->url, "%s/%s", s->address.endpoint, s->address.bucket);
    if (!key) return;
    encode("/", true, ret->url, sizeof ret->url);
    encode(s->address.prefix, true, ret->url, sizeof ret->url);
    encode(key, true, ret->url, sizeof ret->url);
}

void s3_call_free(struct s3_call *c) { cu_buf_free(&c->text); }

void s3_query(struct s3_call *c, const char *name, const char *value)
{
    const size_t n = strlen(c->url);

    snprintf(c->url + n, sizeof c->url - n, "%c%s=", strchr(c->url, '?') ? '&' : '?', name);
    encode(value, false, c->url, sizeof c->url);
}

void s3_header(struct s3_call *c, const char *fmt, ...)
{
    va_list args;

    CU_ASSERT(c->headers_n < S3_HEADERS);
    va_start(args, fmt);
    (void)vsnprintf(c->header[c->headers_n++], sizeof c->header[0], fmt, args);
    va_end(args);
}

/* ---- the answer ---- */

static size_t take_body(char *bytes, size_t one, size_t n, void *arg)
{
    struct s3_call *c = arg;
    (void)one;

    if (!c->into || c->http / 100 != 2) {
        cu_buf_add(&c->text, cu_span(bytes, n));
        return cu_buf_ok(&c->text, NULL) == CU_OK ? n : 0;
    }
    c->overflowed = n > c->into_n - c->got;
    if (c->overflowed) return 0;
    memcpy(c->into + c->got, bytes, n);
    c->got += n;
    return n;
}

/* "bytes 5-9/100", of which the first is what was asked for. */
static bool range_begins(struct cu_span value, uint64_t at)
{
    struct cu_span first;
    uint64_t is;

    return cu_span_take(&value, "bytes ") && cu_span_split(&value, '-', &first) &&
           cu_decimal_read(first, UINT64_MAX, &is, NULL) == CU_OK && is == at;
}

static bool named(struct cu_span line, const char *name, struct cu_span *ret)
{
    const size_t n = strlen(name);

    if (line.n <= n || strncasecmp((const char *)line.p, name, n) != 0 || line.p[n] != ':') return false;
    line = cu_span_from(line, n + 1);
    while (line.n && (line.p[0] == ' ' || line.p[0] == '\t')) line = cu_span_from(line, 1);
    while (line.n && line.p[line.n - 1] <= ' ') line.n--;
    *ret = line;
    return true;
}

static void copy(struct cu_span text, char *ret, size_t max)
{
    snprintf(ret, max, "%.*s", (int)(text.n < max ? text.n : max - 1), (const char *)text.p);
}

static size_t take_header(char *bytes, size_t one, size_t n, void *arg)
{
    struct s3_call *c = arg;
    struct cu_span line = cu_span(bytes, n), value;
    (void)one;

    if (n > 12 && strncmp(bytes, "HTTP/", 5) == 0) {
        const char *space = memchr(bytes, ' ', n);
        c->http = space ? strtol(space, NULL, 10) : 0;
        c->ranged = false;
        c->length = UINT64_MAX;
    } else if (named(line, "x-amz-version-id", &value)) copy(value, c->version, sizeof c->version);
    else if (named(line, "etag", &value)) copy(value, c->tag, sizeof c->tag);
    else if (named(line, "content-range", &value)) c->ranged = range_begins(value, c->at);
    else if (named(line, "content-length", &value) && cu_decimal_read(value, UINT64_MAX, &c->length, NULL) != CU_OK)
        c->length = UINT64_MAX;
    return n;
}

static size_t give_body(char *ret, size_t one, size_t n, void *arg)
{
    struct s3_call *c = arg;
    size_t got = 0, want = c->body_n - c->sent < one * n ? (size_t)(c->body_n - c->sent) : one * n;

    if (!c->from) memcpy(ret, c->body.p + c->sent, got = want);
    else if (c->from->ops->read_at(c->from, c->from_at + c->sent, ret, want, &got, &c->sending) != CU_OK)
        return CURL_READFUNC_ABORT;
    c->sent += got;
    return got;
}

static int seek_body(void *arg, curl_off_t to, int origin)
{
    struct s3_call *c = arg;

    if (origin != SEEK_SET || to < 0) return CURL_SEEKFUNC_CANTSEEK;
    c->sent = (uint64_t)to;
    return CURL_SEEKFUNC_OK;
}

/* ---- asking once ---- */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static void begin_curl(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

static CURL *take_handle(struct s3 *s)
{
    CURL *h = NULL;

    pthread_once(&curl_once, begin_curl);
    pthread_mutex_lock(&s->lock);
    if (s->handles_n) h = s->handle[--s->handles_n];
    pthread_mutex_unlock(&s->lock);
    if (h) curl_easy_reset(h); /* its connections stay */
    return h ? h : curl_easy_init();
}

static void leave_handle(struct s3 *s, CURL *h)
{
    pthread_mutex_lock(&s->lock);
    const bool room = s->handles_n < S3_HANDLES;
    if (room) s->handle[s->handles_n++] = h;
    pthread_mutex_unlock(&s->lock);
    if (!room) curl_easy_cleanup(h);
}

static struct curl_slist *add(struct curl_slist *list, const char *line, bool *good)
{
    struct curl_slist *more = curl_slist_append(list, line);
    *good = *good && more;
    return more ? more : list;
}

static void free_list(struct curl_slist **list) { curl_slist_free_all(*list); }

static struct curl_slist *headers_of(const struct s3 *s, const struct s3_call *c, bool *good)
{
    struct curl_slist *list = NULL;
    char hex[65], line[5000];

    cu_hash_hex(&c->body_hash, hex);
    snprintf(line, sizeof line, "x-amz-content-sha256: %s", hex);
    list = add(list, line, good);
    snprintf(line, sizeof line, "x-amz-security-token: %s", s->token);
    if (s->token[0]) list = add(list, line, good);
    for (unsigned i = 0; i < c->headers_n; i++) list = add(list, c->header[i], good);
    return list;
}

static void prepare(const struct s3 *s, struct s3_call *c, struct curl_slist *headers, CURL *h, char why[CURL_ERROR_SIZE])
{
    char sign[128];

    snprintf(sign, sizeof sign, "aws:amz:%s:s3", s->address.region);
    curl_easy_setopt(h, CURLOPT_URL, c->url);
    curl_easy_setopt(h, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, (long)s->address.timeout_s);
    curl_easy_setopt(h, CURLOPT_AWS_SIGV4, sign);
    curl_easy_setopt(h, CURLOPT_USERNAME, s->key);
    curl_easy_setopt(h, CURLOPT_PASSWORD, s->secret);
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, c);
    if (strcmp(c->method, "HEAD") == 0) curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
    else if (strcmp(c->method, "GET") != 0) curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, c->method);
    if (!c->has_body) return;
    curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(h, CURLOPT_UPLOAD_BUFFERSIZE, (long)(8 * PIECE));
    curl_easy_setopt(h, CURLOPT_INFILESIZE_LARGE, (curl_off_t)c->body_n);
    curl_easy_setopt(h, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(h, CURLOPT_READDATA, c);
    curl_easy_setopt(h, CURLOPT_SEEKFUNCTION, seek_body);
    curl_easy_setopt(h, CURLOPT_SEEKDATA, c);
}

static cu_status ask_once(struct s3 *s, struct s3_call *c, CURLcode *ret, char why[CURL_ERROR_SIZE], struct cu_err *err)
{
    bool good = true;
    CURL *h = take_handle(s);

    ENSURE(h, err, CU_NO_MEMORY, "no memory to ask %s", c->url);
    CU_CLEANUP(free_list) struct curl_slist *headers = headers_of(s, c, &good);
    cu_buf_clear(&c->text);
    c->got = 0;
    c->sent = 0;
    c->http = 0;
    c->length = UINT64_MAX;
    c->ranged = c->overflowed = false;
    c->version[0] = c->tag[0] = 0;
    why[0] = 0;
    if (good) {
        prepare(s, c, headers, h, why);
        *ret = curl_easy_perform(h);
    }
    leave_handle(s, h);
    ENSURE(good, err, CU_NO_MEMORY, "no memory to ask %s", c->url);
    return CU_OK;
}

/* ---- what it means ---- */

struct complaint {
    char code[128], message[400];
};

static struct complaint complaint_of(const struct s3_call *c)
{
    struct cu_xml x = cu_xml_on(cu_buf_span(&c->text));
    struct complaint out = { .code = "" };
    enum cu_xml_event e;

    while ((e = cu_xml_next(&x)) == CU_XML_BEGIN || e == CU_XML_END) {
        if (e == CU_XML_END && cu_xml_at(&x, "Error/Code")) copy(cu_xml_text(&x), out.code, sizeof out.code);
        if (e == CU_XML_END && cu_xml_at(&x, "Error/Message")) copy(cu_xml_text(&x), out.message, sizeof out.message);
    }
    return out;
}

static bool worth_another_try(CURLcode code)
{
    return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_OPERATION_TIMEDOUT ||
           code == CURLE_PARTIAL_FILE || code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING ||
           code == CURLE_WRITE_ERROR || code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_SEND_FAIL_REWIND;
}

/* `url` without what stands behind the '?': for people. */
static struct cu_span place_of(const struct s3_call *c) { return cu_span(c->url, strcspn(c->url, "?")); }
#define PLACE(c) (int)place_of(c).n, (c)->url

static cu_status fail_transport(const struct s3_call *c, CURLcode code, const char *why, struct cu_err *err)
{
    if (code == CURLE_ABORTED_BY_CALLBACK && c->sending.text[0]) return cu_fail(err, c->sending.status, "%s", c->sending.text);
    ENSURE(!c->overflowed, err, CU_IO, "%.*s: the bucket sent more than was asked for; it was not used", PLACE(c));
    return cu_fail(err, CU_IO, "%.*s: %s (asked %u times). What was not acknowledged is brought there by the next run", PLACE(c),
                   why[0] ? why : curl_easy_strerror(code), c->tries);
}

static cu_status fail_answer(const struct s3_call *c, struct cu_err *err)
{
    const struct complaint said = complaint_of(c);
    const char *code = said.code[0] ? said.code : "no reason given",
               *message = said.message[0] ? said.message : "no more is said";

    if (c->http == 412) return cu_fail(err, CU_DUPLICATE, "%.*s is there already", PLACE(c));
    if (c->http == 404 && strcmp(said.code, "NoSuchBucket") != 0)
        return cu_fail(err, CU_NOT_FOUND, "%.*s is not there (%s)", PLACE(c), code);
    if (c->http == 404)
        return cu_fail(err, CU_IO,
                       "%.*s: there is no such bucket. Nothing was stored; make it, or look at the ledger's cloud/bucket",
                       PLACE(c));
    if (c->http == 401 || c->http == 403)
        return cu_fail(err, CU_NOT_ALLOWED,
                       "%.*s: the store refuses: %s (%s). Nothing was stored; look at the credentials and what they may do",
                       PLACE(c), code, message);
    if (c->http == 507) return cu_fail(err, CU_NO_SPACE, "%.*s: the store is full: %s", PLACE(c), message);
    return cu_fail(err, CU_IO, "%.*s: the store answers %ld: %s (%s), asked %u times", PLACE(c), c->http, code, message,
                   c->tries);
}

/* A good answer: is it the one to this question? */
static cu_status judge_answer(const struct s3_call *c, struct cu_err *err)
{
    if (!c->into) return CU_OK;
    ENSURE(c->http == 206 && c->ranged && c->got == c->into_n, err, CU_IO,
           "%.*s: %zu bytes from %llu on were asked for, and the answer is another one (%ld, %zu bytes): it was not used",
           PLACE(c), c->into_n, LLU(c->at), c->http, c->got);
    return CU_OK;
}

static void wait_before(unsigned tries)
{
    long ms = FIRST_WAIT_MS;

    for (unsigned i = 1; i < tries && ms < LONGEST_WAIT_MS; i++) ms *= 2;
    struct timespec left = { ms / 1000, ms % 1000 * 1000000 };
    while (nanosleep(&left, &left) != 0) continue;
}

cu_status s3_ask(struct s3 *s, struct s3_call *c, struct cu_err *err)
{
    char why[CURL_ERROR_SIZE];
    CURLcode code = CURLE_OK;

    ENSURE(s->key[0], err, s->no_key.status, "%s", s->no_key.text);
    for (c->tries = 1;; c->tries++) {
        TRY(ask_once(s, c, &code, why, err));
        const bool answered = code == CURLE_OK && c->http / 100 == 2;
        const bool again = answered           ? judge_answer(c, NULL) != CU_OK
                           : code == CURLE_OK ? (c->http >= 500 && c->http != 501 && c->http != 507) || c->http == 429 ||
                                                    c->http == 408 || c->http == 409
                                              : worth_another_try(code);
        if (again && c->tries < s->address.tries) {
            wait_before(c->tries);
            continue;
        }
        if (answered) return judge_answer(c, err);
        return code == CURLE_OK ? fail_answer(c, err) : fail_transport(c, code, why, err);
    }
}
