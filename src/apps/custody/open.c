/* Opening a ledger: the one place that picks adapters and introduces the rooms to one another. */
#include "adapters/sqlite/sqlite_index.h"
#include "adapters/token/token.h"
#include "apps/custody/app.h"
#include "service/reads.h"

#include <termios.h>
#include <unistd.h>

#define VERIFIER_KEYS 256
#define WORKERS 2

/* ---- where the ledger is ---- */
bool is_ledger(const char *dir)
{
    char path[4200];

    snprintf(path, sizeof path, "%s/" CU_FILE_FORMAT, dir);
    if (access(path, F_OK) != 0) return false;
    snprintf(path, sizeof path, "%s/" CU_FILE_TRUST, dir);
    return access(path, F_OK) == 0;
}

static cu_status nearest(char ret[4096], struct cu_err *err)
{
    ENSURE(getcwd(ret, 4096), err, CU_IO, "the current folder has no name any more");
    while (!is_ledger(ret)) {
        char *slash = strrchr(ret, '/');
        ENSURE(slash && slash != ret, err, CU_NOT_FOUND,
               "no ledger here: name one with --ledger DIR or CUSTODY_LEDGER, go into its folder, or make one with `custody init "
               "DIR`");
        *slash = 0;
    }
    return CU_OK;
}

static cu_status find_root(struct session *s, struct cu_err *err)
{
    const char *named = opt(s->run, "ledger");

    if (!named) return nearest(s->root, err);
    if (is_afar(s->run)) return afar_root(s, err);
    ENSURE(strlen(named) < sizeof s->root, err, CU_USAGE, "the ledger's path is too long");
    snprintf(s->root, sizeof s->root, "%s", named);
    ENSURE(access(named, F_OK) == 0, err, CU_NOT_FOUND, "%s: there is no such folder", named);
    return CU_OK;
}

/* ---- passphrase ---- */
static void first_line(struct cu_buf *text)
{
    for (size_t i = 0; i < text->n; i++)
        if (text->p[i] == '\n' || text->p[i] == '\r') text->n = i;
}

static cu_status ask_terminal(const char *question, const char *otherwise, struct cu_buf *ret, struct cu_err *err)
{
    struct termios before, silent;
    FILE *tty = fopen("/dev/tty", "r+");
    char line[1024];

    ENSURE(tty, err, CU_WRONG_PASSPHRASE, "%s; nothing was signed", otherwise);
    fprintf(tty, "%s: ", question);
    (void)fflush(tty);
    tcgetattr(fileno(tty), &before);
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(fileno(tty), TCSAFLUSH, &silent);
    if (!fgets(line, sizeof line, tty)) line[0] = 0;
    tcsetattr(fileno(tty), TCSAFLUSH, &before);
    fprintf(tty, "\n");
    (void)fclose(tty);
    cu_buf_add_str(ret, line);
    cu_wipe(line, sizeof line);
    first_line(ret);
    return cu_buf_ok(ret, err);
}

/* The first line of the file, else the variable, else who is at the terminal (`question` NULL: nobody). */
static cu_status secret_read(const char *file, const char *variable, const char *question, const char *otherwise,
                             struct cu_buf *ret, struct cu_err *err)
{
    const char *env = getenv(variable);

    if (file) {
        TRY(read_argument_file(file, 65536, ret, err));
        first_line(ret);
    } else if (env) cu_buf_add_str(ret, env);
    else if (question) TRY(ask_terminal(question, otherwise, ret, err));
    return cu_buf_ok(ret, err);
}

cu_status passphrase_read(struct run *run, const char *question, struct cu_buf *ret, struct cu_err *err)
{
    return secret_read(opt(run, "passphrase-file"), "CUSTODY_PASSPHRASE", question,
                       "the private keys are encrypted: give --passphrase-file or CUSTODY_PASSPHRASE", ret, err);
}

/* ---- keys in tokens ---- */
static cu_status ask_pin(void *arg, const char *token, struct cu_buf *ret, struct cu_err *err)
{
    char question[200], otherwise[300];

    snprintf(question, sizeof question, "PIN of the token \"%s\"", token);
    snprintf(otherwise, sizeof otherwise, "the token \"%s\" wants its PIN: give --pin-file or CUSTODY_PIN", token);
    return secret_read(opt(arg, "pin-file"), "CUSTODY_PIN", question, otherwise, ret, err);
}

static cu_status open_token(void *run, struct cu_span uri, struct cu_private_key *ret, struct cu_err *err)
{
    const struct cu_token_pin pin = { run, ask_pin };

    return cu_token_key(uri, &pin, ret, err);
}

struct cu_tokens tokens_of(struct run *run) { return (struct cu_tokens){ run, open_token }; }

cu_status session_new_keys(struct session *s, struct cu_err *err)
{
    const struct cu_span organisation = opt_span(s->run, "organisation-key"), own = opt_span(s->run, "key");

    ENSURE(!organisation.n || cu_key_in_token(organisation), err, CU_USAGE,
           "--organisation-key names a key that is in a token already: pkcs11:token=…;object=…; without it one is made");
    s->place.new_key[CU_SIGNER_ORGANISATION] = organisation;
    if (cu_key_in_token(own)) s->place.new_key[CU_SIGNER_DEPOSITOR] = own;
    return CU_OK;
}

cu_status session_successor(struct session *s, struct cu_err *err)
{
    const struct cu_span named = opt_span(s->run, "successor");
    const bool token = cu_key_in_token(named);

    ENSURE(!named.n || token || cu_span_is(named, "file"), err, CU_USAGE,
           "--successor names a key that is in a token already (pkcs11:token=…;object=…), or is the word file; no key was made");
    ENSURE(!token || s->run->args_n == 1, err, CU_USAGE,
           "--successor names one key: rotate each KEY that lies in a token by itself; no key was made");
    s->place.successor = named;
    return CU_OK;
}

/* ---- keys ---- */
/* The key of a member who says so stands in for the depositor's. */
static cu_status read_key(struct session *s, enum cu_signer who, const char *own, struct cu_buf *ret, struct cu_err *err)
{
    if (!own) return cu_key_read(&s->place.fs, cu_signer_names[who], ret, err);
    if (cu_key_in_token(cu_span_str(own))) return cu_buf_add_str(ret, own), cu_buf_ok(ret, err);
    const cu_status read = read_argument_file(own, 16384, ret, err);
    ENSURE(read != CU_NOT_FOUND, err, CU_USAGE, "%s: there is no such key; nothing was signed", own);
    return read;
}

static cu_status open_key(struct session *s, enum cu_signer who, struct cu_span text, struct cu_buf *passphrase,
                          struct cu_err *err)
{
    const struct cu_tokens *tokens = &s->place.tokens;
    const cu_status opened = cu_key_open(tokens, text, cu_buf_span(passphrase), &s->place.key[who], err);

    if (opened != CU_WRONG_PASSPHRASE || passphrase->n || cu_key_in_token(text)) return opened; /* tokens count wrong PINs */
    TRY(passphrase_read(s->run, "passphrase of the ledger's keys", passphrase, err));
    return cu_key_open(tokens, text, cu_buf_span(passphrase), &s->place.key[who], err);
}

static cu_status load_key(struct session *s, enum cu_signer who, struct cu_buf *passphrase, struct cu_err *err)
{
    const char *own = who == (s->run->folder ? CU_SIGNER_PROVIDER : CU_SIGNER_DEPOSITOR) ? opt(s->run, "key") : NULL;
    CU_BUF text = cu_buf_heap(16384);

    const cu_status read = read_key(s, who, own, &text, err);
    if (read == CU_NOT_FOUND) return CU_OK; /* a key kept elsewhere is missed when it is needed */
    TRY(read);
    const cu_status opened = open_key(s, who, cu_buf_span(&text), passphrase, err);
    cu_wipe(text.p, text.n);
    if (opened != CU_OK && own) return cu_fail_while(err, opened, "--key");
    if (opened != CU_OK) return cu_fail_while(err, opened, CU_DIR_KEYS "/%s.pem", cu_signer_names[who]);
    s->place.has_key[who] = true;
    if (own) s->place.own_key = who == CU_SIGNER_DEPOSITOR;
    return CU_OK;
}

static cu_status load_keys(struct session *s, struct cu_err *err)
{
    CU_BUF passphrase = cu_buf_heap(65536);
    cu_status loaded = passphrase_read(s->run, NULL, &passphrase, err);

    for (enum cu_signer who = 0; who < CU_SIGNERS && loaded == CU_OK; who++) loaded = load_key(s, who, &passphrase, err);
    if (loaded == CU_OK) loaded = cu_log_keys_load(&s->place, cu_buf_span(&passphrase), err);
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    return loaded;
}

cu_status passphrase_of_keys(struct session *s, struct cu_buf *ret, struct cu_err *err)
{
    CU_CLEANUP(cu_private_free) struct cu_private_key key = { 0 };
    CU_BUF text = cu_buf_heap(16384);

    TRY(passphrase_read(s->run, NULL, ret, err));
    cu_status read = cu_key_read(&s->place.fs, cu_signer_names[CU_SIGNER_ORGANISATION], &text, NULL);
    if (read == CU_OK && !cu_key_in_token(cu_buf_span(&text)))
        read = cu_private_from_pem(cu_buf_span(&text), cu_buf_span(ret), &key, NULL);
    if (text.p) cu_wipe(text.p, text.n);
    return read == CU_WRONG_PASSPHRASE && ret->n == 0 ? passphrase_read(s->run, "passphrase of the ledger's keys", ret, err)
                                                      : CU_OK;
}

cu_status identities_read(struct session *s, struct cu_identities *ret, struct cu_err *err)
{
    CU_BUF passphrase = cu_buf_heap(65536), file = cu_buf_heap(CU_AGE_HEADER_MAX);
    const char *given = opt(s->run, "identity");
    cu_status read = CU_OK;

    if (given) read = read_argument_file(given, CU_AGE_HEADER_MAX, &file, err);
    if (given && read == CU_OK) read = cu_age_identities_read(cu_buf_span(&file), ret->id, &ret->n, err);
    if (file.p) cu_wipe(file.p, file.n);
    TRY(read);
    read = passphrase_read(s->run, NULL, &passphrase, err);
    if (read == CU_OK) read = cu_identities_own(&s->place, cu_buf_span(&passphrase), ret, err);
    if (read == CU_WRONG_PASSPHRASE && passphrase.n == 0 && ret->n == 0) {
        read = passphrase_read(s->run, "passphrase of the ledger's keys", &passphrase, err);
        if (read == CU_OK) read = cu_identities_own(&s->place, cu_buf_span(&passphrase), ret, err);
    } else if (read == CU_WRONG_PASSPHRASE && ret->n) read = CU_OK; /* what was given may open it */
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    return read;
}

cu_status session_load_signer(struct session *s, enum cu_signer who, struct cu_err *err)
{
    CU_BUF passphrase = cu_buf_heap(65536);
    cu_status loaded = passphrase_read(s->run, NULL, &passphrase, err);

    if (loaded == CU_OK) loaded = load_key(s, who, &passphrase, err);
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    return loaded;
}

/* ---- the parts ---- */
static cu_status open_world(struct session *s, struct cu_err *err)
{
    const size_t size = cu_verifier_cached_size(VERIFIER_KEYS);

    const char *accelerator = opt(s->run, "accelerator");

    s->place.accelerate = !accelerator || strcmp(accelerator, "off") != 0;
    ENSURE(!accelerator || !s->place.accelerate || strcmp(accelerator, "auto") == 0, err, CU_USAGE,
           "--accelerator: auto or off, not %s", accelerator);
    TRY(cu_posix_fs(s->root, &s->place.fs, err));
    s->place.source = cu_posix_source();
    s->place.clock = cu_posix_clock();
    s->place.random = cu_posix_random();
    s->place.outside = outside_by(s);
    s->place.tokens = tokens_of(s->run);
    s->verifier_mem = malloc(size);
    ENSURE(s->verifier_mem, err, CU_NO_MEMORY, "out of memory");
    s->place.progress = progress_to(s);
    return cu_verifier_fastest(s->place.accelerate, s->verifier_mem, size, &s->place.verifier, err);
}

static cu_status open_index(struct session *s, bool read_only, struct cu_err *err)
{
    char path[4200];

    snprintf(path, sizeof path, "%s/" CU_FILE_INDEX, s->root);
    TRY(cu_sqlite_index_open(path, read_only, &s->place.index, err));
    s->has_index = true;
    return CU_OK;
}

/* What `check` has to say of the index' bytes, named as in the ledger's folder. */
static void judge_index(struct session *s)
{
    char path[4200], where[4200];
    struct cu_err why = { 0 };

    snprintf(path, sizeof path, "%s/" CU_FILE_INDEX, s->root);
    if (cu_sqlite_index_check(path, where, &why) == CU_OK) return;
    snprintf(s->index_where, sizeof s->index_where, "%s", where + strlen(s->root) + 1);
    snprintf(s->index_what, sizeof s->index_what, "%s", why.text);
}

/* The index is derived: one that cannot be read is moved away and made anew, except while somebody judges it. */
static cu_status open_index_anyhow(struct session *s, enum mode mode, struct cu_err *err)
{
    cu_status opened;

    if (s->url) mode = MODE_WRITE; /* it is this reader's own */

    if (mode == MODE_CHECK) judge_index(s);
    opened = open_index(s, mode != MODE_WRITE, err);
    if (opened == CU_OK) return CU_OK;
    if (mode == MODE_WRITE) return opened == CU_CORRUPT ? session_renew_index(s, err) : opened;
    if (!s->index_where[0]) {
        snprintf(s->index_where, sizeof s->index_where, CU_FILE_INDEX);
        snprintf(s->index_what, sizeof s->index_what, "%s", err ? err->text : "it cannot be opened");
    }
    TRY(cu_sqlite_index_open(CU_SQLITE_IN_MEMORY, false, &s->place.index, err));
    s->has_index = true;
    return CU_OK;
}

static cu_status open_stores(struct session *s, struct cu_err *err)
{
    TRY(cu_objects_open(&s->place.fs, CU_DIR_CLOUD_OBJECTS, &s->place.index, CU_STORE_CLOUD, &s->place.store[CU_STORE_CLOUD],
                        err));
    return cu_objects_open(&s->place.fs, CU_DIR_NODE_OBJECTS, &s->place.index, CU_STORE_NODE, &s->place.store[CU_STORE_NODE],
                           err);
}

static void close_stores(struct session *s)
{
    cu_attachments_forget(&s->attachments);
    for (int i = 0; i < CU_STORES; i++) cu_objects_close(s->place.store[i]);
    memset(s->place.store, 0, sizeof s->place.store);
}

cu_status session_renew_index(void *session, struct cu_err *err)
{
    struct session *s = session;
    char to[200];
    static const char *const files[] = { CU_FILE_INDEX, CU_FILE_INDEX "-wal", CU_FILE_INDEX "-shm", CU_FILE_INDEX ".seal" };

    close_stores(s);
    if (s->has_index) s->place.index.close(s->place.index.self);
    s->has_index = false;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(to, sizeof to, CU_DIR_QUARANTINE "/index/%lld-%s", (long long)cu_place_now(&s->place).v,
                 strrchr(files[i], '/') + 1);
        cu_status moved = s->place.fs.ops->rename(s->place.fs.self, files[i], to, err);
        if (moved != CU_OK && moved != CU_NOT_FOUND) return moved;
    }
    TRY(open_index(s, false, err));
    TRY(open_stores(s, err));
    for (int i = 0; i < CU_STORES; i++) TRY(cu_objects_reindex(s->place.store[i], err));
    return CU_OK;
}

/* ---- the engine ---- */
static void configure(struct session *s)
{
    cu_attachments_forget(&s->attachments);
    s->attachments = (struct cu_attachment_writer){ .stores = { s->place.store[0], s->place.store[1] }, .n = CU_STORES };
    s->config = (struct cu_embedded_config){
        .fs = &s->place.fs,
        .lock = CU_FILE_LOCK,
        .journal = CU_DIR_JOURNAL,
        .log = { CU_DIR_NODE_LOG, CU_DIR_CLOUD_LOG },
        .attachments = cu_objects_attachments(&s->attachments),
        .clock = s->place.clock,
        .origin = cu_buf_span(&s->origin_mem),
        .log_key = &s->place.key[CU_SIGNER_LOG],
        .accelerate = s->place.accelerate,
        .workers = s->run->args_n > 1 || s->run->threads ? WORKERS
                                                         : 0, /* threads pay when there is more than one thing to check */
    };
    s->place.care = cu_embedded_care(&s->config);
}

/* The origin is the log key's name in the trust file: known before anything else is read. */
static cu_status know_origin(struct session *s, struct cu_err *err)
{
    static const char prefix[] = "log ";
    struct cu_span policy = s->place.trust.epoch[s->place.trust.epochs_n - 1].policy_text;
    struct cu_vkey vkey;
    struct cu_span line;

    ENSURE(cu_span_split(&policy, '\n', &line) && cu_span_starts(line, cu_span_str(prefix)), err, CU_CORRUPT,
           CU_FILE_TRUST ": its last epoch names no log key");
    line = cu_span(line.p + strlen(prefix), line.n - strlen(prefix));
    TRY(cu_vkey_read(line, &vkey, err));
    s->origin_mem = cu_buf_heap(CU_ORIGIN_MAX);
    cu_buf_add(&s->origin_mem, vkey.name);
    return cu_buf_ok(&s->origin_mem, err);
}

/* The lock first: whoever has it may be about to leave another state than the one that lies there now. */
static cu_status start_engine(struct session *s, struct cu_err *err)
{
    const struct cu_fs *fs = &s->place.fs;
    cu_status opened;

    TRY(cu_need_key(&s->place, CU_SIGNER_LOG, err));
    configure(s);
    if (s->networked) TRY(share_renew(s, err));
    TRY(fs->ops->lock(fs->self, CU_FILE_LOCK, 0, &s->config.held, err));
    opened = cu_ledger_open(fs, CU_DIR_NODE_STATE, &s->place.ledger, err);
    if (opened != CU_OK) fs->ops->unlock(fs->self, s->config.held);
    TRY(opened);
    s->config.machine = cu_ledger_machine(s->place.ledger);
    if (s->networked) TRY(share_keys(s, err));
    if (!s->epochs) TRY(cu_epochs_open(&s->place, &s->epochs, err));
    cu_ledger_watch(s->place.ledger, cu_epochs_changed, s->epochs);
    s->config.signer = cu_epochs_signer(s->epochs);
    s->place.epochs = s->epochs;
    TRY(cu_embedded_open(&s->config, &s->engine, err));
    if (s->networked) TRY(share_start(s, err));
    s->engine_open = true;
    s->place.engine = &s->engine;
    return CU_OK;
}

/* A state that does not fit the log (after an unclean end, say) is derived anew; one that stays wrong is a finding of `check`. */
static cu_status start_engine_anyhow(struct session *s, struct cu_err *err)
{
    struct cu_err why = { 0 };
    cu_hash digest;
    cu_status started = start_engine(s, &why);

    if (started != CU_CORRUPT || !cu_ledger_may_rebuild(&s->place.fs, CU_DIR_NODE_STATE))
        return started == CU_OK ? CU_OK : cu_fail(err, started, "%s", why.text);
    cu_ledger_close(s->place.ledger);
    s->place.ledger = NULL;
    TRY(cu_place_refresh(&s->place, err));
    TRY(cu_reindex_state(&s->place, &digest, err));
    return start_engine(s, err);
}

/* ---- what earlier runs left ---- */
static cu_status finish_repair_first(struct session *s, struct cu_err *err)
{
    struct cu_check_request r = { .repair = true, .renew_index = session_renew_index, .arg = s };
    struct cu_check_result result;
    bool pending, mended;

    TRY(cu_repair_pending(&s->place, &pending, &mended, err));
    if (!pending || mended) return CU_OK;
    say(s->run, "an interrupted repair is finished first\n");
    return cu_check(&s->place, &r, &result, err);
}

cu_status session_finish_earlier(struct session *s, struct cu_err *err)
{
    struct deposit_output output = { .s = s, .folder = CU_DIR_RECEIPTS, .folder_is_ledgers = true, .earlier = true };
    uint64_t n;

    TRY(cu_repair_finish(&s->place, &n, &s->incident, err));
    s->has_incident = n > 0;
    TRY(cu_outbox_finish(&s->place, tell_deposited, &output, &n, err));
    if (n) say(s->run, "%llu deposits that an earlier run had signed are recorded now\n", (unsigned long long)n);
    TRY(cu_due_record(&s->place, &n, err));
    if (n)
        say(s->run, "what was due has not come: %llu timeout%s recorded now\n", (unsigned long long)n, n == 1 ? " is" : "s are");
    TRY(cu_reads_recover(&s->place, err));
    return cu_access_flush(&s->place, err);
}

static cu_status open_for_writing(struct session *s, struct cu_err *err)
{
    ENSURE(!s->networked || s->run->node, err, CU_NOT_ALLOWED,
           "this ledger is one organisation's share of a network: what is recorded goes to its node (`custody node`) by its "
           "address; nothing was recorded");
    TRY(load_keys(s, err));
    TRY(finish_repair_first(s, err));
    const cu_status started = start_engine_anyhow(s, err);
    if (started == CU_BUSY) return cu_fail_while(err, CU_BUSY, "nothing was recorded; try again when the other one is done");
    TRY(started);
    if (s->networked) return CU_OK; /* nobody waits for the others here */
    TRY(cu_settle(&s->place, err));
    return session_finish_earlier(s, err);
}

/* A reading verb after a crash first lets a writing open bring the log up to date, if it may. */
static cu_status catch_up(struct session *s, struct cu_err *err)
{
    struct session writer;
    struct cu_err why = { 0 };
    bool dirty = false;
    cu_status caught;

    if (s->networked || s->place.care.dirty(s->place.care.self, &dirty, NULL) != CU_OK || !dirty) return CU_OK;
    if (!s->place.fs.ops->writable(s->place.fs.self)) return CU_OK;
    caught = session_open(&writer, s->run, MODE_WRITE, &why);
    const cu_status closed = session_close(&writer, caught == CU_OK ? &why : NULL);
    if (caught == CU_OK) caught = closed;
    if (caught == CU_OK || (caught == CU_IO && s->bucket.ops))
        return CU_OK; /* what is recorded can be read while a bucket is away */
    if (caught == CU_BUSY || caught == CU_READ_ONLY || caught == CU_NOT_ALLOWED || caught == CU_WRONG_PASSPHRASE) return CU_OK;
    return cu_fail(err, caught, "%s", why.text);
}

/* Where the index cannot be followed (a read-only ledger, another writer), the tail is merged in memory. */
static cu_status open_for_reading(struct session *s, struct cu_err *err)
{
    TRY(catch_up(s, err));
    TRY(cu_place_refresh(&s->place, err));
    return cu_follow(&s->place, err);
}

cu_status session_open(struct session *s, struct run *run, enum mode mode, struct cu_err *err)
{
    memset(s, 0, sizeof *s);
    s->run = run;
    TRY(find_root(s, err));
    ENSURE(!s->url || mode != MODE_CHECK, err, CU_USAGE,
           "%s: this verb works on a ledger's folder, where it lies; by its address it can be read", s->url);
    ENSURE(!s->url || !run->command->not_afar, err, CU_USAGE, "%s: not by an address: %s", s->url, run->command->not_afar);
    TRY(open_world(s, err));
    if (s->url) TRY(afar_mount(s, err));
    if (!s->url || run->folder) TRY(bucket_mount_kept(s, err));
    s->networked = cu_fs_exists(&s->place.fs, CU_FILE_NETWORK);
    if (run->serves) TRY(session_confine(s, err));
    TRY(cu_place_load_trust(&s->place, err));
    TRY(know_origin(s, err));
    ENSURE(mode != MODE_WRITE || s->place.fs.ops->writable(s->place.fs.self), err, CU_READ_ONLY,
           "%s cannot be written to: nothing was recorded", s->root);
    if (s->networked && mode == MODE_WRITE && run->node)
        TRY(s->place.fs.ops->make_dir(s->place.fs.self, CU_DIR_NODE_OBJECTS, err)); /* share_renew */
    TRY(open_index_anyhow(s, mode, err));
    TRY(open_stores(s, err));
    if (s->url && mode == MODE_WRITE) TRY(session_load_signer(s, CU_SIGNER_DEPOSITOR, err));
    if (s->url) return mode == MODE_BARE ? CU_OK : afar_open(s, err);
    configure(s);
    if (mode == MODE_READ) return open_for_reading(s, err);
    if (mode == MODE_WRITE) return open_for_writing(s, err);
    return CU_OK;
}

cu_status session_close(struct session *s, struct cu_err *err)
{
    cu_status closed = CU_OK;

    progress_end(s);
    if (s->engine_open) closed = s->engine.close(s->engine.self, err);
    if (s->validator.ctx) cu_private_free(&s->validator);
    for (size_t i = 0; i < sizeof s->next / sizeof *s->next; i++)
        if (s->next[i].ctx) cu_private_free(&s->next[i]);
    if (s->votes_fs.ops) s->votes_fs.ops->close(s->votes_fs.self);
    cu_ledger_close(s->place.ledger);
    cu_epochs_close(s->epochs);
    close_stores(s);
    if (s->has_index) s->place.index.close(s->place.index.self);
    cu_place_free(&s->place);
    cu_buf_free(&s->origin_mem);
    cu_buf_free(&s->peers);
    cu_buf_free(&s->others);
    if (s->place.verifier.free) s->place.verifier.free(s->place.verifier.self);
    free(s->verifier_mem);
    if (s->place.fs.ops) s->place.fs.ops->close(s->place.fs.self);
    if (s->place.provider.ops) s->place.provider.ops->close(s->place.provider.self);
    if (s->place.node.ops) s->place.node.ops->close(s->place.node.self);
    if (s->place.remote.ops) s->place.remote.ops->close(s->place.remote.self);
    return closed;
}

cu_status in_session(struct run *run, enum mode mode, session_work *work, void *arg, struct cu_err *err)
{
    struct session s;
    cu_status done = session_open(&s, run, mode, err);

    if (done == CU_OK) done = work(&s, arg, err);
    const cu_status closed = session_close(&s, done == CU_OK ? err : NULL);
    return done == CU_OK ? closed : done;
}

cu_status session_trust(struct session *s, void *arg, struct cu_err *err)
{
    cu_buf_add(arg, cu_buf_span(&s->place.trust_text));
    return cu_buf_ok(arg, err);
}

/* The parts of a folder that is being made: see session_create and share_create. */
cu_status session_begin(struct session *s, struct run *run, const char *dir, struct cu_err *err)
{
    memset(s, 0, sizeof *s);
    s->run = run;
    ENSURE(strlen(dir) < sizeof s->root, err, CU_USAGE, "the path is too long");
    snprintf(s->root, sizeof s->root, "%s", dir);
    TRY(cu_posix_make_root(dir, err));
    return open_world(s, err);
}

cu_status session_make_engine(struct session *s, struct cu_err *err)
{
    TRY(know_origin(s, err));
    TRY(open_index(s, false, err));
    TRY(open_stores(s, err));
    TRY(cu_ledger_open(&s->place.fs, CU_DIR_NODE_STATE, &s->place.ledger, err));
    configure(s);
    s->config.machine = cu_ledger_machine(s->place.ledger);
    return cu_embedded_create(&s->config, err);
}

cu_status session_create(struct session *s, struct run *run, const char *dir, const struct cu_found_request *r,
                         struct cu_err *err)
{
    CU_BUF genesis = cu_buf_heap(CU_RECORD_MAX);
    const struct cu_span cloud = opt_span(run, "cloud");

    TRY(session_begin(s, run, dir, err));
    TRY(session_new_keys(s, err));
    if (cloud.n) TRY(bucket_mount(s, cloud, err));
    if (cloud.n) TRY(bucket_begin(s, err));
    TRY(cu_found_files(&s->place, r, &genesis, err));
    if (cloud.n) TRY(bucket_keep(s, cloud, err));
    TRY(session_make_engine(s, err));
    TRY(cu_embedded_open(&s->config, &s->engine, err));
    s->engine_open = true;
    s->place.engine = &s->engine;
    return cu_found_records(&s->place, cu_buf_span(&genesis), err);
}
