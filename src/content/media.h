#ifndef CU_CONTENT_MEDIA_H
#define CU_CONTENT_MEDIA_H

#include "custody/types.h"

enum { CU_MEDIA_HEAD = 4096 }; /* what is looked at, at most */

/** What the first bytes are, by magic and never by name: a media type, or "". */
const char *cu_media_type(struct cu_span head);

#endif
