/* Protocol buffers, as much as ABCI needs: messages described by tables, read in place, written as Go writes them.
 *
 * A message is a C struct that begins with `bool there` (is it on the wire at all?); a table says which field lies where in it.
 * Texts and bytes are spans into what was read. Repeated fields are arrays in memory that the reader's caller lends.
 */
#ifndef CU_COMETBFT_PB_H
#define CU_COMETBFT_PB_H

#include "custody/types.h"

enum cu_pb_type { CU_PB_bool, CU_PB_u32, CU_PB_u64, CU_PB_i32, CU_PB_i64, CU_PB_text, CU_PB_bytes, CU_PB_message };
enum cu_pb_label {
    CU_PB_ONE,  /* left out when it is 0 or empty; a message when it is not `there` */
    CU_PB_MANY, /* a struct cu_pb_list; numbers packed */
    CU_PB_PICK, /* bytes of which a message has at most one; empty ones are on the wire too: there when p is not NULL */
};

struct cu_pb_list {
    void *items;
    size_t n;
};

struct cu_pb_message;
struct cu_pb_field {
    uint8_t number; /* 1 to 31; 0 ends the table. Ascending */
    uint8_t type, label;
    uint16_t at;
    const struct cu_pb_message *of; /* of a message */
};
struct cu_pb_message {
    const char *name;
    size_t size;
    const struct cu_pb_field *fields;
};

#define CU_PB_DEPTH_MAX 8u

/** Read one message into `ret`, a struct of its table. Lists lie in `mem`, which is used up; `mem->max` bounds them.
 *
 *  Unknown fields are passed over by their wire type. MALFORMED: cut off; a varint of more than 64 bits; a field number of 0 or
 *  above 2^29 - 1; a group; a known field under another wire type; a number outside its type; a text that is no UTF-8; a message that
 *  comes twice (no node writes that; of a single number or text the last counts, as everywhere); two of a message's picks;
 *  deeper than CU_PB_DEPTH_MAX. TOO_LARGE: more than `mem` holds. */
CU_MUST_USE cu_status cu_pb_read(const struct cu_pb_message *of, struct cu_span bytes, void *ret, struct cu_buf *mem,
                                 struct cu_err *err);

/** Append the message: fields ascending, numbers in their shortest form. What cu_pb_read read of what Go wrote is written
 *  as Go wrote it, byte for byte, but for fields that the table lacks. */
void cu_pb_write(const struct cu_pb_message *of, const void *message, struct cu_buf *out);
size_t cu_pb_size(const struct cu_pb_message *of, const void *message);

/** A length or a number in front of something: at most ten bytes, base 128, lowest first. 0: cut off, or more than 64 bits. */
size_t cu_pb_varint(struct cu_span bytes, uint64_t *ret);
void cu_pb_put_varint(struct cu_buf *out, uint64_t v);

#endif
