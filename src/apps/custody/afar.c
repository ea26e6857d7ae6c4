/* A ledger behind an address: this reader's own folder for it holds what is pinned, what was seen, and the search index, and
 * what the node serves stands in it as if it lay there. */
#include "apps/custody/app.h"

#include <ctype.h>

#define PART "custody-client.so"

bool is_afar(const struct run *run)
{
    const char *named = opt(run, "ledger");

    return named && strstr(named, "://");
}

/* Behind what stands in `root` already: 127.0.0.1-8714 */
static void put_name(struct session *s, size_t at, const char *url, size_t n)
{
    const char *from = strncmp(url, "http://", 7) == 0 ? url + 7 : url;

    n -= (size_t)(from - url);
    while (n && from[n - 1] == '/') n--;
    for (size_t i = 0; i < n; i++)
        s->root[at++] = (char)(isalnum((unsigned char)from[i]) || from[i] == '.' ? tolower((unsigned char)from[i]) : '-');
    s->root[at] = 0;
}

/* Of several nodes of one ledger it is the folder of the first that has one, in whatever order they are named: what was seen, and what is on its
 * way, is of the ledger. None has: the first one's. */
static cu_status name_root(struct session *s, size_t at, struct cu_err *err)
{
    const char *url = s->url;

    ENSURE(at + strlen(url) < sizeof s->root, err, CU_USAGE, "the path of --state is too long");
    for (size_t n; *url; url += n + (url[n] == ',')) {
        n = strcspn(url, ",");
        ENSURE((n > 7 && strncmp(url, "http://", 7) == 0) || (n > 8 && strncmp(url, "https://", 8) == 0), err, CU_USAGE,
               "%.*s: a ledger is a folder, or a node at http://HOST:PORT or https://… (several nodes of it: with a comma "
               "between two)",
               n ? (int)n : 9, n ? url : "(nothing)");
        put_name(s, at, url, n);
        if (is_ledger(s->root)) return CU_OK;
    }
    put_name(s, at, s->url, strcspn(s->url, ","));
    return CU_OK;
}

/* $XDG_STATE_HOME/custody/127.0.0.1-8714 */
cu_status afar_root(struct session *s, struct cu_err *err)
{
    const char *home = getenv("HOME"), *xdg = getenv("XDG_STATE_HOME"), *named = opt(s->run, "state");
    int at = 0;

    s->url = opt(s->run, "ledger");
    ENSURE(named || s->run->folder || (xdg && *xdg == '/') || (home && *home), err, CU_USAGE,
           "say where this reader keeps what it knows: --state DIR");
    if (s->run->folder) { /* its own, and of this ledger alone */
        ENSURE(strlen(s->run->folder) < sizeof s->root, err, CU_USAGE, "the path is too long");
        snprintf(s->root, sizeof s->root, "%s", s->run->folder);
        return CU_OK;
    }
    if (named) at = snprintf(s->root, sizeof s->root, "%s/", named);
    else if (xdg && *xdg == '/') at = snprintf(s->root, sizeof s->root, "%s/custody/", xdg);
    else at = snprintf(s->root, sizeof s->root, "%s/.local/state/custody/", home);
    TRY(name_root(s, (size_t)at, err));
    return cu_posix_make_root(s->root, err);
}

cu_status afar_part(const struct cu_remote_kind **ret, struct cu_err *err)
{
    const char *why;
    const struct cu_remote_kind *part = part_load(PART, "cu_client_kind", &why);

    ENSURE(part, err, CU_NOT_FOUND,
           "whoever is behind an address is spoken to by " PART
           "; it could not be loaded (%s): it belongs beside this program, and needs the package libcurl4. Nothing was touched",
           why);
    *ret = part;
    return CU_OK;
}

static void tell_passed(void *arg, const char *who, const char *why, const char *next)
{
    say(arg, "%s %s: asking %s\n", who, why, next);
}

/* `turn` NULL: nobody else asks by that list. */
static struct cu_remote_address address_of(struct run *run, const char *url, struct cu_turns *turn)
{
    return (struct cu_remote_address){
        .url = url, .ca = opt(run, "cacert"), .cert = opt(run, "cert"), .turn = turn, .passed = tell_passed, .arg = run
    };
}

/* Nothing of them stands in a folder here. */
static void let_be(void *self) { (void)self; }

cu_status afar_remote(struct run *run, const char *url, struct cu_remote *ret, struct cu_err *err)
{
    static const struct cu_fs_ops none = { .close = let_be };
    const struct cu_remote_address at = address_of(run, url, NULL);
    const struct cu_remote_kind *kind;
    const struct cu_fs under = { NULL, &none };
    struct cu_fs mounted;

    TRY(afar_part(&kind, err));
    TRY(kind->open(&at, &under, ret, &mounted, err));
    mounted.ops->close(mounted.self);
    return CU_OK;
}

static cu_status open_outside(void *session, struct cu_span url, struct cu_remote *ret, struct cu_err *err)
{
    const struct session *s = session;
    char address[4096];

    snprintf(address, sizeof address, "%.*s", (int)url.n, (const char *)url.p);
    return afar_remote(s->run, address, ret, err);
}

struct cu_outside outside_by(struct session *s) { return (struct cu_outside){ s, open_outside }; }

/* The trust file is pinned at the first time; afterwards another ledger behind the address is noticed. */
cu_status afar_pin(struct session *s, struct cu_err *err)
{
    const struct cu_fs *fs = &s->place.fs;
    CU_BUF given = cu_buf_heap(CU_TRUST_MAX), pinned = cu_buf_heap(CU_TRUST_MAX);
    struct cu_trust trust, before;
    const char *file = opt(s->run, "pin-trust");
    const cu_status had = cu_fs_read(fs, CU_FILE_TRUST, CU_TRUST_MAX, &pinned, err);

    if (had != CU_NOT_FOUND) TRY(had);
    ENSURE(file || had == CU_OK, err, CU_UNTRUSTED,
           "nothing is pinned for %s, so nothing that it says can be believed: give --pin-trust FILE once, the trust file that "
           "you have from "
           "the ledger's keeper",
           s->url);
    if (!file) return CU_OK;
    TRY(read_argument_file(file, CU_TRUST_MAX, &given, err));
    const cu_status good = cu_trust_read(cu_buf_span(&given), &trust, err);
    if (good != CU_OK) return cu_fail_while(err, good, "%s", file);
    if (had == CU_OK && cu_trust_read(cu_buf_span(&pinned), &before, NULL) == CU_OK)
        ENSURE(cu_hash_eq(&before.network, &trust.network), err, CU_UNTRUSTED,
               "%s was another ledger until now: its trust file lies in %s. If that is meant, name another folder with --state",
               s->url, s->root);
    TRY(cu_fs_replace(fs, CU_FILE_TRUST, CU_FILE_TRUST ".new", cu_buf_span(&given), true, err));
    return cu_fs_replace(fs, CU_FILE_FORMAT, CU_FILE_FORMAT ".new", cu_span_str(CU_FORMAT_LINE), true, err);
}

cu_status afar_mount(struct session *s, struct cu_err *err)
{
    const struct cu_remote_address at = address_of(s->run, s->url, &s->turn);
    const struct cu_remote_kind *kind;
    struct cu_fs mounted;

    TRY(afar_pin(s, err));
    TRY(s->place.fs.ops->make_dir(s->place.fs.self, "node", err));
    TRY(afar_part(&kind, err));
    TRY(kind->open(&at, &s->place.fs, &s->place.remote, &mounted, err));
    s->place.fs = mounted;
    return CU_OK;
}

void say_clock(struct session *s)
{
    char text[300];

    cu_clock_judge(&s->place, text);
    if (text[0]) say(s->run, "%s\n", text);
}

cu_status afar_open(struct session *s, struct cu_err *err)
{
    struct cu_err why = { 0 };
    const bool blind = cu_fs_exists(&s->place.fs, CU_FILE_BLIND);

    const cu_status followed = cu_follow_afar(&s->place, &why);
    if (followed == CU_IO && s->run->command->offline) {
        say(s->run, "%s cannot be reached: this is as of what was seen of it before\n", s->url);
        return CU_OK;
    }
    if (followed != CU_OK) return cu_fail(err, followed, "%s", why.text);
    say_clock(s);
    if (!s->place.opened || !blind) return CU_OK;
    TRY(session_renew_index(s, err)); /* something was opened, of what stands there without names */
    return cu_follow_afar(&s->place, err);
}

cu_status afar_carriers(struct session *s, bool to_node, struct cu_err *err)
{
    struct cu_remote_address at = address_of(s->run, s->url, &s->turn);
    const struct cu_remote *node = &s->place.remote;
    const struct cu_remote_kind *kind;
    CU_BUF named = cu_buf_heap(1024);

    TRY(afar_part(&kind, err));
    TRY(kind->carry(&at, &s->place.node, err));
    if (to_node) return kind->carry(&at, &s->place.provider, err);
    if (opt(s->run, "provider")) cu_buf_add(&named, opt_span(s->run, "provider"));
    else TRY(node->ops->provider(node->self, &named, err));
    if (named.n == 0) return CU_OK; /* what is accepted already needs none */
    cu_buf_add_byte(&named, 0);
    TRY(cu_buf_ok(&named, err));
    at.url = (const char *)named.p;
    at.turn = NULL;
    return kind->carry(&at, &s->place.provider, err);
}
