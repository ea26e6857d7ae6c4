/* JSON in, as much of it as our own servers write: the members of a flat object, one after another. Believed in nothing. Pure. */
#ifndef CU_CODEC_FIELDS_H
#define CU_CODEC_FIELDS_H

#include "custody/types.h"

/** The next member: its name, cut at 31 bytes, and its value as text into `ret`. False: that was the last, or (bad) it is no such object. */
struct cu_fields { struct cu_span rest; bool inside, bad; };
bool cu_fields_next(struct cu_fields *f, char ret_name[32], struct cu_buf *ret);
/** One of them. False: it is not there, and `ret` is empty. */
bool cu_fields_find(struct cu_span object, const char *wanted, struct cu_buf *ret);

#endif
