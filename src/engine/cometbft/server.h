/* The socket on which CometBFT speaks to its application: frames, connections, and nothing of what they mean. */
#ifndef CU_COMETBFT_SERVER_H
#define CU_COMETBFT_SERVER_H

#include "engine/cometbft/abci.h"

/** Answer one request: fill `ret`, whose spans and lists may lie in `out` or in what the application keeps until the next call of the same
 *  connection. Several at once, one a connection. An error is the end of the application: the node is told the sentence as an
 *  exception, upon which it stops, and the server ends with it. */
struct cu_abci_application {
    void *self;
    cu_status (*answer)(void *self, const struct cu_abci_request *request, struct cu_abci_response *ret, struct cu_buf *out,
                        struct cu_err *err);
};

struct cu_abci_config {
    const char *path;       /* of the Unix socket; one that is there is replaced. For its owner alone (0600) */
    size_t frame_max;       /* bytes of one request: more ends the connection */
    int stop_fd;            /* the server ends when this is readable */
    struct cu_abci_application application;
};

#define CU_ABCI_CONNECTIONS_MAX 16u /* a node has four; after it was killed the old ones may linger */

/** Serve until told to stop (OK) or until the application failed (its status). A connection that speaks no ABCI, or ends, is closed,
 *  and others go on: a node that is started again connects again. */
CU_MUST_USE cu_status cu_abci_serve(const struct cu_abci_config *config, struct cu_err *err);

#endif
