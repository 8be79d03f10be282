#pragma once
#include <string.h>
#include <zlib.h>

// deflateInit2 is a macro, which Swift does not see. One call that makes a whole gzip member of a buffer.

/// The most bytes that `tijera_gzip` needs for so many.
static inline size_t tijera_gzip_bound(size_t count) { return compressBound(count) + 18; }

/// The bytes written to `output`, or 0: there was no memory, or no room.
static inline size_t tijera_gzip(
    const unsigned char *_Nonnull input, size_t count, unsigned char *_Nonnull output, size_t room, int level) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
    stream.next_in = (unsigned char *)input;
    stream.avail_in = (uInt)count;
    stream.next_out = output;
    stream.avail_out = (uInt)room;
    int code = deflate(&stream, Z_FINISH);
    size_t written = stream.total_out;
    deflateEnd(&stream);
    return code == Z_STREAM_END ? written : 0;
}
