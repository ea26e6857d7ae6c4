/* TLS 1.3, by the library's GnuTLS. It carries the bytes and proves that a client has the key of the certificate that it shows; whose certificate
 * that is, we judge ourselves (crypto/x509.h), at its first request, so that who is refused is told why. What is loaded anew serves handshakes from
 * then on; a connection keeps what it began with until it is closed, and its client is judged again at the next request. */
#include "http/inside.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>

#define CHAIN_MAX 8

struct cu_http_creds {
    _Atomic unsigned uses; /* by the server, and by each connection that began with it */
    gnutls_pcert_st pcert[CHAIN_MAX];
    unsigned pcert_n;
    gnutls_privkey_t key;
    struct cu_cert_trust *trust;
};

void cu_http_creds_drop(struct cu_http_creds *c)
{
    if (!c || --c->uses > 0) return;
    for (unsigned i = 0; i < c->pcert_n; i++) gnutls_pcert_deinit(&c->pcert[i]);
    if (c->key) gnutls_privkey_deinit(c->key);
    cu_cert_trust_free(c->trust);
    free(c);
}
static void drop(struct cu_http_creds **c) { cu_http_creds_drop(*c); }

static gnutls_datum_t datum(struct cu_span s)
{
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the library only reads it
    return (gnutls_datum_t){ (unsigned char *)(uintptr_t)s.p, (unsigned)s.n };
}

static cu_status load(const struct cu_http_tls *from, struct cu_http_creds *c, struct cu_err *err)
{
    const gnutls_datum_t cert = datum(from->cert), key = datum(from->key);
    unsigned n = CHAIN_MAX;

    int e = gnutls_pcert_list_import_x509_raw(c->pcert, &n, &cert, GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
    ENSURE(e == 0 && n > 0, err, CU_MALFORMED, "the server's certificate is none, in PEM: %s", gnutls_strerror(e));
    c->pcert_n = n;
    e = gnutls_privkey_init(&c->key);
    if (e == 0) e = gnutls_privkey_import_x509_raw(c->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
    ENSURE(e == 0, err, CU_BAD_KEY, "the server's key is none, in PEM: %s", gnutls_strerror(e));
    return cu_cert_trust_open(from->ca, from->revoked, &c->trust, err);
}

/* A key that is not the certificate's would fail at every handshake, and nowhere else. */
static bool belong_together(struct cu_http_creds *c)
{
    static const char text[] = "custody";
    const gnutls_datum_t what = datum(CU_SPAN_OF(text));
    gnutls_datum_t signature = { NULL, 0 };
    unsigned usage;
    gnutls_digest_algorithm_t hash;
    const int pk = gnutls_pubkey_get_pk_algorithm(c->pcert[0].pubkey, NULL);
    bool good = gnutls_pubkey_get_key_usage(c->pcert[0].pubkey, &usage) == 0 &&
                gnutls_pubkey_get_preferred_hash_algorithm(c->pcert[0].pubkey, &hash, NULL) == 0;

    if (good)
        good = gnutls_privkey_sign_data(c->key, hash, 0, &what, &signature) == 0 &&
               gnutls_pubkey_verify_data2(c->pcert[0].pubkey, gnutls_pk_to_sign(pk, hash), GNUTLS_VERIFY_ALLOW_BROKEN, &what,
                                          &signature) >= 0;
    gnutls_free(signature.data);
    return good;
}

cu_status cu_http_creds_load(const struct cu_http_tls *from, struct cu_http_creds **ret, struct cu_err *err)
{
    CU_CLEANUP(drop) struct cu_http_creds *c = calloc(1, sizeof *c);

    ENSURE(c, err, CU_NO_MEMORY, "no memory for certificates");
    c->uses = 1;
    TRY(load(from, c, err));
    ENSURE(belong_together(c), err, CU_BAD_KEY, "the server's key is not that of its certificate");
    *ret = c;
    c = NULL;
    return CU_OK;
}

struct cu_http_creds *cu_http_creds_take(struct cu_http_server *s)
{
    pthread_mutex_lock(&s->table);
    struct cu_http_creds *c = s->creds;
    if (c) c->uses++;
    pthread_mutex_unlock(&s->table);
    return c;
}

cu_status cu_http_reload(struct cu_http_server *s, const struct cu_http_tls *tls, struct cu_err *err)
{
    struct cu_http_creds *c;

    ENSURE(s->creds, err, CU_USAGE, "this server speaks plain HTTP: there are no certificates to load anew");
    TRY(cu_http_creds_load(tls, &c, err));
    pthread_mutex_lock(&s->table);
    struct cu_http_creds *old = s->creds;
    s->creds = c;
    pthread_mutex_unlock(&s->table);
    cu_http_creds_drop(old);
    cu_http_judge_anew(s);
    return CU_OK;
}

void cu_http_judge_anew(struct cu_http_server *s)
{
    if (s) s->generation_of_trust++;
}

static struct cu_http_conn *conn_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

/* Which certificate do we show? No list of CAs is sent: it would tell strangers who is trusted here. */
int cu_http_show_certificate(gnutls_session_t session, const gnutls_datum_t *cas, int cas_n, const gnutls_pk_algorithm_t *algs,
                             int algs_n, gnutls_pcert_st **ret, unsigned *ret_n, gnutls_privkey_t *ret_key)
{
    const struct cu_http_conn *conn = conn_of(gnutls_session_get_ptr(session));

    (void)cas, (void)cas_n, (void)algs, (void)algs_n;
    if (!conn || !conn->creds) return -1;
    gnutls_certificate_send_x509_rdn_sequence(session, 1);
    *ret = conn->creds->pcert;
    *ret_n = conn->creds->pcert_n;
    *ret_key = conn->creds->key;
    return 0;
}

/* ---- who is it? ---- */

static size_t shown(struct MHD_Connection *connection, struct cu_span chain[CHAIN_MAX])
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned n = 0;
    const gnutls_datum_t *at = info ? gnutls_certificate_get_peers(info->tls_session, &n) : NULL;

    if (!at) return 0;
    if (n > CHAIN_MAX) n = CHAIN_MAX;
    for (unsigned i = 0; i < n; i++) chain[i] = cu_span(at[i].data, at[i].size);
    return n;
}

/* RFC 6750 */
static bool bearer(const struct cu_http_exchange *x, struct cu_span *ret)
{
    return cu_http_header_of(&x->request, "Authorization", ret) && cu_span_take(ret, "Bearer ");
}

static cu_status judge_certificate(struct cu_http_exchange *x, const struct cu_span *chain, size_t n, struct cu_err *err)
{
    const struct cu_http_config *config = &x->server->config;
    struct cu_http_creds *now = cu_http_creds_take(x->server); /* as of now, not of when it began */
    struct cu_cert cert = { .until_ms = 0 };
    cu_status judged = cu_cert_judge(now->trust, chain, n, (cu_unix_ms){ cu_http_wall_ms() }, &cert, err);

    if (judged == CU_OK) {
        x->conn->until_ms = cert.until_ms;
        judged = config->identify(config->who, &cert, CU_SPAN_EMPTY, &x->conn->peer, err);
    }
    cu_http_creds_drop(now);
    return judged;
}

static cu_status judge(struct cu_http_exchange *x, struct cu_err *err)
{
    const struct cu_http_config *config = &x->server->config;
    struct cu_span chain[CHAIN_MAX], token;
    const size_t n = shown(x->connection, chain);

    if (n > 0) return judge_certificate(x, chain, n, err);
    ENSURE(bearer(x, &token), err, CU_NOT_ALLOWED,
           "this is for members, and no certificate was shown: nothing was done (curl takes it as --cert)");
    x->conn->judged_by = 0; /* the next request may come with another one */
    return config->identify(config->who, NULL, token, &x->conn->peer, err);
}

/* One request of a connection at a time: no lock. */
void cu_http_identify(struct cu_http_exchange *x)
{
    struct cu_http_server *s = x->server;
    struct cu_http_conn *conn = x->conn;
    struct cu_span token;
    const uint64_t generation = s->generation_of_trust;
    struct cu_err err = { 0 };

    if (!s->creds) {
        conn->peer.role = s->config.members_only ? CU_PEER_NOBODY : CU_PEER_LOCAL;
        snprintf(conn->why, sizeof conn->why, "this is for members, and over plain HTTP nobody shows who he is");
        return;
    }
    if (!bearer(x, &token) && conn->judged_by == generation &&
        (conn->peer.role == CU_PEER_NOBODY || cu_http_wall_ms() < conn->until_ms))
        return;
    conn->peer = (struct cu_peer){ .role = CU_PEER_NOBODY };
    conn->judged_by = generation;
    conn->why[0] = 0;
    if (judge(x, &err) == CU_OK) return;
    conn->peer = (struct cu_peer){ .role = CU_PEER_NOBODY };
    snprintf(conn->why, sizeof conn->why, "%s", err.text);
}
