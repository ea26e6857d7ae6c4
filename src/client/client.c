/* One question after another to a node over HTTP, by libcurl; and the log that it serves as files.
 *
 * (1) Whatever comes is bounded, and nobody's word: it is judged where it is used, as what lies in a folder is.
 * (2) No redirection is followed, and no scheme but http and https is spoken: the address that was given is the one that is asked.
 * (3) A question that was not answered is asked again a few times: reading twice changes nothing, and what is submitted twice is recorded once.
 */
#include "client/client.h"

#include "custody/limits.h"
#include "custody/text.h"
#include "ports/log_dir.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    URL_MAX = 8192,
    TRIES = 4,
    FIRST_WAIT_MS = 100,
    CONNECT_S = 10,
    SILENT_S = 60,
    SOURCE_SILENT_S = 20,
    SOURCE_RATE = 4096,
    RANGE_BYTES = 65536, /* that are taken from the socket at once, of evidence */
    ASK_S = 5,           /* who speaks to several at once does not wait for one that hangs */
    PROBLEM_MAX = 65536,
    SAID_MAX = 2048
};
#define LOG "node/log/"

struct client {
    struct cu_client_ends ends;
    pthread_mutex_t lock; /* guards the handle, which has the connection */
    CURL *handle;
    _Atomic int64_t ahead;
    bool source, by_root; /* of content alone: the next one is asked soon; by root, as a provider is */
    const atomic_bool *ending;
};

/* ---- one question ---- */
struct call {
    struct client *client;
    char url[URL_MAX];
    char range[48];      /* "5-9"; "": all */
    struct cu_span body; /* n > 0: a POST of it */
    bool post;           /* … of nothing */
    bool head;           /* HEAD: nothing is handed out */
    const char *type;
    bool any; /* whatever answer is one, and it is asked for once */
    cu_remote_feed *feed;
    void *arg;
    struct cu_buf problem; /* what came instead of an answer */
    long http;
    uint64_t got;
    cu_status fed; /* why `feed` ended it */
    struct cu_err why;
};

static size_t take(char *bytes, size_t one, size_t n, void *arg)
{
    struct call *c = arg;

    (void)one;
    if (c->http == 0) curl_easy_getinfo(c->client->handle, CURLINFO_RESPONSE_CODE, &c->http);
    if (c->http / 100 != 2 && !c->any) {
        cu_buf_add(&c->problem, cu_span(bytes, n));
        return cu_buf_ok(&c->problem, NULL) == CU_OK ? n : 0;
    }
    c->fed = c->feed(c->arg, cu_span(bytes, n), &c->why);
    c->got += n;
    return c->fed == CU_OK ? n : 0;
}

/* Date: as often as it answers. */
static size_t take_header(char *bytes, size_t one, size_t n, void *arg)
{
    struct client *client = arg;
    const time_t there = cu_client_date(bytes, n);

    if (there > 0) atomic_store(&client->ahead, (int64_t)there - (int64_t)time(NULL));
    return n * one;
}

static int given_up(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct client *client = arg;

    (void)a, (void)b, (void)c, (void)d;
    return client->ending && atomic_load(client->ending);
}

void cu_client_prepare(void *handle, const char *url, const struct cu_client_ends *ends, char *why)
{
    CURL *h = handle;

    why[0] = 0;
    curl_easy_reset(h);
    curl_easy_setopt(h, CURLOPT_URL, url);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_PROXY, "");
    curl_easy_setopt(h, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, (long)SILENT_S);
    curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
    if (ends->ca[0]) curl_easy_setopt(h, CURLOPT_CAINFO, ends->ca);
    if (ends->cert[0]) curl_easy_setopt(h, CURLOPT_SSLCERT, ends->cert), curl_easy_setopt(h, CURLOPT_SSLKEY, ends->cert);
}

static CURLcode perform(struct call *c, char why[CURL_ERROR_SIZE])
{
    CURL *h = c->client->handle;

    c->http = 0;
    cu_buf_clear(&c->problem);
    cu_client_prepare(h, c->url, &c->client->ends, why);
    curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, c->client->source ? (long)SOURCE_RATE : 1L);
    if (c->client->source) curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, (long)SOURCE_SILENT_S);
    if (c->any) curl_easy_setopt(h, CURLOPT_TIMEOUT, (long)ASK_S);
    curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, given_up);
    curl_easy_setopt(h, CURLOPT_XFERINFODATA, c->client);
    curl_easy_setopt(h, CURLOPT_NOPROGRESS, c->client->ending ? 0L : 1L);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, c->client);
    if (c->range[0]) curl_easy_setopt(h, CURLOPT_RANGE, c->range), curl_easy_setopt(h, CURLOPT_BUFFERSIZE, (long)RANGE_BYTES);
    if (c->head) curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
    const bool post = c->post || c->body.n > 0;
    struct curl_slist *headers = post ? curl_slist_append(curl_slist_append(NULL, c->type), "Expect:") : NULL;
    if (post) {
        curl_easy_setopt(h, CURLOPT_POSTFIELDS, c->body.n ? (const char *)c->body.p : "");
        curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body.n);
        curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
    }
    const CURLcode code = post && !headers ? CURLE_OUT_OF_MEMORY : curl_easy_perform(h);
    curl_slist_free_all(headers);
    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &c->http);
    return code;
}

static cu_status fail(const struct call *c, CURLcode code, const char *why, struct cu_err *err)
{
    const int place = (int)strcspn(c->url, "?");
    cu_status status = CU_IO;
    char text[400];

    if (c->fed != CU_OK) return cu_fail(err, c->fed, "%s", c->why.text);
    const char *advice = code == CURLE_OK ? NULL : cu_client_advice(c->client->handle, code);
    ENSURE(code == CURLE_OK, err, CU_IO, "%.*s: %s%s%s. Nothing was changed; try again when the node can be reached", place,
           c->url, why[0] ? why : curl_easy_strerror(code), advice ? ": " : "", advice ? advice : "");
    if (cu_problem_read(cu_buf_span(&c->problem), &status, text)) return cu_fail(err, status, "%s", text);
    return cu_fail(err, c->http == 404 || (c->client->source && c->http / 100 == 4) ? CU_NOT_FOUND : CU_IO,
                   "%.*s: the answer is %ld, and no ledger's", place, c->url, c->http);
}

void cu_client_pause(unsigned ms)
{
    struct timespec left = { ms / 1000, (long)(ms % 1000) * 1000000 };

    while (nanosleep(&left, &left) != 0) continue;
}

static void wait_before(unsigned tries) { cu_client_pause((unsigned)FIRST_WAIT_MS << (tries - 1)); }

/* Once something of the answer has been handed on, it is the caller's to ask for the rest. */
static cu_status ask(struct call *c, struct cu_err *err)
{
    char why[CURL_ERROR_SIZE];
    CURLcode code = CURLE_OK;

    c->problem = cu_buf_heap(PROBLEM_MAX);
    pthread_mutex_lock(&c->client->lock);
    for (unsigned tries = 1; tries <= (c->any || c->client->source ? 1 : TRIES); tries++) {
        if (tries > 1) wait_before(tries - 1);
        code = perform(c, why);
        if ((code == CURLE_OK && c->http != 503) || c->got > 0 || c->fed != CU_OK) break;
    }
    pthread_mutex_unlock(&c->client->lock);
    const cu_status asked = code == CURLE_OK && (c->any || c->http / 100 == 2) ? CU_OK : fail(c, code, why, err);
    cu_buf_free(&c->problem);
    return asked;
}

static cu_status get(struct client *client, const char *path, struct cu_buf *ret, struct cu_err *err)
{
    struct call c = { .client = client, .feed = cu_buf_take, .arg = ret };

    snprintf(c.url, sizeof c.url, "%s/%s", client->ends.base, path);
    return ask(&c, err);
}

/* ---- the port ---- */
static cu_status get_status(void *self, struct cu_buf *ret, struct cu_err *err) { return get(self, "v1/status", ret, err); }

static cu_status get_record(void *self, cu_seq seq, bool content, struct cu_buf *ret, struct cu_err *err)
{
    char path[80];

    snprintf(path, sizeof path, "v1/record/%llu%s", LLU(seq.v), content ? "" : "?without=content");
    return get(self, path, ret, err);
}

/* What is no letter or digit is encoded. */
static void put_encoded(char url[URL_MAX], struct cu_span value)
{
    size_t n = strlen(url);

    for (size_t i = 0; i < value.n && n + 4 < URL_MAX; i++) {
        const uint8_t c = value.p[i];
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        n += (size_t)snprintf(url + n, URL_MAX - n, plain ? "%c" : "%%%02X", c);
    }
}

/* As a value of a query. */
static void add_value(char url[URL_MAX], const char *name, struct cu_span value)
{
    const size_t n = strlen(url);

    if (value.n == 0) return;
    snprintf(url + n, URL_MAX - n, "&%s=", name);
    put_encoded(url, value);
}

static void url_of(const struct client *client, const char *what, const struct cu_reading *r, const cu_hash *root,
                   char ret[URL_MAX])
{
    char hex[65];

    cu_hash_hex(root, hex);
    if (client->by_root)
        snprintf(ret, URL_MAX, "%s/v1/objects/%s%s?entry=%llu", client->ends.base, hex, *what == 'b' ? "" : "/chunks",
                 LLU(r->seq.v));
    else
        snprintf(ret, URL_MAX, "%s/v1/%s/%llu?root=%s", client->ends.base, *what == 'b' ? "content" : "chunks", LLU(r->seq.v),
                 hex);
}

static cu_status get_chunks(void *self, const struct cu_reading *r, const cu_hash *root, struct cu_buf *ret, struct cu_err *err)
{
    struct call c = { .client = self, .feed = cu_buf_take, .arg = ret };

    url_of(self, "chunks", r, root, c.url);
    return ask(&c, err);
}

static cu_status get_bytes(void *self, const struct cu_reading *r, const cu_hash *root, uint64_t from, uint64_t to,
                           cu_remote_feed *feed, void *arg, struct cu_err *err)
{
    struct call c = { .client = self, .feed = feed, .arg = arg };

    ENSURE(r->reason.n + r->authority.n <= 2000, err, CU_TOO_LARGE, "reason and authority may have 1,000 bytes each");
    url_of(self, "bytes", r, root, c.url);
    if (!c.client->by_root) add_value(c.url, "reason", r->reason), add_value(c.url, "authority", r->authority);
    snprintf(c.range, sizeof c.range, "%llu-%llu", LLU(from), LLU(to - 1));
    TRY(ask(&c, err));
    ENSURE(c.got == to - from, err, CU_IO, "%llu bytes were asked for, and %llu came", LLU(to - from), LLU(c.got));
    return CU_OK;
}

static cu_status submit_some(struct client *client, const struct cu_span *records, size_t n, struct cu_outcome *ret,
                             struct cu_err *err)
{
    CU_BUF body = cu_buf_heap(n * CU_RECORD_MAX), answer = cu_buf_heap(n * SAID_MAX);
    struct call c = { .client = client, .feed = cu_buf_take, .arg = &answer, .type = "Content-Type: application/cbor-seq" };

    for (size_t i = 0; i < n; i++) cu_buf_add(&body, records[i]);
    TRY(cu_buf_ok(&body, err));
    c.body = cu_buf_span(&body);
    snprintf(c.url, sizeof c.url, "%s/v1/submit", client->ends.base);
    TRY(ask(&c, err));
    ENSURE(cu_outcomes_read(cu_buf_span(&answer), ret, n), err, CU_IO,
           "%s: the answer does not say what became of the records. Submit them again: what is recorded is recorded once", c.url);
    return CU_OK;
}

static cu_status submit(void *self, const struct cu_span *records, size_t n, struct cu_outcome *ret, struct cu_err *err)
{
    for (size_t at = 0, some; at < n; at += some) {
        some = n - at < CU_SUBMIT_RECORDS_MAX ? n - at : CU_SUBMIT_RECORDS_MAX;
        TRY(submit_some(self, records + at, some, ret + at, err));
    }
    return CU_OK;
}

/* The receipt itself is made here, of verified entries. What is not there yet is 202. */
static cu_status await(void *self, const cu_hash *id, unsigned seconds, struct cu_err *err)
{
    struct call c = { .client = self, .head = true };
    char hex[65];

    cu_hash_hex(id, hex);
    snprintf(c.url, sizeof c.url, "%s/v1/receipt/%s?wait=%u", c.client->ends.base, hex, seconds);
    struct cu_err why = { 0 };
    const cu_status waited = ask(&c, &why);
    if (waited != CU_OK && c.http == 0) return cu_fail(err, CU_IO, "%s", why.text);
    if (waited != CU_OK) wait_before(TRIES); /* whatever it says: it is not asked again at once */
    return CU_OK;
}

static cu_status say_inventory(void *self, struct cu_span case_name, cu_seq *ret, struct cu_err *err)
{
    CU_BUF answer = cu_buf_heap(SAID_MAX), number = cu_buf_heap(SAID_MAX);
    struct call c = { .client = self, .feed = cu_buf_take, .arg = &answer, .post = true, .type = "Content-Type:" };

    snprintf(c.url, sizeof c.url, "%s/v1/inventory/", c.client->ends.base);
    put_encoded(c.url, case_name);
    TRY(ask(&c, err));
    ENSURE(cu_fields_find(cu_buf_span(&answer), "entry", &number) &&
               cu_decimal_read(cu_buf_span(&number), INT64_MAX, &ret->v, NULL) == CU_OK,
           err, CU_IO, "%s: the answer does not say what was recorded", c.url);
    return CU_OK;
}

static cu_status name_provider(void *self, struct cu_buf *ret, struct cu_err *err)
{
    CU_BUF answer = cu_buf_heap(8 * SAID_MAX), value = cu_buf_heap(SAID_MAX);

    TRY(get(self, "v1/status", &answer, err));
    if (cu_fields_find(cu_buf_span(&answer), "provider", &value)) cu_buf_add(ret, cu_buf_span(&value));
    return cu_buf_ok(ret, err);
}

static cu_status ask_once(void *self, const char *path, struct cu_span body, unsigned *ret_http, struct cu_buf *ret,
                          struct cu_err *err)
{
    struct call c = {
        .client = self, .body = body, .type = "Content-Type: text/plain", .any = true, .feed = cu_buf_take, .arg = ret
    };

    snprintf(c.url, sizeof c.url, "%s/%s", c.client->ends.base, path);
    TRY(ask(&c, err));
    *ret_http = (unsigned)c.http;
    return CU_OK;
}

static int64_t ahead(void *self) { return atomic_load(&((struct client *)self)->ahead); }

static void close_client(void *self)
{
    struct client *client = self;

    curl_easy_cleanup(client->handle);
    pthread_mutex_destroy(&client->lock);
    free(client);
}

/* ---- the log as files ---- */
struct mount {
    struct client *client;
    struct cu_fs under;
};
struct served {
    struct cu_file file;
    struct cu_buf bytes;
};

static cu_status served_read(struct cu_file *f, uint64_t at, void *ret, size_t n, size_t *ret_n, struct cu_err *err)
{
    const struct cu_buf *bytes = &((struct served *)f)->bytes;

    (void)err;
    *ret_n = at >= bytes->n ? 0 : bytes->n - at < n ? (size_t)(bytes->n - at) : n;
    if (*ret_n) memcpy(ret, bytes->p + at, *ret_n);
    return CU_OK;
}

static cu_status served_size(struct cu_file *f, uint64_t *ret, struct cu_err *err)
{
    (void)err;
    *ret = ((struct served *)f)->bytes.n;
    return CU_OK;
}

static cu_status read_only(const char *path, struct cu_err *err)
{
    return cu_fail(err, CU_READ_ONLY, "%s is the node's own and cannot be written to from here", path);
}

static cu_status served_write(struct cu_file *f, uint64_t at, struct cu_span bytes, struct cu_err *err)
{
    (void)f, (void)at, (void)bytes;
    return read_only("the log", err);
}

static cu_status served_sync(struct cu_file *f, struct cu_err *err)
{
    (void)f, (void)err;
    return CU_OK;
}

static cu_status served_truncate(struct cu_file *f, uint64_t size, struct cu_err *err)
{
    (void)f, (void)size;
    return read_only("the log", err);
}

static void served_close(struct cu_file *f)
{
    cu_buf_free(&((struct served *)f)->bytes);
    free(f);
}

static const struct cu_file_ops served_ops = {
    served_read, served_write, served_sync, served_size, served_truncate, served_close
};

static bool is_served(const char *path) { return strncmp(path, LOG, strlen(LOG)) == 0; }

static cu_status mount_open(void *self, const char *path, unsigned flags, struct cu_file **ret, struct cu_err *err)
{
    struct mount *m = self;

    if (!is_served(path)) return m->under.ops->open(m->under.self, path, flags, ret, err);
    if (flags & ~(unsigned)(CU_OPEN_READ | CU_OPEN_DIRECT)) return read_only(path, err);
    struct served *f = calloc(1, sizeof *f);
    ENSURE(f, err, CU_NO_MEMORY, "no memory for %s", path);
    f->file.ops = &served_ops;
    f->bytes = cu_buf_heap(CU_BUNDLE_MAX);
    const cu_status got = get(m->client, path + strlen(LOG), &f->bytes, err);
    if (got == CU_OK) *ret = &f->file;
    else served_close(&f->file);
    return got;
}

static cu_status mount_make_dir(void *self, const char *path, struct cu_err *err)
{
    struct mount *m = self;

    return m->under.ops->make_dir(m->under.self, path, err);
}

static cu_status mount_rename(void *self, const char *from, const char *to, struct cu_err *err)
{
    struct mount *m = self;

    if (is_served(from) || is_served(to)) return read_only(to, err);
    return m->under.ops->rename(m->under.self, from, to, err);
}

static cu_status mount_sync_dir(void *self, const char *path, struct cu_err *err)
{
    struct mount *m = self;

    return m->under.ops->sync_dir(m->under.self, path, err);
}

static cu_status mount_sync_all(void *self, struct cu_err *err)
{
    struct mount *m = self;

    return m->under.ops->sync_all(m->under.self, err);
}

static cu_status mount_stat(void *self, const char *path, struct cu_file_stat *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_file_close) struct cu_file *f = NULL;
    struct mount *m = self;

    if (!is_served(path)) return m->under.ops->stat(m->under.self, path, ret, err);
    TRY(mount_open(self, path, CU_OPEN_READ, &f, err));
    *ret = (struct cu_file_stat){ CU_FILE_REGULAR, ((struct served *)f)->bytes.n };
    return CU_OK;
}

/* What is served has no lists: whoever reads the log knows its names. Under it nothing lies here. */
static cu_status mount_list(void *self, const char *path,
                            cu_status (*each)(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err), void *arg,
                            struct cu_err *err)
{
    struct mount *m = self;

    return m->under.ops->list(m->under.self, path, each, arg, err);
}

static cu_status mount_lock(void *self, const char *path, unsigned wait_ms, void **ret_lock, struct cu_err *err)
{
    struct mount *m = self;

    return m->under.ops->lock(m->under.self, path, wait_ms, ret_lock, err);
}

static void mount_unlock(void *self, void *lock)
{
    struct mount *m = self;

    m->under.ops->unlock(m->under.self, lock);
}

static bool mount_writable(void *self)
{
    struct mount *m = self;

    return m->under.ops->writable(m->under.self);
}

static void mount_close(void *self)
{
    struct mount *m = self;

    m->under.ops->close(m->under.self);
    free(m);
}

/* ---- opening ---- */
bool cu_address_good(const char *url)
{
    const char *host = strncmp(url, "http://", 7) == 0 ? url + 7 : strncmp(url, "https://", 8) == 0 ? url + 8 : "";

    return *host && strlen(url) < sizeof((struct cu_client_ends *)NULL)->base && !strpbrk(host, "@?# \\%");
}

/* A name of a file, "" for none. */
bool cu_address_name(const char *name, char ret[1024]) { return !name || (size_t)snprintf(ret, 1024, "%s", name) < 1024; }

static cu_status new_client(const struct cu_remote_address *at, struct client **ret, struct cu_err *err)
{
    const char *url = at->url;
    size_t n = strlen(url);

    ENSURE(cu_address_good(url), err, CU_USAGE,
           "%s: an address is http://HOST:PORT or https://…, without a name or a query in it", url);
    struct client *client = calloc(1, sizeof *client);
    if (client && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) client->handle = curl_easy_init();
    if (!client || !client->handle || !cu_address_name(at->ca, client->ends.ca) ||
        !cu_address_name(at->cert, client->ends.cert)) {
        if (client && client->handle) curl_easy_cleanup(client->handle);
        free(client);
        return cu_fail(err, CU_NO_MEMORY, "no memory to ask %s, or no room for the name of a certificate's file", url);
    }
    while (n && url[n - 1] == '/') n--;
    snprintf(client->ends.base, sizeof client->ends.base, "%.*s", (int)n, url);
    pthread_mutex_init(&client->lock, NULL);
    client->ending = at->ending;
    *ret = client;
    return CU_OK;
}

static const struct cu_remote_ops ops = { get_record,    get_chunks, get_bytes, submit, await,       say_inventory,
                                          name_provider, get_status, ask_once,  ahead,  close_client };

static cu_status open_client(const struct cu_remote_address *at, const struct cu_fs *under, struct cu_remote *ret,
                             struct cu_fs *ret_fs, struct cu_err *err)
{
    static const struct cu_fs_ops fs_ops = { mount_open, mount_make_dir, mount_rename, mount_sync_dir, mount_sync_all, mount_stat,
                                             mount_list, mount_lock,     mount_unlock, mount_writable, mount_close };
    struct mount *m = calloc(1, sizeof *m);
    struct client *client;

    ENSURE(m, err, CU_NO_MEMORY, "no memory to ask %s", at->url);
    const cu_status made = new_client(at, &client, err);
    if (made != CU_OK) free(m);
    TRY(made);
    *m = (struct mount){ client, *under };
    *ret = (struct cu_remote){ client, &ops };
    *ret_fs = (struct cu_fs){ m, &fs_ops };
    return CU_OK;
}

static cu_status open_source(const struct cu_remote_address *at, enum cu_holder kind, struct cu_remote *ret, struct cu_err *err)
{
    struct client *client;

    TRY(new_client(at, &client, err));
    client->source = true;
    client->by_root = kind == CU_HOLDER_PROVIDER;
    *ret = (struct cu_remote){ client, &ops };
    return CU_OK;
}

const struct cu_remote_kind cu_client_kind = {
    .open = open_client, .carry = cu_carrier_open, .source = open_source, .probe = cu_client_probe
};
