/* Opening a ledger's folder: format, trust, checkpoint, genesis. Nothing is believed before the pinned network id has been met. */
#include "service/place.h"

#include <stdio.h>

const char *const cu_signer_names[CU_SIGNERS] = { "organisation", "provider", "depositor", "log" };

cu_unix_ms cu_place_now(const struct cu_place *p) { return p->clock.now(p->clock.self); }

static cu_status check_format(const struct cu_fs *fs, struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(256);
    cu_status read = cu_fs_read(fs, CU_FILE_FORMAT, 256, &text, err);

    if (read == CU_NOT_FOUND)
        return cu_fail(err, CU_NOT_FOUND,
                       "no ledger here (there is no `" CU_FILE_FORMAT "` file); make one with `custody init DIR`");
    TRY(read);
    if (cu_span_is(cu_buf_span(&text), CU_FORMAT_LINE)) return CU_OK;
    ENSURE(!cu_span_starts(cu_buf_span(&text), cu_span_str("custody-ledger/v")), err, CU_NEWER_FORMAT,
           "this ledger was written by a newer custody: nothing was touched; use that version");
    return cu_fail(err, CU_CORRUPT, "`" CU_FILE_FORMAT "` is damaged: it should hold the line custody-ledger/v1");
}

static cu_status load_trust(struct cu_place *p, struct cu_err *err)
{
    p->trust_text = cu_buf_heap(CU_TRUST_MAX);
    TRY(cu_fs_read(&p->fs, CU_FILE_TRUST, CU_TRUST_MAX, &p->trust_text, err));
    cu_status read = cu_trust_read(cu_buf_span(&p->trust_text), &p->trust, err);
    return read == CU_OK ? CU_OK : cu_fail_while(err, read, CU_FILE_TRUST);
}

cu_status cu_place_reload_trust(struct cu_place *p, struct cu_err *err)
{
    struct cu_buf old = p->trust_text;
    const struct cu_trust before = p->trust;
    const cu_status loaded = load_trust(p, err);

    if (loaded != CU_OK) { /* it stays what it was */
        cu_buf_free(&p->trust_text);
        p->trust_text = old;
        p->trust = before;
    } else cu_buf_free(&old);
    return loaded;
}

/* Position 0 must be the pinned genesis; its details name the parties (their loss costs names, not proof). */
static cu_status load_genesis(struct cu_place *p, struct cu_err *err)
{
    struct cu_span bytes;

    TRY(cu_log_entry(&p->log, (cu_seq){ 0 }, &bytes, err));
    memset(&p->genesis, 0, sizeof p->genesis);
    cu_buf_free(&p->genesis_bytes);
    p->genesis_bytes = cu_buf_heap(CU_ENTRY_MAX);
    cu_buf_add(&p->genesis_bytes, bytes);
    TRY(cu_buf_ok(&p->genesis_bytes, err));
    TRY(cu_entry_read(cu_buf_span(&p->genesis_bytes), &p->genesis, err));
    ENSURE(p->genesis.kind == CU_KIND_GENESIS && cu_hash_eq(&p->genesis.leaf, &p->trust.network), err, CU_UNTRUSTED,
           "the log's first entry is not the genesis that " CU_FILE_TRUST " pins: this is another ledger's log");
    TRY(cu_members_from_genesis(&p->genesis.outer.body.genesis, &p->trust.network, &p->members, err));
    p->later.entries = 0;
    cu_buf_free(&p->genesis_details);
    p->genesis_details = cu_buf_heap(CU_SALT_LEN + CU_DETAILS_MAX);
    if (p->store[CU_STORE_NODE] && !p->nameless &&
        cu_place_details(p, (cu_seq){ 0 }, &p->genesis.outer.body.genesis.commitment, &p->genesis_details, NULL) != CU_OK)
        cu_buf_clear(&p->genesis_details);
    return CU_OK;
}

cu_status cu_place_refresh(struct cu_place *p, struct cu_err *err)
{
    struct cu_log *log = &p->log;

    cu_log_free(log);
    const uint64_t made = p->epochs ? cu_epochs_made(p->epochs) : 0;
    if (made != p->epochs_seen) TRY(cu_place_reload_trust(p, err));
    p->epochs_seen = made;
    cu_status opened = cu_log_open(&p->fs, CU_DIR_NODE_LOG, p->engine, p->engine && p->engine_judged ? NULL : &p->trust,
                                   p->remote.ops != NULL, &p->verifier, log, err);
    if (opened == CU_UNTRUSTED && cu_place_reload_trust(p, NULL) == CU_OK) /* perhaps an epoch began since */
        opened = cu_log_open(&p->fs, CU_DIR_NODE_LOG, p->engine, &p->trust, p->remote.ops != NULL, &p->verifier, log, err);
    TRY(opened);
    p->engine_judged = p->engine && log->checkpoint.size.v > 0;
    if (log->checkpoint.size.v == 0 || (p->engine && p->genesis.kind == CU_KIND_GENESIS))
        return CU_OK; /* what an engine goes on with is no other log */
    return load_genesis(p, err);
}

cu_status cu_place_load_trust(struct cu_place *p, struct cu_err *err)
{
    TRY(check_format(&p->fs, err));
    p->near = cu_fs_exists(&p->fs, CU_FILE_CLOUD_FAR) ? CU_STORE_NODE : CU_STORE_CLOUD;
    return load_trust(p, err);
}

cu_status cu_place_load(struct cu_place *p, struct cu_err *err)
{
    TRY(cu_place_load_trust(p, err));
    return cu_place_refresh(p, err);
}

void cu_place_free(struct cu_place *p)
{
    if (p->making) p->fs.ops->unlock(p->fs.self, p->making);
    p->making = NULL;
    cu_log_free(&p->log);
    cu_buf_free(&p->trust_text);
    cu_buf_free(&p->genesis_bytes);
    cu_buf_free(&p->genesis_details);
    cu_membership_free(&p->later);
    for (int i = 0; i < CU_SIGNERS; i++)
        if (p->has_key[i]) cu_private_free(&p->key[i]);
    for (int i = 0; i < CU_LOG_KEYS; i++) cu_private_free(&p->log_key[i]);
}

bool cu_key_in_token(struct cu_span text) { return cu_span_starts(text, cu_span_str("pkcs11:")); }

cu_status cu_key_open(const struct cu_tokens *tokens, struct cu_span text, struct cu_span passphrase, struct cu_private_key *ret,
                      struct cu_err *err)
{
    if (!cu_key_in_token(text)) return cu_private_from_pem(text, passphrase, ret, err);
    while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r')) text.n--;
    ENSURE(tokens->open, err, CU_NOT_ALLOWED, "the key lies in a token, which this program does not reach: nothing was signed");
    return tokens->open(tokens->self, text, ret, err);
}

cu_status cu_key_read(const struct cu_fs *fs, const char *name, struct cu_buf *ret, struct cu_err *err)
{
    char path[64];

    snprintf(path, sizeof path, CU_DIR_KEYS "/%s.pem", name);
    return cu_fs_read(fs, path, 16384, ret, err);
}

cu_status cu_key_load(const struct cu_place *p, enum cu_signer who, struct cu_span passphrase, struct cu_private_key *ret,
                      struct cu_err *err)
{
    return cu_key_load_named(p, cu_signer_names[who], passphrase, ret, err);
}

cu_status cu_key_load_named(const struct cu_place *p, const char *name, struct cu_span passphrase, struct cu_private_key *ret,
                            struct cu_err *err)
{
    CU_BUF text = cu_buf_heap(16384);

    TRY(cu_key_read(&p->fs, name, &text, err));
    const cu_status read = cu_key_open(&p->tokens, cu_buf_span(&text), passphrase, ret, err);
    cu_wipe(text.p, text.n);
    return read == CU_OK ? CU_OK : cu_fail_while(err, read, CU_DIR_KEYS "/%s.pem", name);
}

/* A checkpoint of the last size of the epoch before may have to be signed once more, so its key stays. */
static cu_status turn_log_keys(struct cu_place *p, struct cu_err *err)
{
    static const char now[] = CU_DIR_KEYS "/log.pem";

    if (p->has_key[CU_SIGNER_LOG]) {
        TRY(p->fs.ops->rename(p->fs.self, now, CU_DIR_KEYS "/log-before.pem", err));
        cu_private_free(&p->log_key[CU_LOG_BEFORE]);
        p->log_key[CU_LOG_BEFORE] = p->key[CU_SIGNER_LOG];
    }
    p->key[CU_SIGNER_LOG] = p->log_key[CU_LOG_NEXT];
    p->has_key[CU_SIGNER_LOG] = true;
    p->log_key[CU_LOG_NEXT] = (struct cu_private_key){ 0 };
    TRY(p->fs.ops->rename(p->fs.self, CU_DIR_KEYS "/log-next.pem", now, err));
    return p->fs.ops->sync_dir(p->fs.self, CU_DIR_KEYS, err);
}

cu_status cu_log_keys_load(struct cu_place *p, struct cu_span passphrase, struct cu_err *err)
{
    static const char *const names[CU_LOG_KEYS] = { [CU_LOG_NEXT] = "log-next", [CU_LOG_BEFORE] = "log-before" };
    const struct cu_epoch *last = &p->trust.epoch[p->trust.epochs_n - 1];
    struct cu_tlog_policy policy;

    for (size_t i = 0; i < CU_LOG_KEYS; i++) {
        const cu_status read = cu_key_load_named(p, names[i], passphrase, &p->log_key[i], err);
        if (read != CU_NOT_FOUND) TRY(read);
    }
    if (!p->log_key[CU_LOG_NEXT].ctx) return CU_OK;
    TRY(cu_trust_policy(&p->trust, last->first, &policy, err));
    for (size_t i = 0; i < policy.logs_n; i++)
        if (cu_span_eq(cu_public_span(&policy.log[i].pub), cu_public_span(&p->log_key[CU_LOG_NEXT].pub)))
            return turn_log_keys(p, err);
    return CU_OK;
}

cu_status cu_place_signed(struct cu_place *p, const struct cu_statement *st, const struct cu_member_key *key, struct cu_err *err)
{
    CU_BUF message = cu_buf_heap(CU_ENTRY_MAX + 64);

    cu_sig_structure(st->protected_, st->payload, &message);
    TRY(cu_buf_ok(&message, err));
    return cu_verify_one(&p->verifier, &key->pub, cu_buf_span(&message), st->signature.p, err);
}
