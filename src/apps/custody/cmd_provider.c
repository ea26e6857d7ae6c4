/* custody provider: the cloud of a ledger that lies elsewhere */
#include "apps/custody/serve.h"
#include "custody/may.h"
#include "http/provider.h"
#include "service/found.h"

#define USUAL "127.0.0.1:8715"
#define REQUEST "enrol.request"
#define ABANDONED_S 604800

/* ---- a new one ---- */

static cu_status make_key(struct session *s, struct cu_private_key *ret, struct cu_err *err)
{
    CU_BUF passphrase = cu_buf_heap(65536);
    const struct cu_span own = opt_span(s->run, "key");
    static const char path[] = CU_DIR_KEYS "/provider.pem";

    ENSURE(!cu_fs_exists(&s->place.fs, path), err, CU_NOT_ALLOWED, "%s/%s is there already: nothing was made", s->root, path);
    if (cu_key_in_token(own)) s->place.new_key[CU_SIGNER_PROVIDER] = own;
    TRY(passphrase_read(s->run, NULL, &passphrase, err));
    const cu_status made = cu_found_key(&s->place, "provider", CU_ALG_ES256, cu_buf_span(&passphrase), ret, err);
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    return made;
}

static cu_status make_request(struct session *s, struct cu_private_key *key, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(CU_TRUST_MAX), request = cu_buf_heap(CU_ENROL_REQUEST_MAX);
    struct cu_trust trust;

    TRY(cu_fs_read(&s->place.fs, CU_FILE_TRUST, CU_TRUST_MAX, &text, err));
    TRY(cu_trust_read(cu_buf_span(&text), &trust, err));
    TRY(cu_enrol_request_make(&trust.network, CU_ROLE_PROVIDER, opt_span(s->run, "name"), key, NULL, &request, err));
    return cu_fs_replace(&s->place.fs, REQUEST, REQUEST ".new", cu_buf_span(&request), true, err);
}

static cu_status begin(struct session *s, struct cu_private_key *key, struct cu_err *err)
{
    const struct cu_span cloud = opt_span(s->run, "cloud");

    s->url = opt(s->run, "ledger") ? opt(s->run, "ledger") : "the ledger";
    TRY(afar_pin(s, err));
    if (cloud.n) TRY(bucket_mount(s, cloud, err));
    if (cloud.n) TRY(bucket_begin(s, err));
    if (cloud.n) TRY(bucket_keep(s, cloud, err));
    TRY(make_key(s, key, err));
    return make_request(s, key, err);
}

static cu_status go_init(struct run *run, struct cu_err *err)
{
    CU_CLEANUP(cu_private_free) struct cu_private_key key = { 0 };
    struct cu_json j = cu_json_on(&run->out);
    const char *dir = run->args[0];
    struct session s;
    char hex[65];

    ENSURE(
        opt(run, "name") && opt(run, "pin-trust"), err, CU_USAGE,
        "say what the provider is called, and whose it is: --name NAME --pin-trust FILE, the trust file that you have from the "
        "ledger's keeper");
    cu_status made = session_begin(&s, run, dir, err);
    if (made == CU_OK) made = begin(&s, &key, err);
    const cu_status closed = session_close(&s, made == CU_OK ? err : NULL);
    TRY(made);
    TRY(closed);
    cu_hash_hex(&key.id, hex);
    if (run->json) {
        cu_json_open(&j, NULL, '{');
        cu_json_str(&j, "provider", dir);
        cu_json_hash(&j, "kid", &key.id);
        cu_json_str(&j, "request", REQUEST);
        cu_json_close(&j, '}');
    } else
        cu_buf_addf(&run->out,
                    "A provider's folder lies in %s\n\n"
                    "  its key      %s/" CU_DIR_KEYS "/provider.pem%s\n"
                    "  fingerprint  %.16s\n"
                    "  request      %s/" REQUEST
                    ", for `custody member approve`; read the fingerprint out to whoever approves it\n\n"
                    "Next, when it is approved:  custody provider --dir %s --ledger URL",
                    dir, dir, key.holder ? " names it: it stays in its token" : ": it stays here", hex, dir, dir);
    cu_buf_add_str(&run->out, "\n");
    return CU_OK;
}

/* ---- serving ---- */

static cu_status reload(void *provider, const struct cu_http_tls *tls, struct cu_err *err)
{
    return cu_http_provider_reload(provider, tls, err);
}

/* The newest of the log before the first claim comes; while the ledger is away what was promised before goes on. */
static cu_status follow_first(struct session *s, struct cu_err *err)
{
    struct cu_err why = { 0 };
    const cu_status opened = afar_open(s, &why);

    if (opened == CU_IO) say(s->run, "%s\nUntil then no claim is taken; what was begun goes on\n", why.text);
    if (opened == CU_IO) return CU_OK;
    if (opened != CU_OK) return cu_fail(err, opened, "%s", why.text);
    const struct cu_member_key *key = cu_members_key(&s->place.members, &s->place.key[CU_SIGNER_PROVIDER].id);
    ENSURE(key, err, CU_UNKNOWN_KEY,
           "the provider's key is not enrolled in the ledger yet: nothing that it signs would be recorded. An administrator "
           "enters it by "
           "`custody member approve %s/" REQUEST "`",
           s->root);
    const struct cu_member_party *party = cu_members_party(&s->place.members, key->party);
    ENSURE(
        party && party->role == CU_ROLE_PROVIDER, err, CU_WRONG_ROLE,
        "the key is that of party %llu, a %s: nothing that it accepts would be recorded. Only a provider's key serves (`custody "
        "provider init DIR`)",
        LLU(key->party), party ? cu_role_name(party->role) : "stranger");
    return CU_OK;
}

static cu_status run_provider(struct session *s, struct serving *v, uint64_t size_max, uint64_t abandoned_s, struct cu_err *err)
{
    const struct cu_http_provider_config config = { .place = &s->place,
                                                    .address = v->address,
                                                    .port = v->port,
                                                    .names = opt(s->run, "name"),
                                                    .members_only = opt_is(s->run, "members-only"),
                                                    .tls = v->tls,
                                                    .workers = v->workers,
                                                    .rate = v->rate,
                                                    .url = s->url,
                                                    .size_max = size_max,
                                                    .abandoned_ms = abandoned_s * 1000,
                                                    .room = serving_room,
                                                    .log = serving_log,
                                                    .arg = s };
    struct cu_http_provider *provider;

    TRY(cu_http_provider_start(&config, &provider, err));
    const cu_status ran = serving_run(v, cu_http_provider_port(provider), reload, provider, NULL, err);
    cu_http_provider_stop(provider);
    return ran;
}

static cu_status serve(struct session *s, void *arg, struct cu_err *err)
{
    CU_CLEANUP(serving_free) struct serving v = { .s = s };
    uint64_t size_max = 0, abandoned_s = ABANDONED_S;
    void *lock;

    (void)arg;
    if (opt(s->run, "size-max")) TRY(number_read("--size-max", opt(s->run, "size-max"), INT64_MAX, &size_max, err));
    if (opt(s->run, "abandoned-after"))
        TRY(number_read("--abandoned-after", opt(s->run, "abandoned-after"), 1 << 30, &abandoned_s, err));
    TRY(serving_begin(s, USUAL, &v, err));
    TRY(session_load_signer(s, CU_SIGNER_PROVIDER, err));
    TRY(cu_need_key(&s->place, CU_SIGNER_PROVIDER, err));
    s->place.nameless = true;
    TRY(follow_first(s, err));
    const struct cu_fs *fs = &s->place.fs;
    TRY(fs->ops->lock(fs->self, CU_DIR_SPOOL "/lock", 0, &lock, err));
    const cu_status served = run_provider(s, &v, size_max, abandoned_s, err);
    fs->ops->unlock(fs->self, lock);
    return served;
}

static cu_status go_provider(struct run *run, struct cu_err *err)
{
    if (opt_is(run, "openapi")) return cu_http_provider_openapi(&run->out, err);
    run->folder = opt(run, "dir");
    run->serves = true;
    ENSURE(run->folder && is_afar(run), err, CU_USAGE,
           "say where the provider's folder is and where the ledger's node: --dir DIR --ledger URL (`custody provider init DIR` "
           "makes one)");
    return in_session(run, MODE_BARE, serve, NULL, err);
}

const struct command command_provider_init = {
    .name = "provider init",
    .args = "DIR --name NAME --pin-trust FILE",
    .line = "make a provider's folder, with its key and a request to be enrolled",
    .help =
        "Makes in DIR what a provider of a ledger needs that lies elsewhere: the ledger's trust file, a private key, which never "
        "leaves, and "
        "a small file that asks to be enrolled under NAME. An administrator of the ledger enters it by `custody member approve`. "
        "Nobody is asked over the network. With a passphrase (--passphrase-file or CUSTODY_PASSPHRASE) the key is encrypted with "
        "it. With --cloud the objects lie in an S3 bucket, as `custody help init` says.",
    .args_min = 1,
    .args_max = 1,
    .go = go_init,
    .options = { { "name", "NAME", "what the provider is called in the ledger" },
                 { "cloud", "ADDRESS", "a bucket for the objects: s3://BUCKET/PREFIX?endpoint=URL&region=NAME&retain=DAYS" } },
};
const struct command command_provider = {
    .name = "provider",
    .args = "--dir DIR --ledger URL",
    .line = "take what is deposited, store it, sign for it",
    .help =
        "Serves depositors of the ledger whose node is at URL: they bring claims, and the bytes of each by the tus protocol, as "
        "often "
        "interrupted as need be. What arrives is judged by the claim as it comes, stored, read again from the store, and only "
        "then "
        "accepted by the provider's signature; what it does not want is refused by it. Either is handed to the node until it is "
        "recorded, whatever becomes of the depositor. Members of the ledger fetch stored content by its root. One line of JSON a "
        "request "
        "goes to stderr. Over plain HTTP it listens on the loopback alone; with --tls whoever asks shows a certificate that "
        "names an enrolled "
        "key. Ends on SIGTERM or Ctrl-C.",
    .args_max = 0,
    .go = go_provider,
    .options = { { "dir", "DIR", "the provider's folder, from `custody provider init`" },
                 { "size-max", "BYTES", "larger content is refused (by default any size is taken)" },
                 { "abandoned-after", "SECONDS",
                   "a claim whose bytes do not come for so long is refused (by default 604,800, a week; 0: never)" },
                 SERVING_OPTIONS(USUAL),
                 { "openapi", NULL, "print the interface as OpenAPI 3.1 and end" } },
};
