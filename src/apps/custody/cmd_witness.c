/* custody witness add, witness key, witness log: who cosigns this ledger's log, and which logs its node cosigns for others */
#include "apps/custody/app.h"
#include "service/cosigned.h"

/* ---- who cosigns this log ---- */

static cu_status add(struct session *s, void *arg, struct cu_err *err)
{
    const char *quorum = opt(s->run, "quorum");
    uint64_t k = 0;

    (void)arg;
    if (quorum && strcmp(quorum, "all") != 0) {
        TRY(number_read("--quorum", quorum, CU_POLICY_MEMBERS_MAX, &k, err));
        ENSURE(k > 0, err, CU_USAGE, "--quorum: one at least, or \"all\"");
    }
    TRY(cu_witness_add(&s->place, cu_span_str(s->run->args[1]), cu_span_str(s->run->args[0]), k, err));
    cu_buf_addf(&s->run->out,
                "receipts of a log above %llu entries bear its cosignature\nwhoever verifies them by a trust file of before sees "
                "no difference; hand out " CU_FILE_TRUST " anew to those who shall demand it\n",
                LLU(s->place.log.checkpoint.size.v));
    return CU_OK;
}

static cu_status go_add(struct run *run, struct cu_err *err) { return in_session(run, MODE_WRITE, add, NULL, err); }

/* ---- whom this node cosigns for ---- */

/* The state of the first key lies in the folder itself, that of each later one in a folder of its own. */
static void state_dir(const struct session *s, const struct cu_fs *fs, const struct cu_private_key *key, char ret[64])
{
    const char *first = opt(s->run, "cosigner-state") ? "." : CU_DIR_COSIGNER;
    char hex[65], path[80];

    cu_hash_hex(&key->id, hex);
    snprintf(ret, 64, "%s/%.16s", first, hex);
    snprintf(path, sizeof path, "%s/cosigner", ret);
    if (!cu_fs_exists(fs, path)) snprintf(ret, 64, "%s", first);
}

static cu_status open_key(struct session *s, const char *path, struct cosigning *ret, struct cu_err *err)
{
    CU_BUF passphrase = cu_buf_heap(65536), pem = cu_buf_heap(16384);
    const char *state = opt(s->run, "cosigner-state");

    *ret = (struct cosigning){ .fs = s->place.fs };
    TRY(cu_fs_read(&s->place.fs, path, 16384, &pem, err));
    cu_status read = passphrase_of_keys(s, &passphrase, err);
    if (read == CU_OK) read = cu_private_from_pem(cu_buf_span(&pem), cu_buf_span(&passphrase), &ret->key, err);
    cu_wipe(pem.p, pem.n);
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    if (read != CU_OK) return cu_fail_while(err, read, "%s", path);
    ret->has_key = true;
    if (state) TRY(cu_posix_fs(state, &ret->fs, err));
    ret->own_fs = state != NULL;
    return CU_OK;
}

cu_status cosigner_open(struct session *s, bool next, struct cosigning *ret, struct cu_err *err)
{
    TRY(open_key(s, next ? CU_FILE_COSIGN_NEXT : CU_FILE_COSIGN_KEY, ret, err));
    state_dir(s, &ret->fs, &ret->key, ret->dir);
    TRY(cu_cosigner_open(&ret->fs, ret->dir, &ret->key, s->place.clock, &ret->cosigner, err));
    ret->open = true;
    return CU_OK;
}

void cosigner_close(struct cosigning *c)
{
    if (c->open) cu_cosigner_close(&c->cosigner);
    if (c->own_fs) c->fs.ops->close(c->fs.self);
    if (c->has_key) cu_private_free(&c->key);
}

static cu_status keep_key(struct session *s, const struct cu_private_key *key, struct cu_err *err)
{
    CU_BUF passphrase = cu_buf_heap(65536), pem = cu_buf_heap(16384);

    cu_status made = passphrase_of_keys(s, &passphrase, err);
    if (made == CU_OK) made = cu_private_to_pem(key, cu_buf_span(&passphrase), &pem, err);
    if (made == CU_OK)
        made = cu_fs_replace_as(&s->place.fs, CU_FILE_COSIGN_KEY, CU_DIR_KEYS "/incoming", cu_buf_span(&pem), CU_OPEN_PRIVATE,
                                true, err);
    if (pem.p) cu_wipe(pem.p, pem.n);
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    return made;
}

/* Its own log is cosigned from nothing on, once: a state that is lost later does not begin again by itself. */
static cu_status begin_own(struct session *s, const struct cu_fs *fs, const char *dir, const struct cu_private_key *key,
                           struct cu_err *err)
{
    struct cu_cosigner c;

    TRY(cu_cosigner_open(fs, dir, key, s->place.clock, &c, err));
    const cu_status begun = cu_cosigner_begin(&c, cu_buf_span(&s->origin_mem), err);
    cu_cosigner_close(&c);
    return begun;
}

/* A key that may take the place of the one that lies there, under that one's name. */
cu_status cosigner_begin_next(struct session *s, struct cu_err *err)
{
    CU_CLEANUP(cosigner_close) struct cosigning now = { .open = false }, next = { .open = false };
    char hex[65], dir[64];

    TRY(cosigner_open(s, false, &now, err));
    TRY(open_key(s, CU_FILE_COSIGN_NEXT, &next, err));
    cu_hash_hex(&next.key.id, hex);
    snprintf(dir, sizeof dir, "%s/%.16s", opt(s->run, "cosigner-state") ? "." : CU_DIR_COSIGNER, hex);
    const cu_status made = cu_cosigner_create(&next.fs, dir, now.cosigner.vkey.name, &next.key, err);
    if (made != CU_NOT_ALLOWED) TRY(made); /* it has a state already */
    return begin_own(s, &next.fs, dir, &next.key, err);
}

/* The state first: a key without one signs nothing, a state without its key harms nobody. */
static cu_status make_key(struct session *s, struct cu_err *err)
{
    CU_BUF name = cu_buf_heap(CU_ORIGIN_MAX + 32);
    const struct cu_span given = opt_span(s->run, "name");
    const char *state = opt(s->run, "cosigner-state");
    struct cu_private_key key;
    struct cu_fs fs = s->place.fs;

    if (given.n) cu_buf_add(&name, given);
    else cu_cosigner_name(cu_buf_span(&s->origin_mem), 1, &name);
    if (state) TRY(cu_posix_make_root(state, err));
    if (state) TRY(cu_posix_fs(state, &fs, err));
    cu_status made = cu_private_generate(CU_ALG_EDDSA, &key, err);
    if (made == CU_OK) {
        made = cu_cosigner_create(&fs, state ? "." : CU_DIR_COSIGNER, cu_buf_span(&name), &key, err);
        if (made == CU_OK) made = begin_own(s, &fs, state ? "." : CU_DIR_COSIGNER, &key, err);
        if (made == CU_OK) made = keep_key(s, &key, err);
        cu_private_free(&key);
    }
    if (state) fs.ops->close(fs.self);
    return made;
}

static cu_status key(struct session *s, void *arg, struct cu_err *err)
{
    CU_CLEANUP(cosigner_close) struct cosigning c = { .open = false };

    (void)arg;
    if (!cu_fs_exists(&s->place.fs, CU_FILE_COSIGN_KEY)) TRY(make_key(s, err));
    TRY(cosigner_open(s, false, &c, err));
    cu_buf_add(&s->run->out, cu_buf_span(&c.cosigner.text));
    return CU_OK;
}

static cu_status go_key(struct run *run, struct cu_err *err) { return in_session(run, MODE_BARE, key, NULL, err); }

static cu_status keep_log(struct session *s, const struct cu_vkey *vkey, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(CU_TRUST_MAX);
    struct cu_tlog_policy *policy = malloc(sizeof *policy);
    cu_status kept = policy ? cu_fs_read(&s->place.fs, CU_FILE_WITNESSED, CU_TRUST_MAX, &text, err)
                            : cu_fail(err, CU_NO_MEMORY, "out of memory: nothing was changed");

    if (kept == CU_NOT_FOUND) kept = CU_OK, cu_buf_add_str(&text, "quorum none\n");
    cu_buf_add_str(&text, "log ");
    if (kept == CU_OK) kept = cu_vkey_write(vkey, &text, err);
    cu_buf_add_byte(&text, '\n');
    if (kept == CU_OK) kept = cu_tlog_policy_read(cu_buf_span(&text), policy, err);
    free(policy);
    if (kept != CU_OK) return cu_fail_while(err, kept, CU_FILE_WITNESSED);
    return cu_fs_replace(&s->place.fs, CU_FILE_WITNESSED, CU_DIR_TRUST "/incoming", cu_buf_span(&text), true, err);
}

static cu_status log_(struct session *s, void *arg, struct cu_err *err)
{
    CU_CLEANUP(cosigner_close) struct cosigning c = { .open = false };
    struct cu_vkey vkey;

    (void)arg;
    TRY(cu_vkey_read(cu_span_str(s->run->args[0]), &vkey, err));
    ENSURE(vkey.type == CU_NOTE_ED25519 && !cu_span_eq(vkey.name, cu_buf_span(&s->origin_mem)), err, CU_USAGE,
           "that is no log's key, or this ledger's own, whose log is cosigned without being asked");
    TRY(cosigner_open(s, false, &c, err));
    TRY(cu_cosigner_begin(&c.cosigner, vkey.name, err));
    TRY(keep_log(s, &vkey, err));
    cu_buf_add_str(&s->run->out, "cosigned from now on, at /add-checkpoint of the node: ");
    put_printable(&s->run->out, vkey.name);
    cu_buf_add_str(&s->run->out, "\n");
    return CU_OK;
}

static cu_status go_log(struct run *run, struct cu_err *err) { return in_session(run, MODE_BARE, log_, NULL, err); }

#define STATE                                                                                                                 \
    {                                                                                                                         \
        "cosigner-state", "DIR", "where the cosigner keeps what it signed, on a medium of its own (by default node/cosigner)" \
    }

#define WITNESS_NOT_AFAR "whom a node asks to cosign, and for whom it does, is said where its folder lies"
const struct command command_witness_add = {
    .name = "witness add",
    .args = "URL VKEY",
    .line = "have an outside witness cosign the log",
    .help =
        "From the next entry on, receipts bear a cosignature of the witness with this verifier key (C2SP tlog-witness, asked at "
        "URL/add-checkpoint), and the ledger's trust file demands it, by a new epoch: then nobody who holds every key here can "
        "show "
        "two logs, and times are attested from outside. Without its answer a deposit is recorded, has no receipt yet, and ends "
        "with "
        "exit 3; `custody receipt` asks again.",
    .args_min = 2,
    .args_max = 2,
    .not_afar = WITNESS_NOT_AFAR,
    .go = go_add,
    .options = { { "quorum", "K", "so many of all outside witnesses, or \"all\" (by default all)" } },
};
const struct command command_witness_key = {
    .name = "witness key",
    .args = "",
    .line = "make or show the key that this node cosigns with",
    .help =
        "Prints the verifier key of keys/cosign.pem, which is made with the state that says what it signed when there is none. "
        "The node "
        "cosigns its own log with it, once a size, and the logs that `custody witness log` names. Where the state is lost, or "
        "an older copy of it, the key must not be used again.",
    .args_max = 0,
    .not_afar = WITNESS_NOT_AFAR,
    .go = go_key,
    .options = { { "name", "NAME", "what the cosigner is called, like a URL without scheme (by default <origin>/cosigner/1)" },
                 STATE },
};
const struct command command_witness_log = {
    .name = "witness log",
    .args = "VKEY",
    .line = "cosign another log, as its witness",
    .help =
        "From now on `custody node` cosigns the log with this verifier key when it is shown, at /add-checkpoint, how it goes on "
        "from what was cosigned of it before (C2SP tlog-witness). It says nothing of what stands in it. A node that runs learns "
        "it "
        "when it starts again.",
    .args_min = 1,
    .args_max = 1,
    .not_afar = WITNESS_NOT_AFAR,
    .go = go_log,
    .options = { STATE },
};
