// rebuild.c - 16 rows at a time; an f32 table is the four registers of one table look-up.
#include "kernel_prototypes.h"

#if SDK_ARCH_ARM64
#include <arm_neon.h>

#pragma STDC FP_CONTRACT OFF
enum { VECTOR_WIDTH = 8 };

/// The nibbles of `count` <= 16 rows, without reading past them.
static inline uint8x16_t load_nibbles(const uint8_t *p, size_t count, int high) {
    uint8_t bytes[16] = {0};
    memcpy(bytes, p, count);
    uint8x16_t value = vld1q_u8(bytes);
    return high ? vshrq_n_u8(value, 4) : vandq_u8(value, vdupq_n_u8(15));
}

/// Table entries of four rows: byte 4 i + b of the result is byte b of entry nibble[i].
static inline float32x4_t look_up(uint8x16x4_t table, uint8x16_t nibble, size_t quarter) {
    uint8_t index[16], nibbles[16];
    vst1q_u8(nibbles, nibble);
    for (size_t i = 0; i < 16; i++) {
        index[i] = (uint8_t)(nibbles[quarter * 4 + i / 4] * 4 + i % 4);
    }
    return vreinterpretq_f32_u8(vqtbl4q_u8(table, vld1q_u8(index)));
}

static void rebuild16_f32(size_t count, size_t n, size_t S, const uint8_t *p, size_t plane,
                          int high, const float *tables, float scale, float *out) {
    float planes[VECTOR_WIDTH][16];
    for (size_t t = 0; t < S; t++) {
        float32x4_t w[4];
        for (size_t j = 0; j < n; j++) {
            uint8x16_t nibble = load_nibbles(p + j * plane, count, high);
            uint8x16x4_t table = vld1q_u8_x4((const uint8_t *)(tables + (j * S + t) * 16));
            for (size_t quarter = 0; quarter < 4; quarter++) {
                float32x4_t value = look_up(table, nibble, quarter);
                w[quarter] = j == 0 ? value : vaddq_f32(w[quarter], value);
            }
        }
        for (size_t quarter = 0; quarter < 4; quarter++) {
            vst1q_f32(planes[t] + quarter * 4, vmulq_n_f32(w[quarter], scale));
        }
    }
    for (size_t row = 0; row < count; row++) {
        for (size_t t = 0; t < S; t++) *out++ = planes[t][row];
    }
}

static void rebuild16_s8(size_t count, size_t n, size_t S, const uint8_t *p, size_t plane,
                         int high, const int8_t *tables, int8_t *out) {
    int8_t planes[VECTOR_WIDTH][16];
    for (size_t t = 0; t < S; t++) {
        int8x16_t w = vdupq_n_s8(0);
        for (size_t j = 0; j < n; j++) {
            uint8x16_t nibble = load_nibbles(p + j * plane, count, high);
            w = vaddq_s8(w, vqtbl1q_s8(vld1q_s8(tables + (j * S + t) * 16), nibble));
        }
        vst1q_s8(planes[t], w);
    }
    for (size_t row = 0; row < count; row++) {
        for (size_t t = 0; t < S; t++) *out++ = planes[t][row];
    }
}

void sdk_f32_po2_rebuild__neon(size_t rows, size_t n, size_t S, const uint8_t *packed,
                               const float *tables, float scale, float *out) {
    if (S > VECTOR_WIDTH) {
        sdk_f32_po2_rebuild__scalar(rows, n, S, packed, tables, scale, out);
        return;
    }
    for (size_t row = 0; row < rows; row += SDK_CHUNK_ROWS) {
        size_t chunk = sdk_chunk_rows(rows, row), half = (chunk + 1) / 2;
        for (size_t i = 0; i < half; i += 16) {
            size_t count = half - i < 16 ? half - i : 16;
            rebuild16_f32(count, n, S, packed + i, half, 0, tables, scale, out + i * S);
        }
        for (size_t i = 0; i < chunk - half; i += 16) {
            size_t count = chunk - half - i < 16 ? chunk - half - i : 16;
            rebuild16_f32(count, n, S, packed + i, half, 1, tables, scale, out + (half + i) * S);
        }
        packed += n * half;
        out += chunk * S;
    }
}

void sdk_s8_po2_rebuild__neon(size_t rows, size_t n, size_t S, const uint8_t *packed,
                              const int8_t *tables, int8_t *out) {
    if (S > VECTOR_WIDTH) {
        sdk_s8_po2_rebuild__scalar(rows, n, S, packed, tables, out);
        return;
    }
    for (size_t row = 0; row < rows; row += SDK_CHUNK_ROWS) {
        size_t chunk = sdk_chunk_rows(rows, row), half = (chunk + 1) / 2;
        for (size_t i = 0; i < half; i += 16) {
            size_t count = half - i < 16 ? half - i : 16;
            rebuild16_s8(count, n, S, packed + i, half, 0, tables, out + i * S);
        }
        for (size_t i = 0; i < chunk - half; i += 16) {
            size_t count = chunk - half - i < 16 ? chunk - half - i : 16;
            rebuild16_s8(count, n, S, packed + i, half, 1, tables, out + (half + i) * S);
        }
        packed += n * half;
        out += chunk * S;
    }
}
#endif
