// panels.h - what the variants of the products with vectors share.
#ifndef SDK_PANELS_H
#define SDK_PANELS_H

#include "kernel_prototypes.h"

enum {
    SDK_PLANE_BYTES = 64,  ///< one plane of a step
    SDK_PANEL_QUADS = 8,   ///< runs of 16 nibbles in it
    SDK_PANEL_LANES = 32   ///< 32-bit lanes that its nibbles fill as bytes, and scales of a run
};

/// A finite half float as a float: its bits in place, then the difference of the exponents.
static inline float sdk_half(uint16_t half) {
    uint32_t bits = (uint32_t)(half & 0x7FFF) << 13;
    float value;
    memcpy(&value, &bits, sizeof value);
    value *= 0x1p112f;
    return half & 0x8000 ? -value : value;
}

/// Bytes of the tables of one run of a panel.
static inline size_t sdk_run_table_bytes(const sdk_panels *panels) {
    return panels->n * panels->S * panels->quads * SDK_SYMBOLS;
}

/// Writes the sums of the lanes of a panel to the filters that there are.
static inline void sdk_store_lanes(size_t filters, size_t F, const float *lanes, float factor,
                                   float *y) {
    size_t count = filters < SDK_PANEL_QUADS * F ? filters : SDK_PANEL_QUADS * F;
    for (size_t f = 0; f < count; f++) y[f] = factor * lanes[f * (4 / F)];
}

#endif  // SDK_PANELS_H
