/* custody enrol, and custody member: who may say what in this ledger, and for whom content can be sealed. */
#include "apps/custody/app.h"

#include <fcntl.h>
#include <unistd.h>

struct change {
    struct cu_age_recipient recipient;
    uint64_t since, party;
    unsigned purpose;
    bool rotate;
    struct cu_buf request, who;
    struct cu_outcome outcome;
};

static void tell(struct run *run, const char *what, struct cu_span who, const struct change *c)
{
    struct cu_json j = cu_json_on(&run->out);

    if (run->json) {
        cu_json_open(&j, NULL, '{');
        cu_json_hash(&j, "id", &c->outcome.id);
        if (c->party) cu_json_uint(&j, "party", c->party);
        cu_json_time(&j, "time", c->outcome.closed);
        cu_json_close(&j, '}');
    } else {
        cu_buf_addf(&run->out, "%s ", what);
        put_printable(&run->out, who);
        cu_buf_add_str(&run->out, ", recorded ");
        put_time(&run->out, c->outcome.closed);
    }
    cu_buf_add_str(&run->out, "\n");
}

static cu_status add(struct session *s, void *arg, struct cu_err *err)
{
    struct change *c = arg;

    return cu_member_add(&s->place, cu_span_str(s->run->args[0]), &c->recipient, opt_span(s->run, "note"), &c->party, &c->outcome,
                         err);
}

static cu_status go_add(struct run *run, struct cu_err *err)
{
    struct change c = { 0 };

    ENSURE(opt(run, "recipient"), err, CU_USAGE, "say for which key: --recipient age1…, as `age-keygen` prints it");
    TRY(cu_age_recipient_read(opt_span(run, "recipient"), &c.recipient, err));
    TRY(in_session(run, MODE_WRITE, add, &c, err));
    tell(run, "sealed content can now be for", cu_span_str(run->args[0]), &c);
    return CU_OK;
}

static cu_status read_since(struct run *run, struct change *c, struct cu_err *err)
{
    c->since = CU_NOT_COMPROMISED;
    return opt_is(run, "compromised-since") ? number_read("entry", opt(run, "compromised-since"), INT64_MAX - 1, &c->since, err)
                                            : CU_OK;
}

static cu_status revoke_keys(struct session *s, void *arg, struct cu_err *err)
{
    struct change *c = arg;

    return cu_member_revoke(&s->place, cu_span_str(s->run->args[0]), c->purpose, c->since, opt_span(s->run, "note"), &c->outcome,
                            err);
}

static cu_status go_revoke(struct run *run, struct cu_err *err)
{
    struct change c = { 0 };
    const struct cu_span only = opt_span(run, "only");

    if (cu_span_is(only, "statement")) c.purpose = CU_PURPOSE_STATEMENT;
    else if (cu_span_is(only, "sealing")) c.purpose = CU_PURPOSE_SEALING;
    else ENSURE(only.n == 0, err, CU_USAGE, "--only: statement or sealing");
    TRY(read_since(run, &c, err));
    TRY(in_session(run, MODE_WRITE, revoke_keys, &c, err));
    tell(run,
         c.purpose == CU_PURPOSE_STATEMENT ? "revoked: nothing more is recorded that is signed by the key of"
         : c.purpose                       ? "revoked: nothing is sealed any more for the key of"
                                           : "revoked: nothing more is recorded or sealed for the keys of",
         cu_span_str(run->args[0]), &c);
    return CU_OK;
}

/* ---- requests --------------------------------------------------------------------------------------------------------- */

static cu_status admit(struct session *s, void *arg, struct cu_err *err)
{
    struct change *c = arg;
    struct cu_enrol_request r;
    struct cu_public_key key;
    char hex[65];

    TRY(cu_enrol_request_read(cu_buf_span(&c->request), &s->place.trust.network, &s->place.verifier, &r, &key, err));
    const cu_hash kid = cu_key_id(&key);
    cu_hash_hex(&kid, hex);
    const struct cu_span said = opt_span(s->run, "fingerprint");
    ENSURE(cu_span_starts(cu_span_str(hex), said), err, CU_BAD_HASH,
           "the request is for the key %.16s…, not for the one that was read out: nothing was recorded", hex);
    cu_buf_add(&c->who, r.name);
    cu_buf_addf(&c->who, ", %s, key %.16s", cu_role_name(r.role), hex);
    return cu_member_admit(&s->place, cu_buf_span(&c->request), c->rotate, c->since, opt_span(s->run, "note"), &c->party,
                           &c->outcome, err);
}

static cu_status go_admit(struct run *run, bool rotate, struct cu_err *err)
{
    CU_BUF request = cu_buf_heap(CU_ENROL_REQUEST_MAX), who = cu_buf_heap(4096);
    struct change c = { .rotate = rotate, .request = request, .who = who };

    if (rotate) TRY(read_since(run, &c, err));
    else c.since = CU_NOT_COMPROMISED;
    cu_status done = read_argument_file(run->args[0], CU_ENROL_REQUEST_MAX, &c.request, err);
    if (done == CU_OK) done = in_session(run, MODE_WRITE, admit, &c, err);
    request = c.request; /* what it has grown to */
    who = c.who;
    TRY(done);
    tell(run, rotate ? "a new key, in place of the old ones, of" : "enrolled", cu_buf_span(&who), &c);
    return CU_OK;
}

static cu_status go_approve(struct run *run, struct cu_err *err) { return go_admit(run, false, err); }
static cu_status go_rotate(struct run *run, struct cu_err *err) { return go_admit(run, true, err); }

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

static cu_status new_key(struct run *run, struct cu_private_key *ret, struct cu_err *err)
{
    CU_BUF passphrase = cu_buf_heap(65536), pem = cu_buf_heap(16384);

    TRY(passphrase_read(run, NULL, &passphrase, err));
    cu_status made = cu_private_generate(CU_ALG_ES256, ret, err);
    if (made == CU_OK) made = cu_private_to_pem(ret, cu_buf_span(&passphrase), &pem, err);
    if (made == CU_OK) made = write_key(opt(run, "key"), cu_buf_span(&pem), err);
    if (pem.p) cu_wipe(pem.p, pem.n);
    if (passphrase.p) cu_wipe(passphrase.p, passphrase.n);
    return made;
}

/* In a token: its owner made it there. */
static cu_status own_key(struct run *run, struct cu_private_key *ret, struct cu_err *err)
{
    const struct cu_tokens tokens = tokens_of(run);

    TRY(cu_key_open(&tokens, opt_span(run, "key"), CU_SPAN_EMPTY, ret, err));
    ENSURE(ret->pub.alg == CU_ALG_ES256, err, CU_BAD_KEY, "a member signs by ES256: name a key for P-256; no request was made");
    return CU_OK;
}

static cu_status make_request(struct run *run, uint64_t role, struct cu_private_key *key, struct cu_err *err)
{
    CU_BUF request = cu_buf_heap(CU_ENROL_REQUEST_MAX);
    cu_hash network;

    TRY(network_of(run, &network, err));
    TRY(cu_key_in_token(opt_span(run, "key")) ? own_key(run, key, err) : new_key(run, key, err));
    TRY(cu_enrol_request_make(&network, role, cu_span_str(run->args[0]), key, &request, err));
    return write_output_file(opt(run, "output"), cu_buf_span(&request), err);
}

static cu_status go_enrol(struct run *run, struct cu_err *err)
{
    CU_CLEANUP(cu_private_free) struct cu_private_key key = { 0 };
    const uint64_t role = opt(run, "role") ? cu_role_by_name(opt_span(run, "role")) : CU_ROLE_DEPOSITOR;
    struct cu_json j = cu_json_on(&run->out);
    char hex[65];

    ENSURE(opt(run, "key") && opt(run, "output"), err, CU_USAGE,
           "say where the private key and the request are to lie: --key FILE -o REQUEST");
    ENSURE(role && role != CU_ROLE_ORGANISATION, err, CU_USAGE,
           "--role: depositor, provider, node, auditor, reader, operator or administrator");
    TRY(make_request(run, role, &key, err));
    cu_hash_hex(&key.id, hex);
    if (run->json) {
        cu_json_open(&j, NULL, '{');
        cu_json_hash(&j, "kid", &key.id);
        cu_json_str(&j, "role", cu_role_name(role));
        cu_json_str(&j, "key", opt(run, "key"));
        cu_json_str(&j, "request", opt(run, "output"));
        cu_json_close(&j, '}');
    } else
        cu_buf_addf(&run->out,
                    "A key of your own %s %s: keep it, and give it to nobody\n"
                    "  fingerprint  %.16s\n"
                    "  request      %s, for `custody member approve`; read the fingerprint out to whoever approves it",
                    key.holder ? "is" : "lies in", opt(run, "key"), hex, opt(run, "output"));
    cu_buf_add_str(&run->out, "\n");
    return CU_OK;
}

/* ---- who is there ------------------------------------------------------------------------------------------------------ */

static struct cu_span recipient_of(const struct cu_member_key *key, uint8_t mem[80])
{
    struct cu_buf text = cu_buf_over(mem, 80);
    struct cu_age_recipient it;

    memcpy(it.share, key->pub.bytes, sizeof it.share);
    cu_age_recipient_put(&text, &it);
    return cu_buf_span(&text);
}

static void put_key(struct run *run, struct cu_json *j, const struct cu_member_key *key)
{
    const bool statement = key->purpose == CU_PURPOSE_STATEMENT, revoked = key->until_seq != UINT64_MAX;
    uint8_t mem[80];
    const struct cu_span recipient = statement ? CU_SPAN_EMPTY : recipient_of(key, mem);
    char hex[65];

    cu_hash_hex(&key->kid, hex);
    if (run->json) {
        cu_json_open(j, NULL, '{');
        cu_json_str(j, "purpose", statement ? "statement" : "sealing");
        cu_json_hash(j, "kid", &key->kid);
        if (!statement) cu_json_text(j, "recipient", recipient);
        if (key->from_seq != UINT64_MAX) cu_json_uint(j, "from", key->from_seq);
        if (revoked) cu_json_uint(j, "revoked", key->until_seq);
        if (key->since_seq != CU_NOT_COMPROMISED) cu_json_uint(j, "compromised_since", key->since_seq);
        cu_json_close(j, '}');
        return;
    }
    if (!revoked && statement) cu_buf_addf(&run->out, "\n       signs  %.16s", hex);
    if (!revoked && !statement) cu_buf_addf(&run->out, "\n       seals  %.*s", (int)recipient.n, (const char *)recipient.p);
    if (!revoked) return;
    cu_buf_addf(&run->out, "\n       %s  %.16s, revoked by entry %llu", statement ? "signed" : "sealed", hex,
                LLU(key->until_seq));
    if (key->since_seq != CU_NOT_COMPROMISED) cu_buf_addf(&run->out, ", with others since %llu", LLU(key->since_seq));
}

static void put_party(struct run *run, const struct cu_membership *m, const struct cu_member_party *party)
{
    const struct cu_member_key *sealing = cu_members_sealing(&m->members, party->id); /* what is sealed for now */
    struct cu_json j = cu_json_on(&run->out);
    uint8_t mem[80];

    if (run->json) {
        cu_json_open(&j, NULL, '{');
        cu_json_uint(&j, "party", party->id);
        cu_json_str(&j, "role", cu_role_name(party->role));
        cu_json_uint(&j, "organisation", party->organisation);
        cu_json_text(&j, "name", cu_membership_name(m, party->id));
        if (sealing) cu_json_text(&j, "recipient", recipient_of(sealing, mem));
        cu_json_open(&j, "keys", '[');
    } else {
        cu_buf_addf(&run->out, "%3llu  %-13s  ", LLU(party->id), cu_role_name(party->role));
        put_printable(&run->out, cu_membership_name(m, party->id));
    }
    for (size_t i = 0; i < m->members.keys_n; i++) {
        const struct cu_member_key *key = &m->members.key[i];
        const bool shown = key->purpose == CU_PURPOSE_STATEMENT || key->purpose == CU_PURPOSE_SEALING;
        if (shown && key->party == party->id) put_key(run, &j, key);
    }
    if (run->json) cu_json_close(&j, ']'), cu_json_close(&j, '}');
    cu_buf_add_str(&run->out, "\n");
}

static cu_status list(struct session *s, void *arg, struct cu_err *err)
{
    CU_CLEANUP(cu_membership_free) struct cu_membership m = { 0 };

    (void)arg;
    TRY(cu_membership_read(&s->place, &m, err));
    for (uint64_t id = 1; id <= m.members.parties_n; id++) put_party(s->run, &m, cu_members_party(&m.members, id));
    return CU_OK;
}

static cu_status go_ls(struct run *run, struct cu_err *err) { return in_session(run, MODE_READ, list, NULL, err); }

const struct command command_member_add = {
    .name = "member add",
    .args = "NAME --recipient KEY",
    .line = "enrol a reader, or a sealing key of a party",
    .help = "Records for which key content can be sealed for NAME: an age recipient, as `age-keygen` prints it. A name that no "
            "party has is a new reader of the organisation, whose statement key vouches for it; for a party that has a statement "
            "key, that key "
            "must be here and vouches. A second key takes the place of the first. Names are kept in the details, not in the "
            "public log.",
    .args_min = 1,
    .args_max = 1,
    .go = go_add,
    .options = { { "recipient", "KEY", "age1…" }, { "note", "TEXT", "anything else" } },
};
const struct command command_enrol = {
    .name = "enrol",
    .args = "NAME --key FILE -o REQUEST",
    .line = "make a key of your own, and ask to be enrolled",
    .help = "Makes a private key in FILE, which stays here, and a small file that asks to be enrolled under NAME: with the "
            "public key, "
            "signed by it, which proves that you hold it. An administrator enters it by `custody member approve REQUEST`; from "
            "then on "
            "`--key FILE` signs in your name. With --key pkcs11:… it is a key that you made in a token before: it never leaves "
            "it. The "
            "ledger is named by --ledger or, far away from it, by its trust file.",
    .args_min = 1,
    .args_max = 1,
    .go = go_enrol,
    .options = { { "role", "ROLE", "depositor (if not given), provider, node, auditor, reader, operator or administrator" },
                 { "trust", "FILE", "the trust file of the ledger" },
                 { "output", "REQUEST", "where the request is to lie (or -o)" } },
};
const struct command command_member_approve = {
    .name = "member approve",
    .args = "REQUEST",
    .line = "enrol who made a request",
    .help = "Enters a request of `custody enrol` in the ledger: its key acts from the next entry on. The organisation's key says "
            "so or, with "
            "--key FILE, an administrator's. Compare the fingerprint with the one that its maker reads out.",
    .args_min = 1,
    .args_max = 1,
    .go = go_approve,
    .options = { { "fingerprint", "HEX", "as it was read out: a request for another key is refused" },
                 { "note", "TEXT", "anything else" } },
};
const struct command command_member_rotate = {
    .name = "member rotate",
    .args = "REQUEST",
    .line = "enter a new key of a member",
    .help = "Enters the key of a request that the member of the same name made, and in the same entry revokes the keys that it "
            "signed with "
            "before.",
    .args_min = 1,
    .args_max = 1,
    .go = go_rotate,
    .options = { { "fingerprint", "HEX", "as it was read out: a request for another key is refused" },
                 { "compromised-since", "ENTRY", "the position in the log since which others may hold the old keys" },
                 { "note", "TEXT", "why" } },
};
const struct command command_member_ls = {
    .name = "member ls",
    .args = "",
    .line = "list the parties and their keys",
    .help = "Lists who takes part, in which role, with the keys that sign and those that content can be sealed for, and what was "
            "revoked.",
    .args_max = 0,
    .go = go_ls,
};
const struct command command_member_revoke = {
    .name = "member revoke",
    .args = "NAME",
    .line = "revoke a member's keys",
    .help = "Nothing more is recorded that is signed by the keys that NAME has now, and nothing is sealed for them. What was "
            "recorded before "
            "stands, and what was sealed for them can still be opened: revoking takes nothing back. With --compromised-since it "
            "is on "
            "record since when others may have been able to: what was signed from that entry on is disputed, and its receipts "
            "say so.",
    .args_min = 1,
    .args_max = 1,
    .go = go_revoke,
    .options = { { "only", "PURPOSE", "statement or sealing: the keys of that purpose alone" },
                 { "compromised-since", "ENTRY", "the position in the log since which others may hold the key" },
                 { "note", "TEXT", "why" } },
};
