// One face of oneDNN 2.x and 3.x: what the plan of a network needs, by functions that both have the
// means for. Layouts are heap objects here, because 2.x describes memory by a struct and 3.x by a
// handle. Every function that can fail returns a dnnl_status_t and leaves its result untouched then.
#ifndef SMARTDEAL_CONEDNN_SHIM_H
#define SMARTDEAL_CONEDNN_SHIM_H

#include <dlfcn.h>
#include <dnnl.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#if DNNL_VERSION_MAJOR < 2 || (DNNL_VERSION_MAJOR == 2 && DNNL_VERSION_MINOR < 6)
#error "oneDNN 2.6 or later is needed"
#endif
#define SDN_V3 (DNNL_VERSION_MAJOR >= 3)

// ---- layouts ------------------------------------------------------------------------------------

// How a value lies in memory: sizes, element type, order and blocking.
typedef struct sdn_layout {
    dnnl_memory_desc_t md;
} sdn_layout;

#if SDN_V3
typedef const_dnnl_memory_desc_t sdn_md;
static inline sdn_md sdn_md_of(const sdn_layout *layout) { return layout ? layout->md : NULL; }
#else
typedef const dnnl_memory_desc_t *sdn_md;
static inline sdn_md sdn_md_of(const sdn_layout *layout) { return layout ? &layout->md : NULL; }
#endif

enum sdn_element { sdn_float, sdn_byte, sdn_signed_byte };

static inline void sdn_layout_free(sdn_layout *layout) {
    if (!layout) return;
#if SDN_V3
    dnnl_memory_desc_destroy(layout->md);
#endif
    free(layout);
}

static inline sdn_layout *sdn_layout_copy(sdn_md md) {
    sdn_layout *layout = md ? (sdn_layout *)calloc(1, sizeof *layout) : NULL;
    if (!layout) return NULL;
#if SDN_V3
    if (dnnl_memory_desc_clone(&layout->md, md) != dnnl_success) {
        free(layout);
        return NULL;
    }
#else
    layout->md = *md;
#endif
    return layout;
}

// Elements in the order that `strides` says; NULL leaves the order to the primitive.
static inline sdn_layout *sdn_layout_create(
    int rank, const int64_t *sizes, const int64_t *strides, int element) {
    dnnl_data_type_t type = element == sdn_byte ? dnnl_u8
        : element == sdn_signed_byte            ? dnnl_s8 : dnnl_f32;
    sdn_layout *layout = (sdn_layout *)calloc(1, sizeof *layout);
    if (!layout) return NULL;
    dnnl_dims_t dims = {0}, steps = {0};
    if (rank < 1 || rank > DNNL_MAX_NDIMS) {
        free(layout);
        return NULL;
    }
    memcpy(dims, sizes, (size_t)rank * sizeof *sizes);
    if (strides) memcpy(steps, strides, (size_t)rank * sizeof *strides);
    dnnl_status_t status;
#if SDN_V3
    status = strides
        ? dnnl_memory_desc_create_with_strides(&layout->md, rank, dims, type, steps)
        : dnnl_memory_desc_create_with_tag(&layout->md, rank, dims, type, dnnl_format_tag_any);
#else
    status = strides
        ? dnnl_memory_desc_init_by_strides(&layout->md, rank, dims, type, steps)
        : dnnl_memory_desc_init_by_tag(&layout->md, rank, dims, type, dnnl_format_tag_any);
#endif
    if (status != dnnl_success) {
        free(layout);
        return NULL;
    }
    return layout;
}

static inline int sdn_layout_equal(const sdn_layout *a, const sdn_layout *b) {
    return dnnl_memory_desc_equal(sdn_md_of(a), sdn_md_of(b));
}

static inline size_t sdn_layout_bytes(const sdn_layout *layout) {
    return dnnl_memory_desc_get_size(sdn_md_of(layout));
}

// ---- fused operations ---------------------------------------------------------------------------

enum sdn_function {
    sdn_relu, sdn_elu, sdn_clip, sdn_linear, sdn_logistic, sdn_hardswish, sdn_swish, sdn_tanh,
    sdn_gelu_erf, sdn_gelu_tanh, sdn_abs, sdn_sqrt, sdn_exp, sdn_log, sdn_pow,
    sdn_relu_of_result  // ReLU whose gradient is found from its result
};

enum sdn_binary { sdn_add, sdn_sub, sdn_mul, sdn_div, sdn_min, sdn_max };

enum sdn_post_kind { sdn_post_sum, sdn_post_function, sdn_post_binary };

// Something done to a primitive's result before it is written.
typedef struct sdn_post {
    enum sdn_post_kind kind;
    int function;  // of sdn_function or sdn_binary
    float alpha, beta;
    float sum_scale;  // of a sum: what the target holds before is sum_scale (byte - sum_zero)
    int sum_zero;
    const sdn_layout *operand;  // of a binary one
} sdn_post;

static inline dnnl_alg_kind_t sdn_function_kind(int function) {
    switch (function) {
    case sdn_relu: return dnnl_eltwise_relu;
    case sdn_elu: return dnnl_eltwise_elu;
    case sdn_clip: return dnnl_eltwise_clip;
    case sdn_linear: return dnnl_eltwise_linear;
    case sdn_logistic: return dnnl_eltwise_logistic;
    case sdn_hardswish: return dnnl_eltwise_hardswish;
    case sdn_swish: return dnnl_eltwise_swish;
    case sdn_tanh: return dnnl_eltwise_tanh;
    case sdn_gelu_erf: return dnnl_eltwise_gelu_erf;
    case sdn_gelu_tanh: return dnnl_eltwise_gelu_tanh;
    case sdn_abs: return dnnl_eltwise_abs;
    case sdn_sqrt: return dnnl_eltwise_sqrt;
    case sdn_exp: return dnnl_eltwise_exp;
    case sdn_log: return dnnl_eltwise_log;
    case sdn_pow: return dnnl_eltwise_pow;
    case sdn_relu_of_result: return dnnl_eltwise_relu_use_dst_for_bwd;
    default: return dnnl_alg_kind_undef;
    }
}

// 2.x computes x * relu6(x + 3) / 6 whatever the constants, 3.x x * clip(alpha x + beta).
static inline float sdn_function_alpha(int function, float alpha) {
    return SDN_V3 && function == sdn_hardswish ? 1.0f / 6 : alpha;
}
static inline float sdn_function_beta(int function, float beta) {
    return SDN_V3 && function == sdn_hardswish ? 0.5f : beta;
}

static inline float sdn_finite(float value) { return fminf(fmaxf(value, -FLT_MAX), FLT_MAX); }

static inline dnnl_alg_kind_t sdn_binary_kind(int function) {
    switch (function) {
    case sdn_add: return dnnl_binary_add;
    case sdn_sub: return dnnl_binary_sub;
    case sdn_mul: return dnnl_binary_mul;
    case sdn_div: return dnnl_binary_div;
    case sdn_min: return dnnl_binary_min;
    case sdn_max: return dnnl_binary_max;
    default: return dnnl_alg_kind_undef;
    }
}

// How a primitive's integers stand for reals: x = scale (integer - zero). Floats have scale 1, zero 0.
typedef struct sdn_integers {
    float source_scale, target_scale;
    int source_zero, target_zero;
    const float *weight_scales;  // one a channel, or NULL
    int weight_count, weight_mask;
    int result_mask;  // the dimension of the result that weight_count is of
} sdn_integers;

// Whether the bias of an integer primitive is real; otherwise it is added to the accumulators.
enum { sdn_bias_is_real = SDN_V3 };

#if SDN_V3
static inline dnnl_status_t sdn_set_integers(
    dnnl_primitive_attr_t attributes, const sdn_integers *integers) {
    dnnl_status_t status = dnnl_primitive_attr_set_scales_mask(attributes, DNNL_ARG_SRC, 0);
    if (status == dnnl_success && integers->weight_scales)
        status = dnnl_primitive_attr_set_scales_mask(
            attributes, DNNL_ARG_WEIGHTS, integers->weight_mask);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scales_mask(attributes, DNNL_ARG_DST, 0);
    if (status == dnnl_success && integers->source_zero)
        status = dnnl_primitive_attr_set_zero_points_mask(attributes, DNNL_ARG_SRC, 0);
    if (status == dnnl_success && integers->target_zero)
        status = dnnl_primitive_attr_set_zero_points_mask(attributes, DNNL_ARG_DST, 0);
    return status;
}
#else
// Accumulators to units of `target_scale`.
static inline dnnl_status_t sdn_set_integers(
    dnnl_primitive_attr_t attributes, const sdn_integers *integers, float target_scale) {
    float scale = integers->source_scale / target_scale;
    int count = integers->weight_scales ? integers->weight_count : 1;
    float *scales = (float *)malloc((size_t)count * sizeof *scales);
    if (!scales) return dnnl_out_of_memory;
    for (int i = 0; i < count; i++)
        scales[i] = integers->weight_scales ? scale * integers->weight_scales[i] : scale;
    dnnl_status_t status = dnnl_primitive_attr_set_output_scales(
        attributes, count, count > 1 ? integers->result_mask : 0, scales);
    free(scales);
    if (status == dnnl_success && integers->source_zero)
        status = dnnl_primitive_attr_set_zero_points(
            attributes, DNNL_ARG_SRC, 1, 0, &integers->source_zero);
    if (status == dnnl_success && integers->target_zero)
        status = dnnl_primitive_attr_set_zero_points(
            attributes, DNNL_ARG_DST, 1, 0, &integers->target_zero);
    return status;
}
#endif

// Whether a function of c x is c times the function of x, when its bounds are c times as large.
static inline int sdn_scales_with_operand(const sdn_post *post) {
    return post->kind == sdn_post_sum
        || (post->kind == sdn_post_function
            && (post->function == sdn_relu || post->function == sdn_clip));
}

// Scratch memory is the caller's, so that a plan can share it between its steps. Posts work on
// reals. 2.x has scales before them only: where they do not scale with their operand, one more post
// brings the result to the target's units.
static inline dnnl_status_t sdn_attributes(
    dnnl_primitive_attr_t *result, const sdn_post *posts, int count,
    const sdn_integers *integers) {
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t list = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(&attributes);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success) status = dnnl_post_ops_create(&list);
    float unit = 1;  // that posts compute in
#if SDN_V3
    if (status == dnnl_success && integers) status = sdn_set_integers(attributes, integers);
#else
    if (integers) {
        unit = integers->target_scale;
        for (int i = 0; i < count; i++)
            if (!sdn_scales_with_operand(posts + i)) unit = 1;
        if (status == dnnl_success) status = sdn_set_integers(attributes, integers, unit);
    }
#endif
    for (int i = 0; status == dnnl_success && i < count; i++) {
        const sdn_post *post = posts + i;
        switch (post->kind) {
        case sdn_post_sum:
#if SDN_V3
            status = dnnl_post_ops_append_sum(
                list, post->sum_scale, post->sum_zero, dnnl_data_type_undef);
#else
            status = dnnl_post_ops_append_sum_v3(
                list, post->sum_scale / unit, post->sum_zero, dnnl_data_type_undef);
#endif
            break;
        case sdn_post_function: {
            dnnl_alg_kind_t kind = sdn_function_kind(post->function);
            float alpha = sdn_function_alpha(post->function, post->alpha);
            float beta = sdn_function_beta(post->function, post->beta);
            if (post->function == sdn_clip) {
                alpha = sdn_finite(alpha / unit);
                beta = sdn_finite(beta / unit);
            }
#if SDN_V3
            status = dnnl_post_ops_append_eltwise(list, kind, alpha, beta);
#else
            status = dnnl_post_ops_append_eltwise(list, 1, kind, alpha, beta);
#endif
            break;
        }
        case sdn_post_binary:
            status = dnnl_post_ops_append_binary(
                list, sdn_binary_kind(post->function), sdn_md_of(post->operand));
            break;
        }
    }
#if !SDN_V3
    if (status == dnnl_success && integers && unit != integers->target_scale)
        status = dnnl_post_ops_append_eltwise(
            list, 1, dnnl_eltwise_linear, unit / integers->target_scale, 0);
#endif
    if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(attributes, list);
    if (list) dnnl_post_ops_destroy(list);
    if (status == dnnl_success)
        *result = attributes;
    else if (attributes)
        dnnl_primitive_attr_destroy(attributes);
    return status;
}

// ---- primitives ---------------------------------------------------------------------------------

static inline dnnl_status_t sdn_convolution(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, const sdn_layout *source,
    const sdn_layout *weights, const sdn_layout *bias, const sdn_layout *target,
    const int64_t *strides, const int64_t *dilations, const int64_t *begin, const int64_t *end,
    const_dnnl_primitive_attr_t attributes) {
#if SDN_V3
    return dnnl_convolution_forward_primitive_desc_create(
        result, engine, dnnl_forward_inference, dnnl_convolution_direct, sdn_md_of(source),
        sdn_md_of(weights), sdn_md_of(bias), sdn_md_of(target), strides, dilations, begin, end,
        attributes);
#else
    dnnl_convolution_desc_t desc;
    dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(
        &desc, dnnl_forward_inference, dnnl_convolution_direct, sdn_md_of(source),
        sdn_md_of(weights), sdn_md_of(bias), sdn_md_of(target), strides, dilations, begin, end);
    return status != dnnl_success
        ? status : dnnl_primitive_desc_create(result, &desc, attributes, engine, NULL);
#endif
}

static inline dnnl_status_t sdn_matmul(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, const sdn_layout *source,
    const sdn_layout *weights, const sdn_layout *bias, const sdn_layout *target,
    const_dnnl_primitive_attr_t attributes) {
#if SDN_V3
    return dnnl_matmul_primitive_desc_create(
        result, engine, sdn_md_of(source), sdn_md_of(weights), sdn_md_of(bias), sdn_md_of(target),
        attributes);
#else
    dnnl_matmul_desc_t desc;
    dnnl_status_t status = dnnl_matmul_desc_init(
        &desc, sdn_md_of(source), sdn_md_of(weights), sdn_md_of(bias), sdn_md_of(target));
    return status != dnnl_success
        ? status : dnnl_primitive_desc_create(result, &desc, attributes, engine, NULL);
#endif
}

enum sdn_pooling_kind { sdn_pooling_max, sdn_pooling_average, sdn_pooling_average_padded };

static inline dnnl_status_t sdn_pooling(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, int kind, const sdn_layout *source,
    const sdn_layout *target, const int64_t *kernel, const int64_t *strides,
    const int64_t *dilations, const int64_t *begin, const int64_t *end,
    const_dnnl_primitive_attr_t attributes) {
    dnnl_alg_kind_t algorithm = kind == sdn_pooling_max ? dnnl_pooling_max
        : kind == sdn_pooling_average                   ? dnnl_pooling_avg_exclude_padding
                                                        : dnnl_pooling_avg_include_padding;
#if SDN_V3
    return dnnl_pooling_forward_primitive_desc_create(
        result, engine, dnnl_forward_inference, algorithm, sdn_md_of(source), sdn_md_of(target),
        strides, kernel, dilations, begin, end, attributes);
#else
    dnnl_pooling_v2_desc_t desc;
    dnnl_status_t status = dnnl_pooling_v2_forward_desc_init(
        &desc, dnnl_forward_inference, algorithm, sdn_md_of(source), sdn_md_of(target), strides,
        kernel, dilations, begin, end);
    return status != dnnl_success
        ? status : dnnl_primitive_desc_create(result, &desc, attributes, engine, NULL);
#endif
}

static inline dnnl_status_t sdn_eltwise(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, int function, float alpha, float beta,
    const sdn_layout *layout, const_dnnl_primitive_attr_t attributes) {
    alpha = sdn_function_alpha(function, alpha);
    beta = sdn_function_beta(function, beta);
#if SDN_V3
    return dnnl_eltwise_forward_primitive_desc_create(
        result, engine, dnnl_forward_inference, sdn_function_kind(function), sdn_md_of(layout),
        sdn_md_of(layout), alpha, beta, attributes);
#else
    dnnl_eltwise_desc_t desc;
    dnnl_status_t status = dnnl_eltwise_forward_desc_init(
        &desc, dnnl_forward_inference, sdn_function_kind(function), sdn_md_of(layout), alpha, beta);
    return status != dnnl_success
        ? status : dnnl_primitive_desc_create(result, &desc, attributes, engine, NULL);
#endif
}

static inline dnnl_status_t sdn_binary_operation(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, int function, const sdn_layout *first,
    const sdn_layout *second, const sdn_layout *target, const_dnnl_primitive_attr_t attributes) {
#if SDN_V3
    return dnnl_binary_primitive_desc_create(
        result, engine, sdn_binary_kind(function), sdn_md_of(first), sdn_md_of(second),
        sdn_md_of(target), attributes);
#else
    dnnl_binary_desc_t desc;
    dnnl_status_t status = dnnl_binary_desc_init(
        &desc, sdn_binary_kind(function), sdn_md_of(first), sdn_md_of(second), sdn_md_of(target));
    return status != dnnl_success
        ? status : dnnl_primitive_desc_create(result, &desc, attributes, engine, NULL);
#endif
}

static inline dnnl_status_t sdn_softmax(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, int axis, const sdn_layout *layout,
    const_dnnl_primitive_attr_t attributes) {
#if SDN_V3
    return dnnl_softmax_forward_primitive_desc_create(
        result, engine, dnnl_forward_inference, dnnl_softmax_accurate, sdn_md_of(layout),
        sdn_md_of(layout), axis, attributes);
#else
    dnnl_softmax_v2_desc_t desc;
    dnnl_status_t status = dnnl_softmax_v2_forward_desc_init(
        &desc, dnnl_forward_inference, dnnl_softmax_accurate, sdn_md_of(layout), sdn_md_of(layout),
        axis);
    return status != dnnl_success
        ? status : dnnl_primitive_desc_create(result, &desc, attributes, engine, NULL);
#endif
}

// Over the last dimension, with scale and shift.
static inline dnnl_status_t sdn_layer_normalization(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, float epsilon, const sdn_layout *layout,
    const_dnnl_primitive_attr_t attributes) {
    unsigned flags = dnnl_use_scale | dnnl_use_shift;
#if SDN_V3
    return dnnl_layer_normalization_forward_primitive_desc_create(
        result, engine, dnnl_forward_inference, sdn_md_of(layout), sdn_md_of(layout), NULL, epsilon,
        flags, attributes);
#else
    dnnl_layer_normalization_desc_t desc;
    dnnl_status_t status = dnnl_layer_normalization_forward_desc_init(
        &desc, dnnl_forward_inference, sdn_md_of(layout), NULL, epsilon, flags);
    return status != dnnl_success
        ? status : dnnl_primitive_desc_create(result, &desc, attributes, engine, NULL);
#endif
}

// Per channel (dimension 1), with given mean and variance, scale and shift.
static inline dnnl_status_t sdn_batch_normalization(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, float epsilon, const sdn_layout *layout,
    const_dnnl_primitive_attr_t attributes) {
    unsigned flags = dnnl_use_global_stats | dnnl_use_scale | dnnl_use_shift;
#if SDN_V3
    return dnnl_batch_normalization_forward_primitive_desc_create(
        result, engine, dnnl_forward_inference, sdn_md_of(layout), sdn_md_of(layout), epsilon,
        flags, attributes);
#else
    dnnl_batch_normalization_desc_t desc;
    dnnl_status_t status = dnnl_batch_normalization_forward_desc_init(
        &desc, dnnl_forward_inference, sdn_md_of(layout), epsilon, flags);
    return status != dnnl_success
        ? status : dnnl_primitive_desc_create(result, &desc, attributes, engine, NULL);
#endif
}

static inline dnnl_status_t sdn_reorder(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, const sdn_layout *source,
    const sdn_layout *target, const_dnnl_primitive_attr_t attributes) {
    return dnnl_reorder_primitive_desc_create(
        result, sdn_md_of(source), engine, sdn_md_of(target), engine, attributes);
}

static inline dnnl_status_t sdn_concat(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, int axis,
    const sdn_layout *const *sources, int count, const sdn_layout *target,
    const_dnnl_primitive_attr_t attributes) {
    dnnl_memory_desc_t *list = (dnnl_memory_desc_t *)calloc((size_t)count, sizeof *list);
    if (!list) return dnnl_out_of_memory;
    for (int i = 0; i < count; i++) list[i] = sources[i]->md;
#if SDN_V3
    dnnl_status_t status = dnnl_concat_primitive_desc_create(
        result, engine, sdn_md_of(target), count, axis, (const const_dnnl_memory_desc_t *)list,
        attributes);
#else
    dnnl_status_t status = dnnl_concat_primitive_desc_create(
        result, sdn_md_of(target), count, axis, list, attributes, engine);
#endif
    free(list);
    return status;
}

static inline dnnl_status_t sdn_mean(
    dnnl_primitive_desc_t *result, dnnl_engine_t engine, const sdn_layout *source,
    const sdn_layout *target, const_dnnl_primitive_attr_t attributes) {
#if SDN_V3
    return dnnl_reduction_primitive_desc_create(
        result, engine, dnnl_reduction_mean, sdn_md_of(source), sdn_md_of(target), 0, 0,
        attributes);
#else
    dnnl_reduction_desc_t desc;
    dnnl_status_t status = dnnl_reduction_desc_init(
        &desc, dnnl_reduction_mean, sdn_md_of(source), sdn_md_of(target), 0, 0);
    return status != dnnl_success
        ? status : dnnl_primitive_desc_create(result, &desc, attributes, engine, NULL);
#endif
}

// ---- queries and threads ------------------------------------------------------------------------

static inline sdn_layout *sdn_primitive_layout(
    const_dnnl_primitive_desc_t primitive, dnnl_query_t what, int index) {
    return sdn_layout_copy(dnnl_primitive_desc_query_md(primitive, what, index));
}

// The name of the implementation; lives as long as the descriptor.
static inline const char *sdn_primitive_name(const_dnnl_primitive_desc_t primitive) {
    const char *name = "";
    dnnl_primitive_desc_query(primitive, dnnl_query_impl_info_str, 0, &name);
    return name;
}

static inline dnnl_status_t sdn_memory(
    dnnl_memory_t *result, dnnl_engine_t engine, const sdn_layout *layout, void *address) {
    return dnnl_memory_create(result, sdn_md_of(layout), engine, address);
}

// Numbers of arguments that Swift cannot import as constants.
enum sdn_argument {
    sdn_argument_source = DNNL_ARG_SRC_0,
    sdn_argument_source_1 = DNNL_ARG_SRC_1,
    sdn_argument_target = DNNL_ARG_DST,
    sdn_argument_weights = DNNL_ARG_WEIGHTS,
    sdn_argument_bias = DNNL_ARG_BIAS,
    sdn_argument_mean = DNNL_ARG_MEAN,
    sdn_argument_variance = DNNL_ARG_VARIANCE,
    sdn_argument_scale = DNNL_ARG_SCALE,
    sdn_argument_shift = DNNL_ARG_SHIFT,
    sdn_argument_scratchpad = DNNL_ARG_SCRATCHPAD,
    sdn_argument_multiple = DNNL_ARG_MULTIPLE_SRC
};

enum { sdn_integer_argument_limit = 5 };

#if SDN_V3
// Adds an argument with elements that oneDNN keeps.
static inline dnnl_status_t sdn_add_argument(
    dnnl_exec_arg_t *list, int *count, dnnl_engine_t engine, int number, dnnl_data_type_t type,
    const void *elements, int64_t length) {
    dnnl_memory_desc_t layout = NULL;
    dnnl_memory_t memory = NULL;
    void *place = NULL;
    dnnl_status_t status =
        dnnl_memory_desc_create_with_tag(&layout, 1, &length, type, dnnl_a);
    if (status == dnnl_success)
        status = dnnl_memory_create(&memory, layout, engine, DNNL_MEMORY_ALLOCATE);
    if (layout) dnnl_memory_desc_destroy(layout);
    if (status == dnnl_success) status = dnnl_memory_get_data_handle(memory, &place);
    if (status == dnnl_success) {
        memcpy(place, elements, (size_t)length * 4);
        list[(*count)++] = (dnnl_exec_arg_t){number, memory};
    } else if (memory) {
        dnnl_memory_destroy(memory);
    }
    return status;
}
#endif

// The arguments that scales and zeros are, at most sdn_integer_argument_limit; those added so far
// are the caller's to destroy on failure too.
static inline dnnl_status_t sdn_integer_arguments(
    dnnl_exec_arg_t *list, int *count, dnnl_engine_t engine, const sdn_integers *integers) {
    *count = 0;
#if SDN_V3
    dnnl_status_t status = sdn_add_argument(
        list, count, engine, DNNL_ARG_ATTR_SCALES | DNNL_ARG_SRC, dnnl_f32,
        &integers->source_scale, 1);
    if (status == dnnl_success)
        status = sdn_add_argument(
            list, count, engine, DNNL_ARG_ATTR_SCALES | DNNL_ARG_DST, dnnl_f32,
            &integers->target_scale, 1);
    if (status == dnnl_success && integers->weight_scales)
        status = sdn_add_argument(
            list, count, engine, DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, dnnl_f32,
            integers->weight_scales, integers->weight_count);
    if (status == dnnl_success && integers->source_zero)
        status = sdn_add_argument(
            list, count, engine, DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_SRC, dnnl_s32,
            &integers->source_zero, 1);
    if (status == dnnl_success && integers->target_zero)
        status = sdn_add_argument(
            list, count, engine, DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_DST, dnnl_s32,
            &integers->target_zero, 1);
    return status;
#else
    (void)list, (void)engine, (void)integers;
    return dnnl_success;
#endif
}

// oneDNN takes the threads that OpenMP gives the calling thread, where it is built with OpenMP.
static inline void sdn_set_threads(int count) {
    static void (*set)(int);
    if (!set) set = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    if (set) set(count);
}

static inline int sdn_post_argument(int index) {
    return DNNL_ARG_ATTR_MULTIPLE_POST_OP(index) | DNNL_ARG_SRC_1;
}

#include "training.h"

#endif
