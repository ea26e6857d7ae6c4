/* Is somebody there, and what does his clock say? And what can be done when nobody is. */
#include "client/client.h"

#include "custody/text.h"

#include <curl/curl.h>
#include <stdio.h>

/* OpenSSL's numbers of what is wrong with a certificate (X509_V_ERR_…): libcurl hands them on. */
enum { NOT_YET_VALID = 9, EXPIRED = 10, SELF_SIGNED = 18, SELF_SIGNED_IN_CHAIN = 19, NO_ISSUER = 20, NO_ISSUER_AT_ALL = 21 };

static const char *about_certificate(long why)
{
    switch (why) {
    case NOT_YET_VALID: return "the server's certificate is not valid yet: is this machine's clock behind?";
    case EXPIRED:
        return "the server's certificate has expired, or this machine's clock is ahead: its operator makes a new one (`custody "
               "ca "
               "issue NAME --host …`)";
    case SELF_SIGNED:
    case SELF_SIGNED_IN_CHAIN:
    case NO_ISSUER:
    case NO_ISSUER_AT_ALL:
        return "who issued the server's certificate is not known: --cacert names the file of the CA of that server "
               "(`tls/ca.pem`)";
    default: return "the server's certificate is for other names than this address: ask by one of those, or have one made for it";
    }
}

const char *cu_client_advice(void *handle, int code)
{
    long why = 0;

    switch ((CURLcode)code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return "no name server knows that name: is it spelled right, and is this machine's network up?";
    case CURLE_COULDNT_CONNECT:
        return "nobody listens there, or something between refuses: does the server run, is the port the right one?";
    case CURLE_OPERATION_TIMEDOUT: return "it does not answer in time: is the address the right one, does a firewall swallow it?";
    case CURLE_PEER_FAILED_VERIFICATION:
        curl_easy_getinfo((CURL *)handle, CURLINFO_SSL_VERIFYRESULT, &why);
        return about_certificate(why);
    case CURLE_SSL_CACERT_BADFILE: return "the file of --cacert is not there, or holds no certificate";
    case CURLE_SSL_CERTPROBLEM: return "the file of --cert has to hold our certificate and its key, PEM";
    case CURLE_SSL_CONNECT_ERROR: return "no TLS 1.3 is spoken there: is it http:// instead?";
    case CURLE_GOT_NOTHING:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return "what answers there does not speak HTTP to us: is it https:// instead, or another service's port?";
    default: return NULL;
    }
}

time_t cu_client_date(const char *line, size_t n)
{
    static const char name[] = "date:";
    char value[64];

    if (n <= sizeof name || n >= sizeof value || strncasecmp(line, name, sizeof name - 1) != 0) return 0;
    snprintf(value, sizeof value, "%.*s", (int)(n - sizeof name + 1), line + sizeof name - 1);
    const time_t date = curl_getdate(value, NULL);
    return date > 0 ? date : 0;
}

struct answer {
    struct cu_buf body;
    time_t date;
};

static size_t take_line(char *line, size_t one, size_t n, void *arg)
{
    struct answer *a = arg;
    const time_t date = cu_client_date(line, n);

    if (date) a->date = date;
    return n * one;
}

static size_t take_body(char *bytes, size_t one, size_t n, void *arg)
{
    struct answer *a = arg;

    (void)one;
    cu_buf_add(&a->body, cu_span(bytes, n));
    return n; /* more than fits is not needed */
}

static CURLcode perform(CURL *h, const char *url, const struct cu_client_ends *ends, bool believe, struct answer *a, char *why)
{
    cu_client_prepare(h, url, ends, 0, why);
    curl_easy_setopt(h, CURLOPT_TIMEOUT, 20L);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_line);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, a);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, a);
    if (!believe) curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 0L), curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 0L);
    return curl_easy_perform(h);
}

static void say_why(CURL *h, CURLcode code, const char *why, struct cu_probe *ret)
{
    const char *advice = cu_client_advice(h, code);

    snprintf(ret->why, sizeof ret->why, "%s%s%s", why[0] ? why : curl_easy_strerror(code), advice ? ": " : "",
             advice ? advice : "");
}

static void ask(CURL *h, const char *url, struct cu_client_ends *ends, struct cu_probe *ret)
{
    uint8_t body[4096];
    struct answer a = { .body = cu_buf_over(body, sizeof body) };
    char why[CURL_ERROR_SIZE], text[400];
    cu_status status;
    long http = 0;

    const CURLcode code = perform(h, url, ends, true, &a, why);
    if (code != CURLE_OK) say_why(h, code, why, ret);
    else curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &http);
    if (code == CURLE_PEER_FAILED_VERIFICATION) { /* a wrong clock is often why: the other one's is worth knowing */
        ends->cert[0] = 0;                        /* who is not known is shown nothing of ours */
        (void)perform(h, url, ends, false, &a, why);
    }
    ret->http = (unsigned)http;
    ret->date.v = a.date > 0 ? (uint64_t)a.date * 1000 : 0;
    if (http >= 400 && cu_problem_read(cu_buf_span(&a.body), &status, text)) snprintf(ret->why, sizeof ret->why, "%s", text);
}

cu_status cu_client_probe(const struct cu_remote_address *at, const char *path, struct cu_probe *ret, struct cu_err *err)
{
    struct cu_client_ends ends;
    char url[2048];

    *ret = (struct cu_probe){ .http = 0 };
    TRY(cu_client_ends_read(at, &ends, err));
    CURL *h = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
    ENSURE(h, err, CU_NO_MEMORY, "no memory to ask %s", at->url);
    snprintf(url, sizeof url, "%s/%s", cu_client_base(&ends), path);
    ask(h, url, &ends, ret);
    curl_easy_cleanup(h);
    return CU_OK;
}
