/* tlog-policy: whose signatures make a checkpoint count.  Source: c2sp.org/tlog-policy.
 *
 *  1. A line is words between spaces and tabs; empty lines and lines whose first word begins with '#' say nothing.
 *  2. Witnesses and groups share one name space; a name is defined once, before it is used, and is a member of at most one group.
 *  3. Exactly one quorum line. Log keys have type 0x01, witness keys 0x04; a public key stands in a policy once (we are
 *     stricter than the specification here: one key, one purpose).
 *  4. A checkpoint is good when its origin is the name of a listed log key that signed it, the quorum is met, and no line by a
 *     listed key fails. Other lines are ignored and counted.
 */
#include "judge.h"

enum { NONE = -1, UNREAD = -2 }; /* of a quorum */

struct words {
    size_t n;
    struct cu_span word[3 + CU_POLICY_MEMBERS_MAX];
};

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t'; }

/* More words than any line may have: false. */
static bool split_words(struct cu_span line, struct words *ret)
{
    size_t at = 0;

    ret->n = 0;
    for (;;) {
        while (at < line.n && is_blank(line.p[at])) at++;
        if (at == line.n) return true;
        if (ret->n == sizeof ret->word / sizeof *ret->word) return false;
        size_t from = at;
        while (at < line.n && !is_blank(line.p[at])) at++;
        ret->word[ret->n++] = cu_span(line.p + from, at - from);
    }
}

static bool octets_ok(struct cu_span text)
{
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7F) return false;
    }
    return true;
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static int find_node(const struct cu_tlog_policy *p, struct cu_span name)
{
    for (size_t i = 0; i < p->nodes_n; i++)
        if (cu_span_eq(p->node[i].name, name)) return (int)i;
    return NONE;
}

/* By (3). */
static bool key_is_new(const struct cu_tlog_policy *p, const struct cu_vkey *key)
{
    for (size_t i = 0; i < p->logs_n; i++)
        if (cu_span_eq(cu_public_span(&p->log[i].pub), cu_public_span(&key->pub))) return false;
    for (size_t i = 0; i < p->nodes_n; i++)
        if (!p->node[i].is_group && cu_span_eq(cu_public_span(&p->node[i].vkey.pub), cu_public_span(&key->pub))) return false;
    return true;
}

static cu_status read_key(const struct cu_tlog_policy *p, struct cu_span text, enum cu_note_key_type type, struct cu_vkey *ret,
                          struct cu_err *err)
{
    TRY(cu_vkey_parse(text, ret, err));
    ENSURE(ret->type == type, err, CU_MALFORMED, "policy: log keys are of type 1, witness keys of type 4");
    ENSURE(key_is_new(p, ret), err, CU_MALFORMED, "policy: a public key is listed twice");
    return CU_OK;
}

static cu_status new_node(struct cu_tlog_policy *p, struct cu_span name, struct cu_policy_node **ret, struct cu_err *err)
{
    ENSURE(!cu_span_is(name, "none") && find_node(p, name) == NONE, err, CU_MALFORMED,
           "policy: a name is defined twice, or is \"none\"");
    ENSURE(p->nodes_n < CU_POLICY_MEMBERS_MAX, err, CU_TOO_LARGE, "policy: more than %d witnesses and groups",
           CU_POLICY_MEMBERS_MAX);
    *ret = &p->node[p->nodes_n];
    **ret = (struct cu_policy_node){ .name = name };
    return CU_OK;
}

static cu_status read_log(struct cu_tlog_policy *p, const struct words *w, struct cu_err *err)
{
    ENSURE(w->n == 2 || w->n == 3, err, CU_MALFORMED, "policy: log <vkey> [<url>]");
    ENSURE(p->logs_n < CU_POLICY_MEMBERS_MAX, err, CU_TOO_LARGE, "policy: more than %d logs", CU_POLICY_MEMBERS_MAX);
    TRY(read_key(p, w->word[1], CU_NOTE_ED25519, &p->log[p->logs_n], err));
    p->logs_n++;
    return CU_OK;
}

static cu_status read_witness(struct cu_tlog_policy *p, const struct words *w, struct cu_err *err)
{
    struct cu_policy_node *node;

    ENSURE(w->n == 3 || w->n == 4, err, CU_MALFORMED, "policy: witness <name> <vkey> [<url>]");
    TRY(new_node(p, w->word[1], &node, err));
    TRY(read_key(p, w->word[2], CU_NOTE_COSIGNATURE, &node->vkey, err));
    if (w->n == 4) node->url = w->word[3];
    p->nodes_n++;
    return CU_OK;
}

static cu_status read_threshold(struct cu_span word, size_t members, unsigned *ret, struct cu_err *err)
{
    uint64_t k;

    if (cu_span_is(word, "any")) return *ret = 1, CU_OK;
    if (cu_span_is(word, "all")) return *ret = (unsigned)members, CU_OK;
    ENSURE(cu_decimal_read(word, members, &k, err) == CU_OK && k >= 1, err, CU_MALFORMED,
           "policy: a group needs all, any, or 1 to n of its n members");
    *ret = (unsigned)k;
    return CU_OK;
}

static cu_status read_group(struct cu_tlog_policy *p, const struct words *w, struct cu_err *err)
{
    struct cu_policy_node *node;

    ENSURE(w->n >= 4, err, CU_MALFORMED, "policy: group <name> <all, any or k> <member>...");
    TRY(new_node(p, w->word[1], &node, err));
    node->is_group = true;
    TRY(read_threshold(w->word[2], w->n - 3, &node->k, err));
    for (size_t i = 3; i < w->n; i++) {
        int member = find_node(p, w->word[i]);
        ENSURE(member != NONE, err, CU_MALFORMED, "policy: a group's member is not defined before it");
        ENSURE(!p->node[member].is_member, err, CU_MALFORMED, "policy: a name is a member twice");
        p->node[member].is_member = true;
        node->member[node->members_n++] = (uint16_t)member;
    }
    p->nodes_n++;
    return CU_OK;
}

static cu_status read_quorum(struct cu_tlog_policy *p, const struct words *w, struct cu_err *err)
{
    bool none = w->n == 2 && cu_span_is(w->word[1], "none");

    ENSURE(w->n == 2 && p->quorum == UNREAD, err, CU_MALFORMED, "policy: exactly one line: quorum <name or none>");
    p->quorum = none ? NONE : find_node(p, w->word[1]);
    ENSURE(none || p->quorum != NONE, err, CU_MALFORMED, "policy: the quorum is not defined before its line");
    return CU_OK;
}

static const struct {
    const char *word;
    cu_status (*read)(struct cu_tlog_policy *, const struct words *, struct cu_err *);
} keywords[] = {
    { "log", read_log },
    { "witness", read_witness },
    { "group", read_group },
    { "quorum", read_quorum },
};

static cu_status policy_line(struct cu_tlog_policy *p, struct cu_span line, struct cu_err *err)
{
    struct words w;

    ENSURE(split_words(line, &w), err, CU_TOO_LARGE, "policy: a line with too many words");
    if (w.n == 0 || w.word[0].p[0] == '#') return CU_OK;
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (cu_span_is(w.word[0], keywords[i].word)) return keywords[i].read(p, &w, err);
    return cu_fail(err, CU_MALFORMED, "policy: a line is log, witness, group or quorum");
}

cu_status cu_policy_parse(struct cu_span text, struct cu_tlog_policy *ret, struct cu_err *err)
{
    struct cu_lines lines = cu_lines_on(text);
    struct cu_span line;

    *ret = (struct cu_tlog_policy){ .quorum = UNREAD };
    ENSURE(octets_ok(text), err, CU_MALFORMED, "policy: a control character");
    while (cu_lines_next(&lines, &line)) {
        cu_status status = policy_line(ret, line, err);
        if (status != CU_OK) return cu_fail_while(err, status, "line %zu", lines.line);
    }
    ENSURE(!lines.bad, err, CU_MALFORMED, "policy: the last line ends in a newline");
    ENSURE(ret->quorum != UNREAD, err, CU_MALFORMED, "policy: exactly one line: quorum <name or none>");
    return CU_OK;
}

cu_status cu_tlog_policy_read(struct cu_span text, struct cu_tlog_policy *ret, struct cu_err *err)
{
    TRY(cu_policy_parse(text, ret, err));
    for (size_t i = 0; i < ret->logs_n; i++) TRY(cu_public_check(&ret->log[i].pub, err));
    for (size_t i = 0; i < ret->nodes_n; i++)
        if (!ret->node[i].is_group) TRY(cu_public_check(&ret->node[i].vkey.pub, err));
    return CU_OK;
}

/* ---- judging ------------------------------------------------------------------------------------------------------- */

bool cu_tlog_policy_met(const struct cu_tlog_policy *policy, const bool *cosigned)
{
    bool met[CU_POLICY_MEMBERS_MAX] = { false };

    if (policy->quorum < 0) return true;
    for (size_t i = 0; i < policy->nodes_n; i++) { /* by (2) members stand before their group */
        const struct cu_policy_node *node = &policy->node[i];
        unsigned n = 0;
        for (unsigned m = 0; m < node->members_n; m++) n += met[node->member[m]];
        met[i] = node->is_group ? n >= node->k : cosigned[i];
    }
    return met[policy->quorum];
}

static bool is_by(const struct cu_note_sig *sig, const struct cu_vkey *key)
{
    return sig->id == key->id && cu_span_eq(sig->name, key->name);
}

/* The listed key that a line names, or NULL. */
static const struct cu_vkey *find_signer(const struct cu_tlog_policy *p, const struct cu_note_sig *sig,
                                         enum cu_sig_verdict *ret_of, uint16_t *ret_node)
{
    for (uint16_t i = 0; i < p->logs_n; i++)
        if (is_by(sig, &p->log[i])) return *ret_of = CU_SIG_LOG, *ret_node = i, &p->log[i];
    for (uint16_t i = 0; i < p->nodes_n; i++)
        if (!p->node[i].is_group && is_by(sig, &p->node[i].vkey))
            return *ret_of = CU_SIG_COSIGNED, *ret_node = i, &p->node[i].vkey;
    return *ret_of = CU_SIG_IGNORED, *ret_node = 0, NULL;
}

cu_status cu_note_judge(const struct cu_note *note, const struct cu_tlog_policy *policy, struct cu_verifier *by,
                        struct cu_note_verdict *ret, struct cu_err *err)
{
    *ret = (struct cu_note_verdict){ 0 };
    for (size_t i = 0; i < note->sigs_n; i++) {
        const struct cu_vkey *key = find_signer(policy, &note->sig[i], &ret->of[i], &ret->node[i]);
        if (key == NULL) {
            ret->ignored++;
            continue;
        }
        cu_status status = cu_note_verify(note, &note->sig[i], key, by, &ret->unix_s[i], err);
        if (status != CU_OK) return cu_fail_while(err, status, "signature line %zu, by a known key", i + 1);
        if (ret->of[i] == CU_SIG_LOG) ret->logs++;
        else ret->cosigned++;
    }
    return CU_OK;
}

static bool log_signed(const struct cu_note *note, const struct cu_tlog_policy *policy, const struct cu_note_verdict *v,
                       struct cu_span origin)
{
    for (size_t i = 0; i < note->sigs_n; i++)
        if (v->of[i] == CU_SIG_LOG && cu_span_eq(policy->log[v->node[i]].name, origin)) return true;
    return false;
}

cu_status cu_checkpoint_signed(const struct cu_note *note, const struct cu_tlog_policy *policy, struct cu_verifier *by,
                               struct cu_checkpoint *ret, struct cu_note_verdict *ret_verdict, struct cu_err *err)
{
    struct cu_checkpoint out;

    TRY(cu_checkpoint_read(note->text, &out, err));
    TRY(cu_note_judge(note, policy, by, ret_verdict, err));
    ENSURE(log_signed(note, policy, ret_verdict, out.origin), err, CU_UNTRUSTED,
           "no log key that is trusted for this origin signed the checkpoint");
    *ret = out;
    return CU_OK;
}

cu_status cu_checkpoint_verify(const struct cu_note *note, const struct cu_tlog_policy *policy, struct cu_verifier *by,
                               struct cu_checkpoint *ret, struct cu_note_verdict *ret_verdict, struct cu_err *err)
{
    bool cosigned[CU_POLICY_MEMBERS_MAX] = { false };
    struct cu_checkpoint out;

    TRY(cu_checkpoint_signed(note, policy, by, &out, ret_verdict, err));
    for (size_t i = 0; i < note->sigs_n; i++)
        if (ret_verdict->of[i] == CU_SIG_COSIGNED) cosigned[ret_verdict->node[i]] = true;
    ENSURE(cu_tlog_policy_met(policy, cosigned), err, CU_UNTRUSTED,
           "the checkpoint lacks the cosignatures that the policy requires");
    *ret = out;
    return CU_OK;
}
