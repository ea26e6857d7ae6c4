/* Who asks. See peer.h. */
#include "http/peer.h"

#include "custody/text.h"

#define DOMAIN "custody-tls/v1"
#define TOKEN_DOMAIN "custody-token/v1"

static const struct {
    const char *name;
    uint64_t role;
} roles[CU_PEER_ROLES] = {
#define ROW(name, text, role) [CU_PEER_##name] = { text, role },
    CU_HTTP_ROLE_TABLE(ROW)
#undef ROW
};

const char *cu_peer_role_name(enum cu_peer_role role)
{
    return role == CU_PEER_NOBODY ? "nobody" : role == CU_PEER_LOCAL ? "local" : roles[role].name;
}

enum cu_scope cu_peer_scope(enum cu_peer_role role, enum cu_ask act)
{
    if (role < 0 || role >= CU_PEER_ROLES || act <= CU_ASK_NONE || act >= CU_ASKS) return CU_SCOPE_N;
    if (role == CU_PEER_NOBODY) return act == CU_ASK_PUBLIC ? CU_SCOPE_A : CU_SCOPE_N;
    return role == CU_PEER_LOCAL ? CU_SCOPE_A : cu_may_ask(roles[role].role, act);
}

bool cu_peer_allowed(const struct cu_peer *peer, enum cu_ask act)
{
    return cu_peer_may(peer->role, act) && (!peer->token || act == CU_ASK_PUBLIC || act == CU_ASK_CAPACITY || act == CU_ASK_LOG);
}

/* ---- what a certificate says ---- */

void cu_peer_uri(const struct cu_peer_claim *claim, const uint8_t vouch[CU_SIGNATURE_LEN], struct cu_buf *out)
{
    cu_buf_add_str(out, "custody:");
    cu_hex_put(out, cu_span_hash(&claim->network));
    cu_buf_addf(out, "/%s/", roles[claim->role].name);
    cu_hex_put(out, cu_span_hash(&claim->kid));
    cu_buf_add_byte(out, '/');
    cu_hex_put(out, cu_span(vouch, CU_SIGNATURE_LEN));
    cu_buf_add_byte(out, 0);
}

size_t cu_peer_message(const struct cu_peer_claim *claim, const struct cu_public_key *tls, uint8_t ret[CU_PEER_MESSAGE_MAX])
{
    struct cu_buf out = cu_buf_over(ret, CU_PEER_MESSAGE_MAX);
    const cu_hash id = cu_key_id(tls);

    cu_buf_add(&out, cu_span(DOMAIN, sizeof DOMAIN));
    cu_buf_add(&out, cu_span_hash(&claim->network));
    cu_buf_add(&out, cu_span_hash(&claim->kid));
    cu_buf_add(&out, cu_span_hash(&id));
    cu_buf_add_str(&out, roles[claim->role].name);
    CU_ASSERT(!out.full);
    return out.n;
}

static bool take_hex(struct cu_span *rest, uint8_t *ret, size_t n)
{
    if (rest->n < 2 * n || cu_hex_read(cu_span(rest->p, 2 * n), ret, n, NULL) != CU_OK) return false;
    *rest = cu_span_from(*rest, 2 * n);
    return true;
}

static bool take_role(struct cu_span *rest, enum cu_peer_role *ret)
{
    for (enum cu_peer_role role = 0; role < CU_PEER_ROLES; role++) {
        struct cu_span after = *rest;
        if (!roles[role].name[0] || !cu_span_take(&after, roles[role].name) || !cu_span_take(&after, "/")) continue;
        *ret = role;
        *rest = after;
        return true;
    }
    return false;
}

cu_status cu_peer_uri_read(const char *uri, struct cu_peer_claim *ret, uint8_t ret_vouch[CU_SIGNATURE_LEN], struct cu_err *err)
{
    struct cu_span rest = cu_span_str(uri);
    struct cu_peer_claim out = { .role = CU_PEER_NOBODY };
    uint8_t vouch[CU_SIGNATURE_LEN];

    ENSURE(cu_span_take(&rest, "custody:") && take_hex(&rest, out.network.b, sizeof out.network.b) && cu_span_take(&rest, "/") &&
               take_role(&rest, &out.role) && take_hex(&rest, out.kid.b, sizeof out.kid.b) && cu_span_take(&rest, "/") &&
               take_hex(&rest, vouch, sizeof vouch) && rest.n == 0,
           err, CU_NOT_ALLOWED,
           "the certificate does not say whose it is (`custody ca issue` makes such that do): nothing was done");
    *ret = out;
    memcpy(ret_vouch, vouch, sizeof vouch);
    return CU_OK;
}

/* ---- what a token says ---- */

size_t cu_peer_token_message(const struct cu_peer_claim *claim, uint64_t until_s, uint8_t ret[CU_PEER_MESSAGE_MAX])
{
    struct cu_buf out = cu_buf_over(ret, CU_PEER_MESSAGE_MAX);

    cu_buf_add(&out, cu_span(TOKEN_DOMAIN, sizeof TOKEN_DOMAIN));
    cu_buf_add(&out, cu_span_hash(&claim->network));
    cu_buf_add(&out, cu_span_hash(&claim->kid));
    for (int shift = 56; shift >= 0; shift -= 8) cu_buf_add_byte(&out, (uint8_t)(until_s >> shift));
    cu_buf_add_str(&out, roles[claim->role].name);
    CU_ASSERT(!out.full);
    return out.n;
}

void cu_peer_token_put(const struct cu_peer_claim *claim, uint64_t until_s, const uint8_t vouch[CU_SIGNATURE_LEN],
                       struct cu_buf *out)
{
    cu_buf_addf(out, "custody/%s/", roles[claim->role].name);
    cu_hex_put(out, cu_span_hash(&claim->kid));
    cu_buf_addf(out, "/%llu/", LLU(until_s));
    cu_hex_put(out, cu_span(vouch, CU_SIGNATURE_LEN));
}

cu_status cu_peer_token_read(struct cu_span rest, struct cu_peer_claim *ret, uint64_t *ret_until_s,
                             uint8_t ret_vouch[CU_SIGNATURE_LEN], struct cu_err *err)
{
    struct cu_peer_claim out = { .role = CU_PEER_NOBODY };
    uint8_t vouch[CU_SIGNATURE_LEN];
    struct cu_span until;
    uint64_t s;

    ENSURE(cu_span_take(&rest, "custody/") && take_role(&rest, &out.role) && take_hex(&rest, out.kid.b, sizeof out.kid.b) &&
               cu_span_take(&rest, "/") && cu_span_split(&rest, '/', &until) &&
               cu_decimal_read(until, INT64_MAX / 1000, &s, NULL) == CU_OK && take_hex(&rest, vouch, sizeof vouch) && rest.n == 0,
           err, CU_NOT_ALLOWED, "the token is none of ours (`custody ca token` makes one): nothing was done");
    *ret = out;
    *ret_until_s = s;
    memcpy(ret_vouch, vouch, sizeof vouch);
    return CU_OK;
}

/* ---- by the ledger's members ---- */

static bool acts_now(const struct cu_member_key *key) { return key->from_seq != UINT64_MAX && key->until_seq == UINT64_MAX; }

enum cu_peer_role cu_peer_role_of(uint64_t role)
{
    for (enum cu_peer_role r = 0; r < CU_PEER_ROLES; r++)
        if (role && roles[r].role == role) return r;
    return CU_PEER_NOBODY;
}

cu_status cu_peer_voucher(const struct cu_members *m, const struct cu_peer_claim *claim, const struct cu_member_key **ret,
                          uint64_t *ret_party, struct cu_err *err)
{
    const struct cu_member_key *key = cu_members_key(m, &claim->kid);
    const struct cu_member_party *party = key ? cu_members_party(m, key->party) : NULL;
    const enum cu_peer_role role = party ? cu_peer_role_of(party->role) : CU_PEER_NOBODY;
    const bool operates = claim->role == CU_PEER_OPERATOR && role == CU_PEER_ORGANISATION; /* one whom the ledger does not know */

    ENSURE(cu_hash_eq(&claim->network, &m->network), err, CU_NOT_ALLOWED,
           "the certificate is for another ledger: nothing was done");
    ENSURE(party, err, CU_NOT_ALLOWED, "the certificate names a key that is not enrolled in this ledger: nothing was done");
    ENSURE(acts_now(key), err, CU_NOT_ALLOWED,
           "the key that the certificate names is revoked in this ledger, or not confirmed: nothing was done");
    ENSURE(operates || (role == claim->role && role != CU_PEER_NOBODY), err, CU_NOT_ALLOWED,
           "the certificate is for another role than the ledger knows its member in: nothing was done");
    *ret = key;
    if (key->purpose != CU_PURPOSE_STATEMENT) { /* of a reader its organisation's; nobody else is known by another key */
        ENSURE(claim->role == CU_PEER_READER && key->purpose == CU_PURPOSE_SEALING, err, CU_NOT_ALLOWED,
               "the certificate names a key that nobody is known by: nothing was done");
        *ret = cu_members_newest(m, party->organisation, CU_PURPOSE_STATEMENT);
        ENSURE(*ret && acts_now(*ret), err, CU_NOT_ALLOWED,
               "the reader's organisation has no statement key in this ledger: nothing was done");
    }
    *ret_party = operates ? 0 : party->id;
    return CU_OK;
}

cu_status cu_peer_of(const struct cu_members *m, const struct cu_cert *cert, struct cu_verifier *by, struct cu_peer *ret,
                     struct cu_err *err)
{
    struct cu_peer_claim claim;
    const struct cu_member_key *voucher;
    uint8_t vouch[CU_SIGNATURE_LEN], message[CU_PEER_MESSAGE_MAX];
    uint64_t party;

    ENSURE(cert->key.alg != CU_ALG_NONE, err, CU_NOT_ALLOWED,
           "the certificate's key is neither P-256 nor Ed25519: nothing was done");
    TRY(cu_peer_uri_read(cert->uri, &claim, vouch, err));
    TRY(cu_peer_voucher(m, &claim, &voucher, &party, err));
    const size_t n = cu_peer_message(&claim, &cert->key, message);
    ENSURE(cu_verify_one(by, &voucher->pub, cu_span(message, n), vouch, NULL) == CU_OK, err, CU_NOT_ALLOWED,
           "no member of the ledger vouches for the certificate: nothing was done");
    *ret = (struct cu_peer){ .role = claim.role, .party = party };
    return CU_OK;
}

cu_status cu_peer_of_token(const struct cu_members *m, struct cu_span token, cu_unix_ms now, struct cu_verifier *by,
                           struct cu_peer *ret, struct cu_err *err)
{
    const uint64_t now_s = now.v / 1000;
    struct cu_peer_claim claim;
    const struct cu_member_key *voucher;
    uint8_t vouch[CU_SIGNATURE_LEN], message[CU_PEER_MESSAGE_MAX];
    uint64_t party, until_s;

    TRY(cu_peer_token_read(token, &claim, &until_s, vouch, err));
    claim.network = m->network;
    ENSURE(until_s > now_s, err, CU_NOT_ALLOWED, "the token's time is over: nothing was done; ask for a new one");
    ENSURE(until_s - now_s <= (uint64_t)CU_PEER_TOKEN_DAYS_MAX * 86400, err, CU_NOT_ALLOWED,
           "a token is good for %d days at most, and this one says more: nothing was done", CU_PEER_TOKEN_DAYS_MAX);
    TRY(cu_peer_voucher(m, &claim, &voucher, &party, err));
    const size_t n = cu_peer_token_message(&claim, until_s, message);
    ENSURE(cu_verify_one(by, &voucher->pub, cu_span(message, n), vouch, NULL) == CU_OK, err, CU_NOT_ALLOWED,
           "no member of the ledger vouches for the token: nothing was done");
    *ret = (struct cu_peer){ claim.role, party, .token = true };
    return CU_OK;
}

bool cu_peer_speaks_for(const struct cu_members *m, const struct cu_peer *peer, const cu_hash *kid)
{
    const struct cu_member_key *key = cu_members_key(m, kid);
    const struct cu_member_party *party = key ? cu_members_party(m, key->party) : NULL;

    if (peer->role == CU_PEER_LOCAL) return true;
    return party && (party->id == peer->party || (peer->role == CU_PEER_ORGANISATION && party->organisation == peer->party));
}
