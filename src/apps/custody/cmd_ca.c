/* custody ca init, issue, revoke: certificates for TLS between the node and the ledger's members. docs/guide/api.md shows them. */
#include "apps/custody/app.h"
#include "http/peer.h"

#define DAYS 397
#define CA_DAYS 3650

static const char ca_cert[] = CU_DIR_TLS "/ca.pem", ca_key[] = CU_DIR_TLS "/ca.key", revoked[] = CU_DIR_TLS "/revoked.pem";

void ca_forget(struct ca *ca)
{
    if (ca->key.p) cu_wipe(ca->key.p, ca->key.n);
    if (ca->passphrase.p) cu_wipe(ca->passphrase.p, ca->passphrase.n);
    cu_buf_free(&ca->cert);
    cu_buf_free(&ca->key);
    cu_buf_free(&ca->passphrase);
}
#define CA CU_CLEANUP(ca_forget) struct ca

static struct ca no_ca(void)
{
    return (
        struct ca){ .cert = cu_buf_heap(CU_CERT_PEM_MAX), .key = cu_buf_heap(CU_CERT_PEM_MAX), .passphrase = cu_buf_heap(65536) };
}

static void is_issuer(struct ca *ca)
{
    ca->issuer = (struct cu_cert_issuer){ cu_buf_span(&ca->cert), cu_buf_span(&ca->key), cu_buf_span(&ca->passphrase) };
}

static cu_status keep(struct session *s, const char *path, struct cu_span bytes, unsigned extra, struct cu_err *err)
{
    TRY(s->place.fs.ops->make_dir(s->place.fs.self, CU_DIR_TLS, err));
    return cu_fs_replace_as(&s->place.fs, path, CU_DIR_TLS "/incoming", bytes, extra, true, err);
}

static cu_status days_of(const struct run *run, unsigned usual, unsigned *ret, struct cu_err *err)
{
    uint64_t n = usual;

    if (opt(run, "days")) TRY(number_read("--days", opt(run, "days"), 36500, &n, err));
    *ret = (unsigned)n;
    return CU_OK;
}

/* ---- one certificate ---- */

/* Key and certificate in one file: curl takes it as --cert. */
static cu_status make(struct session *s, const struct ca *ca, const struct cu_cert_ask *ask, struct cu_private_key *key,
                      const char *path, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_CERT_PEM_MAX);
    cu_status made = cu_private_to_pem(key, CU_SPAN_EMPTY, &file, err);

    if (made == CU_OK) made = cu_cert_issue(ask, key, &ca->issuer, cu_place_now(&s->place), &file, err);
    if (made == CU_OK) made = cu_buf_ok(&file, err);
    if (made == CU_OK && strchr(path, '/') == path) made = cu_fail(err, CU_USAGE, "%s: a name below the ledger's folder", path);
    if (made == CU_OK) made = keep(s, path, cu_buf_span(&file), CU_OPEN_PRIVATE, err);
    if (file.p) cu_wipe(file.p, file.n);
    return made;
}

/* By the statement key that has to, of those that are here. */
static cu_status vouch(struct session *s, const struct cu_members *m, const struct cu_peer_claim *claim, struct cu_span message,
                       uint8_t ret[CU_SIGNATURE_LEN], struct cu_err *err)
{
    const struct cu_member_key *voucher;
    uint64_t party;

    TRY(cu_peer_voucher(m, claim, &voucher, &party, err));
    for (enum cu_signer who = 0; who < CU_SIGNERS; who++) {
        if (!s->place.has_key[who]) TRY(session_load_signer(s, who, err));
        if (!s->place.has_key[who] || !cu_hash_eq(&s->place.key[who].id, &voucher->kid)) continue;
        return cu_sign(&s->place.key[who], message, ret, err);
    }
    return cu_fail(err, CU_NOT_ALLOWED,
                   "the statement key that has to vouch for it is not here: no certificate and no token was made");
}

static cu_status issue(struct session *s, const struct ca *ca, const struct cu_members *m, const struct cu_peer_claim *claim,
                       struct cu_span name, const char *path, struct cu_err *err)
{
    CU_CLEANUP(cu_private_free) struct cu_private_key key = { .ctx = NULL };
    CU_BUF uri = cu_buf_heap(CU_CERT_URI_MAX);
    uint8_t message[CU_PEER_MESSAGE_MAX], signature[CU_SIGNATURE_LEN];
    char common[65];
    struct cu_cert_ask ask = { .name = common };

    snprintf(common, sizeof common, "%.*s", (int)cu_text_whole(name, sizeof common - 1), (const char *)name.p);
    TRY(days_of(s->run, DAYS, &ask.days, err));
    TRY(cu_private_generate(CU_ALG_ES256, &key, err));
    TRY(vouch(s, m, claim, cu_span(message, cu_peer_message(claim, &key.pub, message)), signature, err));
    cu_peer_uri(claim, signature, &uri);
    TRY(cu_buf_ok(&uri, err));
    ask.uri = (const char *)uri.p;
    return make(s, ca, &ask, &key, path, err);
}

static void told(struct run *run, const char *what, const char *path)
{
    struct cu_json j = cu_json_on(&run->out);

    if (run->json) {
        cu_json_open(&j, NULL, '{');
        cu_json_str(&j, "certificate", path);
        cu_json_close(&j, '}');
    } else cu_buf_addf(&run->out, "%-12s %s", what, path);
    cu_buf_add_str(&run->out, "\n");
}

/* ---- ca init ---- */

static cu_status new_ca(struct session *s, struct ca *ca, struct cu_err *err)
{
    CU_CLEANUP(cu_private_free) struct cu_private_key key = { .ctx = NULL };
    char name[100];
    const struct cu_cert_ask ask = { .name = name, .ca = true, .days = CA_DAYS };

    const struct cu_span origin = s->place.genesis.outer.body.genesis.origin;
    const size_t n = cu_text_whole(origin, 50);

    snprintf(name, sizeof name, "custody %.*s", (int)n, (const char *)origin.p);
    TRY(cu_private_generate(CU_ALG_ES256, &key, err));
    TRY(cu_private_to_pem(&key, cu_buf_span(&ca->passphrase), &ca->key, err));
    TRY(cu_cert_issue(&ask, &key, NULL, cu_place_now(&s->place), &ca->cert, err));
    return CU_OK;
}

static cu_status given_ca(struct session *s, struct ca *ca, struct cu_err *err)
{
    const char *cert = opt(s->run, "ca-cert"), *key = opt(s->run, "ca-key");

    ENSURE(cert && key, err, CU_USAGE, "of a CA that is there already both are needed: --ca-cert FILE --ca-key FILE");
    TRY(read_argument_file(cert, CU_CERT_PEM_MAX, &ca->cert, err));
    return read_argument_file(key, CU_CERT_PEM_MAX, &ca->key, err);
}

static cu_status make_server(struct session *s, const struct ca *ca, const char *whose, const char *path, struct cu_err *err)
{
    CU_CLEANUP(cu_private_free) struct cu_private_key key = { .ctx = NULL };
    struct cu_cert_ask ask = { .name = "custody node",
                               .hosts = opt(s->run, "host") ? opt(s->run, "host") : "localhost 127.0.0.1 ::1" };

    TRY(days_of(s->run, DAYS, &ask.days, err));
    TRY(cu_private_generate(CU_ALG_ES256, &key, err));
    TRY(make(s, ca, &ask, &key, path, err));
    told(s->run, whose, path);
    return CU_OK;
}

/* For each party that speaks in the log, whose statement key is here. */
static cu_status make_parties(struct session *s, const struct ca *ca, const struct cu_membership *m, struct cu_err *err)
{
    for (enum cu_signer who = CU_SIGNER_ORGANISATION; who <= CU_SIGNER_DEPOSITOR; who++) {
        struct cu_peer_claim claim = { .network = m->members.network,
                                       .role = who == CU_SIGNER_ORGANISATION ? CU_PEER_ORGANISATION
                                               : who == CU_SIGNER_PROVIDER   ? CU_PEER_PROVIDER
                                                                             : CU_PEER_DEPOSITOR };
        char path[100];
        TRY(session_load_signer(s, who, err));
        const struct cu_member_key *key = s->place.has_key[who] ? cu_members_key(&m->members, &s->place.key[who].id) : NULL;
        if (!key) continue;
        claim.kid = key->kid;
        snprintf(path, sizeof path, CU_DIR_TLS "/%s.pem", cu_peer_role_name(claim.role));
        TRY(issue(s, ca, &m->members, &claim, cu_membership_name(m, key->party), path, err));
        told(s->run, cu_peer_role_name(claim.role), path);
    }
    return CU_OK;
}

static cu_status init(struct session *s, void *arg, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };
    CA ca = no_ca();

    (void)arg;
    ENSURE(!cu_fs_exists(&s->place.fs, ca_cert), err, CU_USAGE,
           "%s is there: a second CA would leave its certificates behind; `custody ca issue` makes further ones", ca_cert);
    TRY(passphrase_read(s->run, NULL, &ca.passphrase, err));
    if (opt(s->run, "ca-cert") || opt(s->run, "ca-key")) TRY(given_ca(s, &ca, err));
    else TRY(new_ca(s, &ca, err));
    is_issuer(&ca);
    TRY(cu_membership_read(&s->place, &m, err));
    TRY(make_server(s, &ca, "the node's", CU_DIR_TLS "/server.pem", err));
    TRY(make_parties(s, &ca, &m, err));
    TRY(keep(s, ca_key, cu_buf_span(&ca.key), CU_OPEN_PRIVATE, err));
    TRY(keep(s, ca_cert, cu_buf_span(&ca.cert), 0, err)); /* last: with it the CA is there */
    told(s->run, "the CA's", ca_cert);
    return CU_OK;
}

static cu_status go_init(struct run *run, struct cu_err *err) { return in_session(run, MODE_READ, init, NULL, err); }

/* ---- ca issue, ca revoke ---- */

cu_status ca_open(struct session *s, struct ca *ca, struct cu_err *err)
{
    *ca = no_ca();
    ENSURE(cu_fs_exists(&s->place.fs, ca_cert), err, CU_NOT_FOUND,
           "there is no CA here: `custody ca init` makes one, or takes yours");
    TRY(passphrase_read(s->run, NULL, &ca->passphrase, err));
    TRY(cu_fs_read(&s->place.fs, ca_cert, CU_CERT_PEM_MAX, &ca->cert, err));
    TRY(cu_fs_read(&s->place.fs, ca_key, CU_CERT_PEM_MAX, &ca->key, err));
    is_issuer(ca);
    return CU_OK;
}

/* The key that a party is known by. */
static const struct cu_member_key *key_of(const struct cu_members *m, const struct cu_member_party *party)
{
    return cu_members_newest(m, party->id, party->role == CU_ROLE_READER ? CU_PURPOSE_SEALING : CU_PURPOSE_STATEMENT);
}

static cu_status find_claim(struct session *s, const struct cu_membership *m, bool operates, struct cu_peer_claim *ret,
                            struct cu_err *err)
{
    const struct cu_span name = cu_span_str(s->run->args[0]);

    *ret = (struct cu_peer_claim){ .network = m->members.network };
    for (uint64_t id = m->members.parties_n; id > 0; id--) {
        const struct cu_member_party *party = cu_members_party(&m->members, id);
        const struct cu_member_key *key = key_of(&m->members, party);
        if (operates ? party->role != CU_ROLE_ORGANISATION : !cu_span_eq(cu_membership_name(m, id), name)) continue;
        if (operates && (!key || !cu_hash_eq(&key->kid, &s->place.key[CU_SIGNER_ORGANISATION].id))) continue;
        ENSURE(key, err, CU_NOT_FOUND, "\"%s\" has no key in this ledger that a certificate could be for", s->run->args[0]);
        ret->role = operates ? CU_PEER_OPERATOR : cu_peer_role_of(party->role);
        ret->kid = key->kid;
        return CU_OK;
    }
    return cu_fail(err, CU_NOT_FOUND,
                   "no member is called \"%s\": `custody member ls` lists them, `custody member add` enrols a reader",
                   s->run->args[0]);
}

static void put_file_name(struct cu_buf *path, const char *name)
{
    cu_buf_add_byte(path, '-');
    for (const char *c = name; *c; c++)
        cu_buf_add_byte(path,
                        (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ? (uint8_t)*c : '-');
}

/* Another server than the node whose folder this is: a provider's, or a second one's. */
static cu_status issue_server(struct session *s, const struct ca *ca, struct cu_err *err)
{
    CU_BUF path = cu_buf_heap(4096);

    cu_buf_add_str(&path, CU_DIR_TLS "/server");
    put_file_name(&path, s->run->args[0]);
    cu_buf_add(&path, CU_SPAN_OF(".pem"));
    TRY(cu_buf_ok(&path, err));
    return make_server(s, ca, "a server's", (const char *)path.p, err);
}

static cu_status issue_one(struct session *s, void *arg, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };
    CU_BUF path = cu_buf_heap(4096);
    struct cu_peer_claim claim;
    CA ca = { 0 };

    (void)arg;
    TRY(ca_open(s, &ca, err));
    if (opt_is(s->run, "host")) return issue_server(s, &ca, err);
    TRY(session_load_signer(s, CU_SIGNER_ORGANISATION, err));
    TRY(cu_membership_read(&s->place, &m, err));
    TRY(find_claim(s, &m, opt_is(s->run, "operator"), &claim, err));
    cu_buf_addf(&path, CU_DIR_TLS "/%s-", cu_peer_role_name(claim.role));
    cu_hex_put(&path, cu_span(claim.kid.b, 4));
    if (claim.role == CU_PEER_OPERATOR) put_file_name(&path, s->run->args[0]);
    cu_buf_add(&path, CU_SPAN_OF(".pem"));
    TRY(cu_buf_ok(&path, err));
    TRY(issue(s, &ca, &m.members, &claim, cu_span_str(s->run->args[0]), (const char *)path.p, err));
    told(s->run, cu_peer_role_name(claim.role), (const char *)path.p);
    return CU_OK;
}

static cu_status go_issue(struct run *run, struct cu_err *err) { return in_session(run, MODE_READ, issue_one, NULL, err); }

static cu_status make_token(struct session *s, void *arg, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };
    uint8_t message[CU_PEER_MESSAGE_MAX], signature[CU_SIGNATURE_LEN];
    struct cu_json j = cu_json_on(&s->run->out);
    CU_BUF token = cu_buf_heap(CU_CERT_URI_MAX);
    struct cu_peer_claim claim;
    uint64_t days = 1;

    (void)arg;
    if (opt(s->run, "days")) TRY(number_read("--days", opt(s->run, "days"), CU_PEER_TOKEN_DAYS_MAX, &days, err));
    TRY(cu_membership_read(&s->place, &m, err));
    TRY(find_claim(s, &m, false, &claim, err));
    const uint64_t until_s = cu_place_now(&s->place).v / 1000 + days * 86400;
    TRY(vouch(s, &m.members, &claim, cu_span(message, cu_peer_token_message(&claim, until_s, message)), signature, err));
    cu_peer_token_put(&claim, until_s, signature, &token);
    TRY(cu_buf_ok(&token, err));
    if (s->run->json) {
        cu_json_open(&j, NULL, '{');
        cu_json_text(&j, "token", cu_buf_span(&token));
        cu_json_time(&j, "until", (cu_unix_ms){ until_s * 1000 });
        cu_json_close(&j, '}');
    } else cu_buf_add(&s->run->out, cu_buf_span(&token));
    cu_buf_add_str(&s->run->out, "\n");
    return CU_OK;
}

static cu_status go_token(struct run *run, struct cu_err *err) { return in_session(run, MODE_READ, make_token, NULL, err); }

static cu_status revoke(struct session *s, void *arg, struct cu_err *err)
{
    CU_BUF list = cu_buf_heap(CU_CERT_PEM_MAX * 16), renewed = cu_buf_heap(CU_CERT_PEM_MAX * 16),
           cert = cu_buf_heap(CU_CERT_PEM_MAX);
    CA ca = { 0 };

    (void)arg;
    TRY(ca_open(s, &ca, err));
    TRY(read_argument_file(s->run->args[0], CU_CERT_PEM_MAX, &cert, err));
    if (cu_fs_exists(&s->place.fs, revoked)) TRY(cu_fs_read(&s->place.fs, revoked, list.max, &list, err));
    const cu_status done = cu_cert_revoke(&ca.issuer, cu_buf_span(&list), cu_buf_span(&cert), cu_place_now(&s->place), &renewed,
                                          err);
    if (cert.p) cu_wipe(cert.p, cert.n);
    TRY(done);
    TRY(keep(s, revoked, cu_buf_span(&renewed), 0, err));
    told(s->run, "revoked", s->run->args[0]);
    say(s->run, "a node that runs learns it by SIGHUP\n");
    return CU_OK;
}

static cu_status go_revoke(struct run *run, struct cu_err *err) { return in_session(run, MODE_READ, revoke, NULL, err); }

#define CA_NOT_AFAR "certificates are made where the ledger lies; a member asks for his by `custody enrol`"
const struct command command_ca_init = {
    .name = "ca init",
    .args = "",
    .line = "make or take a CA, and certificates for node and parties",
    .help =
        "Makes in the ledger's folder tls/ a certification authority, the node's certificate, and one for each party whose "
        "statement "
        "key is here: what `custody node --tls` and its clients need. A certificate names the key that its member is enrolled "
        "with, and "
        "that key vouches for it, so that the authority alone makes nobody a member. A file holds key and certificate, as curl "
        "takes them. The authority's key is encrypted when a passphrase is given.",
    .args_max = 0,
    .not_afar = CA_NOT_AFAR,
    .go = go_init,
    .options = { { "host", "NAMES", "names and addresses of the node, separated by spaces (by default localhost 127.0.0.1 ::1)" },
                 { "ca-cert", "FILE", "a CA that is there already: its certificate, PEM" },
                 { "ca-key", "FILE", "and its key, PKCS#8 PEM" },
                 { "days", "N", "that the certificates are valid (by default 397)" } },
};
const struct command command_ca_issue = {
    .name = "ca issue",
    .args = "NAME",
    .line = "make a member's certificate, or an operator's",
    .help = "Makes a key and a certificate for the member of that name (`custody member ls`): the statement key that vouches for "
            "it has to be "
            "here. With --operator it is for somebody who keeps the machine: he sees how much there is, never what. With --host "
            "it is for a server, "
            "as a provider's, at these names and addresses.",
    .args_min = 1,
    .args_max = 1,
    .not_afar = CA_NOT_AFAR,
    .go = go_issue,
    .options = { { "operator", NULL, "not a member: whoever keeps the machine" },
                 { "host", "NAMES", "not a member: a server, at these names and addresses, separated by spaces" },
                 { "days", "N", "that it is valid (by default 397)" } },
};
const struct command command_ca_token = {
    .name = "ca token",
    .args = "NAME",
    .line = "make a token with which a member's tlog client reads the log",
    .help = "Prints a line that stands for the member of that name where a program cannot show a certificate: sent as "
            "`Authorization: Bearer` over TLS "
            "it reads checkpoint, tiles and entry bundles, and nothing else. The statement key that vouches for it has to be "
            "here, or be given with --key. Whoever sees it has it: "
            "keep it as a password, for a short time. It ends with its days, or when the member's key is revoked.",
    .args_min = 1,
    .args_max = 1,
    .go = go_token,
    .options = { { "days", "N", "that it is good for (by default 1, at most 31)" } },
};
const struct command command_ca_revoke = {
    .name = "ca revoke",
    .args = "FILE",
    .line = "revoke a certificate",
    .help = "Puts the certificate in FILE on the list of those that are revoked, tls/revoked.pem. A node that runs learns it by "
            "SIGHUP. Whose "
            "key is revoked in the ledger is refused without it.",
    .args_min = 1,
    .args_max = 1,
    .not_afar = CA_NOT_AFAR,
    .go = go_revoke,
    .options = { { NULL, NULL, NULL } },
};
