// matvec.c - a quad of a panel is one register of symbols a plane; its sums stay in their lanes.
#include "compact.h"
#include "panels.h"

#if SDK_ARCH_ARM64
#include <arm_neon.h>

#pragma STDC FP_CONTRACT OFF

#define SDK_VARIANT(name) sdk_##name##__neon
#include "matvec_vectors_body.h"

void sdk_s8_compact__neon(size_t count, const uint8_t *mask, const int8_t *x, int8_t *out) {
    sdk_compact(count, mask, x, out);
}

/// The R bytes of x that every filter of a quad meets.
static inline int8x16_t spread(const int8_t *x, size_t F) {
    int8_t bytes[16];
    for (size_t i = 0; i < F; i++) memcpy(bytes + i * (16 / F), x, 16 / F);
    return vld1q_s8(bytes);
}

/// The sums of one quad in one run, as four lanes.
static inline int32x4_t quad_sums(const sdk_panels *panels, size_t quad, size_t steps,
                                  const uint8_t *packed, const int8_t *tables, const int8_t *x) {
    size_t n = panels->n, S = panels->S, F = panels->F, quads = panels->quads;
    size_t at = quads == 1 ? 0 : quad * SDK_SYMBOLS;
    packed += quad % 4 * 16;
    int32x4_t low = vdupq_n_s32(0), high = low;
    for (size_t step = 0; step < steps; step++, packed += n * SDK_PLANE_BYTES) {
        for (size_t t = 0; t < S; t++, x += 16 / F) {
            int8x16_t w = vdupq_n_s8(0), value = spread(x, F);
            for (size_t j = 0; j < n; j++) {
                uint8x16_t both = vld1q_u8(packed + j * SDK_PLANE_BYTES);
                uint8x16_t symbols =
                    quad < 4 ? vandq_u8(both, vdupq_n_u8(15)) : vshrq_n_u8(both, 4);
                const int8_t *table = tables + (j * S + t) * quads * SDK_SYMBOLS + at;
                w = vaddq_s8(w, vqtbl1q_s8(vld1q_s8(table), symbols));
            }
            low = vpadalq_s16(low, vmull_s8(vget_low_s8(w), vget_low_s8(value)));
            high = vpadalq_s16(high, vmull_s8(vget_high_s8(w), vget_high_s8(value)));
        }
    }
    int32x4_t lanes = vpaddq_s32(low, high);
    if (F <= 2) lanes = vpaddq_s32(lanes, lanes);
    if (F == 1) lanes = vpaddq_s32(lanes, lanes);
    // Two filters were left in lanes 0 and 1.
    return F == 2 ? vzip1q_s32(lanes, lanes) : lanes;
}

void sdk_s8_po2_matvec__neon(const sdk_panels *panels, size_t filters, const uint8_t *packed,
                             const int8_t *tables, const int8_t *x, float factor, float *y) {
    for (size_t first = 0; first < filters; first += SDK_PANEL_QUADS * panels->F) {
        float lanes[SDK_PANEL_LANES] = {0};
        const int8_t *from = x;
        for (size_t s = 0; s < panels->runs; s++) {
            size_t steps = panels->steps[s];
            uint16_t scales[SDK_PANEL_LANES];
            memcpy(scales, packed, sizeof scales);
            packed += sizeof scales;
            for (size_t quad = 0; quad < SDK_PANEL_QUADS; quad++) {
                int32x4_t sums = quad_sums(panels, quad, steps, packed, tables, from);
                float32x4_t scale =
                    vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(scales + quad * 4)));
                float32x4_t product = vmulq_f32(scale, vcvtq_f32_s32(sums));
                vst1q_f32(lanes + quad * 4, vaddq_f32(vld1q_f32(lanes + quad * 4), product));
            }
            packed += steps * panels->n * SDK_PLANE_BYTES;
            tables += sdk_run_table_bytes(panels);
            from += steps * panels->S * (16 / panels->F);
        }
        sdk_store_lanes(filters - first, panels->F, lanes, factor, y + first);
    }
}
#endif
