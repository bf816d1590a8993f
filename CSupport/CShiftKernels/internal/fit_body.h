// fit_body.h - the passes of the alternating fit on eight lanes. Included by every instruction
// set's fit.c inside its target region; SDK_VARIANT(name) names the functions.
#include <math.h>

#include "fit_lanes.h"
#include "kernel_prototypes.h"

#pragma STDC FP_CONTRACT OFF
// Every function that passes these vectors is inlined here; none crosses an ABI.
#pragma clang diagnostic ignored "-Wpsabi"

typedef double sdk_f64x8 __attribute__((vector_size(64)));
typedef uint64_t sdk_u64x8 __attribute__((vector_size(64)));
#define SIGN_BIT 0x8000000000000000u
#define INLINE static inline __attribute__((always_inline))

INLINE sdk_f64x8 load8(const double *from) {
    sdk_f64x8 value;
    memcpy(&value, from, sizeof value);
    return value;
}

INLINE void store8(double *to, sdk_f64x8 value) { memcpy(to, &value, sizeof value); }

INLINE sdk_f64x8 splat8(double v) { return (sdk_f64x8){v, v, v, v, v, v, v, v}; }

INLINE sdk_f64x8 absolute8(sdk_f64x8 v) { return (sdk_f64x8)((sdk_u64x8)v & ~SIGN_BIT); }

INLINE sdk_f64x8 select8(sdk_u64x8 mask, sdk_f64x8 a, sdk_f64x8 b) {
    return (sdk_f64x8)(((sdk_u64x8)a & mask) | ((sdk_u64x8)b & ~mask));
}

INLINE double sum8(sdk_f64x8 v) {
    double lanes[SDK_FIT_LANES];
    store8(lanes, v);
    return sdk_lanes_sum(lanes);
}

/// All products of columns in one pass over the rows; r and S are constants where it matters.
INLINE void products(size_t stride, size_t r, size_t S, const double *q, const double *a,
                     double *G, double *H) {
    sdk_f64x8 gram[5][5], cross[5][5];
    for (size_t i = 0; i < r; i++) {
        for (size_t j = 0; j <= i; j++) gram[i][j] = splat8(0);
        for (size_t t = 0; t < S; t++) cross[i][t] = splat8(0);
    }
    for (size_t row = 0; row < stride; row += SDK_FIT_LANES) {
        for (size_t i = 0; i < r; i++) {
            sdk_f64x8 qi = load8(q + i * stride + row);
            for (size_t j = 0; j <= i; j++) gram[i][j] += qi * load8(q + j * stride + row);
            for (size_t t = 0; t < S; t++) cross[i][t] += qi * load8(a + t * stride + row);
        }
    }
    for (size_t i = 0; i < r; i++) {
        for (size_t j = 0; j <= i; j++) G[i * r + j] = G[j * r + i] = sum8(gram[i][j]);
        for (size_t t = 0; t < S; t++) H[i * S + t] = sum8(cross[i][t]);
    }
}

/// The same for any r and S: a pass over the rows for each pair of columns.
INLINE void wide_products(size_t stride, size_t r, size_t S, const double *q, const double *a,
                          double *G, double *H) {
    for (size_t i = 0; i < r; i++) {
        for (size_t j = 0; j < i + 1 + S; j++) {
            int is_gram = j <= i;
            const double *other = is_gram ? q + j * stride : a + (j - i - 1) * stride;
            sdk_f64x8 sum = splat8(0);
            for (size_t row = 0; row < stride; row += SDK_FIT_LANES) {
                sum += load8(q + i * stride + row) * load8(other + row);
            }
            double total = sum8(sum);
            if (is_gram) {
                G[i * r + j] = G[j * r + i] = total;
            } else {
                H[i * S + (j - i - 1)] = total;
            }
        }
    }
}

/// The signed powers of two nearest to `value`, which `scale` multiplies, at most `max_c`.
INLINE sdk_f64x8 quantised8(sdk_f64x8 value, double scale, double max_c) {
    sdk_u64x8 bits = (sdk_u64x8)(absolute8(value) * splat8(scale));
    sdk_f64x8 magnitude = (sdk_f64x8)((bits + 0x0007FFFFFFFFFFFFu) & 0x7FF0000000000000u);
    magnitude = select8((sdk_u64x8)(magnitude > max_c), splat8(max_c), magnitude);
    return (sdk_f64x8)((sdk_u64x8)magnitude | ((sdk_u64x8)value & SIGN_BIT));
}

void SDK_VARIANT(f64_fit_quantise)(size_t stride, size_t r, size_t S, const double *c,
                                   const double *scale, double max_c, const double *a, double *q,
                                   double *moved, double *G, double *H) {
    sdk_f64x8 moves = splat8(0);
    for (size_t i = 0; i < r; i++) {
        for (size_t row = 0; row < stride; row += SDK_FIT_LANES) {
            double *at = q + i * stride + row;
            sdk_f64x8 value = load8(c + i * stride + row);
            sdk_f64x8 after = quantised8(value, scale[i], max_c);
            sdk_f64x8 step = after - load8(at);
            moves += step * step;
            store8(at, after);
        }
    }
    *moved = sum8(moves);
    if (r == 3 && S == 3) {
        products(stride, 3, 3, q, a, G, H);
    } else if (r == 2 && S == 2) {
        products(stride, 2, 2, q, a, G, H);
    } else {
        wide_products(stride, r, S, q, a, G, H);
    }
}

INLINE void coefficients(size_t stride, size_t r, size_t S, const double *a, const double *P,
                         double threshold, double row_threshold, double *c) {
    for (size_t row = 0; row < stride; row += SDK_FIT_LANES) {
        sdk_f64x8 row_sum = splat8(0);
        for (size_t i = 0; i < r; i++) {
            sdk_f64x8 sum = load8(a + row) * splat8(P[i]);
            for (size_t t = 1; t < S; t++) {
                sum += load8(a + t * stride + row) * splat8(P[t * r + i]);
            }
            store8(c + i * stride + row, sum);
            row_sum += absolute8(sum);
        }
        sdk_u64x8 keep_row = (sdk_u64x8)(row_sum >= row_threshold);
        for (size_t i = 0; i < r; i++) {
            sdk_f64x8 value = load8(c + i * stride + row);
            sdk_u64x8 keep = keep_row & (sdk_u64x8)(absolute8(value) >= threshold);
            store8(c + i * stride + row, (sdk_f64x8)((sdk_u64x8)value & keep));
        }
    }
}

void SDK_VARIANT(f64_fit_coefficients)(size_t stride, size_t r, size_t S, const double *a,
                                       const double *P, double threshold, double row_threshold,
                                       double *c) {
    if (r == 3 && S == 3) {
        coefficients(stride, 3, 3, a, P, threshold, row_threshold, c);
    } else {
        coefficients(stride, r, S, a, P, threshold, row_threshold, c);
    }
}

/// Coefficients, quantisation and products of three columns in one pass over the rows, with
/// everything but the rows in registers.
INLINE void step3(size_t stride, const double *a, const double *P, double threshold,
                  double row_threshold, double max_c, double *q, double *moved, double *G,
                  double *H) {
    enum { N = 3 };
    sdk_f64x8 gram[N][N], cross[N][N], moves = splat8(0);
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < N; j++) gram[i][j] = cross[i][j] = splat8(0);
    }
    for (size_t row = 0; row < stride; row += SDK_FIT_LANES) {
        sdk_f64x8 target[N], next[N], row_sum = splat8(0);
        for (size_t t = 0; t < N; t++) target[t] = load8(a + t * stride + row);
        for (size_t i = 0; i < N; i++) {
            next[i] = target[0] * splat8(P[i]);
            for (size_t t = 1; t < N; t++) next[i] += target[t] * splat8(P[t * N + i]);
            row_sum += absolute8(next[i]);
        }
        sdk_u64x8 keep_row = (sdk_u64x8)(row_sum >= row_threshold);
        for (size_t i = 0; i < N; i++) {
            sdk_u64x8 keep = keep_row & (sdk_u64x8)(absolute8(next[i]) >= threshold);
            next[i] = quantised8((sdk_f64x8)((sdk_u64x8)next[i] & keep), 1, max_c);
            sdk_f64x8 moving = next[i] - load8(q + i * stride + row);
            moves += moving * moving;
            store8(q + i * stride + row, next[i]);
            for (size_t j = 0; j <= i; j++) gram[i][j] += next[i] * next[j];
            for (size_t t = 0; t < N; t++) cross[i][t] += next[i] * target[t];
        }
    }
    *moved = sum8(moves);
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j <= i; j++) G[i * N + j] = G[j * N + i] = sum8(gram[i][j]);
        for (size_t t = 0; t < N; t++) H[i * N + t] = sum8(cross[i][t]);
    }
}

void SDK_VARIANT(f64_fit_step)(size_t stride, size_t r, size_t S, const double *a, const double *P,
                               double threshold, double row_threshold, double max_c, double *q,
                               double *moved, double *G, double *H) {
    if (r == 3 && S == 3) {
        step3(stride, a, P, threshold, row_threshold, max_c, q, moved, G, H);
        return;
    }
    sdk_f64x8 moves = splat8(0);
    for (size_t row = 0; row < stride; row += SDK_FIT_LANES) {
        sdk_f64x8 next[SDK_MAX_WIDTH], row_sum = splat8(0);
        for (size_t i = 0; i < r; i++) {
            next[i] = load8(a + row) * splat8(P[i]);
            for (size_t t = 1; t < S; t++) {
                next[i] += load8(a + t * stride + row) * splat8(P[t * r + i]);
            }
            row_sum += absolute8(next[i]);
        }
        sdk_u64x8 keep_row = (sdk_u64x8)(row_sum >= row_threshold);
        for (size_t i = 0; i < r; i++) {
            sdk_u64x8 keep = keep_row & (sdk_u64x8)(absolute8(next[i]) >= threshold);
            sdk_f64x8 after = quantised8((sdk_f64x8)((sdk_u64x8)next[i] & keep), 1, max_c);
            sdk_f64x8 moving = after - load8(q + i * stride + row);
            moves += moving * moving;
            store8(q + i * stride + row, after);
        }
    }
    *moved = sum8(moves);
    if (r == 2 && S == 2) {
        products(stride, 2, 2, q, a, G, H);
    } else {
        wide_products(stride, r, S, q, a, G, H);
    }
}

void SDK_VARIANT(f64_fit_column_scale)(size_t stride, const double *c, double *count,
                                       double *log2_sum) {
    sdk_f64x8 counts = splat8(0);
    double total = 0;
    for (size_t begin = 0; begin < stride; begin += SDK_FIT_PRODUCT_ROWS) {
        size_t end = begin + SDK_FIT_PRODUCT_ROWS < stride ? begin + SDK_FIT_PRODUCT_ROWS : stride;
        sdk_f64x8 product = splat8(1);
        for (size_t row = begin; row < end; row += SDK_FIT_LANES) {
            sdk_f64x8 magnitude = absolute8(load8(c + row));
            sdk_u64x8 used = (sdk_u64x8)(magnitude >= SDK_FIT_SMALLEST);
            sdk_f64x8 mantissa = (sdk_f64x8)(((sdk_u64x8)magnitude & 0x000FFFFFFFFFFFFFu) |
                                             0x3FF0000000000000u);
            sdk_f64x8 remainder = select8((sdk_u64x8)(mantissa > 1.4142135623730951),
                                          mantissa * 0.5, mantissa);
            counts += select8(used, splat8(1), splat8(0));
            product *= select8(used, remainder, splat8(1));
        }
        double lanes[SDK_FIT_LANES];
        store8(lanes, product);
        for (size_t l = 0; l < SDK_FIT_LANES; l++) total -= log2(lanes[l]);
    }
    *count = sum8(counts);
    *log2_sum = total;
}
