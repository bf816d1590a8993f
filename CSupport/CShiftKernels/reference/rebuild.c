// rebuild.c - weights from symbols: one look-up an addend, added in the order of the symbols.
#include "kernel_prototypes.h"

#pragma STDC FP_CONTRACT OFF

/// The symbol of row `i` of a chunk of `chunk` rows, in the plane that starts at `plane`.
static inline unsigned symbol_at(const uint8_t *plane, size_t i, size_t half) {
    return i < half ? plane[i] & 15u : plane[i - half] >> 4;
}

void sdk_f32_po2_rebuild__scalar(size_t rows, size_t n, size_t S, const uint8_t *packed,
                                 const float *tables, float scale, float *out) {
    for (size_t row = 0; row < rows; row += SDK_CHUNK_ROWS) {
        size_t chunk = sdk_chunk_rows(rows, row);
        size_t half = (chunk + 1) / 2;
        for (size_t i = 0; i < chunk; i++) {
            for (size_t t = 0; t < S; t++) {
                float sum = tables[t * 16 + symbol_at(packed, i, half)];
                for (size_t j = 1; j < n; j++) {
                    sum += tables[(j * S + t) * 16 + symbol_at(packed + j * half, i, half)];
                }
                *out++ = scale * sum;
            }
        }
        packed += n * half;
    }
}

void sdk_s8_po2_rebuild__scalar(size_t rows, size_t n, size_t S, const uint8_t *packed,
                                const int8_t *tables, int8_t *out) {
    for (size_t row = 0; row < rows; row += SDK_CHUNK_ROWS) {
        size_t chunk = sdk_chunk_rows(rows, row);
        size_t half = (chunk + 1) / 2;
        for (size_t i = 0; i < chunk; i++) {
            for (size_t t = 0; t < S; t++) {
                int sum = 0;
                for (size_t j = 0; j < n; j++) {
                    sum += tables[(j * S + t) * 16 + symbol_at(packed + j * half, i, half)];
                }
                *out++ = (int8_t)sum;
            }
        }
        packed += n * half;
    }
}
