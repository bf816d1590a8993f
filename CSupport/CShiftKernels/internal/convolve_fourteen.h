// convolve_fourteen.h - the tiles of up to 14 pixels by two registers of filters, or by one.
#include "convolve_tile.h"

#define TILES(P)                                                                                  \
    static __attribute__((noinline)) void tile_##P(const convolve_job *job) { tile(job, P, 2); } \
    static __attribute__((noinline)) void half_##P(const convolve_job *job) { tile(job, P, 1); }
TILES(1)
TILES(2)
TILES(3)
TILES(4)
TILES(5)
TILES(6)
TILES(7)
TILES(8)
TILES(9)
TILES(10)
TILES(11)
TILES(12)
TILES(13)
TILES(14)
#undef TILES

static void (*const tiles[2][SDK_TILE])(const convolve_job *) = {
    {half_1, half_2, half_3, half_4, half_5, half_6, half_7, half_8, half_9, half_10, half_11,
     half_12, half_13, half_14},
    {tile_1, tile_2, tile_3, tile_4, tile_5, tile_6, tile_7, tile_8, tile_9, tile_10, tile_11,
     tile_12, tile_13, tile_14}};

INLINE void run_tile(const convolve_job *job, size_t pixels) {
    tiles[job->filters > 16][pixels - 1](job);
}
