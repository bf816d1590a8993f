// lanes_panel.h - what the convolutions in batch lanes share: vectors, padded copies of the input
// (panels), and fetching ahead. Part of lanes_body.h.
#include "kernel_prototypes.h"

#pragma clang fp contract(fast)
// Every function that passes these vectors is inlined here; none crosses an ABI.
#pragma clang diagnostic ignored "-Wpsabi"

typedef float sdk_part __attribute__((vector_size(SDK_PART * 4)));
typedef float sdk_f32x16 __attribute__((vector_size(64)));
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

INLINE sdk_part load_part(const float *from) {
    sdk_part value;
    memcpy(&value, from, sizeof value);
    return value;
}

INLINE void store_part(float *to, sdk_part value) { memcpy(to, &value, sizeof value); }

INLINE sdk_f32x16 load16(const float *from) {
    sdk_f32x16 value;
    memcpy(&value, from, sizeof value);
    return value;
}

INLINE void store16(float *to, sdk_f32x16 value) { memcpy(to, &value, sizeof value); }

INLINE size_t least(size_t a, size_t b) { return a < b ? a : b; }

/// One axis of a panel: `count` indexes of the input from `first`, `step` apart. With one tap only
/// what is read is copied, so that outputs are `stride` 1 apart in the panel.
typedef struct panel_axis {
    ptrdiff_t first;
    size_t count, step, stride, tap;
} panel_axis;

INLINE panel_axis panel_of(const sdk_lanes_axis *axis, size_t begin, size_t count) {
    panel_axis panel = {axis->in_first + (ptrdiff_t)(begin * axis->in_step), count, axis->in_step,
                        1, axis->tap_step};
    if (axis->taps > 1) {
        panel.count = (count - 1) * axis->in_step + (axis->taps - 1) * axis->tap_step + 1;
        panel.stride = axis->in_step;
        panel.step = 1;
    }
    return panel;
}

/// The indexes of a panel, begin[0] ..< begin[1], that lie inside the input.
INLINE void inside(const panel_axis *axis, size_t in_size, size_t begin[2]) {
    size_t step = axis->step, size = in_size;
    size_t low = axis->first < 0 ? ((size_t)-axis->first + step - 1) / step : 0;
    ptrdiff_t left = (ptrdiff_t)size - axis->first;
    size_t high = left > 0 ? ((size_t)left + step - 1) / step : 0;
    begin[1] = least(high, axis->count);
    begin[0] = least(low, begin[1]);
}

INLINE void zero_pixels(float *to, size_t count) {
    for (size_t i = 0; i < count; i++) store16(to + i * SDK_LANES, (sdk_f32x16){0});
}

/// Copies channels [first, end) of the input into `panel` [channel][rows.count][columns.count].
INLINE void fill_panel(const sdk_lanes_pass *pass, size_t first, size_t end, panel_axis rows,
                       panel_axis columns, const float *in, float *panel) {
    size_t y[2], x[2];
    size_t width = pass->columns.in_size;
    inside(&rows, pass->rows.in_size, y);
    inside(&columns, width, x);
    for (size_t channel = first; channel < end; channel++) {
        for (size_t row = 0; row < rows.count; row++, panel += columns.count * SDK_LANES) {
            if (row < y[0] || row >= y[1] || x[0] == x[1]) {
                zero_pixels(panel, columns.count);
                continue;
            }
            size_t line = channel * pass->rows.in_size +
                          (size_t)(rows.first + (ptrdiff_t)(row * rows.step));
            size_t begin = (size_t)(columns.first + (ptrdiff_t)(x[0] * columns.step));
            const float *from = in + (line * width + begin) * SDK_LANES;
            zero_pixels(panel, x[0]);
            for (size_t i = x[0]; i < x[1]; i++, from += columns.step * SDK_LANES) {
                store16(panel + i * SDK_LANES, load16(from));
            }
            zero_pixels(panel + x[1] * SDK_LANES, columns.count - x[1]);
        }
    }
}

/// Rows of pixels that come next, fetched a few at a time while there is other work: at their
/// first use every line would wait for memory.
typedef struct fetch {
    const float *from;
    size_t channels, rows, count, channel_pitch, row_pitch, step;
    size_t channel, row;
} fetch;

INLINE fetch fetch_of(const sdk_lanes_pass *pass, size_t first, size_t end, panel_axis rows,
                      panel_axis columns, const float *in) {
    size_t y[2], x[2];
    inside(&rows, pass->rows.in_size, y);
    inside(&columns, pass->columns.in_size, x);
    fetch f = {0};
    if (y[0] == y[1] || x[0] == x[1]) return f;
    f.channels = end - first;
    f.rows = y[1] - y[0];
    f.count = x[1] - x[0];
    f.row_pitch = rows.step * pass->columns.in_size * SDK_LANES;
    f.channel_pitch = pass->rows.in_size * pass->columns.in_size * SDK_LANES;
    f.step = columns.step * SDK_LANES;
    size_t row = (size_t)(rows.first + (ptrdiff_t)(y[0] * rows.step));
    size_t column = (size_t)(columns.first + (ptrdiff_t)(x[0] * columns.step));
    f.from = in + first * f.channel_pitch + (row * pass->columns.in_size + column) * SDK_LANES;
    return f;
}

/// Fetches so many pixels, `step` floats apart, into the second-level cache.
INLINE void fetch_pixels(const float *from, size_t count, size_t step) {
    for (size_t i = 0; i < count; i++) __builtin_prefetch(from + i * step, 0, 2);
}

INLINE void fetch_rows(fetch *f, size_t count) {
    for (; count > 0 && f->channel < f->channels; count--) {
        fetch_pixels(f->from + f->channel * f->channel_pitch + f->row * f->row_pitch, f->count,
                     f->step);
        if (++f->row == f->rows) {
            f->row = 0;
            f->channel++;
        }
    }
}
