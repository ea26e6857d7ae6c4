/* custody enrol: a key of one's own, and a request to be enrolled with it: into a file, or to the node, which says later what became of it. */
#include "apps/custody/app.h"
#include "http/peer.h"

#include "codec/fields.h"

#include <fcntl.h>
#include <unistd.h>

#define ANSWER_MAX (2 * CU_CERT_PEM_MAX)

struct enrolling {
    struct cu_private_key key, tls;
    uint64_t role;
    struct cu_buf request, answer, uri;
};
static void enrolling_free(struct enrolling *e)
{
    cu_private_free(&e->key);
    cu_private_free(&e->tls);
    cu_buf_free(&e->request);
    cu_buf_free(&e->answer);
    cu_buf_free(&e->uri);
}

/* A private key, where nothing was: readable for its owner alone, and on the disk before anybody hears of it. */
static cu_status write_key(const char *path, struct cu_span pem, struct cu_err *err)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    ENSURE(fd >= 0, err, errno == EEXIST ? CU_NOT_ALLOWED : CU_IO, "%s: %s; no key was made", path, strerror(errno));
    const bool written = write(fd, pem.p, pem.n) == (ssize_t)pem.n && fsync(fd) == 0;
    const int why = errno;
    const bool closed = close(fd) == 0;
    if (written && closed) return CU_OK;
    (void)unlink(path);
    return cu_fail(err, CU_IO, "%s: %s; no key was made", path, strerror(why));
}

static cu_status make_key(const char *path, struct cu_span passphrase, struct cu_private_key *ret, struct cu_err *err)
{
    CU_BUF pem = cu_buf_heap(16384);

    TRY(cu_private_generate(CU_ALG_ES256, ret, err));
    cu_status made = cu_private_to_pem(ret, passphrase, &pem, err);
    if (made == CU_OK) made = write_key(path, cu_buf_span(&pem), err);
    if (pem.p) cu_wipe(pem.p, pem.n);
    return made;
}

/* Who asks again does it with the key that he asked with. */
static cu_status same_key(const char *path, struct cu_span passphrase, struct cu_private_key *ret, struct cu_err *err)
{
    CU_BUF pem = cu_buf_heap(CU_CERT_PEM_MAX);
    cu_status read;

    if (access(path, F_OK) != 0) return make_key(path, passphrase, ret, err);
    read = read_argument_file(path, CU_CERT_PEM_MAX, &pem, err);
    if (read == CU_OK) read = cu_private_from_pem(cu_buf_span(&pem), passphrase, ret, err);
    if (pem.p) cu_wipe(pem.p, pem.n);
    return read == CU_OK ? CU_OK : cu_fail_while(err, read, "%s", path);
}

/* In a token: its owner made it there. */
static cu_status token_key(struct run *run, struct cu_private_key *ret, struct cu_err *err)
{
    const struct cu_tokens tokens = tokens_of(run);

    TRY(cu_key_open(&tokens, opt_span(run, "key"), CU_SPAN_EMPTY, ret, err));
    ENSURE(ret->pub.alg == CU_ALG_ES256, err, CU_BAD_KEY, "a member signs by ES256: name a key for P-256; no request was made");
    return CU_OK;
}

static cu_status read_keys(struct run *run, struct enrolling *e, struct cu_err *err)
{
    CU_BUF passphrase = cu_buf_heap(65536);
    const char *path = opt(run, "key");
    const bool token = cu_key_in_token(opt_span(run, "key"));
    cu_status read = token ? token_key(run, &e->key, err) : passphrase_read(run, NULL, &passphrase, err);

    if (read == CU_OK && !token) read = (is_afar(run) ? same_key : make_key)(path, cu_buf_span(&passphrase), &e->key, err);
    if (read == CU_WRONG_PASSPHRASE && passphrase.n == 0) {
        read = passphrase_read(run, "passphrase of the key", &passphrase, err);
        if (read == CU_OK) read = same_key(path, cu_buf_span(&passphrase), &e->key, err);
    }
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    if (read == CU_OK && opt(run, "certificate")) read = same_key(opt(run, "certificate"), CU_SPAN_EMPTY, &e->tls, err);
    return read;
}

/* ---- the request ---- */

/* For a certificate that names the key, which vouches for it. */
static cu_status ask_certificate(const cu_hash *network, struct enrolling *e, struct cu_enrol_tls *ret, struct cu_err *err)
{
    const struct cu_peer_claim claim = { *network, cu_peer_role_of(e->role), e->key.id };
    uint8_t message[CU_PEER_MESSAGE_MAX];

    ret->pub = cu_public_span(&e->tls.pub);
    TRY(cu_sign(&e->key, cu_span(message, cu_peer_message(&claim, &e->tls.pub, message)), ret->vouch, err));
    cu_peer_uri(&claim, ret->vouch, &e->uri);
    TRY(cu_buf_ok(&e->uri, err));
    const size_t n = cu_possession_message(network, CU_PURPOSE_TLS, &e->tls.pub, message);
    return cu_sign(&e->tls, cu_span(message, n), ret->proof, err);
}

static cu_status make_request(struct run *run, const cu_hash *network, struct enrolling *e, struct cu_err *err)
{
    struct cu_enrol_tls tls;

    TRY(read_keys(run, e, err));
    if (e->tls.ctx) TRY(ask_certificate(network, e, &tls, err));
    TRY(cu_enrol_request_make(network, e->role, cu_span_str(run->args[0]), &e->key, e->tls.ctx ? &tls : NULL, &e->request, err));
    return opt(run, "output") ? write_output_file(opt(run, "output"), cu_buf_span(&e->request), err) : CU_OK;
}

static cu_status network_of(struct run *run, cu_hash *ret, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(CU_TRUST_MAX);
    struct cu_trust *trust = malloc(sizeof *trust);
    cu_status read = trust ? CU_OK : cu_fail(err, CU_NO_MEMORY, "out of memory: no key was made");

    if (read == CU_OK)
        read = opt(run, "trust") ? read_argument_file(opt(run, "trust"), CU_TRUST_MAX, &text, err)
                                 : in_session(run, MODE_BARE, session_trust, &text, err);
    if (read == CU_OK) read = cu_trust_read(cu_buf_span(&text), trust, err);
    if (read == CU_OK) *ret = trust->network;
    free(trust);
    return read;
}

static cu_status into_a_file(struct run *run, struct enrolling *e, struct cu_err *err)
{
    struct cu_json j = cu_json_on(&run->out);
    cu_hash network;
    char hex[65];

    ENSURE(opt(run, "output"), err, CU_USAGE, "say where the private key and the request are to lie: --key FILE -o REQUEST");
    TRY(network_of(run, &network, err));
    TRY(make_request(run, &network, e, err));
    cu_hash_hex(&e->key.id, hex);
    if (run->json) {
        cu_json_open(&j, NULL, '{');
        cu_json_hash(&j, "kid", &e->key.id);
        cu_json_str(&j, "role", cu_role_name(e->role));
        cu_json_str(&j, "key", opt(run, "key"));
        cu_json_str(&j, "request", opt(run, "output"));
        cu_json_close(&j, '}');
    } else
        cu_buf_addf(&run->out,
                    "A key of your own %s %s: keep it, and give it to nobody\n"
                    "  fingerprint  %.16s\n"
                    "  request      %s, for `custody member approve`; read the fingerprint out to whoever approves it",
                    e->key.holder ? "is" : "lies in", opt(run, "key"), hex, opt(run, "output"));
    cu_buf_add_str(&run->out, "\n");
    return CU_OK;
}

/* ---- asked of the node ---- */

static cu_status ask_node(struct session *s, void *arg, struct cu_err *err)
{
    struct enrolling *e = arg;

    TRY(make_request(s->run, &s->place.trust.network, e, err));
    return cu_enrolment_ask(&s->place, cu_buf_span(&e->request), &e->answer, err);
}

/* As it came in JSON, where the ends of its lines became blanks. */
static void put_lines(struct cu_buf *io)
{
    for (size_t i = 5; i < io->n; i++)
        if (io->p[i] == ' ' && memcmp(io->p + i - 5, "BEGIN", 5) != 0 && memcmp(io->p + i - 3, "END", 3) != 0) io->p[i] = '\n';
}

/* Key and certificate in one file, as curl and --cert take them: in place of the key alone. */
static cu_status keep_certificate(struct session *s, void *arg, struct cu_err *err)
{
    CU_BUF pem = cu_buf_heap(CU_CERT_PEM_MAX), file = cu_buf_heap(2 * CU_CERT_PEM_MAX);
    struct enrolling *e = arg;
    struct cu_cert cert = { .uri = "" };

    (void)cu_fields_find(cu_buf_span(&e->answer), "certificate", &pem);
    put_lines(&pem);
    TRY(cu_cert_look(cu_buf_span(&pem), &cert, err));
    ENSURE(memcmp(cert.key.bytes, e->tls.pub.bytes, 64) == 0 && strcmp(cert.uri, (const char *)e->uri.p) == 0, err, CU_BAD_KEY,
           "the node sent a certificate for another key or member: it was not kept");
    cu_status kept = cu_private_to_pem(&e->tls, CU_SPAN_EMPTY, &file, err);
    cu_buf_add(&file, cu_buf_span(&pem));
    if (kept == CU_OK) kept = write_secret_file(opt(s->run, "certificate"), cu_buf_span(&file), err);
    if (file.p) cu_wipe(file.p, file.n);
    return kept;
}

/* Where the CA is elsewhere. */
static cu_status write_request_for_ca(struct run *run, struct enrolling *e, struct cu_err *err)
{
    CU_BUF pem = cu_buf_heap(CU_CERT_PEM_MAX);
    char common[65], path[4096];
    const struct cu_cert_ask ask = { .name = common, .uri = (const char *)e->uri.p };

    snprintf(common, sizeof common, "%.*s", (int)cu_text_whole(cu_span_str(run->args[0]), sizeof common - 1), run->args[0]);
    snprintf(path, sizeof path, "%s.csr", opt(run, "certificate"));
    TRY(cu_cert_request(&ask, &e->tls, &pem, err));
    TRY(write_output_file(path, cu_buf_span(&pem), err));
    say(run, "the node makes no certificates: %s is for the CA that it trusts; what that gives comes behind the key in %s\n",
        path, opt(run, "certificate"));
    return CU_OK;
}

/* What the node says is met by its log, where one may read it. */
static cu_status find_in_log(struct session *s, void *arg, struct cu_err *err)
{
    const struct enrolling *e = arg;
    const struct cu_member_key *key = cu_members_key(&s->place.members, &e->key.id);

    ENSURE(key, err, CU_BAD_PROOF, "the node says that the key is enrolled, and its log does not show it: do not rely on it");
    return CU_OK;
}

static void tell(struct run *run, struct enrolling *e, const char *state)
{
    struct cu_json j = cu_json_on(&run->out);
    const bool enrolled = strcmp(state, "enrolled") == 0;
    char hex[65];

    cu_hash_hex(&e->key.id, hex);
    if (run->json) {
        cu_json_open(&j, NULL, '{');
        cu_json_str(&j, "state", state);
        cu_json_hash(&j, "kid", &e->key.id);
        cu_json_str(&j, "role", cu_role_name(e->role));
        cu_json_str(&j, "key", opt(run, "key"));
        if (opt(run, "certificate")) cu_json_str(&j, "certificate", opt(run, "certificate"));
        cu_json_close(&j, '}');
    } else if (enrolled) {
        cu_buf_addf(&run->out, "enrolled as %s, key %.16s: --key %s signs", cu_role_name(e->role), hex, opt(run, "key"));
        if (opt(run, "certificate")) cu_buf_addf(&run->out, ", --cert %s says who asks", opt(run, "certificate"));
    } else
        cu_buf_addf(&run->out,
                    "asked: it waits until an administrator has approved it; run the same again then\n"
                    "  fingerprint  %.16s, to be read out to whoever approves it\n"
                    "  key          %s: keep it, and give it to nobody",
                    hex, opt(run, "key"));
    cu_buf_add_str(&run->out, "\n");
}

static cu_status take_enrolled(struct run *run, struct enrolling *e, struct cu_err *err)
{
    CU_BUF pem = cu_buf_heap(CU_CERT_PEM_MAX);
    const bool issued = e->tls.ctx && cu_fields_find(cu_buf_span(&e->answer), "certificate", &pem);

    if (issued) {
        TRY(in_session(run, MODE_BARE, keep_certificate, e, err));
        opt_set(run, "cert", opt(run, "certificate"));
    } else if (e->tls.ctx && strncmp(opt(run, "ledger"), "https:", 6) == 0) TRY(write_request_for_ca(run, e, err));
    const bool reads = e->role != CU_ROLE_OPERATOR && (opt(run, "cert") || strncmp(opt(run, "ledger"), "http:", 5) == 0);
    return reads ? in_session(run, MODE_READ, find_in_log, e, err) : CU_OK;
}

static cu_status at_the_node(struct run *run, struct enrolling *e, struct cu_err *err)
{
    CU_BUF state = cu_buf_heap(64), why = cu_buf_heap(8192);

    TRY(in_session(run, MODE_BARE, ask_node, e, err));
    (void)cu_fields_find(cu_buf_span(&e->answer), "state", &state);
    (void)cu_fields_find(cu_buf_span(&e->answer), "reason", &why);
    ENSURE(!cu_span_is(cu_buf_span(&state), "refused"), err, CU_NOT_ALLOWED,
           "an administrator has refused it: %.*s. Nothing is recorded; whoever asks anew does so with another key", (int)why.n,
           (const char *)why.p);
    const bool enrolled = cu_span_is(cu_buf_span(&state), "enrolled");
    ENSURE(enrolled || cu_span_is(cu_buf_span(&state), "waiting"), err, CU_IO,
           "the node does not say what became of the request: ask again later");
    if (enrolled) TRY(take_enrolled(run, e, err));
    else run->exit = cu_status_exit(CU_COPIES_MISSING); /* asked for, and not there yet */
    tell(run, e, enrolled ? "enrolled" : "waiting");
    return CU_OK;
}

static cu_status go_enrol(struct run *run, struct cu_err *err)
{
    CU_CLEANUP(enrolling_free)
    struct enrolling e = { .role = opt(run, "role") ? cu_role_by_name(opt_span(run, "role")) : CU_ROLE_DEPOSITOR,
                           .request = cu_buf_heap(CU_ENROL_REQUEST_MAX),
                           .answer = cu_buf_heap(ANSWER_MAX),
                           .uri = cu_buf_heap(CU_CERT_URI_MAX) };

    ENSURE(opt(run, "key"), err, CU_USAGE, "say where the private key is to lie: --key FILE");
    ENSURE(e.role && e.role != CU_ROLE_ORGANISATION, err, CU_USAGE,
           "--role: depositor, provider, node, auditor, reader, operator or administrator");
    return is_afar(run) && !opt(run, "trust") ? at_the_node(run, &e, err) : into_a_file(run, &e, err);
}

const struct command command_enrol = {
    .name = "enrol",
    .args = "NAME --key FILE [-o REQUEST]",
    .line = "make a key of your own, and ask to be enrolled",
    .help =
        "Makes a private key in FILE, which stays here, and a small request to be enrolled under NAME: with the public key, "
        "signed "
        "by it, which proves that you hold it. By a node's address (--ledger URL) the request goes there, and waits for an "
        "administrator; run the same again, and it says what became of it (exit 3: nothing yet) and, with --certificate, fetches "
        "the "
        "certificate that the node asks for over https, now and whenever it has to be renewed. Else it goes into a file, for "
        "`custody member approve REQUEST`; the ledger is named by --ledger or, far away from it, by its trust file. Once it is "
        "approved `--key FILE` signs in your name. With --key pkcs11:… it is a key that you made in a token before: it never "
        "leaves it.",
    .args_min = 1,
    .args_max = 1,
    .go = go_enrol,
    .options = { { "role", "ROLE", "depositor (if not given), provider, node, auditor, reader, operator or administrator" },
                 { "certificate", "FILE", "make a key for TLS in FILE, too, and put its certificate behind it: for --cert" },
                 { "trust", "FILE", "the trust file of the ledger: a request in a file, and nobody is asked" },
                 { "output", "REQUEST", "where the request is to lie (or -o)" } },
};
