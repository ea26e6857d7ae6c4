/* The client: a ledger behind an http address, as ports/remote.h wants it. */
#ifndef CU_CLIENT_CLIENT_H
#define CU_CLIENT_CLIENT_H

#include "ports/remote.h"

extern const struct cu_remote_kind cu_client_kind;

/** A problem (RFC 9457) as our servers write it: its status by the name in "code", and "detail" into `text`, printable. False: it
 *  is none of ours. Pure. */
bool cu_problem_read(struct cu_span body, cu_status *ret, char text[400]);

#endif
