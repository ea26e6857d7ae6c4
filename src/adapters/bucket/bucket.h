/* A file system of which one folder, a store of objects, lies in a bucket.
 *
 * (1) In the bucket lie the objects themselves, `large/<aa>/<root>` and `packs/<aa>/<pack>.pack`, one key each: what can be made again
 *     of them (trees, indexes) and what is not evidence yet (incoming/) stays in the folder.
 * (2) Publishing is what a rename is elsewhere: the file is put into the bucket, on condition that the key is free, and then the version
 *     that it got is written down durably, its pin. Killed in between, the next one finds the key taken and pins what lies there.
 * (3) Whatever is read is read by the pinned version, so what was put on top of it changes nothing. Without a pin it is the oldest version:
 *     the one that was there when the key was free. Nothing is trusted for being pinned: readers compare bytes with names.
 * (4) What was put on top is shown in the folder's list as a file that does not belong there, `<name>@<version>`; a delete marker as
 *     `<name>@<version>.deleted`; and so is every key that is no object's. Moved away, its bytes are copied to where it is moved and its
 *     version is noted in the pin: nothing can be taken out of the bucket, but it is not shown again.
 * (5) An object that was moved away has a pin without version: it is not there until it is published again, on top.
 */
#ifndef CU_ADAPTERS_BUCKET_H
#define CU_ADAPTERS_BUCKET_H

#include "ports/bucket.h"

/** `folder` lies in the bucket, its pins under `pins`; all else stays with `base`. Closing it closes both. The two names must outlive it. */
CU_MUST_USE cu_status cu_bucket_fs(struct cu_fs base, struct cu_bucket bucket, const char *folder, const char *pins, struct cu_fs *ret,
                                   struct cu_err *err);

#endif
