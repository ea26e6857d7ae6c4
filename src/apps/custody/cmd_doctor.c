/* custody doctor: is everything in place for work? Of a ledger's folder, of a provider's, of one behind an address; with a server's own settings, of all that they name. */
#include "apps/custody/serve.h"

#include <stdarg.h>
#include <sys/statvfs.h>

#define SKEW_MAX_MS 60000 /* a new certificate is valid from a minute before it was made: clocks differ */
#define DAYS_SHORT 14
#define DAY_MS 86400000
/* of a claim that nobody made: for members, and not there */
#define PROVIDER_PATH "v1/claims/0000000000000000000000000000000000000000000000000000000000000000"

static void limits(struct run *run)
{
    static const struct {
        const char *name;
        uint64_t value;
        const char *unit, *what;
    } rows[] = {
#define ROW(name_, value_, unit_, what_) { #name_, (uint64_t)(value_), unit_, what_ },
        CU_LIMIT_TABLE(ROW) CU_BUDGET_TABLE(ROW)
#undef ROW
    };
    struct cu_json j = cu_json_on(&run->out);

    if (run->json) cu_json_open(&j, NULL, '{');
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (run->json) cu_json_uint(&j, rows[i].name, rows[i].value);
        else
            cu_buf_addf(&run->out, "%-22s %12llu %-8s %s\n", rows[i].name, (unsigned long long)rows[i].value, rows[i].unit,
                        rows[i].what);
    }
    if (run->json) cu_json_close(&j, '}'), cu_buf_add_str(&run->out, "\n");
}

struct doctor {
    struct run *run;
    struct cu_json j;
    bool bad;
};

static void item(struct doctor *d, bool good, const char *name, const char *fmt, ...) CU_PRINTF(4, 5);
static void item(struct doctor *d, bool good, const char *name, const char *fmt, ...)
{
    char text[600];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (!good) d->bad = true;
    if (d->run->json) {
        cu_json_open(&d->j, NULL, '{');
        cu_json_str(&d->j, "item", name);
        cu_json_bool(&d->j, "ok", good);
        cu_json_str(&d->j, "text", text);
        cu_json_close(&d->j, '}');
    } else cu_buf_addf(&d->run->out, "%-4s %-12s %s\n", good ? "ok" : "BAD", name, text);
}

/* ---- certificates ---- */

struct certificates {
    struct doctor *d;
    struct session *s;
    struct cu_cert_trust *trust; /* the CAs of our clients, with what they revoked; NULL: not known */
    struct cu_membership members;
    bool has_members;
};

static void tell_certificate(const struct certificates *c, const char *what, bool server, struct cu_span pem)
{
    struct cu_verifier plain = cu_verifier_plain();
    const cu_unix_ms now = cu_posix_clock().now(cu_posix_clock().self);
    struct cu_peer peer = { .party = 0 };
    struct cu_err why = { 0 };
    struct cu_cert cert;
    const bool ca = strcmp(what, CU_DIR_TLS "/ca.pem") == 0;
    cu_status good = cu_cert_check(ca ? NULL : c->trust, pem, server, now, &cert, &why);

    if (good == CU_OK && !server && !ca && c->has_members) good = cu_peer_of(&c->members.members, &cert, &plain, &peer, &why);
    if (good != CU_OK) return item(c->d, false, "certificate", "%s: %s; make another (`custody ca issue`)", what, why.text);
    const unsigned long long days = (cert.until_ms - (uint64_t)now.v) / DAY_MS;
    if (days < DAYS_SHORT)
        item(c->d, false, "certificate", "%s: it expires in %llu days: make another (`custody ca issue`)", what, days);
    else if (peer.party)
        item(c->d, true, "certificate", "%s: good for %llu days, of party %llu (%s)", what, days, LLU(peer.party),
             cu_peer_role_name(peer.role));
    else item(c->d, true, "certificate", "%s: good for %llu days", what, days);
}

static cu_status tell_one_of_folder(void *arg, const char *name, enum cu_file_kind kind, struct cu_err *err)
{
    const struct certificates *c = arg;
    CU_BUF pem = cu_buf_heap(CU_CERT_PEM_MAX);
    char path[300];
    const size_t n = strlen(name);

    snprintf(path, sizeof path, CU_DIR_TLS "/%s", name);
    if (kind != CU_FILE_REGULAR || n < 5 || strcmp(name + n - 4, ".pem") != 0 || strcmp(name, "revoked.pem") == 0) return CU_OK;
    TRY(cu_fs_read(&c->s->place.fs, path, pem.max, &pem, err));
    tell_certificate(c, path, strncmp(name, "server", 6) == 0, cu_buf_span(&pem));
    cu_wipe(pem.p, pem.n);
    return CU_OK;
}

static void tell_file(const struct certificates *c, const char *option, bool server)
{
    CU_BUF pem = cu_buf_heap(CU_CERT_PEM_MAX);
    const char *path = opt(c->d->run, option);
    struct cu_err why = { 0 };

    if (!path) return;
    if (read_argument_file(path, pem.max, &pem, &why) == CU_OK) tell_certificate(c, path, server, cu_buf_span(&pem));
    else item(c->d, false, "certificate", "%s", why.text);
    if (pem.p) cu_wipe(pem.p, pem.n);
}

static void open_trust(struct certificates *c)
{
    CU_BUF ca = cu_buf_heap(0), revoked = cu_buf_heap(0);
    struct cu_err why = { 0 };

    const cu_status found = serving_file(c->s, "tls-ca", CU_DIR_TLS "/ca.pem", &ca, &why);
    if (found == CU_NOT_FOUND && !opt_is(c->d->run, "tls-ca")) return;
    cu_status read = found;
    if (read == CU_OK) read = serving_file(c->s, "tls-revoked", CU_DIR_TLS "/revoked.pem", &revoked, &why);
    if (read == CU_NOT_FOUND && !opt_is(c->d->run, "tls-revoked")) read = CU_OK;
    if (read == CU_OK) read = cu_cert_trust_open(cu_buf_span(&ca), cu_buf_span(&revoked), &c->trust, &why);
    if (read != CU_OK) item(c->d, false, "certificate", "CAs, and what they revoked: %s", why.text);
}

static void examine_certificates(struct doctor *d, struct session *s)
{
    struct certificates c = { .d = d, .s = s };

    open_trust(&c);
    c.has_members = !s->url && cu_membership_read(&s->place, &c.members, NULL) == CU_OK;
    if (s->place.fs.ops->list(s->place.fs.self, CU_DIR_TLS, tell_one_of_folder, &c, NULL) != CU_OK) /* there is none */
        if (opt_is(d->run, "tls") && !opt_is(d->run, "tls-cert"))
            item(d, false, "certificate", "--tls, and there is no " CU_DIR_TLS "/: `custody ca init` makes it");
    tell_file(&c, "tls-cert", true);
    tell_file(&c, "cert", false);
    cu_membership_free(&c.members);
    cu_cert_trust_free(c.trust);
}

/* ---- others ---- */

static void tell_clock(struct doctor *d, const char *whose, cu_unix_ms theirs, cu_unix_ms ours)
{
    const int64_t skew = (int64_t)ours.v - (int64_t)theirs.v, s = (skew < 0 ? -skew : skew) / 1000;

    if (skew < SKEW_MAX_MS && skew > -SKEW_MAX_MS) item(d, true, "clock", "as %s's, to %lld s", whose, (long long)s + 1);
    else
        item(d, false, "clock",
             "this machine's is %lld h %02lld min %02lld s %s of %s's: let both follow a time server (`timedatectl`). What is "
             "signed here says a wrong time",
             (long long)s / 3600, (long long)s / 60 % 60, (long long)s % 60, skew > 0 ? "ahead" : "behind", whose);
}

/* `path` is for members where TLS is spoken: so our certificate is judged as well. */
static void reach(struct doctor *d, const char *url, const char *path)
{
    const struct cu_remote_address at = { url, opt(d->run, "cacert"), opt(d->run, "cert"), NULL };
    const struct cu_clock clock = cu_posix_clock();
    const struct cu_remote_kind *part;
    struct cu_err why = { 0 };
    struct cu_probe p;

    const cu_unix_ms before = clock.now(clock.self);
    cu_status asked = afar_part(&part, &why);
    if (asked == CU_OK) asked = part->probe(&at, path, &p, &why);
    if (asked != CU_OK) return item(d, false, "reach", "%s", why.text);
    if (p.http / 100 == 2 || (p.http == 404 && strcmp(path, PROVIDER_PATH) == 0)) item(d, true, "reach", "%s answers", url);
    else
        item(d, false, "reach", "%s: %s", url,
             p.why[0] ? p.why
             : p.http ? "what answers there is no server of ours"
                      : "nobody answers");
    if (p.date.v) tell_clock(d, url, p.date, (cu_unix_ms){ (before.v + clock.now(clock.self).v) / 2 / 1000 * 1000 });
}

static void reach_each(struct doctor *d, const char *urls, const char *path)
{
    for (const char *at = urls ? urls : ""; *at;) {
        const size_t n = strcspn(at, ", \n");
        char url[1024];
        snprintf(url, sizeof url, "%.*s", (int)n, at);
        if (n) reach(d, url, path);
        at += n + (at[n] != 0);
    }
}

static void examine_others(struct doctor *d, struct session *s)
{
    CU_BUF far = cu_buf_heap(4096), peers = cu_buf_heap(65536);
    uint64_t party[CU_PARTIES_MAX];

    if (opt_is(d->run, "provider")) reach_each(d, opt(d->run, "provider"), "readyz");
    else if (cu_fs_read(&s->place.fs, CU_FILE_CLOUD_FAR, 4095, &far, NULL) == CU_OK) {
        cu_buf_add_byte(&far, 0);
        reach_each(d, (const char *)far.p, "readyz");
    }
    reach_each(d, opt(d->run, "peer"), "v1/status");
    if (s->networked && share_peers(s, opt_is(d->run, "tls"), &peers, party, NULL) == CU_OK)
        reach_each(d, (const char *)peers.p, "v1/status");
}

/* ---- this machine ---- */

static void examine_disk(struct doctor *d, struct session *s)
{
    struct cu_err why = { 0 };
    struct statvfs vfs;
    double gb = 0;

    if (statvfs(s->root, &vfs) == 0) gb = (double)vfs.f_bavail * (double)vfs.f_frsize / 1e9;
    if (serving_room(s, 0, &why) != CU_OK) item(d, false, "space", "%.1f GB free: %s", gb, why.text);
    else item(d, gb > 1.07, "space", "%.1f GB free%s", gb, gb > 1.07 ? "" : ": make room before more is deposited");
    if (s->bucket.ops) {
        char health[600];
        const bool well = bucket_health(s, health);
        item(d, well, "bucket", "%s", health);
    }
}

static void examine_key(struct doctor *d, struct session *s, enum cu_signer who)
{
    struct cu_err why = { 0 };
    const cu_status loaded = session_load_signer(s, who, &why);

    item(d, loaded == CU_OK && s->place.has_key[who], "key", "%s: %s", cu_signer_names[who],
         s->place.has_key[who] ? "opens"
         : why.text[0]         ? why.text
                               : "not here");
}

static void examine_log(struct doctor *d, struct session *s)
{
    bool dirty = false, pending = false, mended = false;
    struct cu_tip tip;
    struct cu_err why = { 0 };
    char clock[300];
    cu_hash hash;

    const cu_status refreshed = cu_place_refresh(&s->place, &why);
    item(d, refreshed == CU_OK, "log", "%s", refreshed == CU_OK ? "its checkpoint is signed by the pinned key" : why.text);
    const cu_status state = cu_ledger_state_check(&s->place.fs, CU_DIR_NODE_STATE, &tip, &hash, &why);
    item(d, state == CU_OK, "state", "%s", state == CU_OK ? "whole" : why.text);
    cu_clock_judge(&s->place, clock);
    item(d, !clock[0], "clock", "%s", clock[0] ? clock : "not behind the newest block");
    item(d, !s->index_where[0], "index", "%s%s", s->index_where[0] ? s->index_what : "as it was closed",
         s->index_where[0] ? ": `custody reindex` makes it anew" : "");
    if (s->place.care.dirty(s->place.care.self, &dirty, &why) == CU_OK)
        item(d, true, "journal", "%s",
             dirty ? "an interrupted run left records: the next writing verb brings them into the log" : "drained");
    else item(d, false, "journal", "%s", why.text);
    if (cu_repair_pending(&s->place, &pending, &mended, NULL) == CU_OK && pending)
        item(d, false, "repair", "an interrupted repair waits to be finished: `custody check --repair`");
}

static cu_status examine(struct session *s, void *arg, struct cu_err *err)
{
    struct doctor *d = arg;
    struct cu_err why = { 0 };
    uint8_t text[CU_WORDS_TEXT];
    struct cu_buf words = cu_buf_over(text, sizeof text);
    void *lock = NULL;

    (void)err;
    cu_words_put(&words, &s->place.trust.network);
    item(d, true, "network", "%.*s", (int)words.n, (const char *)words.p);
    item(d, s->place.fs.ops->writable(s->place.fs.self), "writable", "%s", s->root);
    if (s->url) { /* a provider's */
        examine_key(d, s, CU_SIGNER_PROVIDER);
        reach_each(d, s->url, "v1/status");
    } else {
        const cu_status locked = s->place.fs.ops->lock(s->place.fs.self, CU_FILE_LOCK, 0, &lock, &why);
        item(d, true, "writer", "%s", locked == CU_OK ? "nobody is writing" : why.text);
        if (locked == CU_OK) s->place.fs.ops->unlock(s->place.fs.self, lock);
        for (enum cu_signer who = 0; who < CU_SIGNERS; who++) examine_key(d, s, who);
        examine_log(d, s);
        examine_others(d, s);
    }
    examine_certificates(d, s);
    item(d, true, "signatures", "checked by %s", cu_verifier_in_use(s->place.accelerate));
    examine_disk(d, s);
    return CU_OK;
}

/* Of a ledger behind an address, for whoever asks it: nothing is pinned for that, and nothing kept. */
static void examine_afar(struct doctor *d)
{
    struct certificates c = { .d = d };

    reach_each(d, opt(d->run, "ledger"), "v1/status");
    reach_each(d, opt(d->run, "provider"), opt_is(d->run, "cert") ? PROVIDER_PATH : "readyz");
    tell_file(&c, "cert", false);
}

static cu_status go_doctor(struct run *run, struct cu_err *err)
{
    struct doctor d = { .run = run, .j = cu_json_on(&run->out) };

    if (opt_is(run, "limits")) return limits(run), CU_OK;
    run->folder = opt(run, "dir");
    ENSURE(!run->folder || is_afar(run), err, CU_USAGE,
           "--dir is a provider's folder, and --ledger then the address of the ledger's node");
    if (run->json) cu_json_open(&d.j, NULL, '[');
    if (is_afar(run) && !run->folder) examine_afar(&d);
    else TRY(in_session(run, run->folder ? MODE_BARE : MODE_CHECK, examine, &d, err));
    if (run->json) cu_json_close(&d.j, ']'), cu_buf_add_str(&run->out, "\n");
    run->exit = d.bad;
    return CU_OK;
}

const struct command command_doctor = {
    .name = "doctor",
    .args = "",
    .line = "is everything in place for work?",
    .help =
        "Says what is wrong, and what to do about it. Of a ledger's folder: whether it can be written to, its keys open, log, "
        "state, index and journal are in "
        "order, the certificates in tls/ are valid, lead to their CA and are bound to members, how much space is left, what a "
        "bucket lacks. Of a ledger "
        "behind an address: whether it answers, how far the clocks are apart, whether the certificate to ask with is good there. "
        "Of a provider, by --dir and the "
        "node's address: all of it. With --config and a server's own file of settings it looks at what that server would use, "
        "and asks the others that it names: "
        "the provider, its peers, the other organisations of a network. Exit 1 when something is bad. --limits lists the bounds.",
    .args_max = 0,
    .go = go_doctor,
    .examines = "node provider",
    .options = { { "limits", NULL, "list every bound of formats and ledger" },
                 { "dir", "DIR", "a provider's folder" },
                 { "provider", "URLS", "whom to ask, too: providers" },
                 { "peer", "URLS", "and other organisations' nodes" },
                 { "tls", NULL, "a server with TLS" },
                 { "tls-cert", "FILE", "its certificate (tls/server.pem)" },
                 { "tls-ca", "FILE", "CAs of the clients' certificates (tls/ca.pem)" },
                 { "tls-revoked", "FILE", "what they revoked (tls/revoked.pem, if it is there)" },
                 { "keep-free", "PERCENT", "of the disk (by default 5)" } },
};
