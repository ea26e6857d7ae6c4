/* Media types by magic. The first row that fits counts, so the particular stands before the general. */
#include "content/media.h"

struct magic {
    const char *media;
    uint16_t at;
    uint8_t n;
    const char *bytes;
    const char *also; /* and this text somewhere in the head; NULL: nothing more */
};

#define MAGIC(media, at, bytes)                   \
    {                                             \
        media, at, sizeof(bytes) - 1, bytes, NULL \
    }
#define MAGIC_WITH(media, at, bytes, also)        \
    {                                             \
        media, at, sizeof(bytes) - 1, bytes, also \
    }

/* clang-format off */
static const struct magic table[] = {
    /* pictures */
    MAGIC("image/jpeg", 0, "\xff\xd8\xff"),
    MAGIC("image/png", 0, "\x89PNG\r\n\x1a\n"),
    MAGIC("image/gif", 0, "GIF8"),
    MAGIC_WITH("image/x-canon-cr2", 0, "II*\0", "CR\x02"),
    MAGIC("image/tiff", 0, "II*\0"),
    MAGIC("image/tiff", 0, "MM\0*"),
    MAGIC("image/webp", 8, "WEBP"),
    MAGIC("image/heic", 4, "ftypheic"),
    MAGIC("image/heic", 4, "ftypheix"),
    MAGIC("image/heif", 4, "ftypmif1"),
    MAGIC("image/avif", 4, "ftypavif"),
    MAGIC("image/vnd.adobe.photoshop", 0, "8BPS"),
    MAGIC("image/bmp", 0, "BM"),
    MAGIC("image/x-icon", 0, "\0\0\1\0"),
    /* sound and video */
    MAGIC("video/quicktime", 4, "ftypqt  "),
    MAGIC("audio/mp4", 4, "ftypM4A "),
    MAGIC("video/3gpp", 4, "ftyp3gp"),
    MAGIC("video/mp4", 4, "ftyp"),
    MAGIC("video/quicktime", 4, "moov"),
    MAGIC("video/quicktime", 4, "mdat"),
    MAGIC_WITH("video/webm", 0, "\x1a\x45\xdf\xa3", "webm"),
    MAGIC("video/x-matroska", 0, "\x1a\x45\xdf\xa3"),
    MAGIC("video/x-msvideo", 8, "AVI LIST"),
    MAGIC("video/x-flv", 0, "FLV\1"),
    MAGIC("video/x-ms-asf", 0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
    MAGIC("video/mpeg", 0, "\0\0\1\xba"),
    MAGIC("video/mpeg", 0, "\0\0\1\xb3"),
    MAGIC("audio/wav", 8, "WAVE"),
    MAGIC("audio/flac", 0, "fLaC"),
    MAGIC_WITH("video/ogg", 0, "OggS", "theora"),
    MAGIC("audio/ogg", 0, "OggS"),
    MAGIC("audio/amr", 0, "#!AMR"),
    MAGIC("audio/midi", 0, "MThd"),
    MAGIC("audio/mpeg", 0, "ID3"),
    MAGIC("audio/mpeg", 0, "\xff\xfb"),
    MAGIC("audio/mpeg", 0, "\xff\xf3"),
    MAGIC("audio/mpeg", 0, "\xff\xf2"),
    MAGIC("audio/aac", 0, "\xff\xf1"),
    MAGIC("audio/aac", 0, "\xff\xf9"),
    /* documents and mail */
    MAGIC("application/pdf", 0, "%PDF-"),
    MAGIC("application/postscript", 0, "%!PS"),
    MAGIC("application/rtf", 0, "{\\rtf"),
    MAGIC_WITH("application/vnd.openxmlformats-officedocument.wordprocessingml.document", 0, "PK\3\4", "word/"),
    MAGIC_WITH("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", 0, "PK\3\4", "xl/"),
    MAGIC_WITH("application/vnd.openxmlformats-officedocument.presentationml.presentation", 0, "PK\3\4", "ppt/"),
    MAGIC_WITH("application/vnd.oasis.opendocument.text", 30, "mimetype", "opendocument.text"),
    MAGIC_WITH("application/vnd.oasis.opendocument.spreadsheet", 30, "mimetype", "opendocument.spreadsheet"),
    MAGIC_WITH("application/vnd.oasis.opendocument.presentation", 30, "mimetype", "opendocument.presentation"),
    MAGIC_WITH("application/epub+zip", 30, "mimetype", "epub+zip"),
    MAGIC_WITH("application/vnd.android.package-archive", 0, "PK\3\4", "AndroidManifest.xml"),
    MAGIC_WITH("application/java-archive", 0, "PK\3\4", "META-INF/"),
    MAGIC("application/x-ole-storage", 0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    MAGIC("application/vnd.ms-outlook", 0, "!BDN"),
    MAGIC("application/mbox", 0, "From "),
    MAGIC("message/rfc822", 0, "Received: "),
    MAGIC("message/rfc822", 0, "Return-Path: "),
    MAGIC("text/html", 0, "<!DOCTYPE html"),
    MAGIC("text/html", 0, "<html"),
    MAGIC_WITH("image/svg+xml", 0, "<?xml", "<svg"),
    MAGIC("image/svg+xml", 0, "<svg"),
    MAGIC("application/xml", 0, "<?xml"),
    /* archives */
    MAGIC("application/zip", 0, "PK\3\4"),
    MAGIC("application/zip", 0, "PK\5\6"),
    MAGIC("application/gzip", 0, "\x1f\x8b\x08"),
    MAGIC("application/x-bzip2", 0, "BZh"),
    MAGIC("application/x-xz", 0, "\xfd" "7zXZ\0"),
    MAGIC("application/zstd", 0, "\x28\xb5\x2f\xfd"),
    MAGIC("application/x-7z-compressed", 0, "7z\xbc\xaf\x27\x1c"),
    MAGIC("application/vnd.rar", 0, "Rar!\x1a\x07"),
    MAGIC("application/x-tar", 257, "ustar"),
    MAGIC("application/x-cpio", 0, "0707"),
    MAGIC("application/vnd.debian.binary-package", 0, "!<arch>\ndebian"),
    /* images of media, databases, captures */
    MAGIC("application/x-ewf", 0, "EVF\x09\x0d\x0a\xff\0"),
    MAGIC("application/x-ewf2", 0, "EVF2\x0d\x0a\x81\0"),
    MAGIC("application/x-ewf-logical", 0, "LVF\x09\x0d\x0a\xff\0"),
    MAGIC("application/x-aff", 0, "AFF10\r\n\0"),
    MAGIC("application/x-qemu-disk", 0, "QFI\xfb"),
    MAGIC("application/x-vmdk", 0, "KDMV"),
    MAGIC("application/x-vmdk", 0, "# Disk DescriptorFile"),
    MAGIC("application/x-vhd", 0, "conectix"),
    MAGIC("application/x-vhdx", 0, "vhdxfile"),
    MAGIC("application/x-virtualbox-vdi", 64, "\x7f\x10\xda\xbe"),
    MAGIC("application/vnd.sqlite3", 0, "SQLite format 3\0"),
    MAGIC("application/x-windows-registry", 0, "regf"),
    MAGIC("application/x-windows-event-log", 0, "ElfFile\0"),
    MAGIC("application/vnd.tcpdump.pcap", 0, "\xd4\xc3\xb2\xa1"),
    MAGIC("application/vnd.tcpdump.pcap", 0, "\xa1\xb2\xc3\xd4"),
    MAGIC("application/x-pcapng", 0, "\x0a\x0d\x0d\x0a"),
    MAGIC("application/x-raw-disk-image", 1080, "\x53\xef"), /* ext2, ext3, ext4 */
    MAGIC("application/x-raw-disk-image", 3, "NTFS    "),
    MAGIC("application/x-raw-disk-image", 3, "EXFAT   "),
    MAGIC("application/x-raw-disk-image", 82, "FAT32   "),
    MAGIC("application/x-raw-disk-image", 54, "FAT16   "),
    MAGIC("application/x-raw-disk-image", 512, "EFI PART"),
    MAGIC("application/x-raw-disk-image", 510, "\x55\xaa"),
    /* programs */
    MAGIC("application/x-elf", 0, "\x7f" "ELF"),
    MAGIC("application/x-mach-binary", 0, "\xcf\xfa\xed\xfe"),
    MAGIC("application/vnd.microsoft.portable-executable", 0, "MZ"),
    MAGIC("application/x-shellscript", 0, "#!"),
};
/* clang-format on */

static bool fits(const struct magic *m, struct cu_span head)
{
    if (head.n < (size_t)m->at + m->n || memcmp(head.p + m->at, m->bytes, m->n) != 0) return false;
    return !m->also || memmem(head.p, head.n, m->also, strlen(m->also)) != NULL;
}

const char *cu_media_type(struct cu_span head)
{
    if (head.n > CU_MEDIA_HEAD) head.n = CU_MEDIA_HEAD;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (fits(&table[i], head)) return table[i].media;
    return "";
}
