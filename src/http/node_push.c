/* Content that a depositor sends himself, when the provider does not serve it: the same uploads as a provider takes, items and folders, of deposits
 * that are recorded and that this node lacks. What came whole goes into the node's store, and is attested as what was pulled is. */
#include "http/node_inside.h"

/* ---- who, and for what ---- */

static bool may(void *self, const struct cu_peer *peer, const cu_hash *kid)
{
    struct cu_node *node = self;

    pthread_mutex_lock(&node->who);
    const struct cu_members *m = &node->membership.members;
    const struct cu_member_key *key = cu_members_key(m, kid);
    const struct cu_member_party *party = key ? cu_members_party(m, key->party) : NULL, *his = cu_members_party(m, peer->party);
    /* what a provider signed here answers this organisation's notice: its own members may bring it, too */
    const bool asked = party && party->role == CU_ROLE_PROVIDER && his && his->role != CU_ROLE_PROVIDER &&
                       his->organisation == node->party;
    const bool speaks = asked || cu_peer_speaks_for(m, peer, kid);
    pthread_mutex_unlock(&node->who);
    return speaks;
}

static cu_status find_deposit(struct cu_place *p, const cu_hash *id, cu_seq *ret, struct cu_err *err)
{
    struct cu_claim_outcome is;

    TRY(cu_settle(p, err));
    const cu_status found = cu_lookup_outcome(p, id, &is, err);
    ENSURE(found != CU_NOT_FOUND && (found != CU_OK || is.kind == CU_KIND_DEPOSIT), err, CU_NOT_FOUND,
           "no deposit of that claim is recorded here: a node takes the bytes of what a provider accepted. POST /v1/submit "
           "brings that; before, "
           "the bytes are the provider's");
    *ret = is.seq;
    return found;
}

/* A folder is lacked until it is attested: what of it is here already, only the walk knows. */
static cu_status judge_lack(struct cu_place *p, cu_seq seq, const struct cu_claim *claim, struct cu_err *err)
{
    bool has;

    TRY(cu_copied_by(p, seq, cu_place_party(p), &has, err));
    if (!claim->has_folder)
        has |= claim->size <= CU_CONTENT_INLINE_MAX ||
               cu_store_knows(p->store[CU_STORE_NODE], CU_OBJECT_CONTENT, &claim->root, claim->size);
    ENSURE(!has, err, CU_OUT_OF_ORDER, "this node has it already: nothing need be sent");
    return CU_OK;
}

static cu_status find_lacked(struct cu_place *p, const cu_hash *id, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_claim claim;
    cu_seq seq;

    TRY(find_deposit(p, id, &seq, err));
    TRY(cu_claim_file_of(p, seq, ret, &claim, err));
    return judge_lack(p, seq, &claim, err);
}

static cu_status begin(void *self, const cu_hash *id, struct cu_err *err)
{
    CU_BUF file = cu_buf_heap(CU_RECORD_MAX);
    struct cu_node *node = self;
    struct cu_place *p = node->config.place;

    ENSURE(node->pull, err, CU_NOT_ALLOWED, "this node was told of no provider (--provider), so its content comes another way");
    pthread_mutex_lock(&node->act);
    const cu_status lacked = find_lacked(p, id, &file, err);
    pthread_mutex_unlock(&node->act);
    TRY(lacked);
    if (node->config.ready) TRY(node->config.ready(node->config.arg, err));
    return cu_spool_add(node->uploads.spool, cu_buf_span(&file), cu_place_now(p).v, err);
}

static void came(void *self)
{
    cu_pull_wake(self);
    cu_accepting_wake(self);
}

cu_status cu_push_open(struct cu_node *node, struct cu_err *err)
{
    struct cu_place *p = node->config.place;
    char damage[400];

    node->uploads = (struct cu_upload_host){ .self = node, .may = may, .begin = begin, .came = came };
    TRY(cu_spool_open(&p->fs, p->store[CU_STORE_NODE], &node->uploads.spool, err));
    cu_spool_damage(node->uploads.spool, damage);
    if (damage[0]) cu_http_tell(node->config.log, node->config.arg, cu_place_now(p), "trouble", damage);
    return CU_OK;
}

void cu_push_close(struct cu_node *node) { cu_spool_close(node->uploads.spool); }
