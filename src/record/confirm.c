/* An organisation confirms the genesis, and proves that it holds every key it listed there. */
#include "fields.h"

static const struct cu_field possession_fields[] = {
    CU_FIXED(0, struct cu_possession, kid),
    CU_FIXED(1, struct cu_possession, signature),
};
const struct cu_schema cu_possession_schema = CU_SCHEMA_OF("possession", possession_fields, struct cu_possession, .tuple = true);

static const struct cu_field confirm_fields[] = {
    CU_UINT(1, struct cu_confirm, party, 1, CU_PARTIES_MAX),
    TIME(2, struct cu_confirm, time),
    CU_LIST(3, struct cu_confirm, keys, 1, CU_KEYS_MAX, &cu_possession_schema),
};

static cu_status check_confirm(const union cu_payload *payload, struct cu_err *err)
{
    struct cu_possession key;
    cu_hash last = { 0 };
    size_t at = 0;

    while (cu_list_next(&payload->confirm.keys, &cu_possession_schema, &at, &key)) {
        ENSURE(memcmp(last.b, key.kid.b, sizeof last.b) < 0, err, CU_MALFORMED,
               "confirm: the keys are not in ascending order of their ids");
        last = key.kid;
    }
    return CU_OK;
}
const struct cu_payload_form cu_payload_CONFIRM = { CU_SCHEMA_OF("confirm", confirm_fields, struct cu_confirm), check_confirm };

size_t cu_possession_message(const cu_hash *network, enum cu_purpose purpose, const struct cu_public_key *key, uint8_t ret[128])
{
    struct cu_buf out = cu_buf_over(ret, 128);

    cu_buf_add_str(&out, "custody/possession/v1\n");
    cu_buf_add(&out, cu_span_hash(network));
    cu_buf_add_byte(&out, (uint8_t)purpose);
    cu_buf_add(&out, cu_public_span(key));
    CU_ASSERT(!out.full);
    return out.n;
}
