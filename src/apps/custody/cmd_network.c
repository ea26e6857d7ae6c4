/* custody network: several organisations begin a ledger together, all of them on one machine or each on its own; and how their nodes stand */
#include "apps/custody/app.h"
#include "codec/fields.h"

#include <unistd.h>

#define LOCAL_PORT 26700
#define LOCAL_HTTP 8720
#define FOUNDERS_MAX (CU_PARTIES_MAX / 3)

/* ---- what one organisation hands over ---- */

/* `given`: keys that the options name are taken. */
static cu_status make_founder(struct run *run, const char *dir, bool given, const struct cu_founder *names, struct cu_buf *ret,
                              struct cu_err *err)
{
    CU_BUF passphrase = cu_buf_heap(65536);
    struct session s;

    TRY(passphrase_read(run, NULL, &passphrase, err));
    cu_status made = session_begin(&s, run, dir, err);
    if (made == CU_OK && given) made = session_new_keys(&s, err);
    if (made == CU_OK) made = cu_founder_make(&s.place, names, cu_buf_span(&passphrase), ret, err);
    const cu_status closed = session_close(&s, made == CU_OK ? err : NULL);
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    return made == CU_OK ? closed : made;
}

static void put_fingerprint(struct cu_buf *out, struct cu_span file)
{
    const cu_hash digest = cu_sha256(file);

    for (unsigned i = 0; i < 16; i++) cu_buf_addf(out, "%02x%s", digest.b[i], i % 4 == 3 && i < 15 ? " " : "");
}

/* Of a network that is there: its id goes into the proofs. */
static cu_status name_network(struct run *run, struct cu_founder *io, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_NETWORK_MAX);
    struct cu_network n;

    if (!opt(run, "network")) return CU_OK;
    TRY(read_argument_file(opt(run, "network"), CU_NETWORK_MAX, &file, err));
    TRY(cu_network_read(cu_buf_span(&file), &n, err));
    io->network = n.entry.leaf;
    io->has_network = true;
    return CU_OK;
}

static cu_status go_request(struct run *run, struct cu_err *err)
{
    struct cu_founder names = { .name = opt_span(run, "org"),
                                .provider = opt(run, "provider") ? opt_span(run, "provider") : cu_span_str("local cloud"),
                                .depositor = opt(run, "name") ? opt_span(run, "name") : cu_span_str("depositor"),
                                .at = opt_span(run, "at"),
                                .http = opt_span(run, "http") };
    const char *to = opt(run, "output");
    CU_BUF file = cu_buf_heap(CU_FOUNDER_MAX);

    ENSURE(names.name.n && names.at.n && to, err, CU_USAGE,
           "a request has --org, --at and -o FILE: `custody network request --help`");
    TRY(name_network(run, &names, err));
    TRY(make_founder(run, run->args[0], true, &names, &file, err));
    TRY(write_output_file(to, cu_buf_span(&file), err));
    cu_buf_addf(&run->out, "%s has the keys of \"%.*s\" in %s/" CU_DIR_KEYS "\n\n  fingerprint  ", to, (int)names.name.n,
                (const char *)names.name.p, run->args[0]);
    put_fingerprint(&run->out, cu_buf_span(&file));
    cu_buf_addf(&run->out,
                "\n               read it out to whoever makes the network, when he asks by telephone\n\n"
                "Next:  hand over %s, and join with %s: custody network join %s %s\n",
                to, opt(run, "network") ? "the network's file" : "what comes back", run->args[0],
                opt(run, "network") ? opt(run, "network") : "FILE");
    return CU_OK;
}

/* ---- other keys ---- */

static cu_status keys_named(const struct run *run, unsigned *ret, struct cu_err *err)
{
    *ret = 0;
    for (int i = 0; i < run->args_n; i++) {
        bool known = false;
        for (enum cu_purpose p = CU_PURPOSE_STATEMENT; p <= CU_PURPOSE_NODE; p++)
            if (cu_span_is(cu_span_str(run->args[i]), cu_founder_key_name(p))) known = true, *ret |= 1u << p;
        ENSURE(known, err, CU_USAGE,
               "%s: keys are called organisation, log, cosign, validator and node, as the files in " CU_DIR_KEYS
               "; no key was made",
               run->args[i]);
    }
    return CU_OK;
}

static cu_status rotate(struct session *s, void *file, struct cu_err *err)
{
    unsigned which;

    TRY(keys_named(s->run, &which, err));
    TRY(session_successor(s, err));
    ENSURE(which != 1u << CU_PURPOSE_NODE || !cu_key_in_token(s->place.successor), err, CU_USAGE,
           "the node's key is read by CometBFT, from a file: it cannot lie in a token; no key was made");
    return share_rotate(s, which, file, err);
}

static cu_status go_rotate(struct run *run, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_FOUNDER_MAX);

    ENSURE(opt(run, "output"), err, CU_USAGE, "what is proposed is written to a file: -o FILE");
    TRY(in_session(run, MODE_BARE, rotate, &file, err));
    TRY(write_output_file(opt(run, "output"), cu_buf_span(&file), err));
    cu_buf_addf(&run->out,
                "%s has the keys that are to take the place of those in force; they sign nothing yet\n\n  fingerprint  ",
                opt(run, "output"));
    put_fingerprint(&run->out, cu_buf_span(&file));
    cu_buf_addf(&run->out,
                "\n               read it out to whoever approves, when he asks by telephone\n\n"
                "Next:  start the node anew, so that it holds both; then have %s proposed, and approved by the others\n",
                opt(run, "output"));
    return CU_OK;
}

/* ---- the network ---- */

struct founders {
    struct cu_buf file[FOUNDERS_MAX];
    size_t n;
};

static void free_founders(struct founders *f)
{
    for (size_t i = 0; i < FOUNDERS_MAX; i++) cu_buf_free(&f->file[i]);
}

/* Names, commas between, as the parties that they become: ascending, as founders are. */
static cu_status read_mandatory(struct cu_span names, const struct founders *f, struct cu_buf *mem, struct cu_list *ret,
                                struct cu_err *err)
{
    struct cu_verifier by = cu_verifier_plain();
    struct cu_span one, rest;
    struct cu_founder founder;
    uint64_t given = 0, n = 0;

    for (rest = names; rest.n; given++)
        if (!cu_span_split(&rest, ',', &one)) rest.n = 0;
    for (size_t i = 0; i < f->n; i++) {
        bool named = false;
        TRY(cu_founder_read(cu_buf_span(&f->file[i]), &by, &founder, err));
        for (rest = names; rest.n;) {
            if (!cu_span_split(&rest, ',', &one)) one = rest, rest.n = 0;
            named |= cu_span_eq(one, founder.name);
        }
        if (named) cu_cbor_put_uint(mem, 3 * i + 1), n++;
    }
    ENSURE(n == given, err, CU_USAGE,
           "--mandatory: names of the organisations belong there, each once, with commas between; nothing was made");
    *ret = (struct cu_list){ n, cu_buf_span(mem) };
    return cu_buf_ok(mem, err);
}

/* A session of no ledger: clock, chance, a verifier. */
static cu_status make_network(struct run *run, const char *dir, struct cu_span title, const struct founders *f,
                              struct cu_buf *ret, struct cu_err *err)
{
    struct cu_span spans[FOUNDERS_MAX];
    struct session s;
    struct cu_policy asks = { .copies = 0 };
    CU_BUF seal = cu_buf_heap(4096), mandatory = cu_buf_heap(4096);

    if (opt(run, "mandatory")) TRY(read_mandatory(opt_span(run, "mandatory"), f, &mandatory, &asks.mandatory, err));
    if (opt(run, "copies")) TRY(number_read("--copies", opt(run, "copies"), f->n, &asks.copies, err));
    TRY(policy_read(run, &asks, &seal, err));
    for (size_t i = 0; i < f->n; i++) spans[i] = cu_buf_span(&f->file[i]);
    cu_status made = session_begin(&s, run, dir, err);
    if (made == CU_OK) made = cu_network_make(&s.place, title, &asks, spans, f->n, ret, err);
    const cu_status closed = session_close(&s, made == CU_OK ? err : NULL);
    return made == CU_OK ? closed : made;
}

static void put_network_id(struct run *run, const struct cu_network *n)
{
    cu_buf_add_str(&run->out, "\n  network id  ");
    put_network(&run->out, &n->entry.leaf, 14);
}

static cu_status tell_founders(struct run *run, const struct founders *f, struct cu_err *err)
{
    struct cu_verifier by = cu_verifier_plain();
    struct cu_founder founder;

    for (size_t i = 0; i < f->n; i++) {
        TRY(cu_founder_read(cu_buf_span(&f->file[i]), &by, &founder, err));
        cu_buf_add_str(&run->out, "  ");
        put_fingerprint(&run->out, cu_buf_span(&f->file[i]));
        cu_buf_add_str(&run->out, "  ");
        put_printable(&run->out, founder.name);
        cu_buf_addf(&run->out, " at %.*s\n", (int)founder.at.n, (const char *)founder.at.p);
    }
    return CU_OK;
}

static cu_status go_new(struct run *run, struct cu_err *err)
{
    CU_CLEANUP(free_founders) struct founders f = { .n = 0 };
    CU_BUF file = cu_buf_heap(CU_NETWORK_MAX);
    struct cu_network n;

    ENSURE(opt(run, "output"), err, CU_USAGE, "a network is written to a file: -o FILE");
    ENSURE(run->args_n <= FOUNDERS_MAX, err, CU_USAGE, "a network begins with at most %d organisations", FOUNDERS_MAX);
    for (; f.n < (size_t)run->args_n; f.n++) {
        f.file[f.n] = cu_buf_heap(CU_FOUNDER_MAX);
        TRY(read_argument_file(run->args[f.n], CU_FOUNDER_MAX, &f.file[f.n], err));
    }
    TRY(make_network(run, ".", opt(run, "title") ? opt_span(run, "title") : cu_span_str("evidence"), &f, &file, err));
    TRY(write_output_file(opt(run, "output"), cu_buf_span(&file), err));
    TRY(cu_network_read(cu_buf_span(&file), &n, err));
    cu_buf_add_str(&run->out, "Compare by telephone, with each organisation, what it reads out:\n\n");
    TRY(tell_founders(run, &f, err));
    put_network_id(run, &n);
    cu_buf_addf(&run->out,
                "              all compare these words, too, before they join\n\n"
                "Next:  hand %s to each: custody network join DIR %s\n",
                opt(run, "output"), opt(run, "output"));
    return CU_OK;
}

static cu_status join(struct run *run, const char *dir, struct cu_span file, struct cu_err *err)
{
    struct session s;
    const cu_status made = share_create(&s, run, dir, file, err);
    const cu_status closed = session_close(&s, made == CU_OK ? err : NULL);

    return made == CU_OK ? closed : made;
}

static cu_status go_join(struct run *run, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_NETWORK_MAX);
    struct cu_network n;

    TRY(read_argument_file(run->args[1], CU_NETWORK_MAX, &file, err));
    TRY(cu_network_read(cu_buf_span(&file), &n, err));
    TRY(join(run, run->args[0], cu_buf_span(&file), err));
    cu_buf_addf(&run->out, "%s is this organisation's share of the network\n", run->args[0]);
    put_network_id(run, &n);
    cu_buf_addf(&run->out,
                "              compare these words by telephone with the other organisations before you start the node:\n"
                "              by starting it you confirm them\n\n"
                "Next:  custody node --ledger %s\n",
                run->args[0]);
    return CU_OK;
}

/* ---- voting again ---- */

static cu_status go_resume(struct run *run, struct cu_err *err)
{
    TRY(in_session(run, MODE_BARE, share_resume, NULL, err));
    cu_buf_add_str(&run->out,
                   "this organisation votes again as soon as its node has caught up with the others, behind all that the "
                   "chain has of it by then\n\n"
                   "Next:  custody node\n");
    return CU_OK;
}

/* ---- all of it on one machine ---- */

static const char *const local_names[] = { "District Police", "Prosecutor's Office", "District Court", "Audit Office" };

static cu_status make_local(struct run *run, const char *dir, struct founders *f, size_t n, uint64_t port, uint64_t http,
                            struct cu_err *err)
{
    for (; f->n < n; f->n++) {
        char path[4200], name[64], at[64], where[64];
        snprintf(path, sizeof path, "%s/org-%zu", dir, f->n + 1);
        snprintf(name, sizeof name, "Organisation %zu", f->n + 1);
        snprintf(at, sizeof at, "127.0.0.1:%llu", LLU(port + f->n));
        snprintf(where, sizeof where, "127.0.0.1:%llu", LLU(http + f->n));
        const struct cu_founder names = { .name = cu_span_str(f->n < 4 ? local_names[f->n] : name),
                                          .provider = cu_span_str("local cloud"),
                                          .depositor = cu_span_str("depositor"),
                                          .at = cu_span_str(at),
                                          .http = cu_span_str(where) };
        f->file[f->n] = cu_buf_heap(CU_FOUNDER_MAX);
        TRY(make_founder(run, path, false, &names, &f->file[f->n], err));
    }
    return CU_OK;
}

static cu_status go_local(struct run *run, struct cu_err *err)
{
    CU_CLEANUP(free_founders) struct founders f = { .n = 0 };
    CU_BUF file = cu_buf_heap(CU_NETWORK_MAX);
    uint64_t n = 4, port = LOCAL_PORT, http = LOCAL_HTTP;
    const char *dir = run->args[0];
    struct cu_network network;
    char path[4200];

    if (opt(run, "orgs")) TRY(number_read("--orgs", opt(run, "orgs"), FOUNDERS_MAX, &n, err));
    if (opt(run, "port")) TRY(number_read("--port", opt(run, "port"), 65535 - FOUNDERS_MAX, &port, err));
    if (opt(run, "http")) TRY(number_read("--http", opt(run, "http"), 65535 - FOUNDERS_MAX, &http, err));
    ENSURE(n > 0 && port > 0 && http > 0, err, CU_USAGE, "--orgs, --port, --http: 1 at least");
    TRY(make_local(run, dir, &f, n, port, http, err));
    snprintf(path, sizeof path, "%s/org-1", dir);
    TRY(make_network(run, path, opt(run, "title") ? opt_span(run, "title") : cu_span_str("evidence"), &f, &file, err));
    TRY(cu_network_read(cu_buf_span(&file), &network, err));
    cu_buf_addf(&run->out, "A network of %llu organisations lies in %s\n", LLU(n), dir);
    put_network_id(run, &network);
    for (size_t i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/org-%zu", dir, i + 1);
        TRY(join(run, path, cu_buf_span(&file), err));
    }
    cu_buf_addf(&run->out,
                "              it stands for the whole: here one party holds all keys, so it shows how a network works and "
                "proves nothing\n\n"
                "Next:  for i in $(seq %llu); do custody node --ledger %s/org-$i & done\n",
                LLU(n), dir);
    return CU_OK;
}

/* ---- how it stands ---- */

#define NODES_MAX 64

struct seen {
    bool there;
    uint64_t height, size, exhibits, incidents, misbehaviour, required, missing, cosigned, quorum;
    uint64_t left; /* the height at which it ceased to be a member; 0: it did not */
    char network[65], root[65], name[300], why[300];
    char members[32768]; /* the list of organisations, as the node gives it */
};

/* What the node says of itself is read for figures, and believed in nothing else. */
static uint64_t figure(struct cu_span json, const char *name)
{
    uint8_t memory[1000];
    struct cu_buf value = cu_buf_over(memory, sizeof memory);
    uint64_t v = 0;

    if (!cu_fields_find(json, name, &value) || cu_decimal_read(cu_buf_span(&value), UINT64_MAX / 16, &v, NULL) != CU_OK) return 0;
    return v;
}

static void digest(struct cu_span json, const char *name, char ret[65])
{
    uint8_t memory[1000];
    struct cu_buf value = cu_buf_over(memory, sizeof memory);
    cu_hash hash;

    ret[0] = 0;
    if (cu_fields_find(json, name, &value) && cu_hex_read(cu_buf_span(&value), hash.b, sizeof hash.b, NULL) == CU_OK)
        cu_hash_hex(&hash, ret);
}

static void text(struct cu_span json, const char *name, char ret[300])
{
    CU_BUF value = cu_buf_heap(1000), shown = cu_buf_heap(4000);

    if (cu_fields_find(json, name, &value)) cu_text_printable(&shown, cu_buf_span(&value));
    snprintf(ret, 300, "%.*s", (int)shown.n, shown.n ? (const char *)shown.p : "");
}

static cu_status ask_node(struct run *run, const char *url, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_remote remote;

    TRY(afar_remote(run, url, &remote, err));
    const cu_status asked = remote.ops->status(remote.self, ret, err);
    remote.ops->close(remote.self);
    return asked;
}

static void look_at(struct run *run, const char *url, struct seen *ret)
{
    CU_BUF answer = cu_buf_heap(65536);
    struct cu_err err = { 0 };

    *ret = (struct seen){ .there = ask_node(run, url, &answer, &err) == CU_OK };
    snprintf(ret->why, sizeof ret->why, "%.299s", err.text);
    const struct cu_span json = cu_buf_span(&answer);
    ret->height = figure(json, "height");
    ret->size = figure(json, "entries");
    ret->exhibits = figure(json, "exhibits");
    ret->incidents = figure(json, "incidents");
    ret->misbehaviour = figure(json, "misbehaviour");
    ret->required = figure(json, "copies_required");
    ret->missing = figure(json, "copies_missing");
    ret->cosigned = figure(json, "cosigned");
    ret->quorum = figure(json, "quorum");
    text(json, "organisation", ret->name);
    digest(json, "network", ret->network);
    digest(json, "root", ret->root);
    ret->left = figure(json, "left_height");
    static const char list[] = "\"members\":["; /* in a text its quotes would be escaped */
    const uint8_t *at = json.n ? memmem(json.p, json.n, list, strlen(list)) : NULL;
    const struct cu_span members = at ? cu_span_from(json, (size_t)(at - json.p) + strlen(list)) : CU_SPAN_EMPTY;
    snprintf(ret->members, sizeof ret->members, "%.*s", (int)members.n, members.n ? (const char *)members.p : "");
}

struct member {
    char name[300], standing[300];
    uint64_t left;
};

static bool next_member(struct cu_span *io_rest, struct member *ret)
{
    struct cu_fields f = { .rest = *io_rest };
    CU_BUF value = cu_buf_heap(1000);
    char name[32];

    (void)cu_span_take(&f.rest, ",");
    const struct cu_span object = f.rest;
    while (cu_fields_next(&f, name, &value)) continue;
    *io_rest = f.rest;
    text(object, "name", ret->name);
    text(object, "standing", ret->standing);
    ret->left = figure(object, "left_height");
    return !f.bad && ret->standing[0];
}

/* What somebody has to look after, beside being behind; "": nothing. */
static const char *trouble(const struct seen *all, size_t n, size_t i)
{
    if (!all[i].there) return "cannot be reached";
    for (size_t k = 0; k < n; k++) {
        if (!all[k].there) continue;
        if (strcmp(all[k].network, all[i].network) != 0) return "is another network";
        if (all[k].size == all[i].size && strcmp(all[k].root, all[i].root) != 0)
            return "CONTRADICTS another node: same size, other root (custody fork-proof)";
    }
    return all[i].misbehaviour > 0 ? "an organisation BROKE THE RULES of consensus (custody trail)"
           : all[i].incidents > 0  ? "incidents"
                                   : "";
}

static void put_members_json(struct cu_json *j, const struct seen *it)
{
    struct cu_span rest = cu_span_str(it->members);
    struct member m;

    cu_json_open(j, "members", '[');
    while (next_member(&rest, &m)) {
        cu_json_open(j, NULL, '{');
        cu_json_str(j, "name", m.name);
        cu_json_str(j, "standing", m.standing);
        if (m.left) cu_json_uint(j, "left_height", m.left);
        cu_json_close(j, '}');
    }
    cu_json_close(j, ']');
}

static void put_json(struct run *run, const char *url, const struct seen *it, uint64_t behind, const char *why)
{
    struct cu_json j = cu_json_on(&run->out);

    cu_json_open(&j, NULL, '{');
    cu_json_str(&j, "node", url);
    cu_json_str(&j, "organisation", it->name);
    cu_json_bool(&j, "reached", it->there);
    if (it->there) {
        cu_json_uint(&j, "height", it->height);
        cu_json_uint(&j, "entries", it->size);
        cu_json_uint(&j, "behind", behind);
        cu_json_uint(&j, "exhibits", it->exhibits);
        cu_json_uint(&j, "copies", it->exhibits - it->missing);
        cu_json_uint(&j, "copies_required", it->required);
        cu_json_uint(&j, "cosigned", it->cosigned);
        cu_json_uint(&j, "quorum", it->quorum);
        cu_json_uint(&j, "incidents", it->incidents);
        cu_json_uint(&j, "misbehaviour", it->misbehaviour);
        if (it->left) cu_json_uint(&j, "left_height", it->left);
        put_members_json(&j, it);
        cu_json_str(&j, "root", it->root);
    } else cu_json_str(&j, "error", it->why);
    cu_json_str(&j, "trouble", why);
    cu_json_close(&j, '}');
    cu_buf_add_str(&run->out, "\n");
}

/* So wide that what follows stands in its column; a Chinese character is two. */
static void put_name(struct cu_buf *out, const char *name)
{
    enum { WIDE = 28 };
    unsigned columns = 0;

    for (const char *p = name; *p; p++) columns += (*p & 0xC0) == 0x80 ? 0 : (uint8_t)*p >= 0xE3 ? 2 : 1;
    cu_buf_addf(out, "%s%*s", name, columns < WIDE ? (int)(WIDE - columns) : 1, "");
}

static void put_row(struct run *run, const char *url, const struct seen *all, size_t n, size_t i, uint64_t most)
{
    const struct seen *it = &all[i];
    const uint64_t behind = it->there ? most - it->size : 0;
    const char *why = trouble(all, n, i);

    if (run->json) return put_json(run, url, it, behind, why);
    put_name(&run->out, it->name[0] ? it->name : url);
    if (!it->there) cu_buf_addf(&run->out, "%8s %8s %7s %9s %7s %9s %10s  %s\n", "-", "-", "-", "-", "-", "-", "-", why);
    else
        cu_buf_addf(&run->out, "%8llu %8llu %7llu %9llu %7llu %9llu %10llu%s%s%s\n", LLU(it->height), LLU(it->size), LLU(behind),
                    LLU(it->exhibits), LLU(it->exhibits - it->missing), LLU(it->cosigned), LLU(it->incidents), why[0] ? "  " : "",
                    why, it->missing ? "  copies on their way" : "");
    if (it->left) cu_buf_addf(&run->out, "  is no longer a member: it left, or was removed, at height %llu\n", LLU(it->left));
}

/* As the node that is furthest has them. */
static void put_members(struct run *run, const struct seen *all, size_t n, uint64_t most)
{
    struct cu_span rest = CU_SPAN_EMPTY;
    struct member m;

    for (size_t i = n; i-- > 0;)
        if (all[i].there && all[i].size == most) rest = cu_span_str(all[i].members);
    for (const char *before = "\norganisations: "; next_member(&rest, &m); before = "; ") {
        cu_buf_addf(&run->out, "%s%s, ", before, m.name);
        if (m.left) cu_buf_addf(&run->out, "left at height %llu", LLU(m.left));
        else
            cu_buf_addf(&run->out, "%s%s",
                        strcmp(m.standing, "newcomer") == 0      ? "a newcomer: approved, "
                        : strcmp(m.standing, "unconfirmed") == 0 ? "a founder: "
                                                                 : m.standing,
                        strcmp(m.standing, "member") == 0 ? "" : "not seen yet");
    }
    if (rest.n) cu_buf_add_str(&run->out, "\n");
}

/* Who cosigned last, and how far more than enough of them did. */
static void put_cosigned(struct run *run, const struct seen *all, size_t n, uint64_t most)
{
    uint64_t last = 0, quorum = 0;

    for (size_t i = 0; i < n; i++) last = all[i].cosigned > last ? all[i].cosigned : last;
    for (size_t i = 0; i < n; i++) quorum = all[i].quorum > quorum ? all[i].quorum : quorum;
    if (last == 0) return;
    cu_buf_addf(&run->out, "\n%llu of %llu entries are cosigned by as many as the policy asks for; last cosigned by", LLU(quorum),
                LLU(most));
    for (size_t i = 0, any = 0; i < n; i++)
        if (all[i].cosigned == last)
            cu_buf_addf(&run->out, "%s %s", any++ ? "," : "", all[i].name[0] ? all[i].name : run->args[i]);
    cu_buf_add_str(&run->out, "\n");
}

/* A node that does not answer now keeps its name. */
static bool show_once(struct run *run, struct seen *all)
{
    const size_t n = (size_t)run->args_n;
    uint64_t most = 0;
    bool good = true;

    for (size_t i = 0; i < n; i++) {
        char name[sizeof all[i].name];
        memcpy(name, all[i].name, sizeof name);
        look_at(run, run->args[i], &all[i]);
        if (!all[i].name[0]) memcpy(all[i].name, name, sizeof name);
        most = all[i].size > most ? all[i].size : most;
    }
    if (!run->json) {
        put_name(&run->out, "organisation");
        cu_buf_addf(&run->out, "%8s %8s %7s %9s %7s %9s %10s\n", "height", "entries", "behind", "exhibits", "copies", "cosigned",
                    "incidents");
    }
    for (size_t i = 0; i < n; i++) {
        put_row(run, run->args[i], all, n, i, most);
        good &= !trouble(all, n, i)[0];
    }
    if (!run->json) put_cosigned(run, all, n, most);
    if (!run->json) put_members(run, all, n, most);
    return good;
}

static void free_seen(struct seen **at) { free(*at); }

static cu_status go_status(struct run *run, struct cu_err *err)
{
    CU_CLEANUP(free_seen) struct seen *all = calloc(NODES_MAX, sizeof *all);
    uint64_t every = opt_is(run, "watch");

    ENSURE(all, err, CU_NO_MEMORY, "out of memory");
    ENSURE(run->args_n <= NODES_MAX, err, CU_USAGE, "%d nodes at most", NODES_MAX);
    if (opt(run, "every")) TRY(number_read("--every", opt(run, "every"), 3600, &every, err));
    do {
        const bool good = show_once(run, all);
        run->exit = good ? 0 : cu_status_exit(CU_CORRUPT);
        if (every && !run->json) printf(isatty(STDOUT_FILENO) ? "\033[H\033[J" : "\n");
        run_print(run);
        for (uint64_t tick = 0; tick < 10 * every && !interrupted(); tick++) nanosleep(&(struct timespec){ 0, 100000000 }, NULL);
    } while (every && !interrupted());
    return CU_OK;
}

const struct command command_network_local = {
    .name = "network local",
    .args = "DIR",
    .line = "make a network of several organisations on this machine",
    .help = "Makes the folders org-1, org-2 … in DIR: each is one organisation's ledger, with keys of its own, and all begin "
            "with the same genesis. Each then runs by "
            "itself: custody node --ledger DIR/org-1, and so on. Each node confirms its organisation's keys when the chain has "
            "begun. For trying things out, and for "
            "tests: whoever holds all the keys has no network.",
    .args_min = 1,
    .args_max = 1,
    .go = go_local,
    .options = { { "orgs", "N", "how many (by default 4: they bear one that fails or lies)" },
                 { "port", "PORT", "the first one's port for its peers, the others' follow (by default 26700)" },
                 { "http", "PORT", "the first one's port for clients, the others' follow (by default 8720)" },
                 { "copies", "N", "organisations that must hold a copy of each deposit (by default more than two thirds)" },
                 { "mandatory", "NAME,…", "organisations that must be among them" },
                 POLICY_OPTIONS,
                 { "title", "TEXT", "what people call the ledger" } },
};

const struct command command_network_request = {
    .name = "network request",
    .args = "DIR --org NAME --at HOST:PORT -o FILE",
    .line = "make an organisation's keys, and the file that it hands over to found a network",
    .help = "Makes this organisation's keys in the empty folder DIR, where they stay, and writes FILE: its name, where its node "
            "is reached, and its public keys, signed. "
            "Whoever makes the network (`custody network new`) collects these files and compares each one's fingerprint by "
            "telephone.",
    .args_min = 1,
    .args_max = 1,
    .go = go_request,
    .options = { { "org", "NAME", "the organisation's name" },
                 { "at", "HOST:PORT", "where the other organisations' nodes reach this one's" },
                 { "http", "HOST:PORT", "where clients reach it" },
                 { "provider", "NAME", "what the store under cloud/ is called" },
                 { "name", "WHO", "the person who deposits" },
                 { "network", "FILE", "to join one that is there already: its file, of any of its members (chain/network)" },
                 ORGANISATION_KEY,
                 { "output", "FILE", "the file to hand over" } },
};

const struct command command_network_rotate = {
    .name = "network rotate",
    .args = "KEY… -o FILE",
    .line = "make keys that take the place of this organisation's in a network",
    .help =
        "KEY is organisation (what the organisation states), log, cosign, validator or node. Each gets a successor beside it in "
        "keys/, and FILE "
        "is what is handed over so that it is proposed and approved: this organisation's names, addresses and keys, with a proof "
        "that it holds each. The node may run; start it anew before they are approved: it then holds both keys, goes on with the "
        "old "
        "ones, and with the new ones from where the ledger has them, by itself. At a later start the new ones bear the old ones' "
        "names, and "
        "the old ones lie in keys/was/. A key in a token is followed by one that you made in a token before, which --successor "
        "names. With --at, --http the organisation moves, too: the others ask for it there as soon as that is approved.",
    .args_min = 1,
    .args_max = 5,
    .go = go_rotate,
    .options = { SUCCESSOR,
                 { "at", "HOST:PORT", "where the other organisations' nodes reach this one's from then on" },
                 { "http", "HOST:PORT", "where clients reach it from then on" },
                 { "cosigner-state", "DIR", "where the cosigner keeps what it signed, when that is not node/cosigner" },
                 { "output", "FILE", "the file to hand over" } },
};

const struct command command_network_new = {
    .name = "network new",
    .args = "REQUEST… -o FILE",
    .line = "make a network of what its organisations handed over",
    .help = "Makes a genesis of the founding organisations' files (`custody network request`), in that order, and writes it to "
            "FILE, which each of them joins with. It holds no "
            "secret. Prints each file's fingerprint and the network's words, to be compared by telephone.",
    .args_min = 1,
    .args_max = -1,
    .go = go_new,
    .options = { POLICY_OPTIONS,
                 { "title", "TEXT", "what people call the ledger" },
                 { "copies", "N", "organisations that must hold a copy of each deposit (by default more than two thirds)" },
                 { "mandatory", "NAME,…", "organisations that must be among them" },
                 { "output", "FILE", "the file to join with" } },
};

const struct command command_network_join = {
    .name = "network join",
    .args = "DIR FILE",
    .line = "make the folder with an organisation's keys its share of a network",
    .help =
        "DIR is the folder in which `custody network request` made this organisation's keys, FILE what `custody network new` "
        "wrote or, of a network that is there already, any member's chain/network: then the node waits until this organisation's "
        "joining is approved, reads the chain from its beginning, and confirms. Prints the network's words: compare "
        "them with the other organisations before you start `custody node`, by which this one confirms.",
    .args_min = 2,
    .args_max = 2,
    .go = go_join,
    .options = { { NULL, NULL, NULL } },
};

const struct command command_network_resume = {
    .name = "network resume",
    .args = "",
    .line = "vote again after what this organisation voted for was lost or restored",
    .help = "A node whose record of its own votes (node/cosigner/votes) is missing, damaged, or older than what the chain has of "
            "them, "
            "stops and votes no more: two different votes of one height would convict the organisation, and a second machine "
            "with its keys would cast them. First make sure that no such machine runs. Then this command, while the node is "
            "stopped, lets it begin anew: it reads the chain, learns from it where it stands, lets the height under way go by, "
            "and votes from the next one on.",
    .go = go_resume,
    .options = { { "cosigner-state", "DIR", "where the cosigner keeps what it signed, when that is not node/cosigner" } },
};

const struct command command_network_status = {
    .name = "network status",
    .args = "URL…",
    .line = "ask each node how it stands, side by side",
    .help =
        "Height and entries of each node's log, how many it is behind the furthest, exhibits, of how many it holds a copy, how "
        "far it cosigned, incidents on record; whether its organisation is no longer a member; and what somebody has to look "
        "after: a node that cannot be reached, belongs to another network, contradicts another one. Below, how far as many "
        "cosigned "
        "as receipts need, and who did last; and each organisation with what it is: a member, a newcomer who was approved and "
        "not seen "
        "yet, one that left. Exits 0 when there is "
        "nothing to look after, else 2. What a node says of itself is its "
        "word alone; receipts prove.",
    .args_min = 1,
    .args_max = -1,
    .go = go_status,
    .options = { { "watch", NULL, "live: again each second, until it is interrupted" },
                 { "every", "SECONDS", "the same, less often" } },
};
