/* Who asks to be a member. Whoever may not be known yet may ask; an administrator decides, in the log; and who asks again with the same key is
 * told, and given a certificate for the TLS key that his statement key vouches for. So nothing is kept of who is a member already. */
#include "http/node_inside.h"

#include "custody/text.h"

#include <stdio.h>

#define DAYS 397

/* Is it for a certificate that says of itself what this member's would? The URI into `ret`. */
static cu_status read_vouch(struct cu_reader *r, const struct cu_enrol_request *ask, const struct cu_public_key *key,
                            struct cu_public_key *ret_tls, struct cu_buf *ret_uri, struct cu_err *err)
{
    const struct cu_peer_claim claim = { r->place.trust.network, cu_peer_role_of(ask->role), cu_key_id(key) };
    uint8_t message[CU_PEER_MESSAGE_MAX];

    *ret_tls = (struct cu_public_key){ .alg = CU_ALG_ES256 };
    memcpy(ret_tls->bytes, ask->tls.pub.p, ask->tls.pub.n);
    const size_t n = cu_peer_message(&claim, ret_tls, message);
    const cu_status good = cu_verify_one(&r->place.verifier, key, cu_span(message, n), ask->tls.vouch, err);
    if (good != CU_OK)
        return cu_fail_while(err, good, "the key that is to be enrolled does not vouch for that of the certificate");
    cu_peer_uri(&claim, ask->tls.vouch, ret_uri);
    return cu_buf_ok(ret_uri, err);
}

/* *ret_party 0: nobody of the ledger has that key. NOT_ALLOWED: he is a member no more, or in another role. */
static cu_status find_member(struct cu_reader *r, const struct cu_enrol_request *ask, const cu_hash *kid, uint64_t *ret_party,
                             struct cu_buf *ret_name, struct cu_err *err)
{
    struct cu_node *node = r->node;
    const struct cu_peer_claim claim = { r->place.trust.network, cu_peer_role_of(ask->role), *kid };
    const struct cu_member_key *voucher;
    cu_status known = CU_OK;

    *ret_party = 0;
    pthread_mutex_lock(&node->who);
    if (cu_members_key(&node->membership.members, kid))
        known = cu_peer_voucher(&node->membership.members, &claim, &voucher, ret_party, err);
    if (*ret_party) cu_buf_add(ret_name, cu_membership_name(&node->membership, *ret_party));
    pthread_mutex_unlock(&node->who);
    return known;
}

static cu_status keep(struct cu_reader *r, const struct cu_http_request *q, struct cu_buf *ret_refused, struct cu_err *err)
{
    struct cu_node *node = r->node;

    if (node->config.ready) TRY(node->config.ready(node->config.arg, err));
    TRY(cu_reader_refresh(r, true, err)); /* who is a member by now */
    return cu_enrolment_keep(&r->place, &r->place.members, q->body, cu_span_str(q->from), ret_refused, err);
}

static cu_status certify(struct cu_reader *r, const struct cu_public_key *tls, const char *uri, struct cu_span name,
                         struct cu_buf *ret, struct cu_err *err)
{
    char common[65];
    const struct cu_cert_ask ask = { .name = common, .uri = uri, .days = DAYS, .key = tls };

    snprintf(common, sizeof common, "%.*s", (int)cu_text_whole(name, sizeof common - 1), (const char *)name.p);
    return cu_cert_issue(&ask, NULL, r->node->config.issuer, cu_place_now(&r->place), ret, err);
}

cu_status cu_post_enrolment(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    CU_BUF uri = cu_buf_heap(CU_CERT_URI_MAX), name = cu_buf_heap(4096), refused = cu_buf_heap(4096),
           cert = cu_buf_heap(CU_CERT_PEM_MAX);
    struct cu_json j = cu_json_on(&a->body);
    struct cu_reader *r = context;
    struct cu_enrol_request ask;
    struct cu_public_key key, tls;
    uint64_t party;

    TRY(cu_enrol_request_read(q->body, &r->place.trust.network, &r->place.verifier, &ask, &key, err));
    if (ask.has_tls) TRY(read_vouch(r, &ask, &key, &tls, &uri, err));
    const cu_hash kid = cu_key_id(&key);
    TRY(find_member(r, &ask, &kid, &party, &name, err));
    if (!party) TRY(keep(r, q, &refused, err));
    else if (ask.has_tls && r->node->config.issuer) TRY(certify(r, &tls, (const char *)uri.p, cu_buf_span(&name), &cert, err));
    if (!party && !refused.n) a->http = 202;
    cu_json_open(&j, NULL, '{');
    cu_json_str(&j, "state", party ? "enrolled" : refused.n ? "refused" : "waiting");
    cu_json_hash(&j, "kid", &kid);
    cu_json_str(&j, "role", cu_role_name(ask.role));
    cu_json_text(&j, "name", party ? cu_buf_span(&name) : ask.name);
    if (refused.n) cu_json_text(&j, "reason", cu_buf_span(&refused));
    if (party) cu_json_uint(&j, "party", party);
    if (cert.n) cu_json_text(&j, "certificate", cu_buf_span(&cert));
    cu_json_close(&j, '}');
    cu_buf_add_str(&a->body, "\n");
    return CU_OK;
}

/* ---- an administrator's ---- */

static cu_status read_waiting(struct cu_reader *r, struct cu_buf *ret, struct cu_err *err)
{
    TRY(cu_reader_refresh(r, true, err));
    return cu_enrolments_read(&r->place, &r->place.members, ret, err);
}

cu_status cu_get_enrolments(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    (void)q;
    return read_waiting(context, &a->body, err);
}

uint64_t cu_node_waiting(struct cu_reader *r)
{
    CU_BUF rows = cu_buf_heap((size_t)CU_WAITING_MAX * 4 * CU_ENROL_REQUEST_MAX);
    struct cu_cbor_reader in;
    uint64_t n = 0;

    if (read_waiting(r, &rows, NULL) != CU_OK) return 0;
    for (in = cu_cbor_read(cu_buf_span(&rows)); cu_cbor_peek(&in) != CU_CBOR_END && cu_cbor_good(&in); n++)
        (void)cu_cbor_item(&in);
    return n;
}

cu_status cu_refuse_enrolment(void *context, struct cu_http_request *q, struct cu_http_answer *a, struct cu_err *err)
{
    struct cu_json j = cu_json_on(&a->body);
    struct cu_reader *r = context;
    cu_hash kid;

    ENSURE(cu_hex_read(q->arg[0], kid.b, sizeof kid.b, NULL) == CU_OK, err, CU_NOT_FOUND,
           "nobody waits to be enrolled with that key: its id is 64 hex digits");
    TRY(cu_reader_refresh(r, true, err));
    TRY(cu_enrolment_refuse(&r->place, &r->place.members, &kid, q->body, err));
    cu_json_open(&j, NULL, '{');
    cu_json_hash(&j, "kid", &kid);
    cu_json_str(&j, "state", "refused");
    cu_json_close(&j, '}');
    cu_buf_add_str(&a->body, "\n");
    return CU_OK;
}
