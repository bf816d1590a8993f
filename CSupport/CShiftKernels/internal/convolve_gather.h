// convolve_gather.h - compacting kept positions one by one.
static void gather_singly(const sdk_convolve_list *list, const uint8_t *const *rows, size_t pixel,
                          size_t count, uint8_t *to, size_t pitch) {
    size_t in_block = SDK_CONVOLVE_BLOCK / sizeof(convolve_in);
    for (size_t k = 0; k < list->kept; k++) {
        uint32_t position = list->positions[k];
        if (position == SDK_CONVOLVE_NOTHING) continue;
        const uint8_t *from = rows[position & 0xFFFF] + (position >> 16) * sizeof(convolve_in);
        uint8_t *at = to + k / in_block * pitch + k % in_block * sizeof(convolve_lane);
        for (size_t i = 0; i < count; i++) {
            convolve_in value;
            memcpy(&value, from + i * pixel, sizeof value);
            *(convolve_lane *)(at + i * CONVOLVE_SLOT) = value;
        }
    }
}
