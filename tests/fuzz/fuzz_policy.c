/* A policy that is read holds what its own rules say: members before their groups, each once, thresholds within bounds. And
 * one that nobody cosigned is met only when it asks for nobody. */
#include "custody/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cu_tlog_policy p;
    bool nobody[CU_POLICY_MEMBERS_MAX] = { false }, all[CU_POLICY_MEMBERS_MAX], member[CU_POLICY_MEMBERS_MAX] = { false };
    uint8_t text[512];

    if (cu_tlog_policy_read(cu_span(data, size), &p, NULL) != CU_OK) return 0;
    memset(all, true, sizeof all);
    CU_ASSERT(p.quorum >= -1 && p.quorum < (int)p.nodes_n);
    CU_ASSERT(cu_tlog_policy_met(&p, nobody) == (p.quorum == -1));
    CU_ASSERT(cu_tlog_policy_met(&p, all));
    for (size_t i = 0; i < p.nodes_n; i++) {
        const struct cu_policy_node *node = &p.node[i];
        CU_ASSERT(!node->is_group || (node->k >= 1 && node->k <= node->members_n));
        for (unsigned m = 0; m < node->members_n; m++) {
            CU_ASSERT(node->member[m] < i && !member[node->member[m]]);
            member[node->member[m]] = true;
        }
    }
    for (size_t i = 0; i < p.logs_n; i++) {
        struct cu_buf out = cu_buf_over(text, sizeof text);
        struct cu_vkey again;
        if (cu_vkey_write(&p.log[i], &out, NULL) != CU_OK) continue; /* a long name */
        CU_ASSERT(cu_vkey_read(cu_buf_span(&out), &again, NULL) == CU_OK && again.id == p.log[i].id);
    }
    return 0;
}
