/* CometBFT's folder: what it reads before it asks us anything. docs/formats/chain.md says which of it is whose to change. */
#include "custody/digest.h"
#include "custody/json.h"
#include "custody/text.h"
#include "engine/cometbft/cometbft.h"

#include <stdio.h>

#define BLOCK_BYTES (4u << 20)

static void put_key(struct cu_json *j, const char *key, const char *type, struct cu_span bytes)
{
    uint8_t text[96];
    struct cu_buf out = cu_buf_over(text, sizeof text);

    cu_base64_put(&out, bytes);
    cu_json_open(j, key, '{');
    cu_json_str(j, "type", type);
    cu_json_text(j, "value", cu_buf_span(&out));
    cu_json_close(j, '}');
    cu_wipe(text, sizeof text);
}

/* ---- keys ---- */

/* Of Ed25519 a private key's PKCS#8 ends with its 32 bytes of seed (RFC 8410). */
static cu_status secret_of(const struct cu_private_key *key, uint8_t ret[64], struct cu_err *err)
{
    uint8_t text[512], der[96];
    struct cu_buf pem = cu_buf_over(text, sizeof text), bytes = cu_buf_over(der, sizeof der);

    TRY(cu_private_to_pem(key, CU_SPAN_EMPTY, &pem, err));
    const uint8_t *line = memchr(text, '\n', pem.n),
                  *end = line ? memchr(line + 1, '\n', pem.n - (size_t)(line + 1 - text)) : NULL;
    cu_status read = end ? cu_base64_read(cu_span(line + 1, (size_t)(end - line - 1)), &bytes, err) : CU_MALFORMED;
    if (read == CU_OK && bytes.n != 48) read = CU_MALFORMED;
    if (read == CU_OK) memcpy(ret, der + 16, 32), memcpy(ret + 32, key->pub.bytes, 32);
    cu_wipe(text, sizeof text);
    cu_wipe(der, sizeof der);
    return read == CU_OK ? CU_OK : cu_fail(err, CU_BAD_KEY, "a key of the consensus engine is not Ed25519");
}

static cu_status put_secret(struct cu_json *j, const struct cu_private_key *key, struct cu_err *err)
{
    uint8_t secret[64];

    TRY(secret_of(key, secret, err));
    put_key(j, "priv_key", "tendermint/PrivKeyEd25519", CU_SPAN_OF(secret));
    cu_wipe(secret, sizeof secret);
    return CU_OK;
}

cu_status cu_comet_node_key(const struct cu_private_key *key, struct cu_buf *ret, struct cu_err *err)
{
    struct cu_json j = cu_json_on(ret);

    cu_json_open(&j, NULL, '{');
    TRY(put_secret(&j, key, err));
    cu_json_close(&j, '}');
    return cu_buf_ok(ret, err);
}

/* Of a node, as of a validator: the first 20 bytes of SHA-256 of its public key. */
void cu_comet_address(const uint8_t *pub, struct cu_buf *out)
{
    const cu_hash digest = cu_sha256(cu_span(pub, 32));

    cu_hex_put(out, cu_span(digest.b, 20));
}

/* ---- the chain's beginning ---- */

static void put_parameters(struct cu_json *j)
{
    char bytes[16];

    snprintf(bytes, sizeof bytes, "%u", BLOCK_BYTES);
    cu_json_open(j, "consensus_params", '{');
    cu_json_open(j, "block", '{');
    cu_json_str(j, "max_bytes", bytes);
    cu_json_str(j, "max_gas", "-1");
    cu_json_close(j, '}');
    cu_json_open(j, "evidence", '{');
    cu_json_str(j, "max_age_num_blocks", "100000");
    cu_json_str(j, "max_age_duration", "172800000000000");
    cu_json_str(j, "max_bytes", "65536");
    cu_json_close(j, '}');
    cu_json_open(j, "validator", '{');
    cu_json_open(j, "pub_key_types", '[');
    cu_json_str(j, NULL, "ed25519");
    cu_json_close(j, ']');
    cu_json_close(j, '}');
    cu_json_open(j, "version", '{');
    cu_json_str(j, "app", "1");
    cu_json_close(j, '}');
    cu_json_open(j, "abci", '{');
    cu_json_str(j, "vote_extensions_enable_height", "0");
    cu_json_close(j, '}');
    cu_json_close(j, '}');
}

void cu_comet_chain_id(const cu_hash *network, char ret[48])
{
    char hex[65];

    cu_hash_hex(network, hex);
    snprintf(ret, 48, "custody-%.32s", hex);
}

void cu_comet_genesis(const cu_hash *network, cu_unix_ms time, struct cu_span founding, const struct cu_comet_peer *peers,
                      size_t n, struct cu_buf *ret)
{
    CU_BUF state = cu_buf_heap(2 * CU_CHAIN_FOUNDING_MAX);
    struct cu_json j = cu_json_on(ret);
    char id[48];

    cu_comet_chain_id(network, id);
    cu_base64_put(&state, founding);
    cu_json_open(&j, NULL, '{');
    cu_json_time(&j, "genesis_time", time);
    cu_json_str(&j, "chain_id", id);
    cu_json_str(&j, "initial_height", "1");
    put_parameters(&j);
    cu_json_open(&j, "validators", '[');
    for (size_t i = 0; i < n; i++) {
        cu_json_open(&j, NULL, '{');
        put_key(&j, "pub_key", "tendermint/PubKeyEd25519", cu_span(peers[i].validator, 32));
        cu_json_str(&j, "power", "1");
        cu_json_close(&j, '}');
    }
    cu_json_close(&j, ']');
    cu_json_str(&j, "app_hash", "");
    cu_json_text(&j, "app_state", cu_buf_span(&state));
    cu_json_close(&j, '}');
    if (state.full || state.no_memory) ret->full = true;
}

/* ---- settings ---- */

void cu_comet_ids(const struct cu_comet_peer *peers, size_t n, struct cu_buf *ret)
{
    for (size_t i = 0; i < n; i++) cu_comet_address(peers[i].node, ret);
}

static void put_peer(struct cu_buf *out, const struct cu_comet_peer *peer)
{
    cu_comet_address(peer->node, out);
    cu_buf_addf(out, "@%.*s", (int)peer->at.n, (const char *)peer->at.p);
}

void cu_comet_others(const struct cu_comet_peer *peers, size_t n, size_t own, const char *quote, struct cu_buf *ret)
{
    const char *comma = "";

    for (size_t i = 0; i < n; i++) {
        if (i == own) continue;
        cu_buf_addf(ret, "%s%s", comma, quote);
        put_peer(ret, &peers[i]);
        cu_buf_add_str(ret, quote);
        comma = ",";
    }
}

/* What is not here is CometBFT's own default. Paths are relative to its folder, in which it runs. */
void cu_comet_settings(const struct cu_comet_peer *peers, size_t n, size_t own, struct cu_span at, struct cu_span listen,
                       struct cu_buf *ret)
{
    cu_buf_addf(ret,
                "# Written by `custody node` whenever it starts: what is changed here is lost.\n"
                "proxy_app = \"unix://app.sock\"\n"
                "abci = \"socket\"\n"
                "moniker = \"organisation\"\n"
                "log_level = \"error\"\n"
                "filter_peers = true\n"
                "priv_validator_laddr = \"unix://" CU_COMET_SIGNER "\"\n"
                "priv_validator_key_file = \"data/no_key.json\"\n" /* it makes one, of nobody, where none is */
                "priv_validator_state_file = \"data/no_state.json\"\n"
                "[rpc]\n"
                "laddr = \"unix://rpc.sock\"\n"
                "max_header_bytes = %u\n" /* which a transaction comes in */
                "max_request_batch_size = 0\n"
                "unsafe = true\n" /* who may write in this folder may say whom it dials */
                "pprof_laddr = \"\"\n"
                "[p2p]\n"
                "laddr = \"tcp://%.*s\"\n"
                "external_address = \"%.*s\"\n"
                "persistent_peers = \"",
                2 * CU_CHAIN_TX_MAX + 65536u, (int)listen.n, (const char *)listen.p, (int)at.n, (const char *)at.p);
    cu_comet_others(peers, n, own, "", ret);
    cu_buf_addf(ret,
                "\"\n"
                "persistent_peers_max_dial_period = \"5s\"\n"
                "pex = false\n"
                "addr_book_strict = false\n"
                "allow_duplicate_ip = true\n"
                "flush_throttle_timeout = \"4ms\"\n"
                "max_packet_msg_payload_size = 16384\n" /* the same on all nodes */
                "send_rate = 104857600\n"
                "recv_rate = 104857600\n"
                "[mempool]\n"
                "type = \"flood\"\n"
                "recheck = false\n"
                "size = 5000\n"
                "max_tx_bytes = %u\n"
                "max_txs_bytes = 67108864\n"
                "[consensus]\n"
                "timeout_propose = \"1s\"\n"
                "timeout_commit = \"0s\"\n"
                "skip_timeout_commit = true\n"
                "create_empty_blocks = false\n"
                "peer_gossip_sleep_duration = \"5ms\"\n"
                "[storage]\n"
                "discard_abci_responses = true\n"
                "[tx_index]\n"
                "indexer = \"null\"\n",
                CU_CHAIN_TX_MAX);
}
