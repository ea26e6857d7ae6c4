/* One question after another to a node over HTTP, by libcurl; and the log that it serves as files.
 *
 * (1) Whatever comes is bounded, and nobody's word: it is judged where it is used, as what lies in a folder is.
 * (2) No redirection is followed, and no scheme but http and https is spoken: the address that was given is the one that is asked.
 * (3) A question that was not answered is asked again a few times: reading twice changes nothing, and what is submitted twice is recorded once.
 * (4) Of several nodes the next one is asked what the one before did not answer (turns.c), unless something of an answer was handed on. One that has
 *     not come so far as what was seen is passed over, with what it signed kept for whoever judges it (`behind`): what is read is as of one log.
 */
#include "client/client.h"

#include "custody/limits.h"
#include "custody/text.h"
#include "ports/log_dir.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    URL_MAX = 8192,
    TRIES = 4,
    BEHIND_TRIES = 8, /* for about 13 s: whoever was away catches up */
    REFUSED_WAIT_MS = 800,
    CONNECT_S = 10,
    SILENT_S = 60,
    SILENT_OF_SEVERAL_S = 15, /* longer than the organisations may take to decide (CU_CHAIN_WAIT_MS) */
    UNSENT_BYTES = 65536,     /* that wait in the system: while megabytes of them went a slow link would look dead */
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
    uint64_t as_of;                     /* a log of so many entries was seen */
    unsigned met;                       /* whose shows as many: his number and 1; 0: nobody's was looked at */
    struct cu_buf behind[CU_TURNS_MAX]; /* checkpoints of those who show fewer */
};

/* ---- one question ---- */
struct call {
    struct client *client;
    char path[URL_MAX], at[CU_ADDRESS_MAX]; /* who was asked last */
    unsigned wait_s;                        /* so long the answer may take, for it is waited for over there */
    char range[48];                         /* "5-9"; "": all */
    struct cu_span body;                    /* n > 0: a POST of it */
    bool post;                              /* … of nothing */
    bool head;                              /* HEAD: nothing is handed out */
    const char *type;
    bool any;      /* whatever answer is one, and it is asked for once */
    bool anywhere; /* what one node has lost another may have */
    cu_remote_feed *feed;
    void *arg;
    struct cu_buf problem; /* what came instead of an answer */
    CURLcode code;
    char said[CURL_ERROR_SIZE]; /* by libcurl */
    struct cu_err kept;         /* what is worth telling of a node that was passed over, when nobody answers */
    cu_status kept_as;          /* OK: nothing is */
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

static int begin_socket(void *arg, curl_socket_t socket, curlsocktype purpose)
{
    const int unsent = UNSENT_BYTES;

    (void)arg, (void)purpose;
    (void)!setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    return CURL_SOCKOPT_OK;
}

void cu_client_prepare(void *handle, const char *url, const struct cu_client_ends *ends, unsigned wait_s, char *why)
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
    curl_easy_setopt(h, CURLOPT_SOCKOPTFUNCTION, begin_socket);
    curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, (long)((ends->count > 1 ? SILENT_OF_SEVERAL_S : SILENT_S) + wait_s));
    curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
    if (ends->ca[0]) curl_easy_setopt(h, CURLOPT_CAINFO, ends->ca);
    if (ends->cert[0]) curl_easy_setopt(h, CURLOPT_SSLCERT, ends->cert), curl_easy_setopt(h, CURLOPT_SSLKEY, ends->cert);
}

void cu_client_pause(unsigned ms)
{
    struct timespec left = { ms / 1000, (long)(ms % 1000) * 1000000 };

    while (nanosleep(&left, &left) != 0) continue;
}

static void perform(struct call *c)
{
    struct cu_client_ends *ends = &c->client->ends;
    CURL *h = c->client->handle;
    char url[CU_ADDRESS_MAX + URL_MAX];

    c->http = 0;
    cu_buf_clear(&c->problem);
    snprintf(c->at, sizeof c->at, "%s", cu_client_base(ends));
    snprintf(url, sizeof url, "%s/%s", c->at, c->path);
    cu_client_prepare(h, url, ends, c->wait_s, c->said);
    if (c->client->source)
        curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, (long)SOURCE_RATE),
            curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, (long)SOURCE_SILENT_S);
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
    c->code = post && !headers ? CURLE_OUT_OF_MEMORY : curl_easy_perform(h);
    curl_slist_free_all(headers);
    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &c->http);
}

static cu_status fail(const struct call *c, struct cu_err *err)
{
    const int n = (int)strcspn(c->path, "?");
    cu_status status = CU_IO;
    char text[400];

    if (c->fed != CU_OK) return cu_fail(err, c->fed, "%s", c->why.text);
    if (c->kept_as != CU_OK && !cu_client_answered((int)c->code, c->http)) return cu_fail(err, c->kept_as, "%s", c->kept.text);
    const char *advice = c->code == CURLE_OK ? NULL : cu_client_advice(c->client->handle, (int)c->code);
    ENSURE(c->code == CURLE_OK, err, CU_IO, "%s/%.*s: %s%s%s%s. Nothing was changed; try again when %s can be reached", c->at, n,
           c->path, c->said[0] ? c->said : curl_easy_strerror(c->code), advice ? ": " : "", advice ? advice : "",
           c->client->ends.count > 1 ? "; and no other node answers" : "", c->client->ends.count > 1 ? "one" : "the node");
    if (cu_problem_read(cu_buf_span(&c->problem), &status, text)) return cu_fail(err, status, "%s", text);
    return cu_fail(err, c->http == 404 || (c->client->source && c->http / 100 == 4) ? CU_NOT_FOUND : CU_IO,
                   "%s/%.*s: the answer is %ld, and no ledger's", c->at, n, c->path, c->http);
}

/* ---- (4) ---- */

/* What a checkpoint says, whoever signed it. */
static uint64_t size_of(struct cu_span note)
{
    struct cu_span line = CU_SPAN_EMPTY;
    uint64_t size = 0;

    (void)cu_span_split(&note, '\n', &line);
    (void)(cu_span_split(&note, '\n', &line) && cu_decimal_read(line, INT64_MAX, &size, NULL) == CU_OK);
    return size;
}

/* As if it had said so itself. */
static void say_behind(struct call *c, uint64_t size)
{
    c->http = 503;
    c->kept_as = cu_fail(
        &c->kept, CU_IO,
        "%s shows %llu entries, and %llu were seen before: it has not caught up. Nothing was changed; try again later, "
        "or name a node that has",
        c->at, LLU(size), LLU(c->client->as_of));
    cu_buf_clear(&c->problem);
    cu_buf_addf(&c->problem, "{\"code\":\"IO\",\"detail\":\"it shows %llu entries, and %llu were seen before\"}", LLU(size),
                LLU(c->client->as_of));
}

static bool comes_so_far(struct call *c, bool *ret_behind)
{
    struct client *client = c->client;
    const unsigned now = cu_client_now(&client->ends);
    struct cu_buf *note = &client->behind[now];
    struct call q = { .client = client, .path = "checkpoint", .feed = cu_buf_take, .arg = note, .problem = c->problem };

    *ret_behind = false;
    if (client->ends.count == 1 || client->as_of == 0 || client->met == now + 1 || c->any || c->head || c->post || c->body.n)
        return true; /* or it is no question about the log */
    cu_buf_free(note);
    *note = cu_buf_heap(CU_NOTE_MAX);
    perform(&q);
    memcpy(c->at, q.at, sizeof q.at);
    memcpy(c->said, q.said, sizeof q.said);
    c->problem = q.problem, c->code = q.code, c->http = q.http;
    if (!cu_client_answered((int)q.code, q.http)) return cu_buf_free(note), false;
    if (q.http / 100 != 2 && q.http != 404) return true; /* it says no to what is asked, too */
    *ret_behind = size_of(cu_buf_span(note)) < client->as_of;
    if (*ret_behind) return say_behind(c, size_of(cu_buf_span(note))), false;
    cu_buf_free(note);
    client->met = now + 1;
    return true;
}

/* All show less than was seen: what that means is for the caller to judge, by the most that is shown and the log that goes with it. */
static cu_status show_most(struct call *c, struct cu_err *err)
{
    const struct cu_buf *behind = c->client->behind;
    unsigned most = 0;

    for (unsigned i = 1; i < c->client->ends.count; i++)
        if (size_of(cu_buf_span(&behind[i])) > size_of(cu_buf_span(&behind[most]))) most = i;
    cu_client_turn_to(&c->client->ends, most);
    c->client->as_of = 0;
    ENSURE(behind[most].n, err, CU_NOT_FOUND, "%s, and whoever else was asked, shows no log", c->at);
    return c->feed(c->arg, cu_buf_span(&behind[most]), err);
}

/* Who took what was submitted, and cannot say yet what becomes of it, is not forgotten over others who took nothing. */
static void note_undecided(struct call *c)
{
    cu_status status;
    char text[400];

    if (c->body.n && c->code == CURLE_OK && cu_problem_read(cu_buf_span(&c->problem), &status, text) && status == CU_INTERRUPTED)
        c->kept_as = cu_fail(&c->kept, status, "%s", text);
}

static bool is_done(const struct call *c, unsigned tries)
{
    if (c->fed != CU_OK || (c->got > 0 && c->feed != cu_buf_take)) return true; /* (4) */
    if (c->anywhere && (c->http == 404 || c->http / 100 == 5) && tries < c->client->ends.count) return false;
    return cu_client_answered((int)c->code, c->http);
}

static cu_status ask_in_turn(struct call *c, struct cu_err *err)
{
    struct cu_client_ends *ends = &c->client->ends;
    struct cu_buf *into = c->feed == cu_buf_take ? c->arg : NULL; /* what came into it can be taken back */
    const size_t had = into ? into->n : 0;
    const bool once = c->any || c->client->source;
    bool is_behind, late = false;
    unsigned behind = 0; /* so many in a row */

    for (unsigned tries = 1;; tries++) {
        if (into) into->n = had;
        c->got = 0;
        if (comes_so_far(c, &is_behind)) perform(c);
        behind = is_behind ? behind + 1 : 0;
        late |= is_behind;
        if (is_done(c, tries)) break;
        note_undecided(c);
        const struct cu_client_asked was = { (int)c->code, c->said, c->http, cu_buf_span(&c->problem) };
        if (!cu_client_again(ends, &was, tries, once ? 1 : late ? BEHIND_TRIES : TRIES)) break;
    }
    if (behind >= ends->count && strcmp(c->path, "checkpoint") == 0) return show_most(c, err);
    return c->code == CURLE_OK && (c->any || c->http / 100 == 2) ? CU_OK : fail(c, err);
}

static cu_status ask(struct call *c, struct cu_err *err)
{
    c->problem = cu_buf_heap(PROBLEM_MAX);
    pthread_mutex_lock(&c->client->lock);
    const cu_status asked = ask_in_turn(c, err);
    pthread_mutex_unlock(&c->client->lock);
    cu_buf_free(&c->problem);
    return asked;
}

static cu_status get(struct client *client, const char *path, struct cu_buf *ret, struct cu_err *err)
{
    struct call c = { .client = client, .feed = cu_buf_take, .arg = ret };

    snprintf(c.path, sizeof c.path, "%s", path);
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
static void put_encoded(char path[URL_MAX], struct cu_span value)
{
    size_t n = strlen(path);

    for (size_t i = 0; i < value.n && n + 4 < URL_MAX; i++) {
        const uint8_t c = value.p[i];
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        n += (size_t)snprintf(path + n, URL_MAX - n, plain ? "%c" : "%%%02X", c);
    }
}

/* As a value of a query. */
static void add_value(char path[URL_MAX], const char *name, struct cu_span value)
{
    const size_t n = strlen(path);

    if (value.n == 0) return;
    snprintf(path + n, URL_MAX - n, "&%s=", name);
    put_encoded(path, value);
}

static void path_of(const struct client *client, const char *what, const struct cu_reading *r, const cu_hash *root,
                    char ret[URL_MAX])
{
    char hex[65];

    cu_hash_hex(root, hex);
    if (client->by_root) snprintf(ret, URL_MAX, "v1/objects/%s%s?entry=%llu", hex, *what == 'b' ? "" : "/chunks", LLU(r->seq.v));
    else snprintf(ret, URL_MAX, "v1/%s/%llu?root=%s", *what == 'b' ? "content" : "chunks", LLU(r->seq.v), hex);
}

static cu_status get_chunks(void *self, const struct cu_reading *r, const cu_hash *root, struct cu_buf *ret, struct cu_err *err)
{
    struct call c = { .client = self, .feed = cu_buf_take, .arg = ret, .anywhere = true };

    path_of(self, "chunks", r, root, c.path);
    return ask(&c, err);
}

static cu_status get_bytes(void *self, const struct cu_reading *r, const cu_hash *root, uint64_t from, uint64_t to,
                           cu_remote_feed *feed, void *arg, struct cu_err *err)
{
    struct call c = { .client = self, .feed = feed, .arg = arg, .anywhere = true };

    ENSURE(r->reason.n + r->authority.n <= 2000, err, CU_TOO_LARGE, "reason and authority may have 1,000 bytes each");
    path_of(self, "bytes", r, root, c.path);
    if (!c.client->by_root) add_value(c.path, "reason", r->reason), add_value(c.path, "authority", r->authority);
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
    snprintf(c.path, sizeof c.path, "v1/submit");
    TRY(ask(&c, err));
    ENSURE(cu_outcomes_read(cu_buf_span(&answer), ret, n), err, CU_IO,
           "%s: the answer does not say what became of the records. Submit them again: what is recorded is recorded once", c.at);
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
    struct call c = { .client = self, .head = true, .wait_s = seconds };
    char hex[65];

    cu_hash_hex(id, hex);
    snprintf(c.path, sizeof c.path, "v1/receipt/%s?wait=%u", hex, seconds);
    struct cu_err why = { 0 };
    const cu_status waited = ask(&c, &why);
    if (waited != CU_OK && c.http == 0) return cu_fail(err, CU_IO, "%s", why.text);
    if (waited != CU_OK) cu_client_pause(REFUSED_WAIT_MS); /* whatever it says: it is not asked again at once */
    return CU_OK;
}

static cu_status say_inventory(void *self, struct cu_span case_name, cu_seq *ret, struct cu_err *err)
{
    CU_BUF answer = cu_buf_heap(SAID_MAX), number = cu_buf_heap(SAID_MAX);
    struct call c = { .client = self, .feed = cu_buf_take, .arg = &answer, .post = true, .type = "Content-Type:" };

    snprintf(c.path, sizeof c.path, "v1/inventory/");
    put_encoded(c.path, case_name);
    TRY(ask(&c, err));
    ENSURE(cu_fields_find(cu_buf_span(&answer), "entry", &number) &&
               cu_decimal_read(cu_buf_span(&number), INT64_MAX, &ret->v, NULL) == CU_OK,
           err, CU_IO, "%s: the answer does not say what was recorded", c.at);
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

    snprintf(c.path, sizeof c.path, "%s", path);
    TRY(ask(&c, err));
    *ret_http = (unsigned)c.http;
    return CU_OK;
}

static void as_of(void *self, cu_size size)
{
    struct client *client = self;

    pthread_mutex_lock(&client->lock);
    if (size.v > client->as_of) client->as_of = size.v;
    pthread_mutex_unlock(&client->lock);
}

static cu_status behind(void *self, size_t i, struct cu_buf *ret, struct cu_err *err)
{
    struct client *client = self;

    ENSURE(i < client->ends.count, err, CU_NOT_FOUND, "there are no more nodes");
    pthread_mutex_lock(&client->lock);
    cu_buf_add(ret, cu_buf_span(&client->behind[i]));
    cu_buf_free(&client->behind[i]);
    pthread_mutex_unlock(&client->lock);
    return cu_buf_ok(ret, err);
}

static int64_t ahead(void *self) { return atomic_load(&((struct client *)self)->ahead); }

static void close_client(void *self)
{
    struct client *client = self;

    for (size_t i = 0; i < CU_TURNS_MAX; i++) cu_buf_free(&client->behind[i]);
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
static cu_status new_client(const struct cu_remote_address *at, struct client **ret, struct cu_err *err)
{
    struct cu_client_ends ends;

    TRY(cu_client_ends_read(at, &ends, err));
    struct client *client = calloc(1, sizeof *client);
    if (client && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) client->handle = curl_easy_init();
    if (!client || !client->handle) {
        free(client);
        return cu_fail(err, CU_NO_MEMORY, "no memory to ask %s", at->url);
    }
    client->ends = ends;
    pthread_mutex_init(&client->lock, NULL);
    client->ending = at->ending;
    *ret = client;
    return CU_OK;
}

static const struct cu_remote_ops ops = { get_record, get_chunks, get_bytes, submit, await,  say_inventory, name_provider,
                                          get_status, ask_once,   ahead,     as_of,  behind, close_client };

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
