/* The tables of abci.h as the codec wants them. */
#include "engine/cometbft/abci.h"

#define ONE(m, number, name, type) { number, CU_PB_##type, CU_PB_ONE, offsetof(struct cu_abci_##m, name), NULL },
#define MANY(m, number, name, type) { number, CU_PB_##type, CU_PB_MANY, offsetof(struct cu_abci_##m, name), NULL },
#define PICK(m, number, name, type) { number, CU_PB_##type, CU_PB_PICK, offsetof(struct cu_abci_##m, name), NULL },
#define INNER(m, number, name, type) \
    { number, CU_PB_message, CU_PB_ONE, offsetof(struct cu_abci_##m, name), &cu_abci_##type##_table },
#define INNERS(m, number, name, type) \
    { number, CU_PB_message, CU_PB_MANY, offsetof(struct cu_abci_##m, name), &cu_abci_##type##_table },
#define ENVELOPED(m, number, name, type) \
    { number, CU_PB_message, CU_PB_PICK, offsetof(struct cu_abci_##m, name), &cu_abci_##type##_table },
#define TABLE(m)                                                                                                       \
    static const struct cu_pb_field m##_fields[] = { CU_ABCI_##m(ONE, MANY, INNER, INNERS, PICK, ENVELOPED, m){ 0 } }; \
    const struct cu_pb_message cu_abci_##m##_table = { #m, sizeof(struct cu_abci_##m), m##_fields };
CU_ABCI_MESSAGES(TABLE)

unsigned cu_abci_which(const struct cu_pb_message *envelope, const void *message)
{
    const struct cu_pb_field *f = envelope->fields;
    while (f->number != 0 && !*(const bool *)((const uint8_t *)message + f->at)) f++;
    return f->number;
}
