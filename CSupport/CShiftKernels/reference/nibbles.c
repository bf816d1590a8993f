// nibbles.c - the packed form of symbols, as people should read it.
#include "kernel_prototypes.h"

void sdk_u8_nibbles_unpack__scalar(size_t rows, size_t n, const uint8_t *packed, uint8_t *symbols,
                                   size_t plane_stride) {
    for (size_t row = 0; row < rows; row += SDK_CHUNK_ROWS) {
        size_t chunk = sdk_chunk_rows(rows, row);
        size_t half = (chunk + 1) / 2;
        for (size_t j = 0; j < n; j++, packed += half) {
            uint8_t *plane = symbols + j * plane_stride + row;
            for (size_t i = 0; i < chunk; i++) {
                plane[i] = i < half ? packed[i] & 15 : packed[i - half] >> 4;
            }
        }
    }
}

void sdk_u8_nibbles_pack__scalar(size_t rows, size_t n, const uint8_t *symbols,
                                 size_t plane_stride, uint8_t *packed) {
    for (size_t row = 0; row < rows; row += SDK_CHUNK_ROWS) {
        size_t chunk = sdk_chunk_rows(rows, row);
        size_t half = (chunk + 1) / 2;
        for (size_t j = 0; j < n; j++, packed += half) {
            const uint8_t *plane = symbols + j * plane_stride + row;
            for (size_t i = 0; i < half; i++) {
                uint8_t high = half + i < chunk ? plane[half + i] : 0;
                packed[i] = (uint8_t)((plane[i] & 15) | (high << 4));
            }
        }
    }
}
