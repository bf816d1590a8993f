// fit_lanes.h - what the variants of the fit share: lanes, their sum, powers of two by bits.
#ifndef SDK_FIT_LANES_H
#define SDK_FIT_LANES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SDK_FIT_LANES 8
/// Rows after which a running product of remainders in [0.707, 1.415) is turned into a log2:
/// 512 rows are 64 factors a lane, far from the ends of double.
#define SDK_FIT_PRODUCT_ROWS 512
/// The smallest normal double; smaller magnitudes count as zero.
#define SDK_FIT_SMALLEST 2.2250738585072014e-308

/// Adds eight lanes: halves, quarters, pairs.
static inline double sdk_lanes_sum(const double lanes[SDK_FIT_LANES]) {
    double a = lanes[0] + lanes[4], b = lanes[1] + lanes[5];
    double c = lanes[2] + lanes[6], d = lanes[3] + lanes[7];
    return (a + c) + (b + d);
}

/// The power of two nearest to a magnitude: 1.5 * 2^p, the midpoint, goes to 2^p; 0 stays 0.
/// Adding just under half the mantissa's range carries into the exponent above the midpoint.
static inline double sdk_nearest_power_of_two(double magnitude) {
    uint64_t bits;
    memcpy(&bits, &magnitude, sizeof bits);
    bits = (bits + 0x0007FFFFFFFFFFFFu) & 0x7FF0000000000000u;
    memcpy(&magnitude, &bits, sizeof bits);
    return magnitude;
}

/// v / 2^round(log2 v), in [0.707, 1.415), of a normal magnitude.
static inline double sdk_log_remainder(double magnitude) {
    uint64_t bits;
    memcpy(&bits, &magnitude, sizeof bits);
    bits = (bits & 0x000FFFFFFFFFFFFFu) | 0x3FF0000000000000u;
    double mantissa;
    memcpy(&mantissa, &bits, sizeof bits);
    return mantissa > 1.4142135623730951 ? mantissa * 0.5 : mantissa;
}

#endif  // SDK_FIT_LANES_H
