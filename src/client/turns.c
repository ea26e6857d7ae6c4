/* The nodes of one ledger, in turn. Whoever answered last is asked first; who does not answer is passed over, and asked again in the next round. */
#include "client/client.h"

#include "custody/text.h"

#include <curl/curl.h>
#include <stdio.h>

enum { FIRST_WAIT_MS = 100 };

bool cu_address_good(const char *url)
{
    const char *host = strncmp(url, "http://", 7) == 0 ? url + 7 : strncmp(url, "https://", 8) == 0 ? url + 8 : "";

    return *host && strlen(url) < CU_ADDRESS_MAX && !strpbrk(host, ",@?# \\%");
}

static const char *nth(const struct cu_client_ends *e, unsigned i)
{
    const char *at = e->list;

    while (i--) at += strlen(at) + 1;
    return at;
}

static struct cu_turns *turn_of(struct cu_client_ends *e) { return e->shared ? e->shared : &e->own; }

unsigned cu_client_now(struct cu_client_ends *e) { return atomic_load(&turn_of(e)->now) % e->count; }
const char *cu_client_base(struct cu_client_ends *e) { return nth(e, cu_client_now(e)); }
void cu_client_turn_to(struct cu_client_ends *e, unsigned i) { atomic_store(&turn_of(e)->now, i); }

/* What is named twice is asked once. */
static cu_status add(struct cu_client_ends *e, struct cu_span url, struct cu_err *err)
{
    char one[CU_ADDRESS_MAX];

    snprintf(one, sizeof one, "%.*s", (int)url.n, (const char *)url.p);
    ENSURE(url.n < sizeof one && cu_address_good(one), err, CU_USAGE,
           "%s: an address is http://HOST:PORT or https://…, without a name or a query in it; several have a comma between two",
           url.n ? one : "(nothing)");
    for (size_t n = url.n; one[n - 1] == '/';) one[--n] = 0;
    for (unsigned i = 0; i < e->count; i++)
        if (strcmp(nth(e, i), one) == 0) return CU_OK;
    const size_t at = (size_t)(nth(e, e->count) - e->list), n = strlen(one) + 1;
    ENSURE(e->count < CU_TURNS_MAX && at + n <= sizeof e->list, err, CU_USAGE, "these are too many addresses: %u will do",
           e->count);
    memcpy(e->list + at, one, n);
    e->count++;
    return CU_OK;
}

/* A name of a file, "" for none. */
static bool take_name(const char *name, char ret[1024]) { return !name || (size_t)snprintf(ret, 1024, "%s", name) < 1024; }

cu_status cu_client_ends_read(const struct cu_remote_address *at, struct cu_client_ends *ret, struct cu_err *err)
{
    struct cu_span rest = cu_span_str(at->url), one;

    *ret = (struct cu_client_ends){ .shared = at->turn, .passed = at->passed, .arg = at->arg };
    while (cu_span_split(&rest, ',', &one)) TRY(add(ret, one, err));
    TRY(add(ret, rest, err));
    ENSURE(take_name(at->ca, ret->ca) && take_name(at->cert, ret->cert), err, CU_USAGE,
           "the name of a certificate's file is too long: nobody was asked");
    return CU_OK;
}

bool cu_client_answered(int code, long http)
{
    return code == CURLE_OK && http != 502 && http != 503 && http != 504; /* of a proxy, whose server is gone */
}

static void pass_over(struct cu_client_ends *e, const struct cu_client_asked *was)
{
    const unsigned now = cu_client_now(e), next = (now + 1) % e->count;
    const uint64_t bit = UINT64_C(1) << now;
    cu_status status;
    char said[400], why[700];

    cu_client_turn_to(e, next);
    if (!e->passed || atomic_fetch_or(&turn_of(e)->told, bit) & bit) return;
    if (was->code != CURLE_OK)
        snprintf(why, sizeof why, "cannot be reached (%s)", was->why[0] ? was->why : curl_easy_strerror((CURLcode)was->code));
    else if (cu_problem_read(was->problem, &status, said)) snprintf(why, sizeof why, "cannot answer now (%s)", said);
    else snprintf(why, sizeof why, "cannot answer now (%ld)", was->http);
    e->passed(e->arg, nth(e, now), why, nth(e, next));
}

bool cu_client_again(struct cu_client_ends *e, const struct cu_client_asked *was, unsigned tries, unsigned rounds)
{
    if (tries >= rounds * e->count) return false;
    if (e->count > 1) pass_over(e, was);
    if (tries % e->count == 0) cu_client_pause((unsigned)FIRST_WAIT_MS << (tries / e->count - 1));
    return true;
}
