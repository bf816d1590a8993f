// learning_lanes.h - what the variants of the learning kernels share.
#ifndef SDK_LEARNING_LANES_H
#define SDK_LEARNING_LANES_H

#define SDK_LEARNING_LANES 16

/// Adds sixteen lanes: halves, quarters, eighths, pairs.
static inline float sdk_learning_sum(const float *lanes) {
    float eight[8], four[4];
    for (int l = 0; l < 8; l++) eight[l] = lanes[l] + lanes[l + 8];
    for (int l = 0; l < 4; l++) four[l] = eight[l] + eight[l + 4];
    return (four[0] + four[2]) + (four[1] + four[3]);
}

#endif  // SDK_LEARNING_LANES_H
