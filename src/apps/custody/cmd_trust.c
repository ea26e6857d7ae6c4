/* custody trust chain, trust follow: from a network id, over each change of keys, to the trust file of today. */
#include "apps/custody/app.h"
#include "custody/trust_chain.h"

/* What two people compare is the file as it follows from the network id, `text`: on both sides the same bytes. */
static void tell(struct run *run, const char *path, size_t steps, struct cu_span text, const struct cu_trust *trust)
{
    const cu_hash id = cu_sha256(text);

    if (run->json) {
        struct cu_json j = cu_json_on(&run->out);
        cu_json_open(&j, NULL, '{');
        cu_json_hash(&j, "network", &trust->network);
        cu_json_uint(&j, "changes", steps);
        cu_json_uint(&j, "epochs", trust->epochs_n);
        cu_json_uint(&j, "newest_from", trust->epoch[trust->epochs_n - 1].first.v);
        cu_json_hash(&j, "fingerprint", &id);
        cu_json_close(&j, '}');
        cu_buf_add_str(&run->out, "\n");
        return;
    }
    cu_buf_addf(&run->out, "%s: %zu change%s of keys or quorum, the newest epoch from %llu entries on\n  network      ", path,
                steps, steps == 1 ? "" : "s", LLU(trust->epoch[trust->epochs_n - 1].first.v));
    put_network(&run->out, &trust->network, 15);
    cu_buf_add_str(&run->out, "  fingerprint  ");
    put_network(&run->out, &id, 15);
}

struct chain {
    struct cu_buf bytes, text; /* the trust file that it leads to */
    size_t steps;
};

static cu_status make_chain(struct session *s, void *arg, struct cu_err *err)
{
    struct chain *c = arg;

    return cu_trust_chain_make(&s->place, &c->bytes, &c->text, &c->steps, err);
}

/* Nothing need be pinned for that: what it leads to is believed by its words. */
static cu_status ask_chain(struct run *run, struct chain *c, struct cu_err *err)
{
    struct cu_verifier verifier = cu_verifier_plain();
    struct cu_remote node;

    TRY(afar_remote(run, opt(run, "ledger"), &node, err));
    const cu_status asked = cu_trust_chain_ask(&node, NULL, &verifier, &c->bytes, &c->text, &c->steps, err);
    node.ops->close(node.self);
    return asked;
}

static void free_chain(struct chain *c)
{
    cu_buf_free(&c->bytes);
    cu_buf_free(&c->text);
}

static cu_status go_chain(struct run *run, struct cu_err *err)
{
    CU_CLEANUP(free_chain) struct chain c = { cu_buf_heap(CU_TRUST_CHAIN_MAX), cu_buf_heap(CU_TRUST_MAX), 0 };
    const char *to = opt(run, "output");
    struct cu_trust trust;

    ENSURE(to, err, CU_USAGE, "name the chain with -o FILE");
    TRY(is_afar(run) ? ask_chain(run, &c, err) : in_session(run, MODE_READ, make_chain, &c, err));
    TRY(cu_trust_read(cu_buf_span(&c.text), &trust, err));
    TRY(write_output_file(to, cu_buf_span(&c.bytes), err));
    tell(run, to, c.steps, cu_buf_span(&c.text), &trust);
    return CU_OK;
}

static cu_status go_follow(struct run *run, struct cu_err *err)
{
    CU_BUF bytes = cu_buf_heap(CU_TRUST_CHAIN_MAX);
    CU_BUF from = cu_buf_heap(CU_TRUST_MAX);
    CU_BUF text = cu_buf_heap(CU_TRUST_MAX);
    CU_BUF same = cu_buf_heap(CU_TRUST_MAX);
    struct cu_verifier verifier = cu_verifier_plain();
    const char *to = opt(run, "output"), *id = opt(run, "network"), *old = opt(run, "trust");
    struct cu_trust trust;
    cu_hash network = { { 0 } };
    size_t steps;

    ENSURE(to, err, CU_USAGE, "name the trust file with -o FILE");
    ENSURE(!id != !old, err, CU_USAGE, "what you trust already: --network ID, or --trust FILE with an older trust file");
    if (id && cu_hex_read(cu_span_str(id), network.b, sizeof network, NULL) != CU_OK)
        return cu_fail(err, CU_USAGE, "--network: 64 hex digits, as `custody status --json` shows them");
    if (old) TRY(read_argument_file(old, CU_TRUST_MAX, &from, err));
    if (old) TRY(cu_trust_read(cu_buf_span(&from), &trust, err));
    TRY(read_argument_file(run->args[0], CU_TRUST_CHAIN_MAX, &bytes, err));
    TRY(cu_trust_follow(cu_buf_span(&bytes), cu_buf_span(&from), &network, &verifier, &text, &steps, err));
    TRY(cu_trust_read(cu_buf_span(&text), &trust, err));
    TRY(cu_trust_follow(cu_buf_span(&bytes), CU_SPAN_EMPTY, &trust.network, &verifier, &same, &steps, err));
    TRY(write_output_file(to, cu_buf_span(&text), err));
    tell(run, to, steps, cu_buf_span(&same), &trust);
    return CU_OK;
}

const struct command command_trust_chain = {
    .name = "trust chain",
    .args = "-o FILE",
    .line = "write what proves each change of the organisations' keys",
    .help = "Writes the genesis and, for each change of log keys, cosigning keys or their number, the last checkpoint that the "
            "keys before it "
            "signed, with the proposals, approvals and confirmations under it. Whoever has only the network id comes from there "
            "to the trust file of "
            "today, offline (`custody trust follow`). The fingerprint is of the trust file that follows from the network id: "
            "compare its words by "
            "telephone with those that the reader sees. With --ledger URL the node there is asked for it, and nothing need be "
            "pinned for "
            "that: what it "
            "hands out is followed here, and its words are compared with an organisation's by another way.",
    .go = go_chain,
    .options = { { "output", "FILE", "where the chain is written" } },
};
const struct command command_trust_follow = {
    .name = "trust follow",
    .args = "CHAIN -o FILE",
    .line = "follow a chain of trust to the trust file of today, offline",
    .help = "Begins with what you trust, the network id or an older trust file, and takes each change of keys only if the keys "
            "before it signed a "
            "log that has it. Writes the trust file that comes of it, or nothing. A chain that leaves out the last changes leads "
            "to an older file, and one "
            "that leaves out a change which later signatures do not need leads to a file without it: the words "
            "of the fingerprint are those that "
            "`custody trust chain` shows on an organisation's machine, and if they differ the chain is not whole. Outside "
            "witnesses are not in it: with --trust, those of "
            "the older file stay.",
    .args_min = 1,
    .args_max = 1,
    .go = go_follow,
    .options = { { "network", "ID", "the network id, which is all that you trust" },
                 { "trust", "FILE", "or a trust file from before" },
                 { "output", "FILE", "where the trust file is written" } },
};
