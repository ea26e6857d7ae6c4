#include "service/service.h"

#include "custody/text.h"
#include "custody/words.h"

void cu_qr_text(const cu_hash *network, const cu_hash *id, const cu_hash *leaf, struct cu_buf *out)
{
    cu_buf_add_str(out, "custody-qr/v1\nnetwork ");
    cu_words_put(out, network);
    cu_buf_add_str(out, "\nid ");
    cu_hex_put(out, cu_span_hash(id));
    cu_buf_add_str(out, "\nleaf ");
    cu_hex_put(out, cu_span_hash(leaf));
    cu_buf_add_byte(out, '\n');
}
