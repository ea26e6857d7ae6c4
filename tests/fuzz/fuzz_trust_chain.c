/* A chain that is followed leads to a trust file with which it goes nowhere further, and is spelled in the one way. */
#include "proof_input.h"

#include "custody/trust_chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cu_trust trust;
    struct cu_span from, bytes;
    struct cu_trust_chain chain;
    struct cu_entry genesis = { .leaf = { { 0 } } };
    CU_BUF again = cu_buf_heap(CU_TRUST_CHAIN_MAX);
    CU_BUF text = cu_buf_heap(CU_TRUST_MAX);
    CU_BUF same = cu_buf_heap(CU_TRUST_MAX);
    size_t steps;

    if (!split_input(cu_span(data, size), &from, &bytes)) return 0;
    if (cu_schema_read(&cu_trust_chain_schema, bytes, &chain, NULL) == CU_OK) {
        CU_ASSERT(cu_schema_write(&cu_trust_chain_schema, &chain, &again, NULL) == CU_OK);
        CU_ASSERT(cu_span_eq(cu_buf_span(&again), bytes));
        if (cu_entry_read(chain.genesis, &genesis, NULL) != CU_OK) return 0;
    }
    if (cu_trust_follow(bytes, from, &genesis.leaf, &yes, &text, &steps, NULL) != CU_OK) {
        CU_ASSERT(text.n == 0);
        return 0;
    }
    CU_ASSERT(cu_trust_read(cu_buf_span(&text), &trust, NULL) == CU_OK && cu_hash_eq(&trust.network, &genesis.leaf));
    CU_ASSERT(steps == chain.steps.n);
    if (trust.epochs_n == CU_EPOCHS_MAX) return 0; /* the first one may be left out: then it goes on from the network id alone */
    CU_ASSERT(cu_trust_follow(bytes, cu_buf_span(&text), &genesis.leaf, &yes, &same, &steps, NULL) == CU_OK);
    CU_ASSERT(cu_span_eq(cu_buf_span(&same), cu_buf_span(&text)));
    return 0;
}
