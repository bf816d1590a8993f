// learning_body.h - sixteen rows at a time. Included by every instruction set's learning.c inside
// its target region; SDK_VARIANT(name) names the functions, and the file defines before it
//     look_up(table, symbols): the floats of a table of 16, by sixteen indexes below 16
//     look_up_bytes(table, symbols): the same of a table of bytes
#include "learning_lanes.h"
#include "quantise_level.h"

#pragma STDC FP_CONTRACT OFF
// Every function that passes these vectors is inlined here; none crosses an ABI.
#pragma clang diagnostic ignored "-Wpsabi"

INLINE sdk_f32x16 splat16(float v) {
    return (sdk_f32x16){v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v};
}

INLINE sdk_s8x16 splat16b(int8_t v) {
    return (sdk_s8x16){v, v, v, v, v, v, v, v, v, v, v, v, v, v, v, v};
}

/// `count` <= 16 of what is there, and zeros.
INLINE sdk_f32x16 load_floats(const float *from, size_t count) {
    sdk_f32x16 value = splat16(0);
    if (count == 16) {
        memcpy(&value, from, sizeof value);
    } else {
        memcpy(&value, from, count * sizeof *from);
    }
    return value;
}

INLINE void store_floats(float *to, sdk_f32x16 value, size_t count) {
    if (count == 16) {
        memcpy(to, &value, sizeof value);
    } else {
        memcpy(to, &value, count * sizeof *to);
    }
}

INLINE sdk_u8x16 load_bytes(const void *from, size_t count) {
    sdk_u8x16 value = {0};
    if (count == 16) {
        memcpy(&value, from, sizeof value);
    } else {
        memcpy(&value, from, count);
    }
    return value;
}

INLINE void store_bytes(void *to, sdk_u8x16 value, size_t count) {
    if (count == 16) {
        memcpy(to, &value, sizeof value);
    } else {
        memcpy(to, &value, count);
    }
}

INLINE sdk_u8x16 select_bytes(sdk_s8x16 mask, sdk_u8x16 a, sdk_u8x16 b) {
    return (a & (sdk_u8x16)mask) | (b & ~(sdk_u8x16)mask);
}

/// Column t of rows of S floats.
INLINE sdk_f32x16 load_column(const float *x, size_t S, size_t t, size_t count) {
    if (S == 1) return load_floats(x, count);
    float column[16] = {0};
    for (size_t row = 0; row < count; row++) column[row] = x[row * S + t];
    return load_floats(column, 16);
}

INLINE void rebuild_rows(size_t count, size_t n, size_t S, const uint8_t *symbols, size_t stride,
                         const float *tables, float scale, float *out) {
    for (size_t t = 0; t < S; t++) {
        sdk_f32x16 sum = look_up(tables + t * 16, load_bytes(symbols, count));
        for (size_t j = 1; j < n; j++) {
            sum += look_up(tables + (j * S + t) * 16, load_bytes(symbols + j * stride, count));
        }
        sum *= splat16(scale);
        if (S == 1) {
            store_floats(out, sum, count);
        } else {
            float column[16];
            store_floats(column, sum, 16);
            for (size_t row = 0; row < count; row++) out[row * S + t] = column[row];
        }
    }
}

INLINE void rebuild(size_t rows, size_t n, size_t S, const uint8_t *symbols, size_t stride,
                    const float *tables, float scale, float *out) {
    size_t row = 0;
    for (; row + 16 <= rows; row += 16) {
        rebuild_rows(16, n, S, symbols + row, stride, tables, scale, out + row * S);
    }
    if (row < rows) {
        rebuild_rows(rows - row, n, S, symbols + row, stride, tables, scale, out + row * S);
    }
}

void SDK_VARIANT(f32_symbols_rebuild)(size_t rows, size_t n, size_t S, const uint8_t *symbols,
                                      size_t plane_stride, const float *tables, float scale,
                                      float *out) {
    // Constant sizes: the loops unroll and tables stay in registers.
    if (n == 3 && S == 3) {
        rebuild(rows, 3, 3, symbols, plane_stride, tables, scale, out);
    } else if (n == 3 && S == 2) {
        rebuild(rows, 3, 2, symbols, plane_stride, tables, scale, out);
    } else if (n == 1 && S == 1) {
        rebuild(rows, 1, 1, symbols, plane_stride, tables, scale, out);
    } else {
        rebuild(rows, n, S, symbols, plane_stride, tables, scale, out);
    }
}

enum { BLOCK_NIBBLES = 3, BLOCK_COLUMNS = 4 };

INLINE void add_products(size_t count, size_t n, size_t c, size_t width, size_t S,
                         const uint8_t *symbols, size_t stride, const float *coefficients,
                         const float *x, sdk_f32x16 sums[][BLOCK_COLUMNS]) {
    sdk_f32x16 column[BLOCK_COLUMNS];
    for (size_t t = 0; t < width; t++) column[t] = load_column(x, S, t, count);
    for (size_t j = 0; j < n; j++) {
        sdk_u8x16 symbol = load_bytes(symbols + j * stride, count);
        for (size_t k = 0; k < c; k++) {
            sdk_f32x16 value = look_up(coefficients + k * 16, symbol);
            for (size_t t = 0; t < width; t++) sums[j * c + k][t] += value * column[t];
        }
    }
}

/// The gradient of `n` <= 3 symbols and `width` <= 4 columns, in one pass over the rows.
INLINE void gradient_block(size_t rows, size_t n, size_t c, size_t width, size_t S,
                           const uint8_t *symbols, size_t stride, const float *coefficients,
                           const float *x, float scale, float *gradient) {
    sdk_f32x16 sums[2 * BLOCK_NIBBLES][BLOCK_COLUMNS];
    for (size_t i = 0; i < n * c; i++) {
        for (size_t t = 0; t < width; t++) sums[i][t] = splat16(0);
    }
    size_t row = 0;
    for (; row + 16 <= rows; row += 16) {
        add_products(16, n, c, width, S, symbols + row, stride, coefficients, x + row * S, sums);
    }
    if (row < rows) {
        add_products(rows - row, n, c, width, S, symbols + row, stride, coefficients, x + row * S,
                     sums);
    }
    for (size_t i = 0; i < n * c; i++) {
        for (size_t t = 0; t < width; t++) {
            float lanes[16];
            store_floats(lanes, sums[i][t], 16);
            gradient[i * S + t] += scale * sdk_learning_sum(lanes);
        }
    }
}

void SDK_VARIANT(f32_basis_gradient)(size_t rows, size_t n, size_t c, size_t S,
                                     const uint8_t *symbols, size_t plane_stride,
                                     const float *coefficients, const float *x, float scale,
                                     float *gradient) {
    if (n == 3 && S == 3 && c == 2) {
        gradient_block(rows, 3, 2, 3, 3, symbols, plane_stride, coefficients, x, scale, gradient);
        return;
    }
    if (n == 3 && S == 3 && c == 1) {
        gradient_block(rows, 3, 1, 3, 3, symbols, plane_stride, coefficients, x, scale, gradient);
        return;
    }
    if (n == 1 && S == 1 && c == 1) {
        gradient_block(rows, 1, 1, 1, 1, symbols, plane_stride, coefficients, x, scale, gradient);
        return;
    }
    for (size_t j = 0; j < n; j += BLOCK_NIBBLES) {
        size_t nibbles = n - j < BLOCK_NIBBLES ? n - j : BLOCK_NIBBLES;
        for (size_t t = 0; t < S; t += BLOCK_COLUMNS) {
            size_t width = S - t < BLOCK_COLUMNS ? S - t : BLOCK_COLUMNS;
            gradient_block(rows, nibbles, c, width, S, symbols + j * plane_stride, plane_stride,
                           coefficients, x + t, scale, gradient + j * c * S + t);
        }
    }
}

/// The changes that the rule makes of one coefficient of sixteen rows; their momentum moves.
INLINE sdk_f32x16 changes(const sdk_coefficient_rule *rule, size_t count, size_t S,
                          const float *basis, const sdk_f32x16 *column, float scale,
                          sdk_f32x16 coefficient, float *momentum) {
    sdk_f32x16 product = column[0] * splat16(basis[0]);
    for (size_t t = 1; t < S; t++) product += column[t] * splat16(basis[t]);
    sdk_f32x16 g = splat16(scale) * product + splat16(rule->decay) * coefficient;
    sdk_f32x16 inertia = splat16(rule->inertia), m = g;
    if (momentum) {
        m = inertia * load_floats(momentum, count) + g;
        store_floats(momentum, m, count);
    }
    return splat16(-rule->rate) * (rule->nesterov ? g + inertia * m : m);
}

/// -1 where the condition, -1 in a lane of 32 bits, holds.
INLINE sdk_s8x16 narrow(sdk_s32x16 condition) {
    return __builtin_convertvector(condition, sdk_s8x16);
}

INLINE void switch_rows(size_t count, size_t n, size_t c, size_t S,
                        const sdk_coefficient_rule *rule, const float *basis, const float *x,
                        float scale, size_t stride, uint8_t *symbols, float *momentum,
                        int8_t *counters) {
    sdk_f32x16 column[SDK_MAX_WIDTH];
    for (size_t t = 0; t < S; t++) column[t] = load_column(x, S, t, count);
    sdk_f32x16 threshold = splat16(rule->threshold);
    sdk_s8x16 bar = splat16b((int8_t)rule->bar);
    for (size_t j = 0; j < n; j++) {
        sdk_u8x16 before = load_bytes(symbols + j * stride, count), symbol = before;
        for (size_t k = 0; k < c; k++) {
            size_t i = j * c + k, at = i * stride;
            sdk_f32x16 d = changes(rule, count, S, basis + i * S, column, scale,
                                   look_up(rule->coefficients[k], before),
                                   momentum ? momentum + at : NULL);
            sdk_s8x16 counter = (sdk_s8x16)load_bytes(counters + at, count);
            sdk_s8x16 frozen = (sdk_s8x16)(counter == splat16b(SDK_FROZEN));
            // A condition that holds is -1.
            counter -= narrow(d > threshold) & ~frozen;
            counter += narrow(d < -threshold) & ~frozen;
            sdk_s8x16 up = (sdk_s8x16)(counter >= bar);
            sdk_s8x16 down = (sdk_s8x16)(counter <= -bar) & ~frozen;
            sdk_u8x16 higher = look_up_bytes(rule->moves[k][1], symbol);
            sdk_u8x16 lower = look_up_bytes(rule->moves[k][0], symbol);
            symbol = select_bytes(up, higher, select_bytes(down, lower, symbol));
            store_bytes(counters + at, (sdk_u8x16)(counter & ~(up | down)), count);
        }
        store_bytes(symbols + j * stride, symbol, count);
    }
}

INLINE void switch_all(size_t rows, size_t n, size_t c, size_t S, const sdk_coefficient_rule *rule,
                       const float *basis, const float *x, float scale, size_t stride,
                       uint8_t *symbols, float *momentum, int8_t *counters) {
    size_t row = 0;
    for (; row + 16 <= rows; row += 16) {
        switch_rows(16, n, c, S, rule, basis, x + row * S, scale, stride, symbols + row,
                    momentum ? momentum + row : NULL, counters + row);
    }
    if (row < rows) {
        switch_rows(rows - row, n, c, S, rule, basis, x + row * S, scale, stride, symbols + row,
                    momentum ? momentum + row : NULL, counters + row);
    }
}

void SDK_VARIANT(f32_bucket_switch)(size_t rows, size_t n, size_t c, size_t S,
                                    const sdk_coefficient_rule *rule, const float *basis,
                                    const float *x, float scale, size_t plane_stride,
                                    uint8_t *symbols, float *momentum, int8_t *counters) {
    if (n == 3 && S == 3 && c == 2) {
        switch_all(rows, 3, 2, 3, rule, basis, x, scale, plane_stride, symbols, momentum, counters);
    } else if (n == 3 && S == 3 && c == 1) {
        switch_all(rows, 3, 1, 3, rule, basis, x, scale, plane_stride, symbols, momentum, counters);
    } else if (n == 1 && S == 1) {
        switch_all(rows, 1, c, 1, rule, basis, x, scale, plane_stride, symbols, momentum, counters);
    } else {
        switch_all(rows, n, c, S, rule, basis, x, scale, plane_stride, symbols, momentum, counters);
    }
}

INLINE void requantise_rows(size_t count, size_t n, size_t c, size_t S,
                            const sdk_coefficient_rule *rule, const float *basis, const float *x,
                            float scale, size_t stride, uint8_t *symbols, float *momentum,
                            const int8_t *counters) {
    sdk_f32x16 column[SDK_MAX_WIDTH];
    for (size_t t = 0; t < S; t++) column[t] = load_column(x, S, t, count);
    for (size_t j = 0; j < n; j++) {
        sdk_u8x16 before = load_bytes(symbols + j * stride, count), symbol = before;
        for (size_t k = 0; k < c; k++) {
            size_t i = j * c + k, at = i * stride;
            sdk_f32x16 coefficient = look_up(rule->coefficients[k], before);
            sdk_f32x16 value = coefficient + changes(rule, count, S, basis + i * S, column, scale,
                                                     coefficient, momentum ? momentum + at : NULL);
            // The last bound that is not above decides: they rise.
            sdk_u8x16 moved = look_up_bytes(rule->moves[k][0], symbol);
            for (size_t b = 0; b < rule->bound_count[k]; b++) {
                sdk_s8x16 reached = narrow(value >= splat16(rule->bounds[k][b]));
                moved = select_bytes(reached, look_up_bytes(rule->moves[k][b + 1], symbol), moved);
            }
            if (counters) {
                sdk_s8x16 counter = (sdk_s8x16)load_bytes(counters + at, count);
                moved = select_bytes((sdk_s8x16)(counter == splat16b(SDK_FROZEN)), symbol, moved);
            }
            symbol = moved;
        }
        store_bytes(symbols + j * stride, symbol, count);
    }
}

void SDK_VARIANT(f32_requantise)(size_t rows, size_t n, size_t c, size_t S,
                                 const sdk_coefficient_rule *rule, const float *basis,
                                 const float *x, float scale, size_t plane_stride,
                                 uint8_t *symbols, float *momentum, const int8_t *counters) {
    for (size_t row = 0; row < rows; row += 16) {
        size_t count = rows - row < 16 ? rows - row : 16;
        requantise_rows(count, n, c, S, rule, basis, x + row * S, scale, plane_stride,
                        symbols + row, momentum ? momentum + row : NULL,
                        counters ? counters + row : NULL);
    }
}

/// sdk_counter_noise of 16 counters.
INLINE sdk_f32x16 counter_noise(uint64_t counter, uint64_t key) {
    sdk_u32x16 h = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    h += (uint32_t)counter + (uint32_t)key;
    h ^= h >> 16;
    h *= 0x21F0AAADu;
    h ^= (uint32_t)(key >> 32);
    h ^= h >> 15;
    h *= 0xD35A2D97u;
    h ^= h >> 15;
    sdk_f32x16 unit = __builtin_convertvector((sdk_s32x16)(h >> 8), sdk_f32x16);
    return unit * splat16(0x1p-24f) - splat16(0.5f);
}

INLINE sdk_f32x16 select_floats(sdk_s32x16 mask, sdk_f32x16 a, sdk_f32x16 b) {
    return (sdk_f32x16)(((sdk_s32x16)a & mask) | ((sdk_s32x16)b & ~mask));
}

INLINE void feed_back_rows(size_t count, size_t n, size_t c, size_t S,
                           const sdk_coefficient_rule *rule, const float *basis, const float *x,
                           float scale, size_t stride, uint64_t first, uint8_t *symbols,
                           float *momentum, int8_t *counters) {
    sdk_f32x16 column[SDK_MAX_WIDTH];
    for (size_t t = 0; t < S; t++) column[t] = load_column(x, S, t, count);
    sdk_f32x16 most = splat16(127), rounder = splat16(SDK_SIGNED_ROUNDER);
    for (size_t j = 0; j < n; j++) {
        sdk_u8x16 before = load_bytes(symbols + j * stride, count), symbol = before;
        for (size_t k = 0; k < c; k++) {
            size_t i = j * c + k, at = i * stride;
            sdk_f32x16 coefficient = look_up(rule->coefficients[k], before);
            sdk_f32x16 d = changes(rule, count, S, basis + i * S, column, scale, coefficient,
                                   momentum ? momentum + at : NULL);
            sdk_s8x16 counter = (sdk_s8x16)load_bytes(counters + at, count);
            sdk_f32x16 carried = __builtin_convertvector(
                __builtin_convertvector(counter, sdk_s32x16), sdk_f32x16);
            sdk_f32x16 value = (coefficient + carried * look_up(rule->units[k], before)) + d;
            // The last bound that is not above decides: they rise.
            sdk_u8x16 moved = look_up_bytes(rule->moves[k][0], symbol);
            for (size_t b = 0; b < rule->bound_count[k]; b++) {
                sdk_s8x16 reached = narrow(value >= splat16(rule->bounds[k][b]));
                moved = select_bytes(reached, look_up_bytes(rule->moves[k][b + 1], symbol), moved);
            }
            sdk_f32x16 rest = (value - look_up(rule->coefficients[k], moved)) /
                                  look_up(rule->units[k], moved) +
                              counter_noise(first + at, rule->key);
            rest = select_floats(rest > -most, rest, -most);
            rest = select_floats(rest > most, most, rest);
            rest = (rest + rounder) - rounder;
            sdk_s8x16 left = __builtin_convertvector(
                __builtin_convertvector(rest, sdk_s32x16), sdk_s8x16);
            sdk_s8x16 frozen = (sdk_s8x16)(counter == splat16b(SDK_FROZEN));
            symbol = select_bytes(frozen, symbol, moved);
            store_bytes(counters + at,
                        select_bytes(frozen, (sdk_u8x16)counter, (sdk_u8x16)left), count);
        }
        store_bytes(symbols + j * stride, symbol, count);
    }
}

INLINE void feed_back(size_t rows, size_t n, size_t c, size_t S, const sdk_coefficient_rule *rule,
                      const float *basis, const float *x, float scale, size_t stride,
                      uint64_t first, uint8_t *symbols, float *momentum, int8_t *counters) {
    size_t row = 0;
    for (; row + 16 <= rows; row += 16) {
        feed_back_rows(16, n, c, S, rule, basis, x + row * S, scale, stride, first + row,
                       symbols + row, momentum ? momentum + row : NULL, counters + row);
    }
    if (row < rows) {
        feed_back_rows(rows - row, n, c, S, rule, basis, x + row * S, scale, stride, first + row,
                       symbols + row, momentum ? momentum + row : NULL, counters + row);
    }
}

void SDK_VARIANT(f32_error_feedback)(size_t rows, size_t n, size_t c, size_t S,
                                     const sdk_coefficient_rule *rule, const float *basis,
                                     const float *x, float scale, size_t plane_stride,
                                     uint64_t first, uint8_t *symbols, float *momentum,
                                     int8_t *counters) {
    if (n == 3 && S == 3 && c == 1) {
        feed_back(rows, 3, 1, 3, rule, basis, x, scale, plane_stride, first, symbols, momentum,
                  counters);
    } else {
        feed_back(rows, n, c, S, rule, basis, x, scale, plane_stride, first, symbols, momentum,
                  counters);
    }
}
