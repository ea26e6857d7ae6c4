/* Tiles as they lie under a folder, in whatever file system. */
#ifndef CU_PORTS_LOG_DIR_H
#define CU_PORTS_LOG_DIR_H

#include "custody/tile.h"
#include "ports/fs.h"

#include <stdio.h>

struct cu_log_dir {
    const struct cu_fs *fs;
    const char *path; /* "node/log" */
};

#define CU_BUNDLE_MAX (CU_TILE_WIDTH * (2u + CU_ENTRY_MAX))

static inline cu_status cu_log_dir_read(void *self, struct cu_tile tile, struct cu_buf *ret, struct cu_err *err)
{
    const struct cu_log_dir *dir = self;
    char name[CU_TILE_PATH_MAX], path[512];

    cu_tile_path(tile, name);
    snprintf(path, sizeof path, "%s/%s", dir->path, name);
    return cu_fs_read(dir->fs, path, CU_BUNDLE_MAX, ret, err);
}

static inline struct cu_tile_source cu_log_dir_tiles(struct cu_log_dir *dir)
{
    return (struct cu_tile_source){ dir, cu_log_dir_read };
}

#endif
