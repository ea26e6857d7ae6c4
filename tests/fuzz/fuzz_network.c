/* What a network begins with: whoever starts a node by it has an address and two keys of each organisation. */
#include "service/service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cu_network n;
    struct cu_network_peer peer;
    size_t at = 0, count = 0;

    if (cu_network_read(cu_span(data, size), &n, NULL) != CU_OK) return 0;
    CU_ASSERT(n.entry.kind == CU_KIND_GENESIS && n.peers.n == n.members.organisations);
    for (; cu_network_next(&n, &at, &peer); count++)
        CU_ASSERT(peer.at.n >= 3 && (n.has_now || (cu_network_key(&n, peer.party, CU_PURPOSE_VALIDATOR) &&
                                                   cu_network_key(&n, peer.party, CU_PURPOSE_NODE))));
    CU_ASSERT(count == (n.has_now ? n.now.n : n.peers.n));
    return 0;
}
