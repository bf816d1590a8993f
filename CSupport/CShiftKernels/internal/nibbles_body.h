// nibbles_body.h - packing as two plain loops a plane, which the compiler turns into the widest
// registers of the region that includes this file; SDK_VARIANT(name) names the functions.
#include "kernel_prototypes.h"

void SDK_VARIANT(u8_nibbles_unpack)(size_t rows, size_t n, const uint8_t *restrict packed,
                                    uint8_t *restrict symbols, size_t plane_stride) {
    for (size_t row = 0; row < rows; row += SDK_CHUNK_ROWS) {
        size_t chunk = sdk_chunk_rows(rows, row);
        size_t half = (chunk + 1) / 2;
        for (size_t j = 0; j < n; j++, packed += half) {
            uint8_t *restrict plane = symbols + j * plane_stride + row;
            for (size_t i = 0; i < half; i++) plane[i] = packed[i] & 15;
            for (size_t i = 0; i < chunk - half; i++) plane[half + i] = packed[i] >> 4;
        }
    }
}

void SDK_VARIANT(u8_nibbles_pack)(size_t rows, size_t n, const uint8_t *restrict symbols,
                                  size_t plane_stride, uint8_t *restrict packed) {
    for (size_t row = 0; row < rows; row += SDK_CHUNK_ROWS) {
        size_t chunk = sdk_chunk_rows(rows, row);
        size_t half = (chunk + 1) / 2, pairs = chunk - half;
        for (size_t j = 0; j < n; j++, packed += half) {
            const uint8_t *restrict plane = symbols + j * plane_stride + row;
            for (size_t i = 0; i < pairs; i++) {
                packed[i] = (uint8_t)((plane[i] & 15) | (plane[half + i] << 4));
            }
            if (pairs < half) packed[pairs] = plane[pairs] & 15;
        }
    }
}
