/* Who asks and what he may: denial first. Certificates, judged and bound to enrolled keys. */
#include "http/node_inside.h"
#include "http/provider_inside.h"

#include "../../one_of.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define DAY 86400000ULL
static const cu_unix_ms now = { 1764201600000 };
static struct cu_err err;

/* ---- the matrix, written down once more by hand: role by role, act by act ---- */

static const struct {
    enum cu_peer_role role;
    bool may[CU_ASKS];
} matrix[] = {
    /*                        none public capacity log details evidence submit sign give fetch admit */
    { CU_PEER_NOBODY, { 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 } },          { CU_PEER_OPERATOR, { 0, 1, 1, 0, 0, 0, 0, 0, 0, 0 } },
    { CU_PEER_PROVIDER, { 0, 1, 1, 1, 1, 1, 1, 0, 1, 1 } },        { CU_PEER_READER, { 0, 1, 1, 1, 1, 1, 0, 0, 0, 0 } },
    { CU_PEER_DEPOSITOR, { 0, 1, 1, 1, 1, 1, 1, 0, 1, 0 } },       { CU_PEER_ADMINISTRATOR, { 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 1 } },
    { CU_PEER_AUDITOR, { 0, 1, 1, 1, 1, 1, 1, 0, 1, 1 } },         { CU_PEER_NODE, { 0, 1, 1, 1, 1, 1, 1, 0, 1, 1 } },
    { CU_PEER_ORGANISATION, { 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 } }, { CU_PEER_LOCAL, { 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 } },
};

static void what_no_row_grants_is_refused(void **state)
{
    (void)state;
    assert_int_equal(sizeof matrix / sizeof *matrix, CU_PEER_ROLES);
    for (size_t r = 0; r < CU_PEER_ROLES; r++)
        for (enum cu_ask act = 0; act < CU_ASKS; act++)
            if (!matrix[r].may[act] && cu_peer_may(matrix[r].role, act))
                fail_msg("%s may do act %d", cu_peer_role_name(matrix[r].role), act);
    for (int beyond = 0; beyond < 300; beyond++) {
        assert_false(cu_peer_may((enum cu_peer_role)(CU_PEER_ROLES + beyond), CU_ASK_PUBLIC));
        assert_false(cu_peer_may(CU_PEER_LOCAL, (enum cu_ask)(CU_ASKS + beyond)));
    }
}

static void what_a_row_grants_is_granted(void **state)
{
    (void)state;
    for (size_t r = 0; r < CU_PEER_ROLES; r++)
        for (enum cu_ask act = 0; act < CU_ASKS; act++)
            if (matrix[r].may[act] && !cu_peer_may(matrix[r].role, act))
                fail_msg("%s may not do act %d", cu_peer_role_name(matrix[r].role), act);
}

/* A route that is added is nobody's until its row says what is done there; what is everybody's stands here by name. */
static void judge_routes(const struct cu_http_route *routes, size_t n, const char *const *open, size_t open_n, size_t capacity)
{
    size_t found = 0, is_capacity = 0;

    for (size_t i = 0; i < n; i++) {
        const struct cu_http_route *route = &routes[i];
        bool named = false;
        char line[100];
        snprintf(line, sizeof line, "%s %s", route->method, route->path);
        for (size_t k = 0; k < open_n; k++) named |= strcmp(open[k], line) == 0;
        assert_int_not_equal(route->act, CU_ASK_NONE);
        if (cu_peer_may(CU_PEER_NOBODY, route->act) != named) fail_msg("%s: for everybody?", route->path);
        if (cu_peer_may(CU_PEER_OPERATOR, route->act) != (named || strcmp(route->path, "/v1/status") == 0))
            fail_msg("%s: an operator's?", route->path);
        found += named;
        is_capacity += route->act == CU_ASK_CAPACITY;
    }
    assert_int_equal(found, open_n);
    assert_int_equal(is_capacity, capacity);
}

static void every_route_says_what_is_done_and_only_these_are_everybodys(void **state)
{
    static const char *const nodes[] = {
        "GET /checkpoint",
        "GET /tile/{path}",
        "GET /v1/trust/chain",
        "GET /v1/problems",
        "GET /v1/openapi.json",
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        "GET /v1/cosignatures",
        "POST /v1/cosignatures",
        "GET /v1/cosignatures/{size}",
        "GET /v1/forks",
        "GET /v1/forks/{name}",
        "POST /add-checkpoint",
        "POST /v1/enrolments",
        "OPTIONS /v1/uploads",
    };
    static const char *const providers[] = { "OPTIONS /v1/uploads", "GET /v1/problems", "GET /v1/openapi.json", "GET /healthz",
                                             "GET /readyz",         "GET /metrics",     "GET /v1/status" };

    (void)state;
    judge_routes(cu_node_routes, cu_node_routes_n, nodes, sizeof nodes / sizeof *nodes, 1);
    judge_routes(cu_provider_routes, cu_provider_routes_n, providers, sizeof providers / sizeof *providers, 0);
}

/* ---- a ledger's members, and certificates for them ---- */

enum { ORG, PROVIDER, DEPOSITOR, READER, AUDITOR, OPERATOR, ADMINISTRATOR, NODE, TLS, CA, OTHER, KEYS };
static struct cu_private_key key[KEYS];
static struct cu_members m;
static struct cu_cert_trust *trust;
static uint8_t ca_pem[4096], ca_key[4096];
static struct cu_cert_issuer issuer;

static void enrol(size_t at, uint64_t party, uint64_t role, enum cu_purpose purpose)
{
    m.party[at] = (struct cu_member_party){ .id = party, .role = role, .organisation = 1, .confirmed = true };
    m.key[at] = (struct cu_member_key){ .kid = key[at].id,
                                        .pub = key[at].pub,
                                        .purpose = purpose,
                                        .party = party,
                                        .until_seq = UINT64_MAX,
                                        .since_seq = CU_NOT_COMPROMISED,
                                        .from_seq = 2 };
}

static struct cu_span issue_ca(const struct cu_private_key *by, uint8_t *mem, size_t size)
{
    struct cu_buf out = cu_buf_over(mem, size);
    const struct cu_cert_ask ask = { .name = "CA", .ca = true, .days = 1000 };

    assert_int_equal(cu_cert_issue(&ask, by, NULL, now, &out, &err), CU_OK);
    return cu_buf_span(&out);
}

static int set_up(void **state)
{
    struct cu_buf pem = cu_buf_over(ca_key, sizeof ca_key);

    (void)state;
    for (size_t i = 0; i < KEYS; i++) assert_int_equal(cu_private_generate(CU_ALG_ES256, &key[i], &err), CU_OK);
    m = (struct cu_members){ .network = { { 7 } }, .parties_n = 8, .keys_n = 8, .organisations = 1 };
    enrol(ORG, 1, CU_ROLE_ORGANISATION, CU_PURPOSE_STATEMENT);
    enrol(PROVIDER, 2, CU_ROLE_PROVIDER, CU_PURPOSE_STATEMENT);
    enrol(DEPOSITOR, 3, CU_ROLE_DEPOSITOR, CU_PURPOSE_STATEMENT);
    enrol(READER, 4, CU_ROLE_READER, CU_PURPOSE_SEALING);
    enrol(AUDITOR, 5, CU_ROLE_AUDITOR, CU_PURPOSE_STATEMENT);
    enrol(OPERATOR, 6, CU_ROLE_OPERATOR, CU_PURPOSE_STATEMENT);
    enrol(ADMINISTRATOR, 7, CU_ROLE_ADMINISTRATOR, CU_PURPOSE_STATEMENT);
    enrol(NODE, 8, CU_ROLE_NODE, CU_PURPOSE_STATEMENT);
    issuer.cert = issue_ca(&key[CA], ca_pem, sizeof ca_pem);
    assert_int_equal(cu_private_to_pem(&key[CA], CU_SPAN_EMPTY, &pem, &err), CU_OK);
    issuer.key = cu_buf_span(&pem);
    assert_int_equal(cu_cert_trust_open(issuer.cert, CU_SPAN_EMPTY, &trust, &err), CU_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYS; i++) cu_private_free(&key[i]);
    cu_cert_trust_free(trust);
    return 0;
}

static struct cu_peer_claim claim(enum cu_peer_role role, size_t of)
{
    return (struct cu_peer_claim){ m.network, role, key[of].id };
}

static void vouched(const struct cu_peer_claim *c, size_t by, struct cu_cert *ret)
{
    uint8_t message[CU_PEER_MESSAGE_MAX], signature[64];
    struct cu_buf uri = cu_buf_over(ret->uri, sizeof ret->uri);

    *ret = (struct cu_cert){ .key = key[TLS].pub };
    assert_int_equal(cu_sign(&key[by], cu_span(message, cu_peer_message(c, &key[TLS].pub, message)), signature, &err), CU_OK);
    cu_peer_uri(c, signature, &uri);
    assert_int_equal(cu_buf_ok(&uri, &err), CU_OK);
}

static cu_status ask(const struct cu_cert *cert, struct cu_peer *ret)
{
    struct cu_verifier by = cu_verifier_plain();

    return cu_peer_of(&m, cert, &by, ret, &err);
}

static const struct {
    enum cu_peer_role role;
    size_t of, by;
    uint64_t party;
} good[] = { { CU_PEER_ORGANISATION, ORG, ORG, 1 },
             { CU_PEER_PROVIDER, PROVIDER, PROVIDER, 2 },
             { CU_PEER_DEPOSITOR, DEPOSITOR, DEPOSITOR, 3 },
             { CU_PEER_READER, READER, ORG, 4 },
             { CU_PEER_OPERATOR, ORG, ORG, 0 },
             { CU_PEER_AUDITOR, AUDITOR, AUDITOR, 5 },
             { CU_PEER_OPERATOR, OPERATOR, OPERATOR, 6 },
             { CU_PEER_ADMINISTRATOR, ADMINISTRATOR, ADMINISTRATOR, 7 },
             { CU_PEER_NODE, NODE, NODE, 8 } };
#define GOOD (sizeof good / sizeof *good)

#define NOW_S 1796000000

static cu_status ask_token(const struct cu_peer_claim *c, size_t by, uint64_t until_s, size_t bit, struct cu_peer *ret)
{
    uint8_t message[CU_PEER_MESSAGE_MAX], signature[64], text[CU_CERT_URI_MAX];
    struct cu_buf out = cu_buf_over(text, sizeof text);
    struct cu_verifier plain = cu_verifier_plain();

    assert_int_equal(cu_sign(&key[by], cu_span(message, cu_peer_token_message(c, until_s, message)), signature, &err), CU_OK);
    cu_peer_token_put(c, until_s, signature, &out);
    if (bit < 8 * out.n) text[bit / 8] ^= (uint8_t)(1 << bit % 8);
    const cu_status asked = cu_peer_of_token(&m, cu_buf_span(&out), (cu_unix_ms){ (int64_t)NOW_S * 1000 }, &plain, ret, &err);
    if (bit < 8 * out.n) assert_int_equal(asked, CU_NOT_ALLOWED);
    return bit < 8 * out.n || bit == SIZE_MAX ? asked : CU_USAGE; /* no bit is left */
}

static void a_token_is_whose_key_vouches_for_it_for_a_time_and_reads_the_log_alone(void **state)
{
    const struct cu_peer_claim depositor = claim(CU_PEER_DEPOSITOR, DEPOSITOR), reader = claim(CU_PEER_READER, READER),
                               wrong = claim(CU_PEER_AUDITOR, DEPOSITOR);
    const uint64_t day = 86400;
    struct cu_peer peer;

    (void)state;
    assert_int_equal(ask_token(&depositor, DEPOSITOR, NOW_S + day, SIZE_MAX, &peer), CU_OK);
    assert_true(peer.role == CU_PEER_DEPOSITOR && peer.party == 3 && peer.token);
    for (enum cu_ask act = CU_ASK_NONE; act < CU_ASKS; act++)
        assert_int_equal(cu_peer_allowed(&peer, act), act == CU_ASK_PUBLIC || act == CU_ASK_CAPACITY || act == CU_ASK_LOG);
    peer.token = false;
    assert_true(cu_peer_allowed(&peer, CU_ASK_SUBMIT) && !cu_peer_allowed(&peer, CU_ASK_SIGN));
    assert_int_equal(ask_token(&reader, ORG, NOW_S + 1, SIZE_MAX, &peer), CU_OK);
    assert_int_equal(ask_token(&depositor, OTHER, NOW_S + day, SIZE_MAX, &peer), CU_NOT_ALLOWED);
    assert_int_equal(ask_token(&depositor, DEPOSITOR, NOW_S, SIZE_MAX, &peer), CU_NOT_ALLOWED);
    assert_int_equal(ask_token(&depositor, DEPOSITOR, NOW_S + 31 * day, SIZE_MAX, &peer), CU_OK);
    assert_int_equal(ask_token(&depositor, DEPOSITOR, NOW_S + 31 * day + 1, SIZE_MAX, &peer), CU_NOT_ALLOWED);
    assert_int_equal(ask_token(&wrong, DEPOSITOR, NOW_S + day, SIZE_MAX, &peer), CU_NOT_ALLOWED);
    for (size_t bit = 0; ask_token(&depositor, DEPOSITOR, NOW_S + day, bit, &peer) != CU_USAGE; bit += 1 + bit % 3) continue;
    m.key[DEPOSITOR].until_seq = 9; /* revoked */
    assert_int_equal(ask_token(&depositor, DEPOSITOR, NOW_S + day, SIZE_MAX, &peer), CU_NOT_ALLOWED);
    m.key[DEPOSITOR].until_seq = UINT64_MAX;
}

static void a_certificate_is_whose_key_vouches_for_it(void **state)
{
    struct cu_peer peer;
    struct cu_cert cert;

    (void)state;
    for (enum cu_peer_role role = CU_PEER_OPERATOR; role <= CU_PEER_ORGANISATION; role++)
        for (size_t of = ORG; of <= NODE; of++)
            for (size_t by = ORG; by <= OTHER; by++) {
                const struct cu_peer_claim c = claim(role, of);
                bool right = false;
                for (size_t i = 0; i < GOOD; i++) right |= good[i].role == role && good[i].of == of && good[i].by == by;
                vouched(&c, by, &cert);
                assert_int_equal(ask(&cert, &peer), right ? CU_OK : CU_NOT_ALLOWED);
                if (right) assert_int_equal(peer.role, role);
            }
}

static void of_another_ledger_key_or_time_it_is_nobodys(void **state)
{
    struct cu_peer peer;
    struct cu_cert cert;

    (void)state;
    for (size_t i = 0; i < GOOD; i++) {
        struct cu_peer_claim c = claim(good[i].role, good[i].of);
        vouched(&c, good[i].by, &cert);
        assert_int_equal(ask(&cert, &peer), CU_OK);
        assert_int_equal(peer.party, good[i].party);
        cert.key = key[OTHER].pub; /* the vouch is for another key */
        assert_int_equal(ask(&cert, &peer), CU_NOT_ALLOWED);
        cert.key = (struct cu_public_key){ .alg = CU_ALG_NONE };
        assert_int_equal(ask(&cert, &peer), CU_NOT_ALLOWED);
        vouched(&c, good[i].by, &cert);
        m.key[good[i].of].until_seq = 9; /* revoked */
        assert_int_equal(ask(&cert, &peer), CU_NOT_ALLOWED);
        m.key[good[i].of].until_seq = UINT64_MAX;
        m.key[good[i].of].from_seq = UINT64_MAX; /* not confirmed */
        assert_int_equal(ask(&cert, &peer), CU_NOT_ALLOWED);
        m.key[good[i].of].from_seq = 2;
        assert_int_equal(ask(&cert, &peer), CU_OK);
        c.network.b[31] ^= 1;
        vouched(&c, good[i].by, &cert);
        assert_int_equal(ask(&cert, &peer), CU_NOT_ALLOWED);
        c = claim(good[i].role, OTHER); /* a key that nobody enrolled */
        vouched(&c, OTHER, &cert);
        assert_int_equal(ask(&cert, &peer), CU_NOT_ALLOWED);
    }
}

static void no_bit_of_what_it_says_can_be_changed(void **state)
{
    const struct cu_peer_claim c = claim(CU_PEER_DEPOSITOR, DEPOSITOR);
    struct cu_peer peer;
    struct cu_cert cert;

    (void)state;
    vouched(&c, DEPOSITOR, &cert);
    for (size_t bit = 0; bit < 8 * strlen(cert.uri); bit += ONE_OF(7)) {
        cert.uri[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(ask(&cert, &peer), CU_NOT_ALLOWED);
        cert.uri[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_int_equal(ask(&cert, &peer), CU_OK);
}

/* ---- certificates themselves ---- */

static struct cu_span der_of(struct cu_span pem, struct cu_buf *ret)
{
    const uint8_t *begin = memmem(pem.p, pem.n, "-----\n", 6), *end = memmem(pem.p, pem.n, "\n-----END", 9);
    CU_BUF text = cu_buf_heap(8192);

    for (const uint8_t *c = begin + 6; c < end; c++)
        if (*c != '\n') cu_buf_add_byte(&text, *c);
    assert_int_equal(cu_base64_read(cu_buf_span(&text), ret, &err), CU_OK);
    return cu_buf_span(ret);
}

static struct cu_span client(const struct cu_cert_ask *what, const struct cu_cert_issuer *by, struct cu_buf *pem,
                             struct cu_buf *der)
{
    assert_int_equal(cu_cert_issue(what, &key[TLS], by, now, pem, &err), CU_OK);
    return der_of(cu_buf_span(pem), der);
}

static const struct cu_cert_ask plain = { .name = "Officer Li", .uri = "custody:x", .days = 30 };

static cu_status judge_at(struct cu_span der, uint64_t ms, struct cu_cert *ret)
{
    return cu_cert_judge(trust, &der, 1, (cu_unix_ms){ ms }, ret, &err);
}

static void a_certificate_is_valid_in_its_time_and_says_whose_it_is(void **state)
{
    CU_BUF pem = cu_buf_heap(8192), der = cu_buf_heap(8192);
    const struct cu_span cert = client(&plain, &issuer, &pem, &der);
    struct cu_cert read;

    (void)state;
    assert_int_equal(judge_at(cert, now.v, &read), CU_OK);
    assert_string_equal(read.uri, "custody:x");
    assert_memory_equal(read.key.bytes, key[TLS].pub.bytes, 64);
    assert_true(read.until_ms > now.v + 30 * DAY - 120000 && read.until_ms <= now.v + 30 * DAY + 120000);
    assert_int_equal(judge_at(cert, now.v - DAY, &read), CU_NOT_ALLOWED);
    assert_int_equal(judge_at(cert, now.v + 31 * DAY, &read), CU_NOT_ALLOWED);
    assert_non_null(strstr(err.text, "was valid until"));
}

static void foreign_and_altered_ones_and_those_for_servers_are_refused(void **state)
{
    CU_BUF pem = cu_buf_heap(8192), der = cu_buf_heap(8192), more = cu_buf_heap(8192), more_pem = cu_buf_heap(8192),
           other_key = cu_buf_heap(4096);
    const struct cu_span cert = client(&plain, &issuer, &pem, &der);
    struct cu_cert_ask server = plain;
    uint8_t other_pem[4096];
    struct cu_cert read;

    (void)state;
    for (size_t bit = 0; bit < 8 * cert.n; bit += ONE_OF(31)) {
        der.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(judge_at(cert, now.v, &read), CU_NOT_ALLOWED);
        der.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t n = 0; n < cert.n; n += ONE_OF(17)) assert_int_equal(judge_at(cu_span(cert.p, n), now.v, &read), CU_NOT_ALLOWED);
    assert_int_equal(cu_cert_judge(trust, &cert, 0, now, &read, &err), CU_NOT_ALLOWED);
    server.hosts = "localhost 127.0.0.1";
    assert_int_equal(judge_at(client(&server, &issuer, &more_pem, &more), now.v, &read), CU_NOT_ALLOWED);
    assert_int_equal(cu_cert_hosts(cu_buf_span(&more_pem), &other_key, &err), CU_OK);
    assert_true(cu_span_is(cu_buf_span(&other_key), "localhost 127.0.0.1 "));
    cu_buf_clear(&other_key);
    assert_int_equal(cu_private_to_pem(&key[OTHER], CU_SPAN_EMPTY, &other_key, &err), CU_OK);
    const struct cu_cert_issuer foreign = { .cert = issue_ca(&key[OTHER], other_pem, sizeof other_pem),
                                            .key = cu_buf_span(&other_key) };
    cu_buf_clear(&more);
    cu_buf_clear(&more_pem);
    assert_int_equal(judge_at(client(&plain, &foreign, &more_pem, &more), now.v, &read), CU_NOT_ALLOWED);
    const struct cu_cert_issuer mixed = { .cert = issuer.cert, .key = foreign.key },
                                leaf = { .cert = cu_buf_span(&pem), .key = foreign.key };
    assert_int_equal(cu_cert_issue(&plain, &key[TLS], &mixed, now, &more_pem, &err), CU_BAD_KEY);
    assert_int_equal(cu_cert_issue(&plain, &key[TLS], &leaf, now, &more_pem, &err), CU_BAD_KEY);
}

static void what_is_revoked_is_refused_and_nothing_else(void **state)
{
    CU_BUF pem = cu_buf_heap(8192), der = cu_buf_heap(8192), two_pem = cu_buf_heap(8192), two = cu_buf_heap(8192),
           list = cu_buf_heap(8192), longer = cu_buf_heap(8192);
    const struct cu_span first = client(&plain, &issuer, &pem, &der), second = client(&plain, &issuer, &two_pem, &two);
    struct cu_cert_trust *before = trust;
    struct cu_cert read;

    (void)state;
    assert_int_equal(cu_cert_revoke(&issuer, CU_SPAN_EMPTY, cu_buf_span(&pem), now, &list, &err), CU_OK);
    assert_int_equal(cu_cert_trust_open(issuer.cert, cu_buf_span(&list), &trust, &err), CU_OK);
    assert_int_equal(judge_at(first, now.v, &read), CU_NOT_ALLOWED);
    assert_non_null(strstr(err.text, "revoked"));
    assert_int_equal(judge_at(second, now.v, &read), CU_OK);
    cu_cert_trust_free(trust);
    assert_int_equal(cu_cert_revoke(&issuer, cu_buf_span(&list), cu_buf_span(&two_pem), now, &longer, &err), CU_OK);
    assert_int_equal(cu_cert_trust_open(issuer.cert, cu_buf_span(&longer), &trust, &err), CU_OK);
    assert_int_equal(judge_at(first, now.v, &read), CU_NOT_ALLOWED);
    assert_int_equal(judge_at(second, now.v, &read), CU_NOT_ALLOWED);
    cu_cert_trust_free(trust);
    trust = before;
    assert_int_equal(cu_cert_revoke(&issuer, cu_span("x", 1), cu_buf_span(&pem), now, &longer, &err), CU_MALFORMED);
    assert_int_equal(cu_cert_trust_open(cu_span("x", 1), CU_SPAN_EMPTY, &before, &err), CU_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_row_grants_is_refused),
        cmocka_unit_test(what_a_row_grants_is_granted),
        cmocka_unit_test(every_route_says_what_is_done_and_only_these_are_everybodys),
        cmocka_unit_test(a_certificate_is_whose_key_vouches_for_it),
        cmocka_unit_test(a_token_is_whose_key_vouches_for_it_for_a_time_and_reads_the_log_alone),
        cmocka_unit_test(of_another_ledger_key_or_time_it_is_nobodys),
        cmocka_unit_test(no_bit_of_what_it_says_can_be_changed),
        cmocka_unit_test(a_certificate_is_valid_in_its_time_and_says_whose_it_is),
        cmocka_unit_test(foreign_and_altered_ones_and_those_for_servers_are_refused),
        cmocka_unit_test(what_is_revoked_is_refused_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
